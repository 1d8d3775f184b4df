"""--log-file: a JSON object a line, that scripts can go by; and what can't be written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from pipeline.build_systems import Unwritable
from pipeline.cli.event_log import EventLog, event_log
from pipeline.jobs import Commitment
from pipeline.report.event_record import event_name
from pipeline.runner.events import Event, MoneyMoved, TakeGenerated, Waiting
from pipeline.runner.results import RunResult

if TYPE_CHECKING:
    from lives import Lives

PAGE = Path(__file__).parents[2] / "docs/log.md"


class Noon:
    def now(self) -> float:
        return 1_790_000_000.25


def test_each_event_is_one_object_with_its_time_and_its_fields(tmp_path: Path) -> None:
    """Dollars, seconds, and no line break, whatever a name holds; a log is gone on with."""
    for _ in range(2):
        with event_log(tmp_path / "log", Noon()) as log:
            log.observe(TakeGenerated("game", "a\nb", 2, 30_000))
            log.observe(MoneyMoved(Commitment(10_000, 0, 30_000)))
            log.observe(Waiting("a", None, "full", "slot"))
            log.end(RunResult((), 1.5))
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(lines) == 8
    assert lines[0] == {
        "time": "2026-09-21T14:13:20.250Z",
        "event": "take_generated",
        "manifest": "game",
        "track": "a\nb",
        "take": 2,
        "cost_usd": 0.03,
    }
    assert lines[1].items() >= {"event": "money_moved", "billed_usd": 0.03, "reserved_usd": 0.01}.items()
    assert lines[3].items() >= {"event": "run_ended", "exit": 0, "failed": 0, "seconds": 1.5}.items()


def test_every_event_is_documented() -> None:
    """By the name that stands in the log."""
    page = PAGE.read_text(encoding="utf-8")
    missing = [name for name in map(event_name, get_args(Event)) if f"`{name}`" not in page]
    assert missing == []


def test_a_file_of_another_kind_is_never_appended_to(folder: Path, lives: Lives) -> None:
    """A manifest, a link, a place that is not there: one sentence, exit 2, and nothing is sent."""
    (folder / "link").symlink_to("elsewhere")
    manifest = (folder / "demo.yaml").read_text()
    for path in ("demo.yaml", "link", "nowhere/log"):
        ended = lives.live(folder, "run", "demo.yaml", "--gateway", "local", "--quiet", "--log-file", path)
        assert ended.status == 2
        assert ended.stderr.startswith(f"--log-file {path}: ")
    assert (folder / "demo.yaml").read_text() == manifest
    assert not (folder / "elsewhere").exists()
    assert not (folder / ".pipeline/ledger.sqlite3").exists()


def test_a_full_disk_ends_the_log_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said once, and a line that was broken off is not gone on with."""
    (tmp_path / "log").write_text('{"time": "", "event": ""}\n{"ti')
    log = EventLog(tmp_path / "log", Noon())

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    for _ in range(2):
        log.observe(MoneyMoved(Commitment()))
    assert capsys.readouterr().err.count("no space left on device; the run goes on") == 1
    assert (tmp_path / "log").read_text().endswith('{"ti\n')
    with pytest.raises(Unwritable):
        EventLog(tmp_path, Noon())

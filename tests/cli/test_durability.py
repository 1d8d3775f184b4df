"""What a power failure can't take back: the order of writes, syncs and sends, as the kernel sees it.

A kill proves an order only between processes; what was written and not synced survives it. So the real program runs
under strace against a gateway on a real socket.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lives import clean_environment
from programs import MANIFEST
from quick_gateway import quick_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CALLS = "write,pwrite64,writev,fsync,fdatasync,sendto,sendmsg,recvfrom,rename,renameat,renameat2"
_LINE = re.compile(r"^(?P<process>\d+) +(?P<text>.*)$")
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(?P<rest>.*)$")


@dataclass(frozen=True)
class Call:
    """A call of the system: between which lines of the record it was under way."""

    name: str
    text: str
    began: int
    ended: int

    @property
    def went_well(self) -> bool:
        return re.search(r"= \d+\S*$", self.text) is not None

    def of(self, names: str, *words: str) -> bool:
        """Is it one of these calls, gone well, about all these words?"""
        return self.name in names.split() and self.went_well and all(word in self.text for word in words)


def calls_of(record: str) -> list[Call]:
    """The calls in strace's record, each with both of its ends where another thread's came between."""
    under_way: dict[str, tuple[int, str]] = {}
    found: list[Call] = []
    for number, line in enumerate(record.splitlines()):
        matched = _LINE.match(line)
        if matched is None:
            continue
        process, text = matched["process"], matched["text"]
        began = number
        resumed = _RESUMED.match(text)
        if resumed is not None:
            began, start = under_way.pop(process, (number, ""))
            text = start + resumed["rest"]
        elif text.endswith("<unfinished ...>"):
            under_way[process] = (number, text.removesuffix("<unfinished ...>"))
            continue
        found.append(Call(text.partition("(")[0], text, began, number))
    return sorted(found, key=lambda call: call.ended)


def first(calls: Sequence[Call], wanted: Callable[[Call], bool], after: int = -1) -> Call:
    """The first call so wanted that began after line `after`."""
    return next(call for call in sorted(calls, key=lambda call: call.began) if call.began > after and wanted(call))


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """What the kernel saw of one run that bought three pieces."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("there is no strace here, so nobody sees the order of writes and syncs")
    folder = tmp_path_factory.mktemp("durability")
    (folder / "demo.yaml").write_text(MANIFEST)
    with quick_gateway() as gateway:
        ended = subprocess.run(
            [strace, "-f", "-qq", "-y", "-s", "9000", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", "record",
             sys.executable, "-m", "pipeline", "run", "demo.yaml", "--gateway", gateway.base_url],
            cwd=folder, capture_output=True, text=True, timeout=200, check=False,
            env=clean_environment() | {"AIGATEWAY_API_KEY": "sk-aig-1"},
        )  # fmt: skip
    if "ptrace" in ended.stderr and ended.returncode:
        pytest.skip(f"strace may not look into processes here ({ended.stderr.strip()[:200]})")
    assert ended.returncode == 0, ended.stderr
    return calls_of(Path(folder / "record").read_text(errors="replace"))


def submits(calls: Sequence[Call]) -> list[Call]:
    return [call for call in calls if call.of("sendto sendmsg write writev", "POST /v1/audio/music")]


def test_an_intent_is_synced_before_its_post_leaves(calls: list[Call]) -> None:
    """Its key is written to the log, a sync of the log begins after that and is over before the request is sent."""
    posts = submits(calls)
    assert len(posts) == 3
    for post in posts:
        key = re.search(r"[Ii]dempotency-[Kk]ey: (\w+)", post.text)[1]
        written = first(calls, lambda call, key=key: call.of("pwrite64 write", "ledger.sqlite3-wal", key))
        synced = first(calls, lambda call: call.of("fsync fdatasync", "ledger.sqlite3-wal"), after=written.ended)
        assert written.ended < synced.began <= synced.ended < post.began


def test_a_jobs_id_is_synced_before_it_is_first_polled(calls: list[Call]) -> None:
    """However soon the poll comes."""
    polls = [call for call in calls if call.of("sendto sendmsg write writev", "GET /v1/jobs/")]
    ids = {re.search(r"GET /v1/jobs/(\w+)", poll.text)[1] for poll in polls}
    assert len(ids) == 3
    for job_id in ids:
        poll = first(polls, lambda call, job_id=job_id: job_id in call.text)
        written = first(calls, lambda call, job_id=job_id: call.of("pwrite64 write", "ledger.sqlite3-wal", job_id))
        synced = first(calls, lambda call: call.of("fsync fdatasync", "ledger.sqlite3-wal"), after=written.ended)
        assert written.ended < synced.began <= synced.ended < poll.began


def test_a_source_and_its_name_are_synced_before_the_ledger_has_it(calls: list[Call]) -> None:
    """Its bytes before it gets its name, every folder on the way to that name before the ledger says collected."""
    renames = [call for call in calls if call.of("rename renameat renameat2", "/sources/incoming/")]
    assert len(renames) == 3
    for rename in renames:
        incoming, final = re.findall(r'"([^"]+)"', rename.text)
        sha256 = Path(final).stem
        state = str(Path(final).parents[2])
        synced = first(calls, lambda call, name=incoming: call.of("fsync fdatasync", f"<{name}>"))
        assert synced.ended < rename.began
        collected = first(calls, lambda call, word=sha256: call.of("pwrite64 write", "ledger.sqlite3-wal", word))
        assert rename.ended < collected.began
        for folder in (str(Path(final).parent), f"{state}/sources", state):
            named = first(calls, lambda call, name=folder: call.of("fsync", f"<{name}>"), after=rename.ended)
            assert named.ended < collected.began


def test_an_asset_is_synced_before_it_has_its_name(calls: list[Call]) -> None:
    """A worker syncs what it has finished; the index and the reports are synced likewise."""
    renames = [call for call in calls if call.of("rename renameat renameat2") and "/output/" in call.text]
    named = {Path(re.findall(r'"([^"]+)"', rename.text)[1]).name: rename for rename in renames}
    for name in ("menu.wav", "dragon.wav", "lich.wav", "assets.json", "cost-report.json"):
        last = named[name]
        path = re.findall(r'"([^"]+)"', last.text)[0]
        moved = next((call for call in renames if f'"{path}"' in call.text.rpartition(",")[2]), None)
        written = path if moved is None else re.findall(r'"([^"]+)"', moved.text)[0]
        synced = first(calls, lambda call, name=written: call.of("fsync fdatasync", f"<{name}>"))
        assert synced.ended < last.began

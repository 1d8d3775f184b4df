"""A step of a GitHub workflow: what the command line tells it beside its own words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives

ACTIONS = {"GITHUB_ACTIONS": "true"}


def test_a_run_in_actions_leaves_its_report_in_the_summary(folder: Path, lives: Lives) -> None:
    """Behind what the step has written; the document on standard output stays one."""
    summary = folder / "summary.md"
    summary.write_text("before\n")
    words = ("run", "demo.yaml", "--gateway", "local", "--only", "menu", "--json")
    ended = lives.live(folder, *words, **ACTIONS, GITHUB_STEP_SUMMARY=str(summary))
    assert ended.status == 0, ended.stderr
    assert json.loads(ended.stdout)["ok"]
    assert summary.read_text() == "before\n" + (folder / "output/cost-report.md").read_text()


def test_mistakes_and_faults_are_annotated_at_their_lines(folder: Path, lives: Lives) -> None:
    """Of a manifest, by its path in the repository; of `check`, at the track; and nothing of it elsewhere."""
    (folder / "bad.yaml").write_text((folder / "demo.yaml").read_text().replace("prompt: calm", "promt: calm"))
    where = {"GITHUB_WORKSPACE": str(folder.parent)}
    broken = lives.live(folder, "plan", "bad.yaml", "--gateway", "local", **ACTIONS, **where)
    assert f"file={folder.name}/bad.yaml,line=6," in broken.stderr
    checked = lives.live(folder, "check", "demo.yaml", "--only", "menu", **ACTIONS)
    assert "::error title=menu.wav,file=demo.yaml,line=6,col=3::missing" in checked.stderr
    assert "::error" not in lives.live(folder, "check", "demo.yaml", GITHUB_ACTIONS="").said

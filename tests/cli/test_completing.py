"""What a shell completes: manifests by their path, tracks by their name, and nothing where anything is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

from pipeline.cli.app import cli

if TYPE_CHECKING:
    from pathlib import Path

TRACKS = ["battle/dragon", "battle/lich"]


@pytest.mark.parametrize(
    ("words", "begun", "found"),
    [
        (["pick"], "battle/", TRACKS),
        (["reroll"], "me", ["menu"]),
        (["history", "--manifest", "demo.yaml"], "", [*TRACKS, "menu"]),
        (["run", "demo.yaml", "--only"], "battle/d", ["battle/dragon"]),
        (["run"], "de", ["demo.yaml"]),
        (["plan"], "sub/", ["sub/other.yml"]),
        (["pick", "--manifest", "broken.yaml"], "", []),
        (["run"], "nowhere/", []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_tab_gives_what_fits(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], begun: str, found: list[str]
) -> None:
    """Names of the manifests that are given, else of those nearby; paths of YAML files, never of others."""
    (folder / "sub").mkdir()
    (folder / "sub/other.yml").write_text("x: 1")
    (folder / "sub/notes.txt").write_text("x")
    (folder / "broken.yaml").write_text("tracks: {")
    monkeypatch.chdir(folder)
    completions = ShellComplete(cli, {}, "pipeline", "_PIPELINE_COMPLETE").get_completions(words, begun)
    assert [one.value for one in completions] == found

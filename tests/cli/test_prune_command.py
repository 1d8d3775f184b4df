"""`pipeline prune`: it lists, and removes only what it was told to."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from lives import clean_environment
from programs import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

KEY = {"AIGATEWAY_API_KEY": "sk-aig-1"}
WITHOUT_BATTLES = "".join(line for line in MANIFEST.splitlines(keepends=True) if "battle" not in line)


@pytest.fixture
def shrunk(folder: Path, gateway: LocalGatewayThread, lives: Lives) -> Path:
    """Everything is made, one asset has a sidecar, and then the battles are taken out of the manifest."""
    ended = lives.live(folder, "run", "demo.yaml", "--gateway", gateway.base_url, **KEY)
    assert ended.status == 0, ended.said
    (folder / "output/battle/lich.wav.import").write_text("uid")
    (folder / "demo.yaml").write_text(WITHOUT_BATTLES)
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".lock" not in path.name)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_without_yes_it_only_lists(shrunk: Path, lives: Lives) -> None:
    """What would go, what stays and why, and how much that is; nothing is made or removed."""
    before = everything(shrunk)
    ended = lives.live(shrunk, "prune", "demo.yaml")
    assert (ended.status, everything(shrunk)) == (0, before)
    lines = ended.stdout.splitlines()
    assert lines[0] == "output folder"
    assert lines[1].startswith("  - battle/dragon.wav")
    assert lines[2].endswith("with .import")
    assert lines[3] == "sources"
    assert "paid for: kept until " in lines[4]
    assert lines[-1].startswith("Prune: 2 orphans to remove, ")
    assert lines[-1].endswith("; 2 to keep.")
    assert ended.stderr == "Nothing was removed: --yes removes it.\n"


@pytest.mark.parametrize("words", [(), ("--yes", "--now")])
def test_a_mistyped_output_folder_costs_nothing(shrunk: Path, lives: Lives, words: tuple[str, ...]) -> None:
    """One without an index is not where the assets are: neither rows nor sources go, and no folder is made."""
    before = everything(shrunk)
    ended = lives.live(shrunk, "prune", "demo.yaml", "--output", "outptu", *words)
    assert (ended.status, "outptu: there is no assets.json in it" in ended.stderr) == (5, True), ended.said
    assert everything(shrunk) == before
    assert not (shrunk / "outptu").exists()


def test_with_yes_it_lists_first_and_removes(shrunk: Path, lives: Lives) -> None:
    """Orphans with their sidecars and folder; what was paid for and is new stays, unless --now."""
    listed = lives.live(shrunk, "prune", "demo.yaml").stdout
    ended = lives.live(shrunk, "prune", "demo.yaml", "--yes")
    assert (ended.status, ended.stdout.startswith(listed)) == (0, True), ended.said
    assert ended.stdout.splitlines()[-1].startswith("Removed 2 orphans, ")
    assert not (shrunk / "output/battle").exists()
    assert len(list((shrunk / ".pipeline/sources").glob("??/*"))) == 3
    ended = lives.live(shrunk, "prune", "demo.yaml", "--now")
    assert "Nothing was removed" in ended.stderr
    ended = lives.live(shrunk, "prune", "demo.yaml", "--now", "--yes")
    assert ended.stdout.splitlines()[-1].startswith("Removed 2 sources, ")
    assert len(list((shrunk / ".pipeline/sources").glob("??/*"))) == 1
    ended = lives.live(shrunk, "prune", "demo.yaml", "--now", "--yes")
    assert ended.said == "Prune: nothing to remove.\n"
    assert lives.live(shrunk, "check", "demo.yaml").status == 0


@pytest.mark.parametrize("words", [(), ("--yes",)], ids=["listed", "removed"])
def test_the_document_says_what_goes_and_what_stays(shrunk: Path, lives: Lives, words: tuple[str, ...]) -> None:
    """For scripts; the words go to standard error."""
    ended = lives.live(shrunk, "prune", "demo.yaml", "--json", *words)
    document = json.loads(ended.stdout)
    assert (document["ok"], document["exit"], document["removed"]) == (True, 0, bool(words))
    assert [(one["path"], one["goes"], one["sidecars"]) for one in document["orphans"]] == [
        ("battle/dragon.wav", True, []),
        ("battle/lich.wav", True, ["battle/lich.wav.import"]),
    ]
    assert [(one["name"], one["goes"], one["cost_usd"]) for one in document["sources"]] == [
        ("battle/dragon", False, 0.002),
        ("battle/lich", False, 0.002),
    ]
    sizes = sum(one["size"] for one in document["orphans"])
    assert document["totals"] == {"orphans": 2, "sources": 0, "bytes": sizes}
    assert "battle/dragon.wav" in ended.stderr


def test_where_nothing_was_ever_made_there_is_nothing_to_prune(folder: Path, lives: Lives) -> None:
    """And nothing is made, not even a folder."""
    ended = lives.live(folder, "prune", "demo.yaml")
    assert (ended.status, ended.said) == (0, "Prune: nothing to remove.\n")
    assert {path.name for path in folder.iterdir()} == {"demo.yaml"}


def test_while_a_run_holds_the_folders_nothing_is_removed(shrunk: Path, lives: Lives) -> None:
    """Exit 5, and who holds them; to list needs no lock."""
    program = (
        "import sys; from pathlib import Path; from pipeline.locks import held\n"
        "with held(Path('.pipeline')): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program], cwd=shrunk, env=clean_environment(), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout.readline() == "held\n"
    before = everything(shrunk)
    ended = lives.live(shrunk, "prune", "demo.yaml", "--yes")
    assert (ended.status, f"process {holder.pid}" in ended.stderr) == (5, True)
    assert lives.live(shrunk, "prune", "demo.yaml").status == 0
    assert everything(shrunk) == before
    holder.communicate("")


def test_a_broken_manifest_prunes_nothing(shrunk: Path, lives: Lives) -> None:
    """What it names is not known."""
    (shrunk / "demo.yaml").write_text(WITHOUT_BATTLES + "  more: {promt: x}\n")
    before = everything(shrunk)
    assert lives.live(shrunk, "prune", "demo.yaml", "--yes").status == 2
    assert everything(shrunk) == before

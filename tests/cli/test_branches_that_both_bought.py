"""Two people's branches that both bought a take 2, merged with git: what docs/picks.md says to do loses neither."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from lives import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Ended, Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")

KEY = {"AIGATEWAY_API_KEY": "sk-aig-1"}
WHO = ("-c", "user.name=x", "-c", "user.email=x@example.org")
LOCK, INDEX = "game.lock.json", "output/assets.json"
MANIFEST = """\
version: 1
name: game
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1}
defaults: {duration: 2, outputs: [wav]}
tracks:
  menu: {prompt: calm menu}
"""


class Branches:
    """Two clones of one project, each with a ledger of its own; `mine` has fetched and merged the other's branch."""

    def __init__(self, folder: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
        self.mine, self.theirs = folder / "mine", folder / "theirs"
        self._gateway, self._lives = gateway, lives

    def live(self, where: Path, *words: str) -> Ended:
        pays = ("--gateway", self._gateway.base_url) if words[0] in {"plan", "run", "reroll"} else ()
        return self._lives.live(where, *words, *pays, **KEY)

    def git(self, where: Path, *words: str, status: int = 0) -> str:
        alone = {"HOME": str(where), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": str(where.parent)}
        ended = subprocess.run(
            ["git", *WHO, *words],
            cwd=where,
            env=clean_environment() | alone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == status, ended.stdout + ended.stderr
        return ended.stdout

    def commit(self, where: Path) -> None:
        self.git(where, "add", "--all")
        self.git(where, "commit", "--quiet", "-m", "What was bought")

    @property
    def jobs(self) -> int:
        return len(self._gateway.app.state.gateway.books.jobs)

    def buy_and_merge(self, *, picking: bool = False) -> None:
        """Both have the first take, and re-roll it, and pick what came of it; the merge is left with its conflicts."""
        self.mine.mkdir()
        (self.mine / "game.yaml").write_text(MANIFEST)
        (self.mine / ".gitignore").write_text(".pipeline/\n.pipeline.lock*\noutput/.pipeline*\n")
        self.git(self.mine, "init", "--quiet", "--initial-branch=main")
        assert self.live(self.mine, "run", "game.yaml").status == 0
        self.commit(self.mine)
        self.git(self.mine, "clone", "--quiet", str(self.mine), str(self.theirs))
        for where in (self.theirs, self.mine):
            ended = self.live(where, "reroll", "menu")
            assert ended.status == 0, ended.said
            assert not picking or self.live(where, "pick", "menu", "2").status == 0
            self.commit(where)
        self.git(self.mine, "fetch", "--quiet", str(self.theirs), "main")
        self.git(self.mine, "merge", "--quiet", "FETCH_HEAD", status=1)

    def conflicts(self) -> list[str]:
        return self.git(self.mine, "diff", "--name-only", "--diff-filter=U").split()

    def side(self, side: str) -> dict[str, Any]:
        """The lock as one side of the merge has it: `ours`, or `theirs`."""
        return json.loads(self.git(self.mine, "show", f"{ {'ours': ':2', 'theirs': ':3'}[side] }:{LOCK}"))

    def takes(self, where: Path) -> list[tuple[int, str]]:
        return [(take["take"], take["job_id"]) for take in takes_of(json.loads((where / LOCK).read_text()))]

    def history(self, where: Path) -> list[tuple[int, str, bool]]:
        told = json.loads(self.live(where, "history", "menu", "--json").stdout)["takes"]
        return [(take["take"], take["job_id"], take["kept"]) for take in told]


def takes_of(lock: dict[str, Any]) -> list[dict[str, Any]]:
    (purchase,) = lock["tracks"]["menu"]["purchases"].values()
    return purchase["takes"]


@pytest.fixture
def branches(tmp_path: Path, gateway: LocalGatewayThread, lives: Lives) -> Branches:
    return Branches(tmp_path, gateway, lives)


def without_marks(text: str) -> str:
    """What somebody gets who removes just those, and keeps the lines of both sides."""
    return "".join(line for line in text.splitlines(keepends=True) if line[:7] not in {"<" * 7, "=" * 7, ">" * 7})


def test_each_step_says_the_next_and_neither_purchase_is_lost(branches: Branches) -> None:
    """Marks, entries that ran together, one number twice: three sentences; then both clones know three takes."""
    branches.buy_and_merge()
    mine, lock = branches.mine, branches.mine / LOCK
    bought = branches.jobs
    ended = branches.live(mine, "run", "game.yaml")
    assert (ended.status, "a merge left its conflict marks here: keep the takes of both" in ended.stderr) == (2, True)

    lock.write_text(without_marks(lock.read_text()))
    ended = branches.live(mine, "run", "game.yaml")
    assert ended.status == 2
    assert f"{LOCK}: tracks.menu.purchases." in ended.stderr
    assert "twice in one place; where a merge ran two entries together, keep both, each whole" in ended.stderr

    ours, theirs = takes_of(branches.side("ours")), takes_of(branches.side("theirs"))
    document = branches.side("ours")
    takes_of(document).append(theirs[1])
    lock.write_text(json.dumps(document))
    ended = branches.live(mine, "run", "game.yaml")
    assert ended.status == 2
    assert "tracks.menu has two purchases with the number of take 2" in ended.stderr
    assert 'the next number that is free, "take": 3, and run again; nothing was bought' in ended.stderr

    takes_of(document)[2]["take"] = 3
    lock.write_text(json.dumps(document))
    branches.git(mine, "checkout", "--ours", INDEX)
    ended = branches.live(mine, "run", "game.yaml")
    assert ended.status == 0, ended.said
    both = [(1, ours[0]["job_id"]), (2, ours[1]["job_id"]), (3, theirs[1]["job_id"])]
    assert branches.takes(mine) == both
    branches.commit(mine)
    branches.git(branches.theirs, "pull", "--quiet", str(mine), "main")
    for where in (mine, branches.theirs):
        ended = branches.live(where, "run", "game.yaml")
        assert ended.status == 0, ended.said
        assert (branches.takes(where), [take[:2] for take in branches.history(where)]) == (both, both)
    assert [take[2] for take in branches.history(mine)] == [True, True, False]
    assert [take[2] for take in branches.history(branches.theirs)] == [False, False, True]  # the first came from `mine`
    assert branches.live(branches.theirs, "pick", "menu", "3").status == 0
    assert branches.jobs == bought


@pytest.mark.long
@pytest.mark.parametrize("index", ["ours", "theirs", "gone", "with its marks"])
def test_an_index_that_conflicts_is_written_anew(branches: Branches, index: str) -> None:
    """Both have picked their take 2 too: whichever index is taken, or none, lock and files say what was bought."""
    branches.buy_and_merge(picking=True)
    mine, bought = branches.mine, branches.jobs
    assert {LOCK, INDEX, "output/menu.wav"} <= set(branches.conflicts())
    document = branches.side("ours")
    takes_of(document).append(takes_of(branches.side("theirs"))[1] | {"take": 3})
    (mine / LOCK).write_text(json.dumps(document))
    branches.git(mine, "checkout", "--ours", "output/menu.wav")
    if index == "with its marks":
        ended = branches.live(mine, "run", "game.yaml")
        assert (ended.status, f"{INDEX}: this is no index as runs write it (line " in ended.stderr) == (5, True)
        assert "or remove it to have it made again" in ended.stderr
    if index in {"ours", "theirs"}:
        branches.git(mine, "checkout", f"--{index}", INDEX)
    else:
        (mine / INDEX).unlink()
    for _ in range(2):
        ended = branches.live(mine, "run", "game.yaml")
        assert ended.status == 0, ended.said
    (row,) = json.loads((mine / INDEX).read_text())["assets"]
    shipped = takes_of(branches.side("ours"))[1]["job_id"]
    assert (row["path"], row["provenance"]["take"], row["provenance"]["job_id"]) == ("menu.wav", 2, shipped)
    assert branches.live(mine, "check", "game.yaml").status == 0
    assert branches.live(mine, "report", "game.yaml").status == 0
    assert [path for path in (mine / "output").iterdir() if "<<<<<<<" in path.read_text("latin-1")] == []
    assert branches.jobs == bought

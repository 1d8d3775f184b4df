"""`pick`, `reroll`, `history` and `rollback` as people and scripts use them: the manifest that is meant, JSON."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Ended, Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

KEY = {"AIGATEWAY_API_KEY": "sk-aig-1"}
MANIFEST = """\
version: 1
name: {name}
gateway: {{model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1}}
defaults: {{duration: 2, outputs: [wav]}}
tracks:
  {name}/menu: {{prompt: calm menu of {name}, takes: 2}}
  shared: {{prompt: shared by {name}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two manifests, one of them in manifests/, and a YAML file that is none."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "game.yaml").write_text(MANIFEST.format(name="game"))
    (tmp_path / "manifests/film.yaml").write_text(MANIFEST.format(name="film"))
    (tmp_path / "docker-compose.yml").write_text("services: {web: {image: nginx}}\n")
    return tmp_path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, lives: Lives) -> Path:
    """A folder where a local run has made everything of a manifest."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "game.yaml").write_text(MANIFEST.format(name="game"))
    ended = lives.live(folder, "run", "game.yaml", "--gateway", "local")
    assert ended.status == 0, ended.said
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def document(ended: Ended) -> dict[str, Any]:
    return json.loads(ended.stdout)


def index(folder: Path) -> dict[str, Any]:
    rows = json.loads((folder / "output/assets.json").read_text())["assets"]
    return {row["path"]: row for row in rows}


def test_a_persons_morning(place: Path, lives: Lives) -> None:
    """Listen, pick, think better of it: each a line, and each for nothing."""
    told = lives.live(place, "history", "game/menu")
    assert told.status == 0, told.said
    assert "game/menu of game: 2 placeholders, take 1 is the pick" in told.stdout
    assert ".pipeline/takes/game/game/menu.take2.wav" in told.stdout
    picked = lives.live(place, "pick", "game/menu", "2")
    assert (picked.status, picked.stdout) == (
        0,
        "game/menu: take 2 is the pick now instead of take 1: game/menu.wav\n",
    ), picked.said
    assert index(place)["game/menu.wav"]["provenance"]["take"] == 2
    assert lives.live(place, "plan", "game.yaml", "--gateway", "local", "--detailed-exitcode").status == 0
    assert lives.live(place, "check", "game.yaml").status == 0
    back = lives.live(place, "rollback", "game/menu")
    assert (back.status, "take 1 is the pick now instead of take 2" in back.stdout) == (0, True), back.said
    told = lives.live(place, "history", "game/menu")
    assert [line.split("  ")[-1] for line in told.stdout.splitlines() if "take " in line][-3:] == [
        "take 1, the first that its gates let through",
        "take 2, chosen",
        "take 1, gone back to",
    ]


def test_scripts_read_json(place: Path, lives: Lives) -> None:
    """One document each, and what it says is what is so."""
    picked = document(lives.live(place, "pick", "game/menu", "2", "--json"))
    assert (picked["ok"], picked["exit"], picked["manifest"], picked["name"]) == (True, 0, "game", "game/menu")
    assert picked["pick"] == {"take": 2, "regeneration": 0}
    assert picked["was"] == {"take": 1, "regeneration": 0}
    told = document(lives.live(place, "history", "game/menu", "--json"))
    assert [(take["take"], take["is_pick"], take["kept"]) for take in told["takes"]] == [
        (1, False, True),
        (2, True, True),
    ]
    assert [(pick["number"], pick["take"], pick["by"]) for pick in told["picks"]] == [(1, 1, "run"), (2, 2, "pick")]
    same = document(lives.live(place, "pick", "game/menu", "2", "--json"))
    assert (same["ok"], same["pick"], same["tracks"]) == (True, {"take": 2, "regeneration": 0}, [])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["pick", "game/menu", "9"], 2, "game/menu has no take 9; it has 1, 2"),
        (["pick", "game/menu", "0"], 2, "game/menu has no take 0; it has 1, 2"),
        (["pick", "game/menu", "9" * 23], 2, f"game/menu has no take {'9' * 23}; it has 1, 2"),
        (["pick", "game/menu", "two"], 2, "'two' is no take"),
        (["pick", "game/mneu", "1"], 2, "no track is called 'game/mneu' in game.yaml; did you mean 'game/menu'?"),
        (["pick", "game/menu"], 2, "N"),
        (["rollback", "game/menu"], 1, "has had no other pick to go back to"),
        (["rollback", "game/menu", "7"], 2, "has had no pick number 7; there were 1"),
        (["rollback", "game/menu", "0"], 2, "has had no pick number 0; there were 1"),
        (["rollback", "game/menu", "x"], 2, "'x' is no pick; expected its number in `pipeline history game/menu`"),
        (["history", "nobody"], 2, "no track is called 'nobody'"),
        (["pick", "game/menu", "1", "--manifest", "none.yaml"], 2, "none.yaml"),
        (["reroll", "game/menu"], 4, "AIGATEWAY_API_KEY"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_refusal_is_a_sentence_with_its_exit_status(
    place: Path, lives: Lives, *, words: list[str], status: int, said: str
) -> None:
    """Nothing is changed, and `--json` says so too."""
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file() and ".lock" not in path.name}
    ended = lives.live(place, *words, "--json")
    assert ended.status == status, ended.said
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (document(ended)["ok"], document(ended)["exit"]) == (False, status)
    after = {path: path.read_bytes() for path in place.rglob("*") if path.is_file() and ".lock" not in path.name}
    assert after == before


class TestWhichManifestIsMeant:
    """The one here or in manifests/ that has such a track."""

    def test_a_name_that_one_manifest_has_needs_no_more(self, folder: Path, lives: Lives) -> None:
        """Wherever of the two places it lies."""
        for name in ("game", "film"):
            ended = lives.live(folder, "history", f"{name}/menu", "--json")
            assert (document(ended)["manifest"], document(ended)["takes"]) == (name, [])

    def test_a_name_that_two_have_is_asked_about(self, folder: Path, lives: Lives) -> None:
        """Both are named, and how to say which."""
        ended = lives.live(folder, "history", "shared")
        assert ended.status == 2
        assert "shared is a track of game.yaml and manifests/film.yaml: say which with --manifest FILE" in ended.stderr
        ended = lives.live(folder, "history", "shared", "--manifest", "manifests/film.yaml", "--json")
        assert document(ended)["manifest"] == "film"

    def test_one_that_cant_be_read_is_in_nobodys_way(self, folder: Path, lives: Lives) -> None:
        """Unless the track is in none of the others: then it is named."""
        (folder / "game.yaml").write_text("version: 1\ntracks: {menu: {promt: x}}\n")
        assert lives.live(folder, "history", "film/menu").status == 0
        ended = lives.live(folder, "history", "game/menu")
        assert (ended.status, "not looked into, for its mistakes: game.yaml" in ended.stderr) == (2, True)
        (folder / "manifests/film.yaml").unlink()
        ended = lives.live(folder, "history", "game/menu")
        assert (ended.status, "game.yaml:2:" in ended.stderr) == (2, True)

    def test_where_there_is_none_it_is_said(self, tmp_path: Path, lives: Lives) -> None:
        """And what to say."""
        ended = lives.live(tmp_path, "pick", "menu", "1")
        assert ended.status == 2
        assert "there is no manifest here, nor in manifests/: name its file with --manifest FILE" in ended.stderr


def test_a_re_roll_says_its_price_first_and_what_to_do_next(
    folder: Path, gateway: LocalGatewayThread, lives: Lives
) -> None:
    """One more job at the gateway, and the pick stays."""
    words = ("--gateway", gateway.base_url)
    assert lives.live(folder, "run", "game.yaml", *words, **KEY).status == 0
    books = gateway.app.state.gateway.books
    ended = lives.live(folder, "reroll", "game/menu", *words, **KEY)
    assert (ended.status, len(books.jobs)) == (0, 4), ended.said
    assert "one more take" in ended.stdout
    assert ended.stdout.index("$0.0020") < ended.stdout.index("game/menu: take 3 is here, .pipeline/takes/game/")
    assert "`pipeline pick 'game/menu' 3` makes it the pick" in ended.stdout
    assert lives.live(folder, "pick", "game/menu", "3").status == 0
    told = document(lives.live(folder, "reroll", "game/menu", *words, "--json", **KEY))
    assert (told["take"], told["totals"]["billed_usd"], len(books.jobs)) == (4, 0.002, 5)
    assert lives.live(folder, "reroll", "game/menu", *words, "--budget", "0.001", **KEY).status == 3
    lock = json.loads((folder / "game.lock.json").read_text())["tracks"]["game/menu"]
    assert [pick["by"] for pick in lock["picks"]] == ["run", "pick"]
    (purchase,) = lock["purchases"].values()
    assert [take["take"] for take in purchase["takes"]] == [1, 2, 3, 4]
    assert lives.live(folder, "plan", "game.yaml", *words, "--detailed-exitcode", **KEY).status == 0


def test_a_lock_with_a_conflict_is_told_by_every_command(place: Path, lives: Lives) -> None:
    """file:line, exit 2."""
    (place / "game.lock.json").write_text("{\n<<<<<<< HEAD\n")
    for words in (
        ("plan", "game.yaml", "--gateway", "local"),
        ("run", "game.yaml", "--gateway", "local"),
        ("pick", "game/menu", "2"),
        ("rollback", "game/menu"),
        ("history", "game/menu"),
        ("reroll", "game/menu", "--gateway", "local"),
    ):
        ended = lives.live(place, *words)
        assert (ended.status, "game.lock.json:2: a merge left its conflict marks" in ended.stderr) == (2, True), words

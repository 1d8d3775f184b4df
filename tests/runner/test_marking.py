"""A star and a note are a person's work: they stay with the take that they are about, whatever becomes of the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from test_choosing import choose, history
from test_locks import lock_of
from worlds import HEAD, World

from pipeline.choosing import NoSuchTake
from pipeline.local_gateway.composition import CannedComposer
from pipeline.manifest import parse_manifest
from pipeline.marking import LONGEST_NOTE, NoNote, note, star
from pipeline.report.history_json import history_document
from pipeline.report.history_text import history_lines
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.local_gateway.composition import CompositionRequest

pytestmark = pytest.mark.anyio

TWO = "  menu: {prompt: calm menu, takes: 2}\n"


class SameComposer(CannedComposer):
    """Makes the same of the same words, however often."""

    async def compose(self, request: CompositionRequest) -> bytes:
        return await super().compose(replace(request, variation=0))


def mark(world: World, take: str, *, text: str | None = None, starred: bool = True, tracks: str = TWO) -> str:
    """Star `take`, or write `text` to it."""
    workspace = Workspace(world.output, world.state)
    manifest = parse_manifest(HEAD + tracks, world.folder / "game.yaml")
    (track,) = manifest.tracks
    if text is not None:
        return note(workspace, manifest, track, take, text)
    return star(workspace, manifest, track, take, starred=starred)


def marks(world: World, tracks: str = TWO, name: str = "menu") -> list[tuple[str, bool, str]]:
    return [(str(one.version), one.starred, one.note) for one in history(world, tracks, name).generations]


async def test_they_survive_whatever_a_run_and_a_person_do(world: World) -> None:
    """Another loudness, a pick, one more take, another name; and they cost nothing and finish nothing."""
    await world.run(TWO)
    finished, asset = len(world.finisher.finished), world.index["menu.wav"]
    assert mark(world, "2") == "menu: take 2 is starred"
    assert mark(world, "1", text=" dull, \r\n but in key\n") == "menu: the note on take 1 is kept"
    assert (len(world.finisher.finished), world.index["menu.wav"]) == (finished, asset)
    assert world.plan(TWO).nothing_to_do
    told = [("1", False, "dull, \n but in key"), ("2", True, "")]
    await world.run(TWO.replace("takes", "loudness: mobile, takes"))
    await choose(world, TWO, "2")
    await world.run(TWO.replace("2", "3"))
    assert marks(world)[:2] == told
    title = TWO.replace("menu:", "title:").replace("2", "3")
    await world.run(title)
    assert marks(world, title, "title")[:2] == told
    assert "menu" not in lock_of(world)


async def test_they_are_taken_back(world: World) -> None:
    """And leave nothing in the lock then."""
    await world.run(TWO)
    before = (world.folder / "game.lock.json").read_bytes()
    mark(world, "2")
    mark(world, "2", text="good")
    assert mark(world, "2", starred=False) == "menu: take 2 has no star now"
    assert marks(world)[1] == ("2", False, "good")
    assert mark(world, "2", text="  ") == "menu: the note on take 2 is gone"
    assert (world.folder / "game.lock.json").read_bytes() == before


async def test_the_history_tells_them(world: World) -> None:
    """In a line of their own, harmless to a terminal, and whole in --json."""
    await world.run(TWO)
    mark(world, "2")
    mark(world, "2", text="turn it \u202eup\nnow")
    lines = history_lines(history(world, TWO))
    assert [line.endswith("kept  starred") for line in lines if " 2 s " in line] == [False, True]
    assert "      note: turn it \N{REPLACEMENT CHARACTER}up now" in lines
    takes = history_document(history(world, TWO))["takes"]
    assert [(take["starred"], take["note"]) for take in takes] == [(False, None), (True, "turn it \u202eup\nnow")]


async def test_a_take_that_a_merge_gives_another_number_keeps_them(world: World) -> None:
    """They belong to its sound: whoever resolves a merge by numbers has nothing to change in them."""
    await world.run(TWO)
    mark(world, "2")
    path = world.folder / "game.lock.json"
    document = json.loads(path.read_text())
    (purchase,) = document["tracks"]["menu"]["purchases"].values()
    purchase["takes"][1]["take"] = 3
    path.write_text(json.dumps(document))
    assert marks(world) == [("1", False, ""), ("3", True, "")]


async def test_takes_that_are_the_same_sound_have_their_own(world: World) -> None:
    """A gateway that gives the same once more: what is thought of the one take is not said of the other."""
    world.composer = SameComposer()
    world.restart_gateway()
    await world.run(TWO)
    mark(world, "2")
    assert marks(world) == [("1", False, ""), ("2", True, "")]
    mark(world, "1", text="the same")
    assert marks(world) == [("1", False, "the same"), ("2", True, "")]


async def test_what_was_thought_of_placeholders_ends_with_them(world: World) -> None:
    """As what was chosen among them does: the real thing is heard anew."""
    await world.run(TWO, kind="local")
    mark(world, "1")
    assert world.plan(TWO, kind="local").nothing_to_do
    assert marks(world)[0] == ("1", True, "")
    await world.run(TWO)
    assert "marks" not in lock_of(world)["menu"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("x" * (LONGEST_NOTE + 1), "has 2,001 characters; it may have 2,000"), ("a\x1b[2J", r"control character U\+001B"),
     ("a\x00", r"U\+0000"), ("half \ud800", r"U\+D800")],
    ids=["long", "escape", "nul", "surrogate"],
)  # fmt: skip
async def test_what_is_no_note_is_refused(world: World, text: str, said: str) -> None:
    """One sentence, and nothing is written."""
    with pytest.raises(NoNote, match=said):
        mark(world, "1", text=text)


async def test_what_is_no_take_gets_none(world: World) -> None:
    """Nor does a recording."""
    await world.run(TWO)
    with pytest.raises(NoSuchTake, match="menu has no take 7; it has 1, 2"):
        mark(world, "7")
    (world.folder / "theme.wav").write_bytes(b"")
    with pytest.raises(NoSuchTake, match="menu is a recording"):
        mark(world, "1", tracks="  menu: {file: theme.wav}\n")

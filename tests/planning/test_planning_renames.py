"""Which tracks are renamed: rows of the index and a manifest in, names out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_planning_decisions import World, manifest, track

from pipeline.audio.settings import Finishing, Loop, Loudness, Output
from pipeline.fingerprints import member_fingerprint, paid_fingerprint
from pipeline.jobs import State
from pipeline.output import JoinedGroup
from pipeline.planning.decisions import plan_manifest
from pipeline.planning.meant import Meant
from pipeline.planning.plans import Action, Facts, Step, Wishes
from pipeline.planning.renames import Held, Move, moves_of, renamed_tracks

if TYPE_CHECKING:
    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow
    from pipeline.planning.plans import ManifestPlan


def stood(*tracks: Track, **provenance: Any) -> World:
    """A world in which a run has made these, and the ledger is lost."""
    world = World()
    for one in tracks:
        world.asset(one, **provenance)
        for output in one.outputs:
            at = ("game", output.path(one.name))
            world.rows[at] = _of_its_own(world.rows[at])
    return world


def _of_its_own(row: AssetRow) -> AssetRow:
    return replace(row, sha256=f"content of {row.path}")


def names(world: World, *tracks: Track, only: str = "", copied: bool = False) -> dict[str, str]:
    """new name -> old name. `copied`: what stands under the new name is a file of its own."""
    found = renamed_tracks(
        manifest(*tracks), world.rows, world.recordings, lambda *_: not copied, Meant(only.__eq__ if only else None)
    )
    return {one.track.name: one.old_name for one in found}


def plan(world: World, *tracks: Track, held: Held = Held.THERE) -> ManifestPlan:
    """What a run would do once the moves are made."""
    game = manifest(*tracks)
    found = renamed_tracks(game, world.rows, {}, lambda *_: True)
    moves = [Move(one.old, one.new, held) for renamed in found for one in moves_of(renamed, game, world.rows, {})]
    facts = Facts("real", 1e9, jobs=world.jobs, held=frozenset(world.held), rows=world.rows,
                  intact=frozenset(world.intact), moves={"game": moves})  # fmt: skip
    return plan_manifest(game, facts, Wishes())


A, B, C = (track(name) for name in "abc")


def asking(name: str, like: Track, **changes: Any) -> Track:
    """A track of another name that asks for the same."""
    return track(name, prompt=like.prompt, **changes)


@pytest.mark.parametrize(
    ("before", "after", "renamed"),
    [
        ([A], [asking("x", A)], {"x": "a"}),
        ([A, B], [asking("x", A), B], {"x": "a"}),
        ([A, B, C], [track("a", prompt="new"), asking("b", A), asking("c", B), asking("d", C)],
         {"b": "a", "c": "b", "d": "c"}),
        ([A, B], [asking("a", B), asking("b", A)], {"a": "b", "b": "a"}),
        ([A], [track("x", prompt="other")], {}),
        ([A], [A, asking("x", A)], {}),
        ([A], [track("a", outputs=(Output("wav"),))], {}),
        ([A], [asking("x", A, outputs=(Output("wav"),))], {}),
        ([A, B], [asking("b", A)], {"b": "a"}),
    ],
    ids=[
        "one", "one of two", "all in a row", "a swap", "another prompt", "a second track for one purchase",
        "only another format", "another name and another format", "in the place of one that is gone",
    ],
)  # fmt: skip
def test_a_track_is_renamed_where_an_older_name_was_bought_for_it(
    before: list[Track], after: list[Track], renamed: dict[str, str]
) -> None:
    """And where nothing asks for that under the older name any more."""
    assert names(stood(*before), *after) == renamed


def test_what_outlives_its_source_and_its_ledger_is_not_bought_again() -> None:
    """The row under the older name proves the purchase, and the file moves."""
    (made,) = plan(stood(A), asking("x", A)).tracks
    assert (made.action, made.old_name, [take.step for take in made.takes]) == (Action.KEEP, "a", [Step.PROVEN])
    assert [move.new.path for move in made.moves] == ["x.ogg"]


def test_a_plan_with_a_move_has_something_to_do_and_no_orphan() -> None:
    """The older name's rows go with it."""
    made = plan(stood(A), asking("x", A))
    assert (made.nothing_to_do, made.orphans, made.estimate_microusd) == (False, (), 0)


def test_another_name_and_another_format_wait_for_the_source() -> None:
    """No file can move there; what is bought is bought, and the older name's file is an orphan."""
    made = plan(stood(A), asking("x", A, outputs=(Output("wav"),)))
    assert made.tracks[0].action is Action.BLOCKED
    assert "source missing: generating again costs" in made.tracks[0].why
    assert [row.path for row in made.orphans] == ["a.ogg"]


def test_a_second_track_for_one_purchase_is_not_bought_without_a_word() -> None:
    """Two tracks with one paid fingerprint are one purchase, which its row proves where its source is gone."""
    made = plan(stood(A), A, asking("x", A))
    assert [one.action for one in made.tracks] == [Action.KEEP, Action.BLOCKED]
    assert made.estimate_microusd == 0


def test_a_renamed_track_that_is_finished_otherwise_too_is_finished_from_its_source() -> None:
    """What stands moves first; without its source it waits for a word, and stands under its new name."""
    faded = asking("x", A, finishing=Finishing(fade_out_s=2.0))
    (made,) = plan(stood(A), faded).tracks
    assert (made.action, made.old_name) == (Action.BLOCKED, "a")
    world = stood(A)
    world.job(A, State.COLLECTED)
    (made,) = plan(world, faded).tracks
    assert (made.action, made.why, made.old_name) == (Action.FINISH, "fade_out 0 -> 2 s", "a")


def test_a_renamed_track_with_one_more_take_buys_one() -> None:
    """The others are proven under the older name."""
    (made,) = plan(stood(A, takes=1), asking("x", A, takes=2)).tracks
    assert [take.step for take in made.takes] == [Step.PROVEN, Step.BUY]
    assert made.why == "takes 1 -> 2"


def test_every_output_and_intro_moves_and_no_other() -> None:
    """By what follows the name: a suffix, an extension, an intro."""
    split = Finishing(loop=Loop(intro="split"))
    outputs = (Output("ogg"), Output("mp3", suffix="-low"))
    before = track("old/a", outputs=outputs, finishing=split)
    world = stood(before)
    for output in outputs:
        world.rows["game", output.intro_path("old/a")] = _of_its_own(
            next(iter(stood(track("old/a", outputs=(output,))).rows.values()))
        )
    game = manifest(track("a", prompt=before.prompt, outputs=outputs, finishing=split))
    (found,) = renamed_tracks(game, world.rows, {}, lambda *_: True)
    moved = {at[1]: move.new.path for at in world.rows for move in moves_of(found, game, world.rows, {})
             if move.old is world.rows[at]}  # fmt: skip
    assert moved == {
        "old/a.ogg": "a.ogg", "old/a-low.mp3": "a-low.mp3",
        "old/a.intro.ogg": "a.intro.ogg", "old/a-low.intro.mp3": "a-low.intro.mp3",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("olds", "news", "renamed"),
    [
        (["menu", "town/day"], ["day", "title"], {"day": "town/day", "title": "menu"}),
        (["town/noon", "map/day"], ["town/day"], {"town/day": "map/day"}),
        (["battle/one", "battle/two"], ["battle/too"], {"battle/too": "battle/two"}),
        (["battle/one"], ["fight", "battle/won"], {"battle/won": "battle/one"}),
    ],
    ids=["the same last part", "before the same folder", "before the letters", "two tracks for one"],
)
def test_of_several_that_fit_the_likeliest_name_moves(
    olds: list[str], news: list[str], renamed: dict[str, str]
) -> None:
    """Each once; what is left over stays an orphan, with its file."""
    assert names(stood(*(asking(name, A) for name in olds)), *(asking(name, A) for name in news)) == renamed


def test_a_thousand_equals_are_passed_on_in_their_order() -> None:
    """No name is compared with every other."""
    world = stood(*(asking(f"old{number}", A) for number in range(30)))
    after = [asking(f"new{number}", A) for number in range(30)]
    assert names(world, *after) == {f"new{number}": f"old{number}" for number in range(30)}


def test_what_is_outside_of_only_keeps_its_name() -> None:
    """Only what is meant moves, and nothing is taken from the rest."""
    row = [track("a", prompt="new"), asking("b", A), asking("c", B)]
    assert names(stood(A, B), *row, only="c") == {}
    assert names(stood(A, B), *row[:2], asking("x", B), only="x") == {}
    assert names(stood(A, B), A, asking("x", B), only="x") == {"x": "b"}


def test_a_row_that_has_moved_already_is_continued_and_a_copy_is_not() -> None:
    """A run that was stopped has written the new row: the older one is no more than its trace."""
    world = stood(A)
    new = asking("x", A)
    world.asset(new)
    world.rows["game", "x.ogg"] = replace(world.rows["game", "x.ogg"], sha256=world.rows["game", "a.ogg"].sha256)
    assert names(world, new) == {"x": "a"}
    assert names(world, new, copied=True) == {}


def test_a_track_that_stands_by_itself_takes_nothing_from_an_orphan() -> None:
    """Though both were made of one purchase."""
    assert names(stood(A, asking("x", A)), asking("x", A, outputs=(Output(), Output("wav")))) == {}


def test_a_recording_is_renamed_by_its_content() -> None:
    """Its hash stands where a purchase would."""
    theme = track("theme", prompt=None, file=Path("theme.wav"))
    world = stood(theme)
    world.recordings = {Path("theme.wav"): "abc"}
    assert names(world, track("title", prompt=None, file=Path("theme.wav"))) == {"title": "theme"}
    world.recordings = {Path("theme.wav"): "another"}
    assert names(world, track("title", prompt=None, file=Path("theme.wav"))) == {}


def test_a_placeholder_moves_too_and_a_real_asset_before_it() -> None:
    """What belongs to the asset goes with it, whatever is made of its sound then."""
    world = World(kind="local")
    world.asset(A)
    assert names(world, asking("x", A)) == {"x": "a"}
    world.kind = "real"
    world.asset(asking("zzz", A))
    assert names(world, asking("x", A)) == {"x": "zzz"}


def test_members_of_a_group_are_who_they_were() -> None:
    """A group of the same sounds is the same group, whatever they are called: nothing is finished again."""
    grouped = Finishing(loudness=Loudness(group="all"))
    members = [track(name, finishing=grouped) for name in "ab"]
    shares = {one.name: member_fingerprint(one, paid_fingerprint(one, "real"), 1, 0) for one in members}
    world = stood(*members)
    world.rows = {at: replace(row, group=JoinedGroup("all", -16.0, -3.0, shares)) for at, row in world.rows.items()}
    made = plan(world, asking("x", members[0], finishing=grouped), members[1])
    assert [one.action for one in made.tracks] == [Action.KEEP, Action.KEEP]
    told = [row.group.members for one in made.tracks for row in one.rows if row.group is not None]
    assert told == [{"x": shares["a"], "b": shares["b"]}] * 2

"""Loudness groups in a plan: who is finished again when one member changes, who is not, and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_planning_decisions import PRICE, World, track

from pipeline.audio.settings import Finishing, Loudness, Output, Trim
from pipeline.fingerprints import member_fingerprint, paid_fingerprint
from pipeline.jobs import State
from pipeline.output import JoinedGroup
from pipeline.planning.plans import Action, Step

if TYPE_CHECKING:
    from pipeline.jobs import Kind
    from pipeline.manifest.tracks import Track

BATTLE = Finishing(loudness=Loudness(group="battle"))
ALL = ("a", "b", "c")


def member(name: str, **changes: Any) -> Track:
    return track(name, **({"finishing": BATTLE} | changes))


def share(of: Track, kind: Kind = "real", take: int = 1, regeneration: int = 0) -> str:
    return member_fingerprint(of, paid_fingerprint(of, kind), take, regeneration)


class Battle(World):
    """Three members that stand as one run has left them."""

    def stand(
        self, *members: Track, held: bool = True, gain: float = -3.0, without: tuple[str, ...] = (), **more: Any
    ) -> None:
        kind = more.pop("kind", self.kind)
        shares = {one.name: share(one, kind) for one in members} | dict.fromkeys(without)
        for one in members:
            if held:
                self.job(one, State.COLLECTED, kind=kind)
            self.asset(one, kind=kind, **more)
            for output in one.outputs:
                at = ("game", output.path(one.name))
                self.rows[at] = replace(self.rows[at], group=JoinedGroup("battle", -16.0, gain, shares))

    def told(self, *tracks: Track, **wishes: Any) -> dict[str, tuple[Action, str]]:
        return {one.track.name: (one.action, one.why) for one in self.plan(*tracks, **wishes).tracks}


@pytest.fixture
def battle() -> Battle:
    world = Battle()
    world.stand(*map(member, ALL))
    return world


def test_a_group_that_stands_has_nothing_to_do(battle: Battle) -> None:
    """Each row knows what its gain was made of."""
    assert battle.plan(*map(member, ALL)).nothing_to_do


@pytest.mark.parametrize(
    "change", [{"trim": Trim()}, {"fade_in_s": 1.0}, {"channels": 1}, {"sample_rate": 48_000}], ids=str
)
def test_another_shape_of_one_finishes_all_again(battle: Battle, change: dict[str, Any]) -> None:
    """Free; and each says whose fault it is."""
    changed = member("c", finishing=replace(BATTLE, **change))
    why = (Action.FINISH, "group battle: c changed")
    told = battle.told(member("a"), member("b"), changed)
    (name,) = change
    own = told.pop("c")
    assert told == {"a": why, "b": why}
    assert (own[0], own[1].split()[0]) == (Action.FINISH, name.removesuffix("_s"))


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": (Output(), Output("wav"))},
        {"finishing": replace(BATTLE, gates=(("dc", "off"),))},
        {"finishing": replace(BATTLE, mark="none")},
    ],
    ids=["an output", "a gate", "a mark"],
)
def test_what_does_not_reach_the_joint_loudness_moves_nobody(battle: Battle, change: dict[str, Any]) -> None:
    """Only that track is finished."""
    told = battle.told(member("a"), member("b"), member("c", **change))
    assert [action for action, _ in told.values()] == [Action.KEEP, Action.KEEP, Action.FINISH]


def test_a_missing_file_moves_nobody(battle: Battle) -> None:
    """It is made again at the gain at which the others stand."""
    battle.intact.discard(("game", "c.ogg"))
    assert [action for action, _ in battle.told(*map(member, ALL)).values()] == [
        Action.KEEP,
        Action.KEEP,
        Action.FINISH,
    ]


def test_another_piece_of_one_finishes_all_again(battle: Battle) -> None:
    """Bought once, for itself alone."""
    plan = battle.plan(member("a"), member("b"), member("c", prompt="another"))
    assert [one.action for one in plan.tracks] == [Action.FINISH, Action.FINISH, Action.GENERATE]
    assert plan.tracks[0].why == "group battle: c to come"
    assert plan.estimate_microusd == PRICE


def test_regenerating_one_finishes_all_again(battle: Battle) -> None:
    """The others have their sources."""
    told = battle.told(*map(member, ALL), again="c")
    assert [action for action, _ in told.values()] == [Action.FINISH, Action.FINISH, Action.GENERATE]


@pytest.mark.parametrize(
    ("tracks", "why"),
    [
        ((member("a"), member("b"), member("c"), member("d")), "group battle: d to come"),
        ((member("a"), member("b")), "group battle: c left out"),
        ((member("a"), member("b"), track("c")), "group battle: c left out"),
    ],
    ids=["one comes", "one leaves the manifest", "one leaves the group"],
)
def test_who_comes_or_leaves_finishes_the_rest_again(battle: Battle, tracks: tuple[Track, ...], why: str) -> None:
    """Its coming is known before its sound is."""
    told = battle.told(*tracks)
    assert (told["a"], told["b"]) == ((Action.FINISH, why), (Action.FINISH, why))


def test_a_member_that_was_left_out_joins_when_it_is_here() -> None:
    """It was bought meanwhile, for another track."""
    world = Battle()
    world.stand(member("a"), without=("b",))
    world.stand(member("b"))
    world.rows["game", "b.ogg"] = replace(world.rows["game", "b.ogg"], group=None)
    assert world.told(member("a"), member("b")) == {
        "a": (Action.FINISH, "group battle: b joins"),
        "b": (Action.FINISH, "group battle: not joined yet"),
    }


def test_members_at_different_gains_are_joined_again(battle: Battle) -> None:
    """One was finished by itself, fitted to what stood then."""
    battle.rows["game", "c.ogg"] = replace(
        battle.rows["game", "c.ogg"], group=replace(battle.rows["game", "c.ogg"].group, gain_db=-4.0)
    )
    told = battle.told(*map(member, ALL))
    assert told["a"] == (Action.FINISH, "group battle: levelled apart from the rest")


class TestSourcesThatAreGone:
    """Nothing is ever bought because of a group."""

    def test_members_without_a_source_stay_as_they_are(self) -> None:
        """And those that have theirs stay with them: at one gain they fit."""
        world = Battle()
        world.stand(*map(member, ALL), held=False)
        world.job(member("b"), State.COLLECTED)
        plan = world.plan(member("a"), member("b"), member("c"), member("d"))
        assert [one.action for one in plan.tracks] == [Action.KEEP, Action.KEEP, Action.KEEP, Action.GENERATE]
        assert plan.estimate_microusd == PRICE

    def test_one_that_stands_apart_moves_to_those_that_cant(self) -> None:
        """It has its source, they have not."""
        world = Battle()
        world.stand(member("a"), held=False)
        world.stand(member("b"), gain=-4.0)
        told = world.told(member("a"), member("b"))
        assert [action for action, _ in told.values()] == [Action.KEEP, Action.FINISH]

    def test_a_change_without_its_source_waits_for_a_word(self) -> None:
        """It alone: its last good asset stands among the others as before."""
        world = Battle()
        world.stand(*map(member, ALL), held=False)
        told = world.told(member("a"), member("b"), member("c", finishing=replace(BATTLE, fade_in_s=1.0)))
        assert [action for action, _ in told.values()] == [Action.KEEP, Action.KEEP, Action.BLOCKED]
        assert "source missing: generating again costs $0.0300" in told["c"][1]

    def test_a_source_that_the_gateway_still_has_is_fetched(self, battle: Battle) -> None:
        """For nothing, within its seven days."""
        battle.held.discard(next(iter(battle.jobs.values()))[0].source)
        plan = battle.plan(member("a"), member("b"), member("c", finishing=replace(BATTLE, fade_in_s=1.0)))
        assert [take.step for take in plan.tracks[0].takes] == [Step.COLLECT]
        assert (plan.tracks[0].action, plan.estimate_microusd) == (Action.GENERATE, 0)

    def test_a_format_that_cant_be_made_here_keeps_its_asset(self, battle: Battle) -> None:
        """It stands, and could not be made again."""
        battle.obstacles["game", "a.ogg"] = "ogg needs a miracle"
        told = battle.told(member("a"), member("b"), member("c", finishing=replace(BATTLE, fade_in_s=1.0)))
        assert [action for action, _ in told.values()] == [Action.KEEP, Action.KEEP, Action.FINISH]


def test_only_leaves_the_rest_of_a_group_alone(battle: Battle) -> None:
    """What is outside is skipped, and moves nobody inside."""
    told = battle.told(member("a"), member("b"), member("c", prompt="another"), only="a")
    assert [action for action, _ in told.values()] == [Action.KEEP, Action.SKIP, Action.SKIP]


def test_placeholders_move_no_real_member() -> None:
    """Each kind is a group of its own."""
    world = Battle(kind="local")
    world.stand(member("a"), kind="real")
    told = world.told(member("a"), member("b"))
    assert [action for action, _ in told.values()] == [Action.KEEP, Action.GENERATE]


def test_a_recording_that_changed_finishes_all_again(battle: Battle) -> None:
    """It has no takes, and its content stands where a purchase would."""
    recorded = member("d", file=Path("d.wav"), prompt=None)
    battle.recordings = {Path("d.wav"): "abc"}
    battle.asset(recorded)
    told = battle.told(*map(member, ALL), recorded)
    assert told["a"] == (Action.FINISH, "group battle: d joins")
    assert told["d"] == (Action.FINISH, "group battle: not joined yet")


def test_many_names_are_counted(battle: Battle) -> None:
    """A sentence stays one."""
    told = battle.told(*map(member, (*ALL, "d", "e", "f", "g")))
    assert told["a"] == (Action.FINISH, "group battle: d, e, f and 1 more to come")

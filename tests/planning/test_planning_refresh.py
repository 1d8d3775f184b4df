"""When a pick is so old that it is generated again, and when it is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from test_planning_decisions import DAY, NOW, PRICE, World, steps, track
from test_planning_picks import lock

from pipeline.fingerprints import judging_fingerprint, paid_fingerprint
from pipeline.jobs import State
from pipeline.output import Unfit
from pipeline.planning.plans import Action, Step
from pipeline.times import timestamp

if TYPE_CHECKING:
    from pipeline.manifest.tracks import Track

HOUR = 3600.0
WEEKLY = 7 * DAY


def weekly(**changes: Any) -> Track:
    return track(**({"refresh_s": WEEKLY} | changes))


def aged(of: Track, age: float, *, take: int = 1, **more: Any) -> World:
    """A world whose asset of `of` was generated so long ago."""
    world = World(**more)
    for number in range(1, of.takes + 1):
        world.job(of, State.COLLECTED, take=number, intended_at=NOW - age, collected_at=NOW - age)
    world.asset(of, take=take, date=timestamp(NOW - age))
    return world


def plan(world: World, of: Track, **more: Any) -> Any:
    return world.plan(of, refreshes=True, **more)


@pytest.mark.parametrize(
    ("age", "does", "why"),
    [
        (6 * DAY, Action.KEEP, ""),
        (WEEKLY - 1, Action.KEEP, ""),
        (WEEKLY, Action.GENERATE, "older than 7d, generated 7 days ago"),
        (8.5 * DAY, Action.GENERATE, "older than 7d, generated 8 days ago"),
        (900 * DAY, Action.GENERATE, "older than 7d, generated 900 days ago"),
    ],
)
def test_a_pick_that_is_older_is_generated_again(age: float, does: Action, why: str) -> None:
    """At its price, as the next regeneration of its take; what is younger says when its time will come."""
    made = plan(aged(weekly(), age), weekly())
    (menu,) = made.tracks
    assert (menu.action, menu.why, made.estimate_microusd) == (does, why, PRICE if does is Action.GENERATE else 0)
    assert [take.key.regeneration for take in menu.takes] == [int(does is Action.GENERATE)]
    assert menu.refresh_at == (None if does is Action.GENERATE else NOW - age + WEEKLY)


def test_hours_are_told_as_hours() -> None:
    """Up to two days."""
    of = weekly(refresh_s=12 * HOUR)
    assert plan(aged(of, 30 * HOUR), of).tracks[0].why == "older than 12h, generated 30 hours ago"


def test_without_the_key_nothing_is() -> None:
    """However old."""
    assert plan(aged(track(), 900 * DAY), track()).nothing_to_do


def test_only_the_pick_is_generated_again() -> None:
    """The other takes stay what they are, and none of them steps in where the new one fails."""
    of = weekly(takes=3)
    (menu,) = plan(aged(of, 8 * DAY, take=2), of).tracks
    assert [(take.number, take.key.regeneration, take.step) for take in menu.takes] == [
        (1, 0, Step.HAVE), (2, 1, Step.BUY), (3, 0, Step.HAVE),
    ]  # fmt: skip
    assert (menu.candidates, menu.pick) == (frozenset({2}), None)


def test_in_a_clone_it_is_one_purchase_too() -> None:
    """Neither ledger nor sources: the index says how old it is, and that the others were bought."""
    of = weekly(takes=3)
    world = World()
    world.asset(of, take=2, date=timestamp(NOW - 8 * DAY))
    made = plan(world, of)
    assert (steps(made), made.estimate_microusd) == ([Step.PROVEN, Step.BUY, Step.PROVEN], PRICE)


def test_what_waits_for_a_word_waits() -> None:
    """`refresh` is none: a source that is gone is never bought again without `--regenerate`."""
    world = World()
    world.asset(weekly(), intact=False, date=timestamp(NOW - 8 * DAY))
    (menu,) = plan(world, weekly()).tracks
    assert (menu.action, menu.why[:14]) == (Action.BLOCKED, "source missing")


def test_what_is_to_be_finished_comes_first() -> None:
    """Free; the next start looks again."""
    world = aged(weekly(), 8 * DAY)
    world.intact.clear()
    assert plan(world, weekly()).tracks[0].action is Action.FINISH


@pytest.mark.parametrize("date", ["", "yesterday", timestamp(NOW + DAY)])
def test_a_date_that_says_nothing_buys_nothing(date: str) -> None:
    """The index is a file that anybody may have edited, and clocks may differ."""
    world = World()
    world.job(weekly(), State.COLLECTED)
    world.asset(weekly(), date=date)
    assert plan(world, weekly()).nothing_to_do


@pytest.mark.parametrize(("by", "does"), [("pick", Action.KEEP), ("rollback", Action.KEEP), ("run", Action.GENERATE)])
def test_what_somebody_chose_is_left_alone(by: str, does: Action) -> None:
    """However old: nobody but a person replaces it."""
    of = weekly()
    world = aged(of, 30 * DAY, locks={"menu": lock(of, (1, 0), picks=((by, 1, 0),))})
    (menu,) = plan(world, of).tracks
    assert (menu.action, menu.refresh_at) == (does, None)


class TestTries:
    """What was generated again and did not take the place of what stands."""

    def tried(self, of: Track, ago: float, state: State = State.COLLECTED) -> World:
        world = aged(of, 8 * DAY)
        world.job(of, state, regeneration=1, intended_at=NOW - ago, collected_at=NOW - ago)
        verdict = Unfit(1, 1, judging_fingerprint(of), "silent")
        world.asset(of, date=timestamp(NOW - 8 * DAY), unfit=(verdict,))
        return world

    @pytest.mark.parametrize(
        ("refresh_s", "ago", "does"),
        [(WEEKLY, 19 * HOUR, Action.KEEP), (WEEKLY, 20 * HOUR, Action.GENERATE), (12 * HOUR, 11 * HOUR, Action.KEEP),
         (12 * HOUR, 12 * HOUR, Action.GENERATE)],
    )  # fmt: skip
    def test_one_that_failed_its_gates_is_followed_by_another_the_next_night(
        self, refresh_s: float, ago: float, does: Action
    ) -> None:
        """And by none before: however often a run is started, it costs one generation a night."""
        of = weekly(refresh_s=refresh_s)
        (menu,) = plan(self.tried(of, ago), of).tracks
        assert menu.action is does
        assert menu.takes[0].key.regeneration == (2 if does is Action.GENERATE else 0)
        assert menu.refresh_at == (None if does is Action.GENERATE else NOW - ago + min(refresh_s, 20 * HOUR))

    def test_one_that_was_not_charged_is_no_try(self) -> None:
        """It is asked for anew by the next run, under the same number."""
        of = weekly()
        (menu,) = plan(self.tried(of, HOUR, State.FAILED), of).tracks
        assert (menu.action, menu.takes[0].key.regeneration, menu.takes[0].step) == (Action.GENERATE, 1, Step.BUY)

    @pytest.mark.parametrize(
        ("state", "step"), [(State.ACCEPTED, Step.COLLECT), (State.UNKNOWN, Step.RESEND), (State.COLLECTED, Step.HAVE)]
    )
    def test_one_that_is_under_way_is_gone_on_with(self, state: State, step: Step) -> None:
        """Nothing more is bought; and none of the older takes beside it becomes the pick meanwhile."""
        of = weekly(takes=2)
        world = aged(of, 8 * DAY, take=2)
        world.job(of, state, take=2, regeneration=1, intended_at=NOW - HOUR)
        (menu,) = plan(world, of).tracks
        assert [take.step for take in menu.takes] == [Step.HAVE, step]
        assert menu.candidates == frozenset({2})

    def test_a_try_of_another_machine_counts(self) -> None:
        """The lock names it."""
        of = weekly()
        world = World(locks={"menu": lock(of, (1, 0), (1, 1), picks=(("run", 1, 0),))})  # that one came just now
        verdict = Unfit(1, 1, judging_fingerprint(of), "silent")
        world.asset(of, date=timestamp(NOW - 8 * DAY), unfit=(verdict,))
        assert plan(world, of).nothing_to_do

    def test_what_its_run_was_granted_is_not_granted_again(self) -> None:
        """An open run that was killed between the intent and the asset."""
        of = weekly()
        world = aged(of, 8 * DAY)
        world.grants = {"game": {(paid_fingerprint(of, "real"), 1): 1}}
        (menu,) = plan(world, of).tracks
        assert [(take.key.regeneration, take.step) for take in menu.takes] == [(1, Step.BUY)]


def test_placeholders_grow_old_too() -> None:
    """For nothing, so that nights can be rehearsed."""
    of = weekly()
    made = plan(aged(of, 8 * DAY, kind="local"), of)
    assert (made.tracks[0].why, made.estimate_microusd) == ("older than 7d, generated 8 days ago", 0)


def test_a_local_run_leaves_the_real_thing_however_old() -> None:
    """It is no placeholder's to replace."""
    world = aged(weekly(), 8 * DAY)
    world.kind = "local"
    assert plan(world, weekly()).nothing_to_do

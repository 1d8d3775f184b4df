"""What a plan makes of a lock: nothing it names is bought again, and the take that somebody chose is the pick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from test_planning_decisions import NOW, PRICE, World, steps, track

from pipeline.fingerprints import judging_fingerprint, paid_fingerprint
from pipeline.jobs import State
from pipeline.output import Unfit
from pipeline.picks.pinning import asked_of, pinned, planned
from pipeline.picks.values import LockedPurchase, LockedTake, LockedTrack, Pick
from pipeline.planning.plans import Action, Step
from pipeline.times import timestamp

if TYPE_CHECKING:
    from pipeline.jobs import Kind
    from pipeline.manifest.tracks import Track

LATER = timestamp(NOW)


def lock(of: Track, *versions: tuple[int, int], picks: tuple[Any, ...] = (), kind: Kind = "real") -> LockedTrack:
    """A track's entry: takes that were bought, and picks as (by, take, regeneration)."""
    paid = paid_fingerprint(of, kind)
    takes = tuple(LockedTake(take, regeneration, "5" * 64, LATER) for take, regeneration in versions)
    return LockedTrack(
        picks=tuple(Pick(paid, take, regeneration, LATER, by, kind == "local") for by, take, regeneration in picks),
        purchases={paid: LockedPurchase(asked_of(of), takes)} if takes else {},
    )


def locked(of: Track, *versions: tuple[int, int], **more: Any) -> World:
    """A world that has a lock for `of`, and nothing else."""
    return World(locks={of.name: lock(of, *versions, **more)})


class TestWhatIsNamedIsNeverBoughtAgain:
    """Neither ledger nor index is there."""

    def test_what_is_gone_waits_for_a_word(self) -> None:
        """The plan says what generating again would cost, and does not."""
        of = track(takes=2)
        plan = locked(of, (1, 0), (2, 0), picks=(("run", 1, 0),)).plan(of)
        assert (plan.tracks[0].action, steps(plan)) == (Action.BLOCKED, [Step.BLOCKED, Step.PROVEN])
        assert plan.tracks[0].why == "source missing: generating again costs $0.0600 (--regenerate)"
        assert plan.estimate_microusd == 0

    def test_what_never_became_a_pick_is_missed_too(self) -> None:
        """Every take failed its gate, or the run was stopped: they were paid for all the same."""
        plan = locked(track(takes=2), (1, 0), (2, 0)).plan(track(takes=2))
        assert (plan.tracks[0].action, plan.estimate_microusd) == (Action.BLOCKED, 0)

    def test_a_larger_takes_buys_only_what_is_more(self) -> None:
        """`takes: 2` to `3` with nothing but lock and assets generates one."""
        world = locked(track(takes=2), (1, 0), (2, 0), picks=(("run", 1, 0),))
        world.asset(track(takes=2))
        plan = world.plan(track(takes=3))
        assert (steps(plan), plan.estimate_microusd) == ([Step.PROVEN, Step.PROVEN, Step.BUY], PRICE)

    def test_a_take_beyond_those_that_are_asked_for_is_what_a_larger_takes_asks_for(self) -> None:
        """A re-roll has bought the third already."""
        world = locked(track(takes=2), (1, 0), (2, 0), (3, 0), picks=(("run", 1, 0),))
        world.asset(track(takes=2), takes=3)
        assert world.plan(track(takes=3)).nothing_to_do

    def test_whatever_the_track_is_called_now(self) -> None:
        """The paid fingerprint is what was bought; a name is not part of it."""
        plan = locked(track("menu"), (1, 0)).plan(track("title", prompt="music for menu"))
        assert (plan.tracks[0].action, plan.estimate_microusd) == (Action.BLOCKED, 0)

    def test_another_prompt_is_bought(self) -> None:
        """It is another piece, and the lock does not name it."""
        plan = locked(track(), (1, 0), picks=(("run", 1, 0),)).plan(track(prompt="other"))
        assert (steps(plan), plan.estimate_microusd) == ([Step.BUY], PRICE)

    def test_a_regeneration_goes_on_from_the_lock(self) -> None:
        """Without a ledger nothing else knows how often there was one."""
        world = locked(track(), (1, 0), (1, 1), picks=(("run", 1, 1),))
        assert world.plan(track(), again="menu").tracks[0].takes[0].key.regeneration == 2
        world.asset(track(), regeneration=1)
        assert world.plan(track()).nothing_to_do

    def test_a_newer_lock_than_the_assets_are_is_not_bought_after(self) -> None:
        """Somebody's new generation came with the lock, and not with its asset."""
        world = locked(track(), (1, 0), (1, 1), picks=(("run", 1, 0), ("run", 1, 1)))
        world.asset(track())
        plan = world.plan(track())
        assert (plan.tracks[0].action, plan.estimate_microusd) == (Action.BLOCKED, 0)
        assert "source missing" in plan.tracks[0].why

    def test_a_placeholder_proves_no_purchase(self) -> None:
        """Whatever the lock says of a pick: what a real run wants has to be named as bought."""
        plan = locked(track(), picks=(("pick", 1, 0),), kind="local").plan(track())
        assert steps(plan) == [Step.BUY]

    def test_a_source_that_the_gateway_still_has_is_fetched(self) -> None:
        """That is free."""
        world = locked(track(takes=2), (1, 0), (2, 0))
        world.job(track(takes=2), State.COLLECTED, held=False)
        world.job(track(takes=2), State.COLLECTED, take=2, held=False)
        assert steps(world.plan(track(takes=2))) == [Step.COLLECT, Step.COLLECT]


class TestAChoice:
    """Somebody chose a take: nothing but another word of theirs replaces it."""

    def chosen(self, take: int = 2, regeneration: int = 0, **more: Any) -> World:
        """Two takes are here, the first stands, and another was chosen."""
        of = track(takes=2)
        world = locked(of, (1, 0), (2, 0), picks=(("run", 1, 0), ("pick", take, regeneration)), **more)
        world.job(of, State.COLLECTED)
        world.job(of, State.COLLECTED, take=2)
        world.asset(of)
        return world

    def test_it_is_finished_from_its_kept_source(self) -> None:
        """Free, and the plan says so."""
        plan = self.chosen().plan(track(takes=2))
        (menu,) = plan.tracks
        assert (menu.action, menu.why, menu.choice, menu.pick) == (Action.FINISH, "take 2 was picked", 2, None)
        assert plan.estimate_microusd == 0

    def test_once_it_stands_there_is_nothing_to_do(self) -> None:
        """It is the pick."""
        world = self.chosen()
        world.asset(track(takes=2), take=2)
        plan = world.plan(track(takes=2))
        assert (plan.nothing_to_do, plan.tracks[0].pick) == (True, 2)

    def test_without_its_source_it_waits_for_a_word(self) -> None:
        """The other take does not step in."""
        world = self.chosen()
        world.held.clear()
        for job in world.jobs[paid_fingerprint(track(takes=2), "real")]:
            object.__setattr__(job, "ended_at", NOW - 30 * 24 * 3600)
        plan = world.plan(track(takes=2))
        assert (plan.tracks[0].action, plan.estimate_microusd) == (Action.BLOCKED, 0)
        assert "source missing" in plan.tracks[0].why

    def test_it_stays_where_fewer_takes_are_asked_for(self) -> None:
        """`takes: 1` buys no second one any more; the one that was chosen was bought."""
        world = self.chosen()
        world.asset(track(takes=2), take=2)
        plan = world.plan(track(takes=1))
        assert (plan.nothing_to_do, plan.tracks[0].pick) == (True, 2)

    def test_an_earlier_generation_can_be_chosen(self) -> None:
        """A `--regenerate` that came out worse is undone: what was there before has its own source."""
        of = track()
        world = locked(of, (1, 0), (1, 1), picks=(("run", 1, 0), ("run", 1, 1), ("rollback", 1, 0)))
        world.job(of, State.COLLECTED)
        world.job(of, State.COLLECTED, regeneration=1)
        world.asset(of, regeneration=1)
        (menu,) = world.plan(of).tracks
        assert (menu.action, menu.takes[0].key.regeneration, menu.takes[0].step) == (Action.FINISH, 0, Step.HAVE)
        world.asset(of)
        assert world.plan(of).nothing_to_do

    def test_regenerating_is_a_word_that_replaces_it(self) -> None:
        """All takes that are asked for are generated again, and the first of them that is fit becomes the pick."""
        plan = self.chosen().plan(track(takes=2), again="menu")
        assert [take.key.regeneration for take in plan.tracks[0].takes] == [1, 1]
        assert (plan.tracks[0].choice, plan.estimate_microusd) == (None, 2 * PRICE)

    @pytest.mark.parametrize(("came", "choice"), [(NOW - 60, 2), (NOW + 60, None)], ids=["before it", "after it"])
    def test_of_a_choice_and_a_granted_generation_the_later_counts(self, came: float, choice: int | None) -> None:
        """While the run that regenerates is still open."""
        world, of = self.chosen(), track(takes=2)
        paid = paid_fingerprint(of, "real")
        world.grants = {"game": {(paid, 1): 1, (paid, 2): 1}}
        for take in (1, 2):
            world.job(of, State.COLLECTED, take=take, regeneration=1, collected_at=came)
        assert world.plan(of).tracks[0].choice == choice

    def test_a_choice_among_other_takes_means_nothing_here(self) -> None:
        """It was made of another prompt's takes."""
        world = self.chosen()
        world.job(track(prompt="other", takes=2), State.COLLECTED)
        (menu,) = world.plan(track(prompt="other", takes=2)).tracks
        assert menu.choice is None

    def test_placeholders_are_chosen_too(self) -> None:
        """And without one of them it is made again, free."""
        of = track(takes=2)
        world = World(kind="local", locks={"menu": lock(of, picks=(("pick", 2, 0),), kind="local")})
        world.job(of, State.COLLECTED)
        world.job(of, State.COLLECTED, take=2)
        world.asset(of)
        assert world.plan(of).tracks[0].why == "take 2 was picked"
        world.held.clear()
        for job in world.jobs[paid_fingerprint(of, "local")]:
            object.__setattr__(job, "ended_at", NOW - 30 * 24 * 3600)
        assert steps(world.plan(of)) == [Step.PROVEN, Step.BUY]


class TestUnfitRegenerations:
    """What was generated again and failed its gates is known to be unfit: what stands is what is meant."""

    def unfit(self, of: Track, judging: str | None = None) -> World:
        world = World()
        world.job(of, State.COLLECTED)
        world.job(of, State.COLLECTED, regeneration=1)
        verdict = Unfit(1, 1, judging or judging_fingerprint(of), "silent")
        world.asset(of, unfit=(verdict,))
        return world

    def test_it_is_not_tried_again_as_long_as_nothing_changes(self) -> None:
        """The asset that stands is kept, and could be finished anew."""
        world = self.unfit(track())
        assert world.plan(track()).nothing_to_do
        world.intact.clear()
        (menu,) = world.plan(track()).tracks
        assert (menu.action, menu.takes[0].key.regeneration) == (Action.FINISH, 0)

    def test_under_other_gates_it_is_judged_again(self) -> None:
        """Free: it may be what is wanted."""
        (menu,) = self.unfit(track(), judging="other").plan(track()).tracks
        assert (menu.action, menu.takes[0].key.regeneration) == (Action.FINISH, 1)


class TestTakesBeyondThoseThatAreAskedFor:
    """A re-roll bought them, or `takes` was larger once."""

    def test_they_stay_known_as_long_as_their_sources_are_here(self) -> None:
        """They are finished beside the pick, so that they can be heard and chosen."""
        world = World()
        for take in (1, 2):
            world.job(track(), State.COLLECTED, take=take)
        world.asset(track())
        (menu,) = world.plan(track()).tracks
        assert (menu.action, menu.why, [take.number for take in menu.takes]) == (Action.FINISH, "take 2 is new", [1, 2])
        world.asset(track(), takes=2)
        assert world.plan(track()).nothing_to_do

    def test_nothing_is_done_about_one_that_is_gone_or_never_came(self) -> None:
        """Nobody asks for it."""
        for state, held in ((State.COLLECTED, False), (State.UNKNOWN, True), (State.FAILED, True)):
            world = World()
            world.job(track(), State.COLLECTED)
            world.job(track(), state, take=2, held=held)
            world.asset(track())
            plan = world.plan(track())
            assert (plan.nothing_to_do, steps(plan)) == (True, [Step.HAVE])

    def test_those_of_another_track_with_the_same_words_are_its_own(self) -> None:
        """One purchase each; how many takes there are to choose from is each track's affair."""
        one, more = track("menu"), track("credits", prompt="music for menu", takes=2)
        world = World()
        world.job(one, State.COLLECTED)
        world.job(more, State.COLLECTED, take=2)
        world.asset(one)
        world.asset(more)
        plan = world.plan(one, more)
        assert (plan.nothing_to_do, [len(track.takes) for track in plan.tracks]) == (True, [1, 2])

    def test_they_are_not_generated_again_with_the_rest(self) -> None:
        """`--regenerate` says what it costs: the takes that are asked for."""
        world = World()
        for take in (1, 2):
            world.job(track(), State.COLLECTED, take=take)
        world.asset(track(), takes=2)
        plan = world.plan(track(), again="menu")
        assert (steps(plan), plan.estimate_microusd) == ([Step.BUY, Step.HAVE], PRICE)


def test_what_stands_is_pinned_though_another_take_is_still_to_come() -> None:
    """A run that died between an asset and its lock leaves that to the next, whatever else it waits for."""
    of = track(takes=2)
    world = World()
    world.job(of, State.COLLECTED, collected_at=NOW)
    world.job(of, State.ACCEPTED, take=2)
    world.asset(of, takes=1)
    (menu,) = world.plan(of).tracks
    assert menu.action is Action.GENERATE
    assert [pick.take for pick in pinned(LockedTrack(), planned(menu)).picks] == [1]
    world.intact.clear()
    (menu,) = world.plan(of).tracks
    assert pinned(LockedTrack(), planned(menu)).picks == ()

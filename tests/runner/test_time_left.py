"""How long a run will still take: in worlds on virtual time, and by events that are written out."""

from __future__ import annotations

import pytest
from regimes import Regime, errors, worst

from pipeline.runner.events import (
    FinishingBegun,
    RunStarted,
    TakeDownloaded,
    TakeFailed,
    TakeGenerated,
    TakeSubmitted,
    TrackFailed,
    TrackFinished,
    Waiting,
)
from pipeline.runner.time_left import TimeLeft


def submitted(name):
    return TakeSubmitted("game", name, 1, f"job_{name}")


def generated(name):
    return TakeGenerated("game", name, 1, 2000)


def home(name):
    return TakeDownloaded("game", name, 1, 32_000, 2.0)


def told(*events):
    """An estimator that has seen `events`, each with its moment."""
    estimator = TimeLeft()
    for moment, event in events:
        estimator.observe(event, moment)
    return estimator


def finished(name, moment):
    return [(moment, FinishingBegun("game", name)), (moment + 1, TrackFinished("game", name, (f"{name}.wav",)))]


@pytest.mark.long
@pytest.mark.parametrize(
    "regime",
    [Regime(10, 4, 30.0, 40), Regime(600, 8, 10.0, 64), Regime(600, 16, 10.0, 64, finishing_s=3.0)],
    ids=["few requests a minute", "few slots", "slow finishing"],
)
def test_after_a_third_of_a_run_its_length_is_known_within_a_fifth(regime):
    """Also after a half and two thirds; `make bench-time-left` measures the whole table."""
    length_s, events = regime.told(seed=1)
    assert worst(errors(length_s, events, (1 / 3, 1 / 2, 2 / 3))) <= 0.2


def test_nothing_is_said_before_half_of_the_first_jobs_have_ended():
    """The first to end are the quick ones: what they say of the others is nonsense."""
    estimator = TimeLeft()
    assert estimator.seconds(0.0) is None
    estimator.observe(RunStarted(8, 0, 8, 4), 0.0)
    for name in "abcd":
        estimator.observe(submitted(name), 0.0)
    estimator.observe(generated("a"), 20.0)
    assert estimator.seconds(20.0) is None
    estimator.observe(generated("b"), 30.0)
    assert estimator.seconds(30.0) is not None


def test_three_tracks_are_enough_to_go_by():
    """Two of three are here after 30 s: the third is about as slow."""
    events = [(0.0, RunStarted(3, 0, 3, 8)), *((1.0, submitted(name)) for name in "abc")]
    for name, moment in (("a", 28.0), ("b", 30.0)):
        events += [(moment, generated(name)), (moment + 1, home(name)), *finished(name, moment + 1)]
    left = told(*events).seconds(32.0)
    assert left is not None
    assert 1.0 <= left <= 10.0


def test_a_pause_that_the_gateway_asks_for_is_added():
    """While nothing may be asked, nothing ends."""
    events = [(0.0, RunStarted(4, 0, 4, 2)), (0.0, submitted("a")), (0.0, submitted("b"))]
    events += [(10.0, generated("a")), (10.0, generated("b")), (10.0, submitted("c")), (10.0, submitted("d"))]
    before = told(*events).seconds(11.0)
    after = told(*events, (11.0, Waiting("every request", 60.0, "", "refused"))).seconds(11.0)
    assert before == pytest.approx(9.0, abs=1.0)
    assert after == pytest.approx(60.0, abs=1.0)


def test_finishing_counts_where_it_takes_the_longest():
    """Ten tracks wait for workers that do one in 5 s, though every take is here."""
    events = [(0.0, RunStarted(0, 0, 12, 0))]
    events += [(0.0, FinishingBegun("game", str(number))) for number in range(12)]
    assert told(*events).seconds(4.0) is None
    events += [(5.0, TrackFinished("game", "0", ())), (10.0, TrackFailed("game", "1", "silent"))]
    assert told(*events).seconds(10.0) == pytest.approx(50.0)


def test_what_was_submitted_before_and_what_is_never_sent_count_too():
    """A continued run collects first; what money holds back is waited for by nobody."""
    events = [(0.0, RunStarted(2, 2, 4, 2)), (10.0, generated("a")), (12.0, home("b"))]
    events += [(13.0, TakeFailed("game", name, 1, "not sent")) for name in "cd"]
    events += [(14.0, TrackFailed("game", name, "not sent")) for name in "cd"]
    events += [(14.0, home("a")), *finished("a", 14.0), *finished("b", 14.0)]
    assert told(*events).seconds(15.0) == 0.0


def test_ten_thousand_takes_are_estimated_as_quickly_as_two_thousand_are():
    """What is far away goes at the usual pace: 10,000 takes of 10 s in 10 slots, of which 20 are here."""
    events = [(0.0, RunStarted(10_000, 0, 10_000, 10))]
    for number in range(20):
        events += [(number // 10 * 10.0, submitted(str(number))), (number // 10 * 10.0 + 10.0, home(str(number)))]
    events.sort(key=lambda pair: pair[0])
    assert told(*events).seconds(20.0) == pytest.approx(9_980.0, rel=0.02)

"""The bounds that our pace is measured against are what they are said to be."""

from __future__ import annotations

import numpy as np
import pytest
from pace_bound import bound, steady
from pace_limits import PerfectPacer, most_requests
from pace_regimes import ROWS, Regime
from pace_times import JobTimes

from pipeline.local_gateway.rate_limits import RateLimits


def regime(name: str) -> Regime:
    (found,) = [row for row in ROWS if str(row) == name]
    return found


@pytest.mark.parametrize(
    ("name", "ratio", "requests"),
    [("600/64/10 sigma 0.25", 1.06, 2.1), ("600/256/60 sigma 1.0", 1.33, 3.1), ("600/8/10 bimodal", 1.13, 3.6)],
)
def test_the_informed_bound_in_steady_state(name: str, ratio: float, requests: float) -> None:
    """Over the oracle's, and the requests that it takes."""
    found = steady(regime(name))
    assert found.ratio == pytest.approx(ratio, abs=0.01)
    assert found.requests == pytest.approx(requests, abs=0.1)


def test_no_first_poll_and_interval_beat_it() -> None:
    """Searched: a first poll, then one every so often. The best comes within 2 % of it, and does not pass it."""
    row = regime("600/64/30 sigma 0.25")
    least = min(_cost(row, first_s, every_s) for first_s in np.arange(15, 60, 1.0) for every_s in np.arange(3, 15, 1.0))
    assert steady(row).informed_s <= least <= 1.02 * steady(row).informed_s


def _cost(row: Regime, first_s: float, every_s: float) -> float:
    """Seconds a job."""
    polls = np.arange(first_s, 20 * row.times.mean_s, every_s)
    reached = np.concatenate(([1.0], row.times.survival(polls[:-1])))
    slot_s = float(reached @ np.diff(polls, prepend=0.0))
    return max(slot_s / row.concurrency, (1 + float(reached.sum())) * 60 / row.requests_per_minute)


def test_the_perfect_pacer_is_as_fast_as_the_gateway_lets_it_be() -> None:
    """Whatever it sends is let in, a moment sooner is refused, and so many fit into a length of time as are said to."""
    row = Regime(30, 4, JobTimes("sigma 0.25", 10.0), 10)
    pacer, limits, moments = PerfectPacer(row), RateLimits(row.requests_per_minute), []
    while (moment := pacer.earliest()) <= 200:
        if moments and moment > moments[-1]:
            assert limits.request("key", moment - 0.001).retry_after_s is not None
        assert limits.request("key", moment).retry_after_s is None
        pacer.sent(moment)
        moments.append(moment)
    for length_s in (0, 9, 10, 25, 59, 60, 75, 130, 200):
        assert most_requests(row, length_s) == sum(moment <= length_s for moment in moments)


@pytest.mark.parametrize("drift", [1.0, 2.0], ids=["steady", "drifting"])
def test_the_bounds_of_a_run_stand_in_their_order(drift: float) -> None:
    """The oracle's, the floor, what a policy reaches; and what it reaches is not far off where a run is long."""
    times = JobTimes("sigma 0.25", 10.0, drift)
    found = bound(Regime(600, 8, times, 200), times.drawn(200, seed=1))
    assert found.oracle_s < found.floor_s <= found.informed_s < 1.02 * found.floor_s
    assert found.requests > 2

"""How soon a run can be over: what an oracle reaches, and what a client can that knows how job times are distributed.

Nobody reaches the *oracle*, which polls each job exactly when it is done: it needs max(T / C, 2 * 60 / RPM) seconds a
job (T the mean job time, C jobs in flight, a submit and a poll of RPM requests a minute). The *informed bound* is the
best of all policies: the least of max(slot time / C, (1 + polls) * 60 / RPM), see pace_policies.py.

`python benchmarks/pace_bound.py` prints both for each regime, in steady state and for the jobs that its run has.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from claims import told
from pace_limits import most_requests
from pace_oracle import informed, oracle
from pace_policies import PRICES, frontier, frontier_of, policies
from pace_regimes import DRIFTING, ROWS, SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pace_oracle import Played
    from pace_policies import Frontier
    from pace_regimes import Regime
    from pace_times import Floats

#: Requests that nothing waits for are many or few at the bound: the fewest are told that come within so much of it.
_WITHIN: Final = 1.001
_STEPS: Final = 20_000
#: Of PRICES first every so many are played, and then those around the best.
_APART: Final = 4


@dataclass(frozen=True, slots=True)
class Steady:
    """Seconds a job, of a run without beginning and end."""

    oracle_s: float
    informed_s: float
    requests: float  # of the informed, a job
    is_bound_by_requests: bool  # would slots alone let it be sooner?

    @property
    def ratio(self) -> float:
        return self.informed_s / self.oracle_s


@dataclass(frozen=True, slots=True)
class Bound:
    """Of the jobs of one run: makespans in seconds."""

    oracle_s: float
    informed_s: float
    requests: float  # of the informed, a job
    floor_s: float


def steady(regime: Regime) -> Steady:
    """Both bounds in steady state."""
    every_s = 60 / regime.requests_per_minute
    curve = frontier(regime.times)
    polls = np.linspace(curve.polls[0], curve.polls[-1], _STEPS)
    cost = np.maximum(np.interp(polls, curve.polls, curve.slot_s) / regime.concurrency, (1 + polls) * every_s)
    fewest = int(np.argmax(cost <= cost.min() * _WITHIN))
    oracle_s = max(regime.times.overall_mean_s / regime.concurrency, 2 * every_s)
    by_slots_s = curve.slot_s[-1] / regime.concurrency
    return Steady(oracle_s, float(cost.min()), 1 + float(polls[fewest]), bool(cost.min() > by_slots_s * _WITHIN))


def bound(regime: Regime, times: Floats) -> Bound:
    """Both bounds for jobs that take `times`, and the floor."""
    perfect = oracle(regime, times)
    best = _informed(regime, times)
    floor_s = _floor_s(regime, times, perfect)
    return Bound(perfect.makespan_s, best.makespan_s, best.requests / len(times), min(floor_s, best.makespan_s))


def _informed(regime: Regime, times: Floats) -> Played:
    """The run by the policy that is over first; by the one with the fewest requests of those that hardly differ."""
    stages = [policies(stage) for stage in regime.times.stages()]
    runs: dict[int, Played] = {}

    def play(places: Iterable[int]) -> int:
        """Play the policies at these places in PRICES; the place of the best so far."""
        for place in set(places) & set(range(len(PRICES))) - runs.keys():
            runs[place] = informed(regime, times, [stage[place] for stage in stages], [stage[0] for stage in stages])
        return min(runs, key=lambda place: runs[place].makespan_s)

    best = play(range(0, len(PRICES), _APART))
    best = play(range(best - _APART + 1, best + _APART))
    least_s = runs[best].makespan_s * _WITHIN
    return min((run for run in runs.values() if run.makespan_s <= least_s), key=lambda run: run.requests)


def _floor_s(regime: Regime, times: Floats, perfect: Played) -> float:
    """The least M with N * slot time + D <= C * M and N * (1 + polls) <= A(M), for some mix of policies.

    Their costs are counted on these jobs. D: what the oracle leaves idle at the end, in seconds of slot. A(M): the most
    requests that the limit lets go in M. Never less than the oracle's makespan. Far below what can be reached where a
    run takes a few minutes: much of its last window comes too late to be of use to anybody.
    """
    curve = frontier_of(regime.times, times)
    low, high = perfect.makespan_s, 8 * perfect.makespan_s
    if _suffices(low, regime, perfect, curve, len(times)):
        return low
    while high - low > 1e-4 * low:
        middle = (low + high) / 2
        if _suffices(middle, regime, perfect, curve, len(times)):
            high = middle
        else:
            low = middle
    return low


def _suffices(length_s: float, regime: Regime, perfect: Played, curve: Frontier, jobs: int) -> bool:
    polls = most_requests(regime, length_s) / jobs - 1
    return jobs * curve.least_slot_s(polls) + perfect.idle_s <= regime.concurrency * length_s


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("steady state: informed / oracle (requests a job); by requests a minute, jobs in flight and mean s\n")
    rows = [["", *SHAPES]]
    for row in ROWS[: len(ROWS) // len(SHAPES)]:
        found = [steady(regime) for regime in ROWS if regime.limits == row.limits]
        rows.append([row.limits, *(f"{one.ratio:.3f} ({one.requests:.1f})" for one in found)])
    told(rows)
    print(f"the jobs of a run, over the oracle's makespan; mean of {seeds}\n")
    rows = [["", "jobs", "oracle s", "floor", "informed", "requests"]]
    for regime in (*ROWS, *DRIFTING):
        found = [bound(regime, regime.times.drawn(regime.jobs, seed)) for seed in range(seeds)]
        figures = [
            (one.oracle_s, one.floor_s / one.oracle_s, one.informed_s / one.oracle_s, one.requests) for one in found
        ]
        oracle_s, floor, ratio, requests = np.mean(figures, axis=0)
        rows.append(
            [str(regime), f"{regime.jobs:,}", f"{oracle_s:,.0f}", f"{floor:.3f}", f"{ratio:.3f}", f"{requests:.1f}"]
        )
    told(rows)


if __name__ == "__main__":
    main()

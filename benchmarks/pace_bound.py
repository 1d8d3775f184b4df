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
    from pace_oracle import Played
    from pace_policies import Frontier
    from pace_regimes import Regime
    from pace_times import Floats

#: Requests that nothing waits for are many or few at the bound: the fewest are told that come within so much of it.
_WITHIN: Final = 1.001
_STEPS: Final = 20_000


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
    """Of the jobs of one run, in seconds from its start."""

    oracle_s: float
    informed_s: float  # no policy is sooner
    requests: float  # of the informed, a job


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
    """Both bounds for jobs that take `times`.

    The oracle's run is played. The informed bound is the least M with N * slot time + D <= C * M and N * (1 + polls) <=
    A(M) for some mix of policies, whose costs are counted on these very jobs: D, the oracle's seconds of slot that
    nothing is left to fill at the end, nobody can use; A(M) is the most that the limit lets go in M. It is never less
    than the oracle's.
    """
    played = oracle(regime, times)
    curve = frontier_of(regime.times, times)
    low, high = played.makespan_s, 4 * played.makespan_s
    if _suffices(low, regime, played, curve, len(times)):
        high = low
    while high - low > 1e-4 * low:
        middle = (low + high) / 2
        if _suffices(middle, regime, played, curve, len(times)):
            high = middle
        else:
            low = middle
    return Bound(played.makespan_s, high, _requests(high, regime, played, curve, len(times)))


def _suffices(length_s: float, regime: Regime, played: Played, curve: Frontier, jobs: int) -> bool:
    polls = most_requests(regime, length_s) / jobs - 1
    return jobs * curve.least_slot_s(polls) + played.idle_s <= regime.concurrency * length_s


def _requests(length_s: float, regime: Regime, played: Played, curve: Frontier, jobs: int) -> float:
    """The fewest requests a job with which `length_s` can be had."""
    slot_s = (regime.concurrency * length_s * _WITHIN - played.idle_s) / jobs
    return 1 + float(curve.polls[int(np.argmax(curve.slot_s <= slot_s))])


def reached(regime: Regime, times: Floats) -> float:
    """The makespan that the best one of the policies really reaches, played with a perfect pacer: no bound, a witness."""
    stages = [policies(stage) for stage in regime.times.stages(8)]
    free = PRICES.index(min(PRICES))

    def played(place: int) -> float:
        def choose(job: int, place: int = place):
            return stages[job * len(stages) // len(times)][place]

        return informed(regime, times, choose, lambda job: choose(job, free)).makespan_s

    return min(played(place) for place in range(0, len(PRICES), 3))


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("informed / oracle (requests a job), steady state\n")
    rows = [["requests a minute/jobs in flight/mean s", *SHAPES]]
    for row in ROWS[: len(ROWS) // len(SHAPES)]:
        found = [steady(regime) for regime in ROWS if regime.limits == row.limits]
        rows.append([row.limits, *(f"{one.ratio:.3f} ({one.requests:.1f})" for one in found)])
    told(rows)
    print(f"for the jobs of a run: informed / oracle (requests a job), and what a policy reaches; mean of {seeds}\n")
    rows = [["regime", "jobs", "oracle s", "informed", "requests", "reached"]]
    for regime in (*ROWS, *DRIFTING):
        drawn = [regime.times.drawn(regime.jobs, seed) for seed in range(seeds)]
        found = [bound(regime, times) for times in drawn]
        best = np.mean([reached(regime, times) / one.oracle_s for times, one in zip(drawn, found, strict=True)])
        ratio = np.mean([one.informed_s / one.oracle_s for one in found])
        oracle_s, requests = np.mean([(one.oracle_s, one.requests) for one in found], axis=0)
        cells = [f"{regime.jobs:,}", f"{oracle_s:,.0f}", f"{ratio:.3f}", f"{requests:.1f}", f"{best:.3f}"]
        rows.append([str(regime), *cells])
        print(rows[-1], flush=True)
    told(rows)


if __name__ == "__main__":
    main()

"""Runs of who knows more than a client can, with a perfect pacer: no requests are sent, only their moments counted.

The *oracle* polls each job exactly when it is done. An *informed* client knows how job times are distributed, and polls
by a policy. Both submit in the order of the jobs, as every client does, and a slot is theirs again when a poll finds its
job done.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pace_limits import PerfectPacer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pace_policies import Policy
    from pace_regimes import Regime
    from pace_times import Floats

    #: The age for the next poll of a job, by its index, its time and its age at the last poll (0: none yet).
    NextAge = Callable[[int, float, float], float]


@dataclass(frozen=True, slots=True)
class Played:
    """How a run went. `idle_s`: seconds of slot that nothing was left to fill."""

    makespan_s: float
    requests: int
    idle_s: float


def oracle(regime: Regime, times: Floats) -> Played:
    """The oracle's run."""
    return _played(regime, times, lambda _, time, __: time)


def informed(
    regime: Regime, times: Floats, choose: Callable[[int], Policy], endgame: Callable[[int], Policy]
) -> Played:
    """The run of a client that polls job after job by a policy; by `endgame` once nothing waits for a slot."""
    last = len(times) - 1
    state = {"submitted": 0}

    def next_age(job: int, _: float, age: float) -> float:
        state["submitted"] = max(state["submitted"], job)
        return (endgame if state["submitted"] == last else choose)(job).after(age)

    return _played(regime, times, next_age)


def _played(regime: Regime, times: Floats, next_age: NextAge) -> Played:
    """Send a submit wherever a slot is free, and else the poll that has waited longest, each as soon as it may go."""
    pacer = PerfectPacer(regime)
    polls: list[tuple[float, int]] = []  # (when it is due, job)
    free = [0.0] * regime.concurrency  # since when each free slot is so, the longest first
    began: dict[int, float] = {}
    now, submitted, done, requests = 0.0, 0, 0, 0
    while done < len(times):
        wants_slot = submitted < len(times) and bool(free)
        ready = min(free[0] if wants_slot else float("inf"), polls[0][0] if polls else float("inf"))
        now = max(now, ready, pacer.earliest())
        pacer.sent(now)
        requests += 1
        if wants_slot and free[0] <= now:
            heapq.heappop(free)
            job, age = submitted, 0.0
            began[job] = now
            submitted += 1
        else:
            _, job = heapq.heappop(polls)
            age = now - began[job]
            if age >= times[job] - 1e-9:
                done += 1
                heapq.heappush(free, now)
                continue
        heapq.heappush(polls, (began[job] + next_age(job, float(times[job]), age), job))
    return Played(now, requests, sum(now - since for since in free))

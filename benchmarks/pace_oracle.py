"""Runs of who knows more than a client can, with a perfect pacer: no requests are sent, only their moments counted.

The *oracle* polls each job exactly when it is done. An *informed* client knows how job times are distributed, and polls
by a policy. Both submit in the order of the jobs, as every client does, and a slot is free again when a poll finds its
job done.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pace_limits import PerfectPacer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pace_policies import Policy
    from pace_regimes import Regime
    from pace_times import Floats


@dataclass(frozen=True, slots=True)
class Played:
    """How a run went. `idle_s`: seconds of slot that nothing was left to fill."""

    makespan_s: float
    requests: int
    idle_s: float


def oracle(regime: Regime, times: Floats) -> Played:
    """The oracle's run."""
    return _played(regime, times, lambda job, _, **__: float(times[job]))


def informed(regime: Regime, times: Floats, stages: Sequence[Policy], endgame: Sequence[Policy]) -> Played:
    """The run of a client that polls by a policy, and by `endgame` once nothing waits for a slot any more.

    One policy of each for every equal part of the jobs: more than one where their times drift.
    """

    def next_age(job: int, age: float, *, is_last: bool) -> float:
        return (endgame if is_last else stages)[job * len(stages) // len(times)].after(age)

    return _played(regime, times, next_age)


def _played(regime: Regime, times: Floats, next_age: Callable[..., float]) -> Played:
    """Send a submit wherever a slot is free, and else the poll that has waited longest, each as soon as it may go.

    `next_age`: of a job, the age for its next poll; by its index, its age at the last one (0: there was none), and
    whether all have been submitted.
    """
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
        heapq.heappush(polls, (began[job] + next_age(job, age, is_last=submitted == len(times)), job))
    return Played(now, requests, sum(now - since for since in free))

"""When to poll a job, for who knows exactly how job times are distributed and what a request is worth.

A poll of a job costs `price` seconds of slot. The best policy for that price follows from dynamic programming over the
job's age at the last poll, which found it unfinished: with S(a) the chance that a job takes longer than a, and W(a) the
expected cost from there on, times S(a),

    W(a) = min over b >= a + 3 of  S(a) * (b - a + price) + W(b)

(the first poll, at a = 0, may come at any age). Between the prices lie the mixes of two policies, so that all prices
together draw the lower convex hull: the fewest seconds of slot for any number of polls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pace_times import Floats, JobTimes

POLL_INTERVAL_S: Final = 3.0
#: In seconds of slot a request: from "polls cost nothing" to "one poll, when the job is almost surely done".
PRICES: Final = (1e-6, *np.geomspace(1e-2, 3e3, 72).tolist())
_GRAINS: Final = 100  # ages to a mean, at most; they divide the interval
_TAIL: Final = 1e-2  # of the jobs: ages beyond are further apart
_TAIL_STEP: Final = 1.01
_NOBODY: Final = 1e-7


@dataclass(frozen=True, eq=False)
class Policy:
    """Which age comes next: `ages[following[i]]` after a poll at `ages[i]` that found the job unfinished."""

    ages: Floats
    survival: Floats
    following: np.ndarray

    def polls(self) -> Floats:
        """The ages of a job's polls while none of them comes late."""
        places, place = [], 0
        while (place := int(self.following[place])) < len(self.ages):
            places.append(place)
        return self.ages[places]

    def expected(self) -> tuple[float, float]:
        """Seconds of slot and polls a job, in the mean of the distribution."""
        polls = self.polls()
        reached = np.concatenate(([1.0], np.interp(polls[:-1], self.ages, self.survival)))
        return float(reached @ np.diff(polls, prepend=0.0)), float(reached.sum())

    def counted(self, times: Floats) -> tuple[float, float]:
        """Seconds of slot and polls a job, in the mean of these very jobs."""
        polls = self.polls()
        found = np.searchsorted(polls, times)
        last = len(polls) - 1
        return float(np.maximum(polls[np.minimum(found, last)], times).mean()), float(found.mean() + 1)

    def after(self, age: float) -> float:
        """The age for the next poll after one at `age`, which may have come late."""
        place = int(np.searchsorted(self.ages, age))
        if place >= len(self.ages) or self.following[place] >= len(self.ages):
            return age * _TAIL_STEP + POLL_INTERVAL_S
        return max(float(self.ages[self.following[place]]), age + POLL_INTERVAL_S)


@dataclass(frozen=True, eq=False)
class Frontier:
    """Seconds of slot against polls a job, the best of each price; between two of them lie their mixes."""

    slot_s: Floats
    polls: Floats

    @classmethod
    def of(cls, points: list[tuple[float, float]]) -> Frontier:
        ordered = sorted(points, key=lambda point: (point[1], point[0]))
        slot_s = np.minimum.accumulate([slot_s for slot_s, _ in ordered])
        return cls(slot_s, np.array([polls for _, polls in ordered]))

    def least_slot_s(self, polls: float) -> float:
        """The fewest seconds of slot a job with so many polls in the mean; infinite where they are too few."""
        return float("inf") if polls < self.polls[0] else float(np.interp(polls, self.polls, self.slot_s))


@cache
def policies(times: JobTimes) -> tuple[Policy, ...]:
    """The best policy for each of PRICES."""
    ages = _ages(times)
    survival = times.survival(ages)
    return tuple(Policy(ages, survival, _following(ages, survival, price)) for price in PRICES)


@cache
def frontier(times: JobTimes) -> Frontier:
    """What the distribution allows."""
    return _mean_of([[policy.expected() for policy in policies(stage)] for stage in times.stages()])


def frontier_of(times: JobTimes, drawn: Floats) -> Frontier:
    """What it allows for these very jobs: the policies know the distribution, and meet the times."""
    stages = times.stages()
    parts = np.array_split(drawn, len(stages))
    return _mean_of(
        [[policy.counted(part) for policy in policies(stage)] for stage, part in zip(stages, parts, strict=True)]
    )


def _mean_of(stages: list[list[tuple[float, float]]]) -> Frontier:
    """One price holds for all stages of a run: what a request is worth is worth the same in each."""
    means = np.mean(np.array(stages), axis=0)
    return Frontier.of([(float(slot_s), float(polls)) for slot_s, polls in means])


def _ages(times: JobTimes) -> Floats:
    """Evenly spaced while jobs end, and further and further apart where hardly one still does."""
    grain_s = POLL_INTERVAL_S / np.ceil(POLL_INTERVAL_S / max(0.1, times.mean_s / _GRAINS))
    even = np.arange(0.0, 100 * times.mean_s, grain_s)
    ages = even[: int(np.searchsorted(-times.survival(even), -_TAIL)) + 1].tolist()
    while times.survival(np.array(ages[-1:]))[0] > _NOBODY:
        ages.append(max(ages[-1] * _TAIL_STEP, ages[-1] + grain_s))
    return np.array(ages)


def _following(ages: Floats, survival: Floats, price: float) -> np.ndarray:
    """The place of the next poll for each place of the last one; behind the end where nobody is left."""
    count = len(ages)
    soonest = np.searchsorted(ages, ages + POLL_INTERVAL_S - 1e-9)
    soonest[0] = 1
    following = np.full(count, count)
    ahead = np.zeros(count)  # W
    for place in range(count - 1, -1, -1):
        first = soonest[place]
        if first < count:
            costs = survival[place] * (ages[first:] - ages[place] + price) + ahead[first:]
            best = int(costs.argmin())
            following[place], ahead[place] = first + best, costs[best]
    return following

"""The polls of one job that cost least: slot time and requests, weighed against each other.

A job holds its slot from its submit to the poll that finds it done. Let S(t) be the chance that it takes longer than
t, and c what a request costs, in seconds of slot. Whoever has found it unfinished at age t and asks again at age u
keeps the slot for u - t and pays c, and is as well off afterwards as whoever has found it unfinished at u:

    W(t) = min over u >= t + gap of  S(t) (u - t + c) + W(u)

W is found from the oldest age downwards (dynamic programming; inspection policies of this kind are Barlow, Hunter and
Proschan's, 1963). The first poll may come at any age. What is least over u is the lowest of straight lines, S(t) u +
W(u), at S(t), which only grows on the way down: so each line is looked at about once (their lower envelope).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import neg
from typing import TYPE_CHECKING, Final

from pipeline.pace.ages import AGES, LAST, at_or_before

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A job that is younger than all but one in a thousand is not asked about; one that is older than all but one in five
#: thousand is beyond what is known of jobs, and asked about each time its age has grown by so much: at least, at most.
_SURELY_RUNNING: Final = 1 - 1e-3
_SURELY_DONE: Final = 2e-4
_BEYOND_KNOWN: Final = (0.01, 0.1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to ask, and what that comes to for a job of average luck."""

    gap_s: float
    price_s: float
    first: int  # where the first poll's age stands in the grid
    following: Sequence[int]  # for each age of the grid, from the youngest that counts: where the next poll's stands
    youngest: int
    slot_s: float  # how long a job holds its slot
    polls: float  # how many polls it takes

    def next_age(self, polled_s: float | None) -> float:
        """The age of the next poll; `polled_s`: the age at the last one, None where there was none."""
        if polled_s is None:
            return AGES[self.first]
        place = at_or_before(polled_s)
        if place < self.youngest:
            return max(polled_s + self.gap_s, AGES[self.first])
        if place >= self.youngest + len(self.following):
            return polled_s + self._pause_beyond_s(polled_s)
        return polled_s + _pause_s(place, self.following[place - self.youngest], self.gap_s)

    def _pause_beyond_s(self, age_s: float) -> float:
        """Until the next poll of a job that has outlasted all that is known.

        Such a one is taken to end at a rate of 1 / age; polls that cost c pay each sqrt(2 c / rate) seconds.
        """
        least, most = _BEYOND_KNOWN
        return max(self.gap_s, least * age_s, min(most * age_s, math.sqrt(2 * self.price_s * age_s)))


def best_schedule(survival: Sequence[float], price_s: float, gap_s: float) -> Schedule:
    """The polls that cost least where a request costs `price_s`, and two of them are at least `gap_s` apart.

    `survival`: for each age of the grid, the chance that a job takes longer. It falls from 1.
    """
    youngest = max(0, bisect_right(survival, -_SURELY_RUNNING, key=neg) - 1)
    oldest = first_with(survival, _SURELY_DONE)
    rest = [0.0] * (oldest + 1)  # W
    following = [oldest] * (oldest + 1)
    lines = _LowestLine()
    may_be_next = oldest + 1
    for place in range(oldest - 1, youngest - 1, -1):
        chance, age = survival[place], AGES[place]
        soonest = max(place + 1, bisect_right(AGES, age + gap_s - 1e-9))
        for after in range(may_be_next - 1, soonest - 1, -1):
            lines.add(after, AGES[after], rest[after])
        may_be_next = min(may_be_next, soonest)
        if soonest > oldest:
            rest[place] = chance * (gap_s + price_s)
        else:
            least, following[place] = lines.at(chance)
            rest[place] = least + chance * (price_s - age)
    for after in range(may_be_next - 1, youngest - 1, -1):
        lines.add(after, AGES[after], rest[after])
    _, first = lines.at(1.0)
    slot_s, polls = _figures(survival, first, following, gap_s)
    return Schedule(gap_s, price_s, first, following[youngest:oldest], youngest, slot_s, polls)


def first_with(survival: Sequence[float], left: float) -> int:
    """Where the first age of the grid stands by which no more than `left` of all jobs still run; else the last."""
    return min(LAST, bisect_left(survival, -left, key=neg))


class _LowestLine:
    """The lowest of some straight lines, each less steep than those before it, at places that only grow."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, float, float]] = []  # name, slope, height at 0; each is lowest somewhere
        self._first = 0  # those before it are lowest only where nobody will ask any more

    def add(self, name: int, slope: float, height: float) -> None:
        lines = self._lines
        while len(lines) > self._first + 1:
            (_, steep, low), (_, middle, between) = lines[-2], lines[-1]
            if (height - low) * (steep - middle) > (between - low) * (steep - slope):
                break
            lines.pop()  # the new one passes the one before it first
        lines.append((name, slope, height))

    def at(self, place: float) -> tuple[float, int]:
        """How low, and which line: of two that meet there the later one. There must be one."""
        lines, first = self._lines, self._first
        name, slope, height = lines[first]
        least = slope * place + height
        while first + 1 < len(lines):
            after, slope, height = lines[first + 1]
            value = slope * place + height
            if value > least:
                break
            least, name, first = value, after, first + 1
        self._first = first
        return least, name


def _pause_s(place: int, after: int, gap_s: float) -> float:
    """From a poll to the one after it: what comes as soon as it may does not wait for the grid's next age."""
    if AGES[after - 1] - AGES[place] < gap_s:
        return gap_s
    return AGES[after] - AGES[place]


def _figures(survival: Sequence[float], first: int, following: Sequence[int], gap_s: float) -> tuple[float, float]:
    """Seconds of slot and polls of an average job."""
    slot_s, polls, place = AGES[first], 1.0, first
    while (after := following[place]) > place:
        slot_s += survival[place] * max(gap_s, AGES[after] - AGES[place])
        polls += survival[place]
        place = after
    return slot_s, polls

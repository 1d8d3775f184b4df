"""How long jobs take, from what polls have seen: each job only as being done within a span, or not done yet.

Polls see jobs through windows: one that was unfinished at 20 s and done at 26 s took something between. The estimate of
greatest likelihood from such spans is Turnbull's (1976), found by expectation and maximization, with a smoothing step
after each round (Silverman, Jones, Wilson and Nychka, 1990), since some hundred spans alone give a comb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from operator import mul, sub
from typing import TYPE_CHECKING, Final

from pipeline.pace.ages import AGES, LAST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    #: Between which ages of the grid a job has ended (to LAST: it has not), and how many did.
    Spans = Mapping[tuple[int, int], float]

_ROUNDS: Final = 8
_ROUNDS_OF_A_FIT: Final = 6
#: What is believed of a kind's median counts as so many jobs, and the usual spread as so many.
_BELIEF: Final = 0.5
_SPREAD_BELIEF: Final = 4.0
_USUAL_SIGMA: Final = 0.35
_LOG_EDGES: Final = [math.log(age) for age in AGES[1:-1]]
#: Of the age that a job has outlasted, and of the one by which it had ended: beyond the grid that is any later one.
_LOG_AFTER: Final = [-math.inf, *map(math.log, AGES[1:])]
_LOG_UNTIL: Final = [-math.inf, *_LOG_EDGES, math.inf]
_ROOT_2: Final = math.sqrt(2)
_ROOT_2_PI: Final = math.sqrt(2 * math.pi)
#: Where less than so much of a normal distribution lies between two places, all of it is taken to lie at the nearer.
_NOTHING: Final = 1e-250


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Times whose logarithm is normal, with this mean and standard deviation."""

    log_median: float
    sigma: float

    def foreseen(self, believed: Lognormal, ended: int) -> Lognormal:
        """The times of jobs to come, where the median is known from `ended` jobs and from what is believed of it."""
        doubt = 1 / (believed.sigma**-2 + ended * self.sigma**-2)
        return Lognormal(self.log_median, math.sqrt(self.sigma**2 + doubt))

    def chances(self) -> list[float]:
        """The chance of each step of the grid."""
        scale = -1 / (self.sigma * _ROOT_2)
        below = [0.5 * math.erfc((age - self.log_median) * scale) for age in _LOG_EDGES]
        return [after - before for before, after in zip([0.0, *below], [*below, 1.0], strict=True)]


def likeliest(spans: Spans, prior: Sequence[float], weight: float, start: Sequence[float], width: int) -> list[float]:
    """The chance of each step of the grid. `prior` counts as `weight` jobs.

    `start`: where to look from; `width`: how far the smoothing reaches to either side, in steps of the grid.
    """
    chances = list(start)
    weighted = [weight * chance for chance in prior]
    mean = 1 / (2 * width + 1) ** 2  # of what was summed over so many steps, twice
    for _ in range(_ROUNDS):
        summed = _summed(_summed(_expected(spans, chances), width), width)
        total = weight + mean * sum(summed)
        chances = [(before + mean * now) / total for before, now in zip(weighted, summed, strict=True)]
    return chances


def _expected(spans: Spans, chances: Sequence[float]) -> list[float]:
    """How many of the jobs have ended in each step, if `chances` are true."""
    below = [0.0, *accumulate(chances)]
    rises = [0.0] * (LAST + 1)
    for (after, until), number in spans.items():
        inside = below[until] - below[after]
        if inside > 0:
            rises[after] += number / inside
            rises[until] -= number / inside
    return list(map(mul, accumulate(rises), chances))


def _summed(values: list[float], width: int) -> list[float]:
    """The sum over `width` steps to either side, and the step itself."""
    if not width:
        return values
    sums = list(accumulate(values, initial=0.0))
    sums = [0.0] * width + sums + sums[-1:] * width
    return list(map(sub, sums[2 * width + 1 :], sums))


def survival(chances: Sequence[float]) -> list[float]:
    """For each age of the grid, the chance that a job takes longer."""
    return [1.0, *[1.0 - below if below < 1.0 else 0.0 for below in accumulate(chances)]]


def fitted(spans: Spans, believed: Lognormal, start: Lognormal) -> Lognormal:
    """The lognormal that fits best, looked for from `start` on, where what is `believed` counts a little.

    Where polls came late, most spans begin at nothing, and many a curve fits them. This one keeps to the usual spread
    for as long as nothing speaks against it.
    """
    number = sum(spans.values())
    found = start
    for _ in range(_ROUNDS_OF_A_FIT):
        seen = [(count, *_inside(found, after, until)) for (after, until), count in spans.items()]
        total = math.fsum(count * mean for count, mean, _ in seen)
        centre = (_BELIEF * believed.log_median + total) / (_BELIEF + number)
        squares = math.fsum(count * (variance + (mean - centre) ** 2) for count, mean, variance in seen)
        squares += _SPREAD_BELIEF * _USUAL_SIGMA**2
        found = Lognormal(centre, math.sqrt(squares / (_SPREAD_BELIEF + number)))
    return found


def _inside(times: Lognormal, after: int, until: int) -> tuple[float, float]:
    """Mean and variance of a time's logarithm, where it is known to lie between two ages of the grid.

    Those of a normal distribution cut off at both ends, Johnson, Kotz and Balakrishnan (1994), 13.134 f.
    """
    low, high = ((log - times.log_median) / times.sigma for log in (_LOG_AFTER[after], _LOG_UNTIL[until]))
    if low > 0:  # both from the tail that is nearer: far out the other has no digits left
        inside = 0.5 * (math.erfc(low / _ROOT_2) - math.erfc(high / _ROOT_2))
    else:
        inside = 0.5 * (math.erfc(-high / _ROOT_2) - math.erfc(-low / _ROOT_2))
    if inside < _NOTHING:
        return _LOG_AFTER[after] if low > 0 else _LOG_UNTIL[until], 0.0
    at_low, at_high = (math.exp(-edge * edge / 2) / _ROOT_2_PI / inside for edge in (low, high))
    beyond = at_low - at_high  # of the mean, in sigmas
    kept = 1 + (low * at_low if after > 0 else 0.0) - (high * at_high if until < LAST else 0.0) - beyond * beyond
    return times.log_median + times.sigma * beyond, times.sigma**2 * max(0.0, kept)

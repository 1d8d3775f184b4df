"""How long jobs take, from what polls have seen: each job only as being done within a span, or not done yet.

Polls see jobs through windows: one that was unfinished at 20 s and done at 26 s took something between. The estimate of
greatest likelihood from such spans is Turnbull's (1976), found by expectation and maximization, with a smoothing step
after each round (Silverman, Jones, Wilson and Nychka, 1990), since some hundred spans alone give a comb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import TYPE_CHECKING, Final

from pipeline.pace.ages import AGES, LAST, STEP

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
_LOG_AGES: Final = [_LOG_EDGES[0], *(edge + STEP / 2 for edge in _LOG_EDGES)]  # of each step's middle


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
        scale = -1 / (self.sigma * math.sqrt(2))
        below = [0.5 * math.erfc((age - self.log_median) * scale) for age in _LOG_EDGES]
        return [after - before for before, after in zip([0.0, *below], [*below, 1.0], strict=True)]


def likeliest(spans: Spans, prior: Sequence[float], weight: float, start: Sequence[float], width: int) -> list[float]:
    """The chance of each step of the grid. `prior` counts as `weight` jobs.

    `start`: where to look from; `width`: how far the smoothing reaches to either side, in steps of the grid.
    """
    chances = list(start)
    weighted = [weight * chance for chance in prior]
    for _ in range(_ROUNDS):
        smooth = _smoothed(_smoothed(_expected(spans, chances), width), width)
        total = weight + sum(smooth)
        chances = [(before + now) / total for before, now in zip(weighted, smooth, strict=True)]
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
    return [rate * chance for rate, chance in zip(accumulate(rises), chances, strict=False)]


def _smoothed(values: Sequence[float], width: int) -> list[float]:
    """The mean over `width` steps to either side."""
    if not width:
        return list(values)
    sums = list(accumulate(values, initial=0.0))
    sums = [0.0] * width + sums + sums[-1:] * width
    across = 2 * width + 1
    return [(after - before) / across for before, after in zip(sums, sums[across:], strict=False)]


def survival(chances: Sequence[float]) -> list[float]:
    """For each age of the grid, the chance that a job takes longer."""
    return [1.0, *(max(0.0, 1.0 - below) for below in accumulate(chances))]


def fitted(spans: Spans, believed: Lognormal, start: Lognormal) -> Lognormal:
    """The lognormal that fits best, looked for from `start` on, where what is `believed` counts a little.

    Where polls came late, most spans begin at nothing, and many a curve fits them. This one keeps to the usual spread
    for as long as nothing speaks against it.
    """
    number = sum(spans.values())
    found = start
    for _ in range(_ROUNDS_OF_A_FIT):
        expected = _expected(spans, found.chances())
        centre = (_BELIEF * believed.log_median + _product(expected, _LOG_AGES)) / (_BELIEF + number)
        squares = math.fsum(count * (age - centre) ** 2 for count, age in zip(expected, _LOG_AGES, strict=True))
        squares += _SPREAD_BELIEF * _USUAL_SIGMA**2
        found = Lognormal(centre, math.sqrt(squares / (_SPREAD_BELIEF + number)))
    return found


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(map(mul, one, other))

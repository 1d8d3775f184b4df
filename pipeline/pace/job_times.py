"""How long one kind of job takes, learned from each poll as it is answered."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.pace.ages import LAST, STEP, at_or_after, at_or_before
from pipeline.pace.likelihood import Lognormal, fitted, likeliest, survival

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

#: What is known of is the latest jobs to be submitted: those that run, and of those that ended so many or as many.
_REMEMBERED: Final = 120
#: Until a job has ended, times are taken to lie about the stated median so widely (sigma of the logarithm).
FIRST_SIGMA: Final = 1.0
#: Beside what was seen, the lognormal that fits it best counts as so many jobs.
_WEIGHT: Final = 3.0
_SMOOTHING: Final = 0.7
_WIDEST: Final = 0.5
#: The gateway has changed where the latest polls come out so many standard deviations from what was expected.
_LATEST_POLLS: Final = 12
_ALARM: Final = 3.5
_LATE: Final = 8  # jobs that it goes by then


@dataclass(slots=True)
class _Seen:
    """Between which ages of the grid a job has ended; until LAST: after all of them, or it runs."""

    after: int = 0
    until: int = LAST
    has_ended: bool = False


class JobTimes:
    """The latest jobs of one kind, and the chances that follow from them."""

    def __init__(self, median_s: float, sigma: float = FIRST_SIGMA, spans: Iterable[tuple[float, float]] = ()) -> None:
        """`median_s`, `sigma`: what is believed before anything is seen; the sigma is of the logarithm.

        `spans`: what earlier runs saw, oldest first, each as the ages in seconds between which a job has ended.
        """
        self._jobs: dict[Hashable, _Seen] = {}  # in the order of their submits
        self._running = 0
        self._has_news = False
        self._surprises: deque[tuple[float, float]] = deque(maxlen=_LATEST_POLLS)  # of polls: beyond expected, variance
        self._believed = self._fit = Lognormal(math.log(median_s), sigma)
        self.survival: Sequence[float] = survival(self._fit.chances())
        for number, (after_s, until_s) in enumerate(spans):
            if after_s < until_s:  # else a clock was set back meanwhile
                self._jobs["earlier", number] = _Seen(at_or_before(after_s), at_or_after(until_s), has_ended=True)
        if self._jobs:
            self._has_news = True
            self.estimate()

    @property
    def ended(self) -> int:
        """How many jobs that have ended it goes by."""
        return len(self._jobs) - self._running

    @property
    def running(self) -> int:
        return self._running

    @property
    def known(self) -> int:
        """How many jobs it goes by, ended or not."""
        return len(self._jobs)

    @property
    def median_s(self) -> float:
        """Half of all jobs are done after so many seconds."""
        return math.exp(self._fit.log_median)

    def chance(self, after: int, age_s: float) -> float:
        """The chance that a job which ran at the `after`th age of the grid is done at `age_s`."""
        place = max(after, at_or_before(age_s))  # a webhook may bring a poll within a step of the grid
        before = self.survival[after]
        return 1 - self.survival[place] / before if before > 0 else 0.5

    def began(self, job: Hashable) -> None:
        """A job was submitted."""
        self._jobs[job] = _Seen()
        self._running += 1

    def unfinished(self, job: Hashable, age_s: float) -> None:
        """A poll found it unfinished at that age."""
        seen = self._jobs.get(job)
        if seen is not None:
            self._note(seen.after, age_s, is_done=False)
            seen.after = max(seen.after, at_or_before(age_s))

    def finished(self, job: Hashable, age_s: float) -> None:
        """A poll found it done at that age."""
        seen = self._jobs.get(job)
        if seen is None or seen.has_ended:
            return
        if seen.after == 0 and at_or_after(age_s) == LAST:
            self.dropped(job)  # an earlier run's, asked about hours later: when it ended nobody knows
            return
        self._note(seen.after, age_s, is_done=True)
        seen.until, seen.has_ended = max(at_or_after(age_s), min(LAST, seen.after + 1)), True
        self._running -= 1
        self._forget_the_oldest()

    def dropped(self, job: Hashable) -> None:
        """Nothing more will be heard of it."""
        seen = self._jobs.pop(job, None)
        if seen is not None and not seen.has_ended:
            self._running -= 1

    def estimate(self) -> None:
        """Work the chances out anew, where there is news."""
        if not self._has_news:
            return
        self._has_news = False
        if self._has_changed():
            self._keep_the_latest()
        spans = Counter((seen.after, seen.until) for seen in self._jobs.values())
        spans.pop((0, LAST), None)  # what nothing is known of yet
        if not spans:
            return
        self._fit = fitted(spans, self._believed, self._fit if self.ended > _LATE else self._believed)
        around = self._fit.foreseen(self._believed, self.ended).chances()
        self.survival = survival(likeliest(spans, around, _WEIGHT, around, self._width()))

    def _width(self) -> int:
        """How far to smooth: Silverman's rule (1986), in steps of the grid of two means that follow each other."""
        if not self.ended:
            return 0
        bandwidth = _SMOOTHING * min(self._fit.sigma, _WIDEST) * math.pow(self.ended, -0.2)
        return max(0, round((bandwidth / STEP * math.sqrt(6) - 1) / 2))

    def _forget_the_oldest(self) -> None:
        most = self._running + max(_REMEMBERED, self._running)
        surplus = len(self._jobs) - most
        if surplus > 0:
            old = [job for job, seen in self._first(surplus) if seen.has_ended]
            for job in old:
                del self._jobs[job]

    def _first(self, number: int) -> list[tuple[Hashable, _Seen]]:
        return [item for item, _ in zip(self._jobs.items(), range(number), strict=False)]

    def _note(self, after: int, age_s: float, *, is_done: bool) -> None:
        """How a poll came out, beside the chance of it: a job that was unfinished at `after` is asked about again."""
        self._has_news = True
        chance = self.chance(after, age_s)
        self._surprises.append((is_done - chance, chance * (1 - chance)))

    def _has_changed(self) -> bool:
        """Do the latest polls, taken together, come out otherwise than the chances say?

        Whichever jobs were polled, and however soon: while the chances are right, what polls say beyond what they were
        expected to say wanders about zero.
        """
        if len(self._surprises) < _LATEST_POLLS or self.ended < 2 * _LATE:
            return False
        beyond = sum(surprise for surprise, _ in self._surprises)
        variance = sum(each for _, each in self._surprises)
        return abs(beyond) > _ALARM * math.sqrt(variance + 1)

    def _keep_the_latest(self) -> None:
        """Go by the last few that ended, and what was submitted after them: before them was another gateway."""
        ended = [number for number, seen in enumerate(self._jobs.values()) if seen.has_ended]
        first = ended[-_LATE]
        self._jobs = {job: seen for number, (job, seen) in enumerate(self._jobs.items()) if number >= first}
        self._running = sum(not seen.has_ended for seen in self._jobs.values())
        self._surprises.clear()
        self._believed = Lognormal(self._fit.log_median, FIRST_SIGMA)

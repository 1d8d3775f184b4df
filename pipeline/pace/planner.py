"""When each job in flight is asked about: what is learned of job times, and what a request is worth, brought together.

Moments are seconds on any one clock that only goes forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.pace.ages import AGES, at_or_before
from pipeline.pace.job_times import JobTimes
from pipeline.pace.price import Kind, Supply, priced
from pipeline.pace.schedule import best_schedule, first_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipeline.pace.schedule import Schedule

#: Before anything is known: half of all jobs are taken to be done after so many seconds. The documentation speaks of 30
#: to 300 s; the local gateway needs as long as its composer.
FIRST_MEDIAN_S: Final = {"real": 45.0, "local": 3.0}
#: Until so many jobs of a kind have ended, the first few to be submitted are asked about more often, for the others.
_FEW_ENDED: Final = 8
_SCOUTS: Final = 4
_SCOUTS_PAY: Final = 0.05  # of a request's price
#: Chances and prices are worked out anew after news of so many jobs, in proportion to those that are known.
_NEWS: Final = 0.15
_OF_A_POLL: Final = 0.1  # a poll that finds a job unfinished is so much news
_OF_A_FIRST_POLL: Final = 0.5
_OTHER_LIMIT: Final = 0.1
_DRAINED: Final = 0.8
#: How fast a request's price falls with the jobs that still run, in the end. Measured with sigma 1.0, 40 slots and 60
#: requests a minute: 1 delays the end by 2 %, 1.3 by half a percent, and no thrift takes half as many polls again.
_THRIFT: Final = 1.3
_WORTH_ROUSING_S: Final = 0.25
_JUST_NOW: Final = 0.95
#: Where webhooks tell of jobs, one is asked about once all but so many would have ended, and so many seconds later.
_LEFT_BY_THEN: Final = 0.01
_TELLING_TAKES_S: Final = 10.0
_UNPROVEN_S: Final = 20.0


class KindOfJob(NamedTuple):
    """Jobs that take about as long: one model, and lengths within a factor of two."""

    model: str
    doublings: int


class Span(NamedTuple):
    """Between which ages, in seconds, a job of some kind has ended."""

    kind: KindOfJob
    after_s: float
    until_s: float


def kind_of(model: str, seconds: float) -> KindOfJob:
    """The kind of a job that is to make `seconds` of audio."""
    return KindOfJob(model, round(math.log2(max(seconds, 1.0))))


@dataclass(slots=True)
class _Job:
    kind: KindOfJob
    began_at: float
    gap_s: float
    polled_s: float | None = None  # its age at the last poll
    is_scout: bool = False
    due: float = 0.0


@dataclass(slots=True)
class _Plan:
    """What follows for one kind of job."""

    usual: Schedule
    scouts: Schedule | None


class PollPlanner:
    """Learns from each poll, and says when each job's next one pays."""

    def __init__(
        self,
        *,
        slots: int,
        gap_s: float,
        first_median_s: float,
        requests_per_minute: Callable[[], int | None],
        earlier: Iterable[Span] = (),
        on_sooner: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`gap_s`: least time between two polls of a job. `earlier`: what earlier runs saw, oldest first.

        `on_sooner` is told of each job whose next poll comes sooner than was said.
        """
        self._slots = slots
        self._gap_s = gap_s
        self._first_median_s = first_median_s
        self._requests_per_minute = requests_per_minute
        self._on_sooner = on_sooner
        self.waiting = 0  # takes that wait for a slot
        self._jobs: dict[str, _Job] = {}
        self._times: dict[KindOfJob, JobTimes] = {}
        self._plans: dict[KindOfJob, _Plan] = {}
        self._price_s = 0.0
        self._when_busy = (0.0, 1.0)  # the price while takes waited, and for how many slots
        self._news = 0.0
        self._planned_for = 0  # jobs in flight, where nothing waits for their slots
        self._planned_at_rate: int | None = None
        self._earlier = _by_kind(earlier)  # worked out for the kinds that this run has

    def keep_apart(self, gap_s: float) -> None:
        """The gateway wants two polls of a job to be so far apart, whatever was thought."""
        self._gap_s = max(self._gap_s, gap_s)

    def began(self, job_id: str, kind: KindOfJob, began_at: float, gap_s: float | None = None) -> None:
        """A job is in flight since `began_at`; it is not asked about twice within `gap_s`."""
        times = self._times.get(kind)
        if times is None:
            times = self._times[kind] = self._first_times(kind)
        is_scout = times.ended < _FEW_ENDED and times.running < _SCOUTS
        self._jobs[job_id] = _Job(kind, began_at, self._gap_s if gap_s is None else gap_s, is_scout=is_scout)
        times.began(job_id)
        if kind not in self._plans:
            self._plan()

    def due(self, job_id: str) -> float:
        """The moment at which asking about it pays."""
        job = self._jobs[job_id]
        job.due = self._due(job)
        return job.due

    def overdue(self, job_id: str, *, proven: bool) -> float:
        """The moment by which somebody else would have told that it is done. `proven`: if they ever did so."""
        job = self._jobs[job_id]
        survival = self._times[job.kind].survival
        late_s = _UNPROVEN_S
        if proven:
            late_s = AGES[first_with(survival, _LEFT_BY_THEN)]
        job.due = max(self._due(job), job.began_at + max(late_s, job.polled_s or 0.0) + _TELLING_TAKES_S)
        return job.due

    def worth(self, job_id: str, now: float) -> float:
        """The chance that it is done by `now`, for all that is known of it."""
        job = self._jobs.get(job_id)
        if job is None:
            return 1.0
        return self._times[job.kind].chance(at_or_before(job.polled_s or 0.0), now - job.began_at)

    def unfinished(self, job_id: str, now: float) -> None:
        """A poll found it unfinished."""
        job = self._jobs.get(job_id)
        if job is None:
            return
        job.polled_s = now - job.began_at
        times = self._times[job.kind]
        times.unfinished(job_id, job.polled_s)
        self._hear(_OF_A_POLL if times.ended >= _FEW_ENDED else _OF_A_FIRST_POLL)

    def finished(self, job_id: str, now: float, *, told: bool = False) -> None:
        """A poll found it done; `told`: just as somebody had said, so that it has ended just now."""
        job = self._jobs.pop(job_id, None)
        if job is not None:
            age_s = now - job.began_at
            if told:
                self._times[job.kind].unfinished(job_id, _JUST_NOW * age_s)
            self._times[job.kind].finished(job_id, age_s)
            self._hear(1.0)

    def dropped(self, job_id: str) -> None:
        """It failed, or will not be asked about again: its time says nothing of the others'."""
        job = self._jobs.pop(job_id, None)
        if job is not None:
            self._times[job.kind].dropped(job_id)

    # --- plans --------------------------------------------------------------------------------------------------------

    def _hear(self, news: float) -> None:
        self._news += news
        ended = sum(times.ended for times in self._times.values())
        drained = not self.waiting and len(self._jobs) < _DRAINED * self._planned_for
        if self._news >= max(1.0, _NEWS * ended) or drained or self._has_other_limit():
            for times in self._times.values():
                times.estimate()
            self._plan()

    def _has_other_limit(self) -> bool:
        """Is the limit another than was planned with, by more than a little? What others use of it varies."""
        now, then = self._requests_per_minute(), self._planned_at_rate
        if now is None or then is None:
            return now is not then
        return abs(now - then) > _OTHER_LIMIT * then

    def _plan(self) -> None:
        """Work out the price and the schedules, and rouse whoever is to be asked about sooner."""
        self._news = 0.0
        known = sum(times.known for times in self._times.values())
        if not known:
            return  # there is nobody to plan for
        kinds = [Kind(times.known / known, times.survival) for times in self._times.values()]
        supply = self._supply()
        found = priced(kinds, supply, self._gap_s, self._price_s, self._least_price_s())
        self._price_s = found.price_s
        if self.waiting:
            self._when_busy = found.price_s, supply.slots
        for (kind, times), usual in zip(self._times.items(), found.schedules, strict=True):
            scouts = (
                best_schedule(times.survival, _SCOUTS_PAY * found.price_s, self._gap_s)
                if times.ended < _FEW_ENDED and found.price_s > 0
                else None
            )
            self._plans[kind] = _Plan(usual, scouts)
        for job_id, job in self._jobs.items():
            if self._due(job) < job.due - _WORTH_ROUSING_S:
                self._on_sooner(job_id)

    def _least_price_s(self) -> float:
        """What a request costs at least while nothing waits for a slot.

        Only the run's end still waits, and that for the last job alone: a request is as dear as before for as many jobs
        as there are slots, and next to nothing for the last.
        """
        price_s, slots = self._when_busy
        return 0.0 if self.waiting else price_s * min(1.0, len(self._jobs) / slots) ** _THRIFT

    def _supply(self) -> Supply:
        self._planned_at_rate = rate = self._requests_per_minute()
        per_s = None if rate is None else rate / 60
        if self.waiting:
            self._planned_for = 0
            return Supply(min(self._slots, self.waiting + len(self._jobs)), per_s)
        self._planned_for = len(self._jobs)
        return Supply(max(1, self._planned_for), per_s, submits=0.0)

    def _due(self, job: _Job) -> float:
        plan = self._plans[job.kind]
        schedule = plan.scouts if job.is_scout and plan.scouts is not None else plan.usual
        age_s = schedule.next_age(job.polled_s)
        if job.polled_s is not None:
            age_s = max(age_s, job.polled_s + job.gap_s)
        return job.began_at + age_s

    def _first_times(self, kind: KindOfJob) -> JobTimes:
        """What is known of a kind at first: what earlier runs saw, or else of the one most like it."""
        if kind in self._earlier:
            return JobTimes(self._first_median_s, spans=self._earlier[kind])
        known = {*self._earlier, *(one for one, times in self._times.items() if times.ended)}
        if not known:
            return JobTimes(self._first_median_s)
        nearest = min(known, key=lambda one: (one.model != kind.model, abs(one.doublings - kind.doublings), one))
        return JobTimes((self._times.get(nearest) or self._first_times(nearest)).median_s)


def _by_kind(spans: Iterable[Span]) -> Mapping[KindOfJob, Sequence[tuple[float, float]]]:
    found: dict[KindOfJob, list[tuple[float, float]]] = {}
    for span in spans:
        found.setdefault(span.kind, []).append((span.after_s, span.until_s))
    return found

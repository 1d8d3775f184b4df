"""Where a run's time went: each take from its wait for a slot to its finished track, over all the run's processes."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.jobs import Job
    from pipeline.report.page.inputs import PageInput, TrackFinishing

PHASES: Final = ("waiting", "generating", "downloading", "finishing")


@dataclass(frozen=True, slots=True)
class Span:
    """One phase of one lane, in seconds on the run's own clock, on which nights between processes take no time."""

    phase: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One take, or a track that only was finished."""

    name: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """`seconds`: how long the run's processes took in all. `breaks`: where on that clock a later process went on."""

    lanes: tuple[Lane, ...]
    seconds: float
    breaks: tuple[float, ...] = ()

    def mean_s(self, phase: str) -> float | None:
        """What a take spends in `phase`, of those that have it; None where none has."""
        total, number = 0.0, 0
        for lane in self.lanes:
            for span in lane.spans:
                if span.phase == phase:
                    total, number = total + span.end - span.begin, number + 1
        return total / number if number else None


def timeline_of(given: PageInput) -> Timeline:
    """The timeline of the run that `given` is about; without lanes where the ledger knows none."""
    jobs = [job for job in given.costs.jobs if job.run in given.costs.runs]
    finishings = {(one.manifest, one.track): one for one in given.finishings}
    first = min(_moments(jobs, given.finishings), default=None)
    if first is None:
        return Timeline((), 0.0)
    starts = [at for at in given.starts if math.isfinite(at)] or [first]
    clock = _RunClock(starts, _moments(jobs, given.finishings))
    lanes = list(_job_lanes(jobs, finishings, clock))
    told = {(job.intent.manifest, job.intent.track) for job in jobs}
    only_finished = (one for at, one in finishings.items() if at not in told)
    lanes += [Lane(one.track, tuple(_spans(clock, ("finishing", one.began_at, one.ended_at)))) for one in only_finished]
    lanes.sort(key=lambda lane: min((span.begin for span in lane.spans), default=0.0))
    return Timeline(tuple(lane for lane in lanes if lane.spans), clock.seconds, clock.breaks)


def _moments(jobs: Iterable[Job], finishings: Iterable[TrackFinishing]) -> Iterator[float]:
    """Whenever something has happened."""
    of_jobs = (at for job in jobs for at in (job.intended_at, job.accepted_at, job.ended_at, job.collected_at))
    of_finishing = (at for one in finishings for at in (one.began_at, one.ended_at))
    return (at for at in chain(of_jobs, of_finishing) if at is not None and math.isfinite(at))


class _RunClock:
    """Seconds since 1970 become seconds of the run, in which the time between two of its processes does not count."""

    def __init__(self, starts: Iterable[float], moments: Iterable[float]) -> None:
        self._starts = sorted(starts)
        last = list(self._starts)  # moments of each process
        for at in moments:
            number = bisect_right(self._starts, at) - 1
            if number >= 0:
                last[number] = max(last[number], at)
        lengths = [ended - began for began, ended in zip(self._starts, last, strict=True)]
        *self._offsets, total = accumulate(lengths, initial=0.0)
        self.seconds = total
        self.breaks = tuple(offset for offset in self._offsets[1:] if 0 < offset < total)

    def at(self, moment: float) -> float:
        number = max(0, bisect_right(self._starts, moment) - 1)
        return max(0.0, self._offsets[number] + moment - self._starts[number])

    def start_before(self, moment: float) -> float:
        """When the process began in which `moment` lies."""
        return self._starts[max(0, bisect_right(self._starts, moment) - 1)]


def _job_lanes(
    jobs: Sequence[Job], finishings: Mapping[tuple[str, str], TrackFinishing], clock: _RunClock
) -> Iterator[Lane]:
    last = {(job.intent.manifest, job.intent.track): job for job in sorted(jobs, key=lambda job: job.collected_at or 0)}
    for job in jobs:
        at = (job.intent.manifest, job.intent.track)
        finishing = finishings.get(at) if last[at] is job else None
        begun = job.accepted_at or job.sent_at
        spans = _spans(
            clock,
            ("waiting", clock.start_before(job.intended_at), job.intended_at),
            ("generating", begun, job.ended_at),
            ("downloading", job.ended_at, job.collected_at),
            *([("finishing", finishing.began_at, finishing.ended_at)] if finishing else ()),
        )
        take = "" if job.key.take == 1 else f" (take {job.key.take})"
        yield Lane(f"{job.intent.track}{take}", tuple(spans))


def _spans(clock: _RunClock, *phases: tuple[str, float | None, float | None]) -> Iterator[Span]:
    """Of what has begun and ended in this run, in the order of time."""
    for phase, begin, end in phases:
        if begin is not None and end is not None and math.isfinite(end - begin) and end > begin:
            yield Span(phase, clock.at(begin), clock.at(end))

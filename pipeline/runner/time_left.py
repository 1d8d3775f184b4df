"""How long a run will still take, from what has been seen of it. Pure: events and moments in, seconds out.

The rest of the run is played forward: what is in flight ends as others before it have ended, each slot that comes free
is given to the next take after the wait that slots have had, and behind that stand the downloads and the finishing,
each no faster than it has been while it had work.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.runner.events import (
    FinishingBegun,
    RunStarted,
    TakeDownloaded,
    TakeFailed,
    TakeGenerated,
    TakeSubmitted,
    TrackFailed,
    TrackFinished,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.runner.events import Event

    Take = tuple[str, str, int]  # (manifest, track, number)

_REMEMBERED: Final = 1000  # jobs: a gateway that has become slower is believed soon
_AT_WORK: Final = 100  # files that were fetched, tracks that were finished
_QUANTILES: Final = 64
_PLAYED: Final = 2000  # takes that are played one by one; of more, all but so many go at the slots' usual pace
#: Where nothing as old has ended yet, a job is taken to last so much longer than it has.
_BEYOND_THE_OLDEST: Final = 1.1
_GOLDEN: Final = (math.sqrt(5) - 1) / 2  # its multiples spread evenly over 0..1, however many are taken


@dataclass
class _Stage:
    """A part of the run that things pass through: how fast, while it had any."""

    waiting: int = 0
    busy_s: float = 0.0
    latest: float = 0.0
    done_at: deque[float] = field(default_factory=lambda: deque(maxlen=_AT_WORK))  # after so many seconds of work
    stays: deque[float] = field(default_factory=lambda: deque(maxlen=_AT_WORK))
    came: dict[object, float] = field(default_factory=dict)

    def come(self, what: object, now: float) -> None:
        """`what` is there to be done."""
        self._pass(now)
        self.waiting += 1
        self.came[what] = now

    def leave(self, what: object, now: float) -> None:
        """`what` is done, or will not be; what never came changes nothing."""
        came = self.came.pop(what, None)
        if came is None:
            return
        self._pass(now)
        self.waiting -= 1
        self.done_at.append(self.busy_s)
        self.stays.append(now - came)

    def seconds_for(self, number: int, now: float) -> float:
        """How long it takes to do `number` of them, at the pace of late; 0 before the first was done."""
        done = len(self.done_at)
        if not done:
            return 0.0
        if done == 1:
            return number * self.done_at[0]
        overdue_s = self.busy_s - self.done_at[-1] + (now - self.latest if self.waiting else 0.0)
        each_s = (self.done_at[-1] - self.done_at[0]) / (done - 1)
        return max(0.0, number * each_s - min(overdue_s, each_s))

    @property
    def stay_s(self) -> float:
        """How long one of them is in it."""
        return sum(self.stays) / len(self.stays) if self.stays else 0.0

    def _pass(self, now: float) -> None:
        if self.waiting:
            self.busy_s += now - self.latest
        self.latest = now


class TimeLeft:
    """An estimate of a run's rest. `now` is any clock's that only goes forward, in seconds."""

    def __init__(self) -> None:
        self._began_at: float | None = None
        self._slots = 1
        self._unsent = 0
        self._uncollected = 0  # jobs of an earlier process that have not ended
        self._takes = 0
        self._ended = 0
        self._tracks = 0
        self._tracks_done = 0
        self._in_flight: dict[Take, float] = {}  # since when
        self._spans: deque[float] = deque(maxlen=_REMEMBERED)  # from a job's submit to its end
        self._free: deque[float] = deque()  # slots that wait for a take, since when
        self._gaps: deque[float] = deque(maxlen=_REMEMBERED)
        self._held_until = -math.inf
        self._downloads = _Stage()
        self._finishing = _Stage()

    def observe(self, event: Event, now: float) -> None:
        """Learn from an event that happened `now`."""
        match event:
            case RunStarted():
                self._begin(event, now)
            case TakeSubmitted():
                self._submitted(_take(event), now)
            case TakeGenerated():
                self._end(_take(event), now)
                self._downloads.come(_take(event), now)
            case TakeDownloaded():
                self._end(_take(event), now)
                self._downloads.leave(_take(event), now)
            case TakeFailed():
                self._end(_take(event), now, is_span=False)
                self._downloads.leave(_take(event), now)
            case FinishingBegun():
                self._finishing.come((event.manifest, event.track), now)
            case TrackFinished() | TrackFailed():
                self._tracks_done += 1
                self._finishing.leave((event.manifest, event.track), now)
            case Waiting(cause="refused", seconds=seconds) if seconds is not None:
                self._held_until = max(self._held_until, now + seconds)

    def seconds(self, now: float) -> float | None:
        """How long the rest will take; None while too little is known to say."""
        if self._began_at is None:
            return None
        takes_left, tracks_left = self._takes - self._ended, self._tracks - self._tracks_done
        if takes_left and self._ended < math.ceil(min(self._slots, self._takes) / 2):
            return None
        if not takes_left and tracks_left and not self._finishing.done_at:
            return None
        behind = self._downloads.stay_s + self._finishing.stay_s
        getting = self._last_end(now) - now + behind if takes_left else 0.0
        downloads = takes_left + self._downloads.waiting
        fetching = self._downloads.seconds_for(downloads, now) + (self._finishing.stay_s if downloads else 0.0)
        return max(getting, fetching, self._finishing.seconds_for(tracks_left, now), 0.0)

    # --- what was seen ----------------------------------------------------------------------------------------------

    def _begin(self, event: RunStarted, now: float) -> None:
        self._began_at = now
        self._unsent, self._uncollected = event.submits, event.collects
        self._takes = event.submits + event.collects
        self._tracks = event.tracks
        self._slots = max(1, min(event.slots or self._takes, self._takes))
        self._free = deque([now] * max(0, self._slots - event.collects))

    def _submitted(self, take: Take, now: float) -> None:
        if self._unsent:
            self._unsent -= 1
        elif self._uncollected:
            self._uncollected -= 1  # the gateway no longer had it: asked for anew
        self._in_flight[take] = now
        if self._free:
            self._gaps.append(now - self._free.popleft())

    def _end(self, take: Take, now: float, *, is_span: bool = True) -> None:
        """A take's job has ended, one way or the other, unless that is known already."""
        since = self._in_flight.pop(take, None)
        if since is None:
            if take in self._downloads.came:
                return
            if self._uncollected:
                self._uncollected -= 1
                since = self._began_at
            else:
                self._unsent = max(0, self._unsent - 1)  # it was never sent
                is_span = False
        if is_span and since is not None:
            self._spans.append(now - since)
        self._ended += 1
        self._free.append(now)

    # --- what will be -----------------------------------------------------------------------------------------------

    def _last_end(self, now: float) -> float:
        """When the last job will have ended."""
        not_before = max(now, self._held_until)
        began = sorted([*self._in_flight.values(), *[self._began_at or 0.0] * min(self._uncollected, self._slots)])
        quantiles = _quantiles(self._spans, [now - since for since in began])
        spread = _spread()
        ends = [max(not_before, since + _beyond(quantiles, now - since, next(spread))) for since in began]
        gap = sum(self._gaps) / len(self._gaps) if self._gaps else 0.0
        coming = self._unsent + max(0, self._uncollected - self._slots)
        idle = max(0, min(self._slots - len(ends), coming))
        slots = ends + [max(not_before - gap, now - gap)] * idle
        heapq.heapify(slots)
        last = max(ends, default=now)
        skipped = max(0, coming - _PLAYED)
        for _ in range(coming - skipped):
            end = heapq.heappop(slots) + gap + quantiles[int(next(spread) * len(quantiles))]
            last = max(last, end)
            heapq.heappush(slots, end)
        cycle_s = sum(quantiles) / len(quantiles) + gap
        return last + skipped * cycle_s / self._slots


def _take(event: TakeSubmitted | TakeGenerated | TakeDownloaded | TakeFailed) -> Take:
    return event.manifest, event.track, event.take


def _spread() -> Iterator[float]:
    """Numbers from 0 to below 1 that fill it evenly, the same ones each time: an estimate does not jump about."""
    place = 0.5
    while True:
        yield place
        place = (place + _GOLDEN) % 1.0


def _quantiles(spans: Sequence[float], ages: Sequence[float]) -> list[float]:
    """How long jobs last, as quantiles, from those that have ended and those that have lasted so long already.

    The Kaplan-Meier estimate: by those alone that have ended, all would be as quick as the first to end.
    """
    moments = sorted([(span, True) for span in spans] + [(age, False) for age in ages])
    oldest = _BEYOND_THE_OLDEST * max((moment for moment, _ in moments), default=0.0)
    quantiles: list[float] = []
    surviving = 1.0
    at_risk = len(moments)
    for moment, ended in moments:
        if ended:
            surviving *= 1 - 1 / at_risk
            while len(quantiles) + 0.5 <= (1 - surviving) * _QUANTILES:
                quantiles.append(moment)
        at_risk -= 1
    return quantiles + [oldest] * (_QUANTILES - len(quantiles))


def _beyond(quantiles: Sequence[float], age: float, place: float) -> float:
    """How long a job lasts that has lasted for `age`: `place` (0 to 1) among those that have lasted longer."""
    longer = [span for span in quantiles if span > age]
    return longer[int(place * len(longer))] if longer else age * _BEYOND_THE_OLDEST

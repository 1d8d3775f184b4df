"""What `--verbose` says about what happens: a line for each wait, and never more of them than can be read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pipeline.money import dollars
from pipeline.runner.events import TakeDownloaded, TakeFailed, TakeGenerated, TakeSubmitted, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.runner.events import Event

#: Jobs in flight are asked about all the time: one line a second stands for all that were asked about in it.
_BETWEEN_POLLS_S: Final = 1.0
#: A refusal that ends so soon after the one that was told is the same.
_SAME_PAUSE_S: Final = 1.0


class Explainer:
    """`now`: a clock that only goes forward, in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._poll_told_at = -_BETWEEN_POLLS_S
        self._polls_untold = 0
        self._refused_until = -_SAME_PAUSE_S

    def explanation(self, event: Event) -> str | None:
        """A line about an event that has none of its own; None where nothing needs to be said."""
        match event:
            case Waiting():
                return self._wait(event)
            case TakeSubmitted():
                return f"{event.track} take {event.take}: submitted as {event.job_id}"
            case TakeGenerated():
                bill = "" if event.cost_microusd is None else f", billed {dollars(event.cost_microusd)}"
                return f"{event.track} take {event.take}: generated{bill}"
            case TakeDownloaded():
                return f"{event.track} take {event.take}: downloaded {event.size:,} bytes, {event.duration_s:.1f} s"
            case TakeFailed():
                return f"{event.track} take {event.take}: {event.error}"
            case _:
                return None

    def _wait(self, event: Waiting) -> str | None:
        if event.seconds is None:
            return f"{event.what} waits for a slot: {event.why}"
        length = f"{round(event.seconds, 1):g} s"
        match event.cause:
            case "refused":
                return self._refusal(event, event.seconds, length)
            case "poll":
                return self._poll(event, length)
            case "limit":
                return f"rate limit: {length} ({event.what}: {event.why})"
            case _:
                return f"{event.what} again in {length}: {event.why}"

    def _refusal(self, event: Waiting, seconds: float, length: str) -> str | None:
        until = self._now() + seconds
        if until - self._refused_until < _SAME_PAUSE_S:
            return None
        self._refused_until = until
        return f"429: {length} ({event.what}: {event.why})"

    def _poll(self, event: Waiting, length: str) -> str | None:
        now = self._now()
        if now - self._poll_told_at < _BETWEEN_POLLS_S:
            self._polls_untold += 1
            return None
        others = f"; {self._polls_untold:,} other polls since the line before" if self._polls_untold else ""
        self._poll_told_at, self._polls_untold = now, 0
        return f"poll in {length}: {event.what}, {event.why}{others}"

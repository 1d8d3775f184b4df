"""The one source of wall-clock time: a clock that is handed in, so that a night can pass in a test's second."""

from __future__ import annotations

import time
from typing import Protocol

import anyio


class Clock(Protocol):
    """Wall-clock time in seconds since 1970 (UTC)."""

    def now(self) -> float: ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()


class EventLoopClock:
    """Wall-clock time that passes as the event loop's does: virtual where the loop's clock is."""

    def __init__(self, epoch: float = 1_790_000_000.0) -> None:
        """`epoch`: what `now()` gives when the loop's clock stands at zero."""
        self._epoch = epoch

    def now(self) -> float:
        return self._epoch + anyio.current_time()

"""Time that passes only where a test lets it: both event loops on virtual clocks.

No test sleeps: while nothing else can happen, the clock jumps to the next moment at which something will.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

from trio.testing import MockClock

if TYPE_CHECKING:
    from collections.abc import Mapping


class JumpingSelector(selectors.SelectSelector):
    """A selector that never waits for time: where its loop would sleep, the loop's clock jumps instead."""

    clock_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            return super().select(None)  # a thread will wake the loop; nothing is due on the clock
        self.clock_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on a virtual clock that starts at zero."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.clock_s


def virtual_backend(name: str) -> tuple[str, Mapping[str, Any]]:
    """anyio's backend `name` with a virtual clock of its own."""
    if name == "asyncio":
        return "asyncio", {"loop_factory": VirtualTimeLoop}
    return "trio", {"clock": MockClock(autojump_threshold=0)}

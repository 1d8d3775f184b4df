"""What a review is handed from outside: the clock, whatever finishes, the network; and the brakes on what it does."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.review.refusals import Refusal
from pipeline.runner.control import Control
from pipeline.store_choice import PLAIN_ACCESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from pipeline.clock import Clock
    from pipeline.gateway_choice import GatewayChoice, NoGateway
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.runner.finisher import Finisher
    from pipeline.runner.results import Stop
    from pipeline.store_choice import StoreAccess


@dataclass(frozen=True, slots=True)
class Hands:
    """Everything that waits, writes, or works in real time. `transport` and `ledger` None: the real ones."""

    clock: Clock
    finisher: Finisher
    transport: httpx.AsyncBaseTransport | None = None
    ledger: Callable[[Path], LedgerWriter] | None = None


@dataclass(frozen=True, slots=True)
class Purse:
    """Of whom re-rolls are bought, and for how much at most. `gateway`: why of nobody, where that is so.

    `store_access`: how a team's store is reached.
    """

    gateway: GatewayChoice | NoGateway
    budget_microusd: int | None = None
    store_access: StoreAccess = PLAIN_ACCESS


class Brakes:
    """What a signal stops: everything that is on its way, in order; and nothing new begins."""

    def __init__(self) -> None:
        self._controls: set[Control] = set()
        self._stop: Stop | None = None

    @contextmanager
    def control(self) -> Iterator[Control]:
        """The control of something that begins now. Raises Refusal where nothing may."""
        self.check()
        control = Control()
        self._controls.add(control)
        try:
            yield control
        finally:
            self._controls.discard(control)

    def check(self) -> None:
        """Raise Refusal where nothing new may begin."""
        if self._stop is not None:
            raise Refusal("the review is being closed")

    def interrupt(self, stop: Stop) -> bool:
        """Stop all of it. Was there anything?"""
        self._stop = stop
        for control in self._controls:
            control.interrupt(stop)
        return bool(self._controls)

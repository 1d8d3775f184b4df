"""The pace at which requests leave: within the gateway's limit a minute, the most worth of those that wait first."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.gateway.allowance import Allowance
from pipeline.gateway.errors import LONGEST_WAIT_S, WaitTooLong
from pipeline.gateway.refills import REFILLED_WITHIN_S, Refills

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pipeline.gateway.headers import RateFacts

_SHORTEST_WAIT_S: Final = 1e-6  # a clock's own grain: less than this is now
_WORTH_TELLING_S: Final = 1.0
_SAME_MOMENT_S: Final = 0.1
#: Who has waited for so many seconds is worth as much more as a sure thing: nobody waits for ever.
_PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Worth:
    """What a request is worth: the chance, at a moment on the event loop's clock, that it frees a slot, or fills one.

    `is_refilled`: does a submit follow at once where a slot is freed?
    """

    chance: Callable[[float], float]
    is_refilled: Callable[[], bool] = lambda: False

    def refills(self, now: float) -> float:
        """How many submits follow on it at once, in the mean."""
        return self.chance(now) if self.is_refilled() else 0.0


#: Of what fills a free slot, or has to be asked whatever comes of it.
SURELY: Final = Worth(lambda _: 1.0)


@dataclass(eq=False)
class _Waiting:
    """A request that waits for its turn."""

    worth: Worth
    since: float
    has_turn: bool = False
    refills: float = 0.0  # once it has
    roused: anyio.Event = field(default_factory=anyio.Event)  # it has its turn, or is to look after the others' turns

    def claim(self, now: float) -> float:
        return self.worth.chance(now) + (now - self.since) / _PATIENCE_S


class Pacer:
    """Lets requests to one gateway leave at its pace. Times are the event loop's.

    The turns are given by one of those who wait: it sleeps until the next may go, and hands its task on when it goes.
    """

    def __init__(
        self, requests_per_minute: int | None, on_wait: Callable[[float, int | None], None] = lambda *_: None
    ) -> None:
        """`requests_per_minute` None: no limit, until the gateway speaks of one.

        `on_wait` is told of every wait of a second or more before it begins: how long, and the limit that it keeps to;
        None: the gateway has refused a request, and wants no more of them for so long.
        """
        self._allowance = Allowance(requests_per_minute)
        self._on_wait = on_wait
        self._queue: list[_Waiting] = []
        self._giver: _Waiting | None = None
        self._needs_an_answer = False  # there is no room until one that is on its way is answered
        self._refills = Refills()

    @property
    def share(self) -> int | None:
        """Requests a minute that may be sent, beside what others send with the same key; None: no limit is known."""
        return self._allowance.share(anyio.current_time())

    @asynccontextmanager
    async def turn(self, worth: Worth = SURELY) -> AsyncIterator[None]:
        """Wait for leave to send one request; the block ends with its answer, or once there will be none.

        Raises WaitTooLong where the gateway wants a longer pause than a run has. Waiting for one's turn under the limit
        is never too long.
        """
        now = anyio.current_time()
        if self._queue or self._wait_s(worth, now) > _SHORTEST_WAIT_S:
            refills = await self._wait(worth)
        else:
            refills = self._leave(worth, now)
        try:
            yield
        finally:
            self._answered(refills)
            if self._giver is not None and self._needs_an_answer:
                self._giver.roused.set()

    def observe(self, facts: RateFacts) -> None:
        """Learn from what an answer says about the limit."""
        self._allowance.observe(facts, anyio.current_time())

    def refused(self, retry_after_s: float | None) -> None:
        """A request came too soon: everybody waits."""
        self._allowance.refused(retry_after_s, anyio.current_time())

    def _wait_s(self, worth: Worth, now: float) -> float:
        """How long a request of such worth has to wait: until there is room for it, and for what follows.

        What is expected to follow may not come: where it is waited for, no longer than until that is known.
        """
        room_s = self._allowance.wait_s(now)
        refills = worth.refills(now)
        if not refills:
            return room_s
        kept_s = self._allowance.wait_s(now, round(self._refills.expected(now) + refills))
        return min(kept_s, max(room_s, REFILLED_WITHIN_S))

    def _leave(self, worth: Worth, now: float) -> float:
        """A request leaves: how many submits are expected to follow on it."""
        self._allowance.leave()
        if worth is SURELY:
            self._refills.came()
        refills = worth.refills(now)
        self._refills.left(refills)
        return refills

    def _answered(self, refills: float) -> None:
        now = anyio.current_time()
        self._allowance.answered(now)
        self._refills.answered(refills, now)

    async def _wait(self, worth: Worth) -> float:
        """Wait for one's turn: how many submits are expected to follow on the request."""
        waiting = _Waiting(worth, anyio.current_time())
        self._queue.append(waiting)
        if self._giver is not None and worth is SURELY:
            self._giver.roused.set()  # the room that is kept from polls is for such as this
        try:
            while not waiting.has_turn:
                if self._giver in (None, waiting):
                    self._giver = waiting
                    await self._give(waiting)
                else:
                    waiting.roused = anyio.Event()
                    await waiting.roused.wait()
        except BaseException:
            if waiting.has_turn:
                self._answered(waiting.refills)
            else:
                self._queue.remove(waiting)
            raise
        finally:
            if self._giver in (None, waiting):  # whoever was roused to give turns may have given up since
                self._giver = None
                if self._queue:
                    self._queue[0].roused.set()
        return waiting.refills

    async def _give(self, giver: _Waiting) -> None:
        """Give turns until `giver` has had its own, or sleep until the next may be given. Raises WaitTooLong."""
        now = anyio.current_time()
        best, wait_s = self._next(now)
        if wait_s <= _SHORTEST_WAIT_S:
            self._queue.remove(best)
            best.refills = self._leave(best.worth, now)
            best.has_turn = True
            best.roused.set()
            return
        pause_s = self._allowance.pause_s(now)
        if pause_s > LONGEST_WAIT_S:
            raise WaitTooLong(
                f"the gateway wants no requests for another {pause_s:,.0f} s, longer than the "
                f"{LONGEST_WAIT_S:g} s that a run waits; nothing was sent, run again later",
                code="wait_too_long",
                retry_after_s=pause_s,
            )
        self._tell(wait_s, pause_s)
        giver.roused = anyio.Event()
        self._needs_an_answer = wait_s == math.inf
        with anyio.move_on_after(wait_s):
            await giver.roused.wait()

    def _next(self, now: float) -> tuple[_Waiting, float]:
        """Whose turn is next, and how long it has to wait: of the most worth, unless only others have room."""
        best = max(self._queue, key=lambda waiting: waiting.claim(now))
        wait_s = self._wait_s(best.worth, now)
        if wait_s > _SHORTEST_WAIT_S and best.worth is not SURELY:
            sure = next((waiting for waiting in self._queue if waiting.worth is SURELY), None)
            if sure is not None and (sooner_s := self._wait_s(SURELY, now)) < wait_s:
                return sure, sooner_s
        return best, wait_s

    def _tell(self, wait_s: float, pause_s: float) -> None:
        if _WORTH_TELLING_S <= wait_s < math.inf:
            is_pause = wait_s - pause_s < _SAME_MOMENT_S
            self._on_wait(wait_s, None if is_pause else self.share)

"""The pace at which requests leave: within the gateway's limit a minute, first come first served.

The gateway counts requests in a window that rolls over the last 60 s, and lets bursts of twice the rate pass for 10 s.
Read so that no reading of it is broken: at most `limit` in any 60 s, and at most a third of that in any 10 s.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.gateway.errors import LONGEST_WAIT_S, WaitTooLong

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.gateway.headers import RateFacts

_WINDOW_S: Final = 60.0
_BURST_S: Final = 10.0
_BURSTS_A_WINDOW: Final = 3  # twice the rate for 10 s is a third of a minute's requests
#: One request may be so much longer on its way than the one a window later: the gateway counts arrivals, we departures.
_SLACK_S: Final = 0.5
_PAUSE_WHEN_UNTOLD_S: Final = 5.0
_SHORTEST_PAUSE_S: Final = 1.0
_SHORTEST_WAIT_S: Final = 1e-6  # a clock's own grain: less than this is now
_WORTH_TELLING_S: Final = 1.0
_SAME_MOMENT_S: Final = 0.1


def earliest_turn(sent: Sequence[float], limit: int) -> float:
    """The first moment at which one more request keeps to `limit` a minute; `sent`: when the others went, in order."""
    burst = max(1, limit // _BURSTS_A_WINDOW)
    turn = -math.inf
    if len(sent) >= limit:
        turn = sent[-limit] + _WINDOW_S + _SLACK_S
    if len(sent) >= burst:
        turn = max(turn, sent[-burst] + _BURST_S + _SLACK_S)
    return turn


def risen_limit(reduced: int, ceiling: int, minutes: float) -> int:
    """Where a limit that was reduced by a refusal stands `minutes` later: a tenth of its ceiling up every minute."""
    steps = max(0, math.floor(minutes))
    return min(ceiling, reduced + steps * max(1, ceiling // 10))


class Allowance:
    """How many requests the gateway is believed to take, and when. It decides; it does not wait.

    It starts from what the manifest says, is told by headers (downwards only), shrinks by a quarter when a request is
    refused although it kept to all that, and rises again with every minute that goes well.
    """

    def __init__(self, requests_per_minute: int | None) -> None:
        """`requests_per_minute` None: no limit, until the gateway speaks of one."""
        self._configured = requests_per_minute
        self._told: int | None = None
        self._sent: deque[float] = deque()
        self._paused_until = -math.inf
        self._reduced: int | None = None
        self._reduced_at = -math.inf
        self._others = 0  # requests in the gateway's window that are not ours: another process has the same key
        self._others_until = -math.inf

    def limit(self, now: float) -> int | None:
        """Requests a minute that may be sent now; None: as many as we like."""
        ceiling = self._ceiling()
        if self._reduced is None:
            return ceiling
        minutes = (now - self._reduced_at) / _WINDOW_S
        return risen_limit(self._reduced, self._reduced * 2 if ceiling is None else ceiling, minutes)

    def pause_s(self, now: float) -> float:
        """How long the gateway still wants nothing at all."""
        return max(0.0, self._paused_until - now)

    def wait_s(self, now: float) -> float:
        """How long the next request has to wait."""
        limit = self.limit(now)
        if limit is None:
            return self.pause_s(now)
        self._forget(now)
        others = self._others if now < self._others_until else 0
        turn = earliest_turn(self._sent, max(1, limit - others))
        return max(self._paused_until, turn, now) - now

    def take(self, now: float) -> None:
        """A request leaves."""
        self._forget(now)
        self._sent.append(now)

    def observe(self, facts: RateFacts, now: float) -> None:
        """Learn from what an answer says about the limit."""
        if facts.limit is not None:
            self._told = facts.limit
        allowed = facts.limit if facts.limit is not None else self._ceiling()
        if facts.remaining is None or allowed is None:
            return
        self._forget(now)
        self._others = max(0, allowed - facts.remaining - len(self._sent))
        window_s = _WINDOW_S if facts.reset_s is None else min(facts.reset_s, _WINDOW_S)
        self._others_until = now + window_s

    def refused(self, retry_after_s: float | None, now: float) -> None:
        """A request came too soon: nothing more is sent for a while, and less after that.

        Those that were on their way when the first was refused say nothing new: they only lengthen the pause.
        """
        pause_s = _PAUSE_WHEN_UNTOLD_S if retry_after_s is None else max(retry_after_s, _SHORTEST_PAUSE_S)
        is_news = now >= self._paused_until
        self._paused_until = max(self._paused_until, now + pause_s)
        if is_news:
            self._forget(now)
            limit = self.limit(now) or max(1, len(self._sent))
            self._reduced = max(1, limit * 3 // 4)
            self._reduced_at = self._paused_until

    def _ceiling(self) -> int | None:
        return min((limit for limit in (self._configured, self._told) if limit is not None), default=None)

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0] <= now - _WINDOW_S - _SLACK_S:
            self._sent.popleft()


class Pacer:
    """Lets requests to one gateway leave at its pace. Times are the event loop's."""

    def __init__(
        self, requests_per_minute: int | None, on_wait: Callable[[float, int | None], None] = lambda *_: None
    ) -> None:
        """`requests_per_minute` None: no limit, until the gateway speaks of one.

        `on_wait` is told of every wait of a second or more before it begins: how long, and the limit that it keeps to;
        None: the gateway has refused a request, and wants no more of them for so long.
        """
        self._allowance = Allowance(requests_per_minute)
        self._on_wait = on_wait
        self._queue = anyio.Lock(fast_acquire=True)  # first come, first served; who is cancelled just leaves the queue

    async def turn(self) -> None:
        """Wait for leave to send one request. Raises WaitTooLong where the gateway wants a longer pause than a run has.

        Waiting for one's turn under the limit is never too long.
        """
        async with self._queue:
            while (wait_s := self._allowance.wait_s(anyio.current_time())) > _SHORTEST_WAIT_S:
                pause_s = self._allowance.pause_s(anyio.current_time())
                if pause_s > LONGEST_WAIT_S:
                    raise WaitTooLong(
                        f"the gateway wants no requests for another {pause_s:,.0f} s, longer than the "
                        f"{LONGEST_WAIT_S:g} s that a run waits; nothing was sent, run again later",
                        code="wait_too_long",
                        retry_after_s=pause_s,
                    )
                self._tell(wait_s, pause_s)
                await anyio.sleep(wait_s)
            self._allowance.take(anyio.current_time())

    def _tell(self, wait_s: float, pause_s: float) -> None:
        if wait_s >= _WORTH_TELLING_S:
            is_pause = wait_s - pause_s < _SAME_MOMENT_S
            self._on_wait(wait_s, None if is_pause else self._allowance.limit(anyio.current_time()))

    def observe(self, facts: RateFacts) -> None:
        """Learn from what an answer says about the limit."""
        self._allowance.observe(facts, anyio.current_time())

    def refused(self, retry_after_s: float | None) -> None:
        """A request came too soon: everybody waits."""
        self._allowance.refused(retry_after_s, anyio.current_time())

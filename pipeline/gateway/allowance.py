"""How many requests a gateway takes, and when: what is believed of its limit, and what has gone out under it. Pure.

The gateway counts requests in a window that rolls over the last 60 s, and lets bursts of twice the rate pass for 10 s.
Read so that no reading of it is broken: at most `limit` in any 60 s, and at most a third of that in any 10 s. It counts
a request when it arrives, which is some time between its leaving and its answer; so a request counts here from its
leaving, and until its answer is as old as the window is long. However slow the way, none is then refused.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.gateway.headers import RateFacts

WINDOW_S: Final = 60.0
BURST_S: Final = 10.0
_BURSTS_A_WINDOW: Final = 3  # twice the rate for 10 s is a third of a minute's requests
#: Two clocks that are read as floating point, one of them since 1970.
_GRAIN_S: Final = 0.001
_PAUSE_WHEN_UNTOLD_S: Final = 5.0
_SHORTEST_PAUSE_S: Final = 1.0


def earliest_turn(answered: Sequence[float], in_flight: int, limit: int) -> float:
    """The first moment at which one more request keeps to `limit` a minute.

    `answered`: when the others were, in order; `in_flight`: how many are not yet. Infinite where only an answer can
    make room.
    """
    minute = _room_at(answered, in_flight, limit, WINDOW_S)
    return max(minute, _room_at(answered, in_flight, most_in_a_burst(limit), BURST_S))


def most_in_a_burst(limit: int) -> int:
    """How many requests may leave within 10 s where `limit` may within a minute."""
    return max(1, limit // _BURSTS_A_WINDOW)


def _room_at(answered: Sequence[float], in_flight: int, most: int, window_s: float) -> float:
    """When fewer than `most` will count that were answered within `window_s` or have not been."""
    may_count = most - 1 - in_flight
    if may_count < 0:
        return math.inf
    if may_count >= len(answered):
        return -math.inf
    return answered[len(answered) - 1 - may_count] + window_s + _GRAIN_S


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
        self._in_flight = 0
        self._answered: deque[float] = deque()
        self._paused_until = -math.inf
        self._reduced: int | None = None
        self._reduced_at = -math.inf
        self._left_by_others = math.inf  # of the gateway's own limit: another process may have the same key
        self._left_until = -math.inf

    def limit(self, now: float) -> int | None:
        """Requests a minute that may be sent now; None: as many as we like."""
        ceiling = self._ceiling()
        if self._reduced is None:
            return ceiling
        minutes = (now - self._reduced_at) / WINDOW_S
        return risen_limit(self._reduced, self._reduced * 2 if ceiling is None else ceiling, minutes)

    def share(self, now: float) -> int | None:
        """Of these, what is ours, as long as others use the key as they do; None: as many as we like."""
        limit = self.limit(now)
        left = self._left_by_others if now < self._left_until else math.inf
        return None if limit is None else max(1, int(min(limit, left)))

    def pause_s(self, now: float) -> float:
        """How long the gateway still wants nothing at all."""
        return max(0.0, self._paused_until - now)

    def wait_s(self, now: float, kept: int = 0) -> float:
        """How long the next request has to wait; infinite: until one that is on its way is answered.

        `kept`: so many more are to have room after it, as far as there can be such room at all.
        """
        share = self.share(now)
        if share is None:
            return self.pause_s(now)
        self._forget(now)
        kept = max(0, min(kept, most_in_a_burst(share) - 1 - self._in_flight))
        turn = earliest_turn(self._answered, self._in_flight + kept, share)
        return max(self._paused_until, turn, now) - now

    def leave(self) -> None:
        """A request leaves."""
        self._in_flight += 1

    def answered(self, now: float) -> None:
        """One that had left is answered, or never will be."""
        self._in_flight -= 1
        self._answered.append(now)
        self._forget(now)

    def observe(self, facts: RateFacts, now: float) -> None:
        """Learn from what an answer says about the limit."""
        if facts.limit is not None:
            self._told = facts.limit
        allowed = facts.limit if facts.limit is not None else self._ceiling()
        if facts.remaining is None or allowed is None:
            return
        self._forget(now)
        others = max(0, allowed - facts.remaining - self._in_flight - len(self._answered))
        self._left_by_others = allowed - others
        self._left_until = now + (WINDOW_S if facts.reset_s is None else min(facts.reset_s, WINDOW_S))

    def refused(self, retry_after_s: float | None, now: float) -> None:
        """A request came too soon: nothing more is sent for a while, and less after that.

        Those that were on their way when the first was refused say nothing new: they only lengthen the pause.
        """
        pause_s = _PAUSE_WHEN_UNTOLD_S if retry_after_s is None else max(retry_after_s, _SHORTEST_PAUSE_S)
        is_news = now >= self._paused_until
        self._paused_until = max(self._paused_until, now + pause_s)
        if is_news:
            self._forget(now)
            limit = self.limit(now) or max(1, self._in_flight + len(self._answered))
            self._reduced = max(1, limit * 3 // 4)
            self._reduced_at = self._paused_until

    def _ceiling(self) -> int | None:
        return min((limit for limit in (self._configured, self._told) if limit is not None), default=None)

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0] <= now - WINDOW_S - _GRAIN_S:
            self._answered.popleft()

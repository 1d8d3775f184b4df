"""Requests a minute for each key: a rolling window of 60 s, and within it no more than twice the rate for 10 s."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

_WINDOW_S: Final = 60.0
_BURST_S: Final = 10.0
_BURST_RATE: Final = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key stands after a request. `retry_after_s` is set where the request was over the limit."""

    limit: int
    remaining: int
    reset_s: int  # until the oldest request of the window stops counting
    retry_after_s: int | None = None

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"x-ratelimit-limit-requests", b"%d" % self.limit),
            (b"x-ratelimit-remaining-requests", b"%d" % self.remaining),
            (b"x-ratelimit-reset-requests", b"%d" % self.reset_s),
        ]


class _Recent:
    """The moments of a key's requests within a span, oldest first."""

    def __init__(self, span_s: float, most: int) -> None:
        self.span_s = span_s
        self.most = most
        self.moments: deque[float] = deque()

    def wait_s(self, now: float) -> float:
        """How long until one more request fits."""
        moments = self.moments
        while moments and moments[0] <= now - self.span_s:
            moments.popleft()
        return 0.0 if len(moments) < self.most else moments[len(moments) - self.most] + self.span_s - now


class RateLimits:
    """Counts each key's requests. One that is over the limit is not counted."""

    def __init__(self, requests_per_minute: int) -> None:
        self._rpm = requests_per_minute
        self._burst = max(1, int(_BURST_RATE * requests_per_minute * _BURST_S / _WINDOW_S))
        self._keys: dict[str, tuple[_Recent, _Recent]] = {}

    def request(self, key: str, now: float) -> Standing:
        """Count a request of `key`, if it is within the limit, and say how the key stands."""
        if key not in self._keys:
            self._keys[key] = (_Recent(_WINDOW_S, self._rpm), _Recent(_BURST_S, self._burst))
        minute, burst = self._keys[key]
        wait_s = max(minute.wait_s(now), burst.wait_s(now))
        if wait_s <= 0:
            minute.moments.append(now)
            burst.moments.append(now)
        reset_s = math.ceil(minute.moments[0] + _WINDOW_S - now) if minute.moments else 0
        remaining = self._rpm - len(minute.moments)
        return Standing(self._rpm, remaining, reset_s, max(1, math.ceil(wait_s)) if wait_s > 0 else None)

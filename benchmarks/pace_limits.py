"""A perfect pacer: it knows the gateway's limit, and lets each request go at the first moment that keeps to it."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pace_regimes import Regime

_WINDOW_S: Final = 60.0
_BURST_S: Final = 10.0


class PerfectPacer:
    """At most the limit in any rolling 60 s, and twice its rate in any 10 s, as the local gateway counts."""

    def __init__(self, regime: Regime) -> None:
        self._minute: deque[float] = deque(maxlen=regime.requests_per_minute)
        self._burst: deque[float] = deque(maxlen=regime.burst)

    def earliest(self) -> float:
        """The first moment for one more request."""
        moment = 0.0
        if len(self._minute) == self._minute.maxlen:
            moment = self._minute[0] + _WINDOW_S
        if len(self._burst) == self._burst.maxlen:
            moment = max(moment, self._burst[0] + _BURST_S)
        return moment

    def sent(self, moment: float) -> None:
        self._minute.append(moment)
        self._burst.append(moment)


def most_requests(regime: Regime, length_s: float) -> int:
    """The most requests that fit into `length_s` from a fresh window: whole minutes, and bursts at the begin of one."""
    minutes = math.floor(length_s / _WINDOW_S)
    bursts = math.floor((length_s - minutes * _WINDOW_S) / _BURST_S) + 1
    return minutes * regime.requests_per_minute + min(regime.requests_per_minute, bursts * regime.burst)

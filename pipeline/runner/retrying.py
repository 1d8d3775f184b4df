"""Whether and when a request that failed is sent again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.gateway.errors import RateLimited

if TYPE_CHECKING:
    from pipeline.gateway.errors import GatewayError
    from pipeline.runner.events import Cause

#: A request that was surely not taken is sent again for so long, in seconds.
TRY_AGAIN_FOR_S: Final = 600.0
#: An unknown one is sent again so often in one start.
MOST_RESENDS: Final = 2
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0


def pause_s(tries: int, retry_after_s: float | None = None) -> float:
    """How long to wait after `tries` failures in a row: what the gateway says, else twice as long each time."""
    if retry_after_s is not None:
        return retry_after_s
    return min(_FIRST_PAUSE_S * 2.0 ** min(tries - 1, 10), _LONGEST_PAUSE_S)


def cause_of(error: Exception) -> Cause:
    """What the wait after `error` is for."""
    return "refused" if isinstance(error, RateLimited) else "retry"


def pause_before_resubmitting(error: GatewayError, tries: int, since_first_s: float) -> float | None:
    """After a submit that was surely not taken: how long to wait before the next, or None to give up."""
    if not error.retryable:
        return None
    pause = pause_s(tries, error.retry_after_s)
    return pause if since_first_s + pause <= TRY_AGAIN_FOR_S else None

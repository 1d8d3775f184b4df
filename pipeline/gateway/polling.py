"""When a job is asked about again. Pure."""

from __future__ import annotations

from typing import Final

#: However often a question has failed, it is asked again after so many seconds.
_LONGEST_PAUSE_S: Final = 30.0
_MOST_DOUBLINGS: Final = 10
#: The gateway's own rule. It counts from the poll before, even one that it answered with 304: whoever goes on asking
#: faster never hears anything else.
AFTER_UNCHANGED_S: Final = 3.0


def next_poll_s(
    *,
    polled_at: float | None,
    now: float,
    interval_s: float,
    failures: int = 0,
    retry_after_s: float | None = None,
    unchanged: bool = False,
) -> float:
    """The moment for the next poll of a job, in seconds on `now`'s clock; the first may go at once.

    `polled_at`: when the last poll was sent. Never sooner than `interval_s` after it: the gateway answers a faster one
    with 304. After such an answer (`unchanged`) its own interval is kept, whatever ours is. After `failures` in a row
    each pause is twice the one before, or what the gateway asked for.
    """
    if polled_at is None:
        return now
    pause_s = interval_s
    if retry_after_s is not None:
        pause_s = max(interval_s, retry_after_s)
    elif failures:
        doubled_s: float = interval_s * 2.0 ** min(failures, _MOST_DOUBLINGS)
        pause_s = max(interval_s, min(doubled_s, _LONGEST_PAUSE_S))
    if unchanged:
        pause_s = max(pause_s, AFTER_UNCHANGED_S)
    return max(now, polled_at + pause_s)

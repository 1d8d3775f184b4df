"""Moments as documents have them: ISO 8601 in UTC, whole seconds."""

from __future__ import annotations

import datetime as dt
from typing import Final

_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"
_FIRST_S: Final = dt.datetime(1000, 1, 1, tzinfo=dt.UTC).timestamp()
_LAST_S: Final = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC).timestamp()


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as a document has them. A moment before the year 1000 or after 9999 is told as the nearest."""
    seconds = min(max(seconds, _FIRST_S), _LAST_S)  # only a ledger that somebody has edited has such ones
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime(_FORM)


def day(seconds: float) -> str:
    """The day of `timestamp`, for a sentence."""
    return timestamp(seconds).partition("T")[0]


def moment(text: str) -> float | None:
    """Seconds since 1970 of what `timestamp` gave; None where it gave no such thing."""
    try:
        return dt.datetime.strptime(text, _FORM).replace(tzinfo=dt.UTC).timestamp()
    except (ValueError, OverflowError):
        return None

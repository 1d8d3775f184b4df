"""Moments as documents have them: ISO 8601 in UTC, whole seconds."""

from __future__ import annotations

import datetime as dt
from typing import Final

_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as a document has them."""
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

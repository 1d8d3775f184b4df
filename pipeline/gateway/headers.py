"""What the gateway says beside its answers: the time, how long to wait, how many requests are left. Pure.

All of these take headers as a mapping whose names are in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

Headers = Mapping[str, str]

_LEADING_NUMBER: Final = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*(?:s\b|,|;|$)")
_SECONDS: Final = re.compile(r"\s*\d{1,15}(\.\d{1,9})?\s*")


@dataclass(frozen=True, slots=True)
class RateFacts:
    """What an answer says about the limit of requests a minute. None: nothing."""

    limit: int | None = None
    remaining: int | None = None
    reset_s: float | None = None


def rate_facts(headers: Headers) -> RateFacts:
    """The `x-ratelimit-*-requests` headers."""
    limit = _number(headers.get("x-ratelimit-limit-requests"))
    remaining = _number(headers.get("x-ratelimit-remaining-requests"))
    return RateFacts(
        limit=int(limit) if limit is not None and limit >= 1 else None,
        remaining=None if remaining is None else int(remaining),
        reset_s=_number(headers.get("x-ratelimit-reset-requests")),
    )


def retry_after_s(headers: Headers, now: float) -> float | None:
    """The wait that `Retry-After` asks for, in seconds; None where it asks for none.

    It may be a date: that counts from the answer's own `Date`, whose clock it is on, else from `now`.
    """
    value = headers.get("retry-after")
    if value is None:
        return None
    if _SECONDS.fullmatch(value):
        return float(value)
    moment = http_date(value)
    if moment is None:
        return None
    sent_at = answered_at(headers)
    return max(0.0, moment - (now if sent_at is None else sent_at))


def answered_at(headers: Headers) -> float | None:
    """When the gateway answered, by its own clock: seconds since 1970."""
    return http_date(headers.get("date"))


def http_date(value: str | None) -> float | None:
    """Seconds since 1970 of an HTTP date (RFC 9110, 5.6.7); None where it is none."""
    if value is None:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def _number(value: str | None) -> float | None:
    found = _LEADING_NUMBER.match(value) if value is not None else None
    return None if found is None else float(found[1])

"""Spend by tag and month."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pipeline.local_gateway.money import cents
from pipeline.local_gateway.refusals import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.local_gateway.jobs import Job

_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


def month_of(moment: float) -> str:
    """The month of a moment, in UTC: `2026-09`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m")


def usage_by_tag(jobs: Iterable[Job], month: str) -> list[dict[str, Any]]:
    """What the jobs that completed in `month` cost, by tag. Raises InvalidRequest for what is no month."""
    if not _MONTH.fullmatch(month):
        raise InvalidRequest("`month` must be written as YYYY-MM")
    requests: Counter[str] = Counter()
    charges: Counter[str] = Counter()
    for job in jobs:
        if job.end == "completed" and job.ended_at is not None and month_of(job.ended_at) == month:
            requests[job.tag] += 1
            charges[job.tag] += job.charged_microusd
    return [{"tag": tag, "requests": requests[tag], "cost_cents": cents(charges[tag])} for tag in sorted(requests)]

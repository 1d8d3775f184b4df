"""What a run expects of job times at its start: what the ledger remembers of earlier jobs at the same gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pipeline.loopback import is_loopback
from pipeline.pace.planner import FIRST_MEDIAN_S, PollPlanner, Span, kind_of

if TYPE_CHECKING:
    from pipeline.gateway.client import Gateway
    from pipeline.gateway_choice import GatewayChoice
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.runner.hints import Hints
    from pipeline.workspace import Plan

#: So many of the latest jobs are read: some hundred of each kind of job, where a library has a dozen kinds.
_MOST_SPANS: Final = 1_000


async def planner_for(
    plan: Plan, gateway: Gateway | None, ledger: LedgerWriter, hints: Hints, concurrency: int | None
) -> PollPlanner:
    """The planner of the run's polls. `concurrency`: jobs in flight over all manifests; None: each manifest's own."""
    choice, settings = plan.request.gateway, [part.manifest.gateway for part in plan.manifests]
    spans = await ledger.write(lambda books: books.job_spans(choice.origin, _MOST_SPANS))
    longest_s = max(one.job_timeout_s for one in settings)  # a job that was fetched a day later says nothing
    return PollPlanner(
        slots=concurrency or sum(one.concurrency for one in settings),
        gap_s=min(one.poll_interval_s for one in settings),
        first_median_s=first_median_s(choice),
        requests_per_minute=lambda: None if gateway is None else gateway.requests_per_minute,
        earlier=[
            Span(kind_of(span.model, span.seconds_asked), span.after_s, span.until_s)
            for span in spans
            if span.until_s <= longest_s
        ],
        on_sooner=hints.rouse,
    )


def first_median_s(choice: GatewayChoice) -> float:
    """What is believed of job times before anything is known.

    A gateway on this machine is the local one, served for several runs; where it is another's door, a few polls tell.
    """
    is_near = choice.kind == "local" or is_loopback(urlsplit(choice.origin).hostname or "")
    return FIRST_MEDIAN_S["local" if is_near else "real"]

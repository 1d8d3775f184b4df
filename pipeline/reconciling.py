"""The gateway is asked what was spent in a month, and its answer is set beside the ledger's charges."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.gateway.client import Gateway
from pipeline.gateway.errors import GatewayError, KeyRefused
from pipeline.gateway.pacing import Pacer
from pipeline.gateway_choice import NoGateway, is_same_gateway
from pipeline.report.reconciliation import Reconciliation, charged_in, reconciled

if TYPE_CHECKING:
    import httpx

    from pipeline.clock import Clock
    from pipeline.gateway_choice import GatewayChoice
    from pipeline.report.books import Books, Entry


async def reconcile(
    books: Books,
    choice: GatewayChoice,
    month: str,
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Reconciliation:
    """`books` beside what the gateway says of `month` (YYYY-MM, UTC): only what was asked of this very gateway.

    `transport` stands in for the network. Raises NoGateway for a local gateway that a run would start itself,
    KeyRefused, and GatewayError where the gateway does not say.
    """
    if choice.base_url is None:
        raise NoGateway(
            "--gateway local charges nothing, and ends with its run: there is nothing to compare; "
            "expected aigateway, a URL, or local=URL"
        )
    spent = await _spent(choice, choice.base_url, month, clock, transport)
    own = [entry for entry in books.entries if _is_of(entry, choice)]
    others = {entry.job.intent.origin for entry in charged_in(books.entries, month) if not _is_of(entry, choice)}
    return Reconciliation(month, choice.origin, choice.kind, reconciled(own, spent, month), tuple(sorted(others)))


async def _spent(
    choice: GatewayChoice, base_url: str, month: str, clock: Clock, transport: httpx.AsyncBaseTransport | None
) -> Counter[str]:
    """Tag -> what the gateway counts under it, in micro-dollars."""
    async with Gateway(base_url, choice.key, pacer=Pacer(None), clock=clock, transport=transport) as gateway:
        try:
            rows = await gateway.usage_by_tag(month)
        except KeyRefused:
            raise
        except GatewayError as error:
            raise GatewayError(f"{base_url}: {error}; nothing was compared") from error
    spent: Counter[str] = Counter()
    for row in rows:
        spent[row.tag] += row.cost_microusd
    return spent


def _is_of(entry: Entry, choice: GatewayChoice) -> bool:
    """Was it asked of the gateway that is meant, and as real or local as is meant?"""
    intent = entry.job.intent
    return intent.kind == choice.kind and is_same_gateway(intent.origin, choice.origin)

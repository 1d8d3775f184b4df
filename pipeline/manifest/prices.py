"""Which model generates a track, and what a second of it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.manifest.mistakes import Fault, shown
from pipeline.manifest.tracks import GatewaySettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from pipeline.manifest.mistakes import KeyPath
    from pipeline.manifest.model import GatewaySection, TrackSection


def gateway_settings(gateway: GatewaySection) -> GatewaySettings:
    return GatewaySettings(
        model=gateway.model,
        prices=tuple(sorted(prices_of(gateway).items())),
        topup_fee=gateway.topup_fee,
        concurrency=gateway.concurrency,
        requests_per_minute=gateway.requests_per_minute,
        poll_interval_s=gateway.poll_interval,
        job_timeout_s=gateway.job_timeout,
        media_hosts=tuple(dict.fromkeys(host.lower() for host in gateway.media_hosts)),
        resend_unknown=gateway.resend_unknown,
        on_expired=gateway.on_expired,
    )


def prices_of(gateway: GatewaySection) -> dict[str, Decimal]:
    """What a second costs, in USD, by model."""
    own = {gateway.model: gateway.price_per_second} if gateway.model and gateway.price_per_second is not None else {}
    return {**gateway.prices, **own}


def gateway_faults(gateway: GatewaySection) -> Iterator[Fault]:
    """What in the gateway section does not go together."""
    if gateway.price_per_second is None:
        return
    at = ("gateway", "price_per_second")
    if gateway.model is None:
        yield Fault(at, "is the price of a model that is not there, expected gateway.model beside it", at_key=True)
    elif gateway.prices.get(gateway.model, gateway.price_per_second) != gateway.price_per_second:
        what = f"{shown(gateway.model)} has another price in prices, expected one price for it"
        yield Fault(at, what, at_key=True)


def price_fault(track: TrackSection, model: str | None, prices: Mapping[str, Decimal], at: KeyPath) -> Fault | None:
    """What keeps a generated track from having a price. `model`: the one that holds for it."""
    if model is None:
        return Fault((*at, "prompt"), "no model to generate it, expected gateway.model with its price_per_second")
    if model in prices:
        return None
    what = f"{shown(model)} has no price, expected one in gateway: price_per_second for its model, prices for others"
    return Fault((*at, "model" if track.model else "prompt"), what)

"""What is asked before anything is bought: is there credit for the plan, and are the manifest's prices high enough?

The gateway may leave both unanswered: what it does not say holds nothing up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import anyio

from pipeline.gateway.errors import GatewayError, KeyRefused
from pipeline.money import dollars
from pipeline.planning.plans import Action, Step
from pipeline.runner.events import Notice
from pipeline.runner.results import EXIT_KEY, EXIT_MONEY, Stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from decimal import Decimal

    from pipeline.gateway.client import Gateway
    from pipeline.runner.events import Event
    from pipeline.workspace import Plan

_Answer = TypeVar("_Answer")


class Priced(NamedTuple):
    """A model that something is bought from, and what a manifest says of its price, in USD a second of audio."""

    manifest: str
    model: str
    usd_per_s: Decimal


@dataclass
class Terms:
    """What the gateway says of the wallet and of its prices; None, or missing, where it does not say."""

    credit_microusd: int | None = None
    usd_per_s: dict[str, Decimal] = field(default_factory=dict)  # by model
    refusal: KeyRefused | None = None


async def preflight(plan: Plan, gateway: Gateway, observe: Callable[[Event], None]) -> Stop | None:
    """Why nothing of `plan` may be bought, or None where nothing speaks against it.

    Asks nothing where the plan buys nothing, and says (a Notice) where a price is lower than the manifest's.
    """
    bought = list(dict.fromkeys(_bought(plan)))
    if not bought:
        return None
    terms = await _ask(gateway, {priced.model for priced in bought})
    if terms.refusal is not None:
        return Stop(EXIT_KEY, str(terms.refusal))
    for cheaper in _cheaper(bought, terms):
        observe(Notice(cheaper))
    objections = [*_too_little_credit(plan.estimate_microusd, terms), *_dearer(bought, terms)]
    return Stop(EXIT_MONEY, f"{'; '.join(objections)}; nothing was bought") if objections else None


def _bought(plan: Plan) -> Iterator[Priced]:
    for part in plan.manifests:
        for track in part.tracks:
            costs = any(take.step is Step.BUY and take.estimate_microusd > 0 for take in track.takes)
            if track.action is Action.GENERATE and costs:
                yield Priced(part.manifest.name, track.track.model, track.track.price_usd_per_s)


async def _ask(gateway: Gateway, models: Iterable[str]) -> Terms:
    """Ask everything at the same time; a key that is refused for one question is refused for all."""
    terms = Terms()

    async def ask_credit() -> None:
        terms.credit_microusd = await answer(gateway.balance())

    async def ask_price(model: str) -> None:
        price = await answer(gateway.price(model))
        if price is not None:
            terms.usd_per_s[model] = price

    async def answer(question: Awaitable[_Answer | None]) -> _Answer | None:
        try:
            return await question
        except KeyRefused as error:
            terms.refusal = error
            questions.cancel_scope.cancel()
        except GatewayError:
            pass  # a submit will meet the same trouble, and knows what to do about it
        return None

    async with anyio.create_task_group() as questions:
        questions.start_soon(ask_credit)
        for model in models:
            questions.start_soon(ask_price, model)
    return terms


def _too_little_credit(estimate_microusd: int, terms: Terms) -> Iterator[str]:
    credit = terms.credit_microusd
    if credit is not None and credit < estimate_microusd:
        yield (
            f"the wallet holds {dollars(credit)} and the plan buys for {dollars(estimate_microusd)}: "
            "top up, or ask for less (--only)"
        )


def _dearer(bought: Iterable[Priced], terms: Terms) -> Iterator[str]:
    for manifest, model, usd_per_s in bought:
        asked = terms.usd_per_s.get(model, usd_per_s)
        if asked > usd_per_s:
            yield (
                f"{manifest}: a second of {model} costs ${asked:f} and the manifest says ${usd_per_s:f}: "
                "correct gateway.price_per_second (or its line in gateway.prices)"
            )


def _cheaper(bought: Iterable[Priced], terms: Terms) -> Iterator[str]:
    for manifest, model, usd_per_s in bought:
        asked = terms.usd_per_s.get(model, usd_per_s)
        if asked < usd_per_s:
            yield (
                f"{manifest}: a second of {model} costs ${asked:f} and the manifest says ${usd_per_s:f}: "
                "estimates are higher than they need be"
            )

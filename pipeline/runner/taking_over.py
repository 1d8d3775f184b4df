"""What a machine that is no more had begun to buy is gone on with: under its key, as its job, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.gateway_choice import is_same_gateway
from pipeline.jobs import FRUITLESS, State
from pipeline.money import dollars
from pipeline.planning.takes import RESEND_WITHIN_S
from pipeline.runner.bodies import asks_for_the_same
from pipeline.runner.events import Notice
from pipeline.runner.results import TakeLost
from pipeline.runner.submitting import new_intent
from pipeline.store.documents import claim_path

if TYPE_CHECKING:
    from pipeline.jobs import Job
    from pipeline.ledger.ledger import Ledger
    from pipeline.runner.claimed import Claimed
    from pipeline.runner.tools import Order, Tools
    from pipeline.store.documents import Claim

_AT_ITS_END: Final = FRUITLESS | {State.EXPIRED}


class BeginAnew(Exception):
    """What somebody had begun has come to nothing, as our own books know."""


async def as_claimed(tools: Tools, order: Order, claimed: Claimed) -> Order:
    """The order as its claim has it: to be asked for in its words, or gone on with where somebody has begun.

    Raises TakeLost where that can't be done here: the claim is then left for whoever can.
    """
    claim, own = claimed.claim, order.job
    if not claimed.mine.taken_over:
        is_news = own is not None and own.job_id is None and claim.job_id is not None
        job = await _taken_over(tools, order, claim) if is_news else own
        return replace(order, job=job, claimed=claimed)
    if own is not None:
        return order  # asked for while the store could not be: what is paid for is gone on with
    key, where = claim.intent.idempotency_key, claim_path(order.key)
    known = await tools.ledger.write(lambda ledger: ledger.job_with(key))
    if known is not None and known.state in _AT_ITS_END:
        await claimed.give_up(fruitless=True)
        raise BeginAnew
    if not _asks_for_the_same(order, claim):
        await claimed.give_up(fruitless=False)
        raise TakeLost(f"{claim.machine} has claimed it in the store, for something else: see to {where}")
    if await is_anothers(tools, order, key, claim.job_id, claim.intent.origin):
        await claimed.give_up(fruitless=False)
        raise TakeLost(f"{claim.machine} has claimed it in the store as another take's job: see to {where}")
    job = await _taken_over(tools, order, claim)
    objection = _objection(tools, order, claim)
    if objection is not None:  # it is on our books from now on, so that plans say so and a word can decide
        await claimed.give_up(fruitless=False)
        raise TakeLost(f"{claim.machine} had begun to buy it, and {objection}")
    tools.observe(Notice(f"{order.name}: goes on with what {claim.machine} had begun"))
    return replace(order, job=job, claimed=claimed)


async def is_anothers(tools: Tools, order: Order, idempotency_key: str, job_id: str | None, origin: str) -> bool:
    """Have these books that key, or that job, for something else? Each is one purchase's, whatever a store says."""

    def look(ledger: Ledger) -> bool:
        by_key = ledger.job_with(idempotency_key)
        by_id = None if job_id is None else ledger.holder(job_id, origin, but=-1 if by_key is None else by_key.row)
        known = (job.key.fingerprint for job in (by_key, by_id) if job is not None)
        return any(fingerprint != order.key.fingerprint for fingerprint in known)

    return await tools.ledger.write(look)


async def _taken_over(tools: Tools, order: Order, claim: Claim) -> Job:
    """On our books, at our price, whatever the claim says of that."""
    estimate = order.estimate_microusd or claim.intent.estimate_microusd
    intent = replace(claim.intent, manifest=order.manifest, track=order.track, estimate_microusd=estimate)
    if order.asked is not None:  # of what its body asks for, which has been compared
        intent = replace(intent, model=order.asked.model, seconds_asked=order.asked.duration_s)
    accepted_at = claim.accepted_at or claim.intended_at
    return await tools.record(
        lambda ledger: ledger.take_over(order.run, intent, claim.intended_at, claim.job_id, accepted_at)
    )


def _objection(tools: Tools, order: Order, claim: Claim) -> str | None:
    """Why what somebody else had begun can't be gone on with here, by its gateway or its age."""
    if not is_same_gateway(claim.intent.origin, order.origin):
        return f"asked {claim.intent.origin}: `--gateway {claim.intent.origin}`, with the key for it, goes on with it"
    if claim.job_id is not None:
        return None
    again = f"nobody knows whether it was made: generating again costs {dollars(order.estimate_microusd)}"
    if tools.clock.now() - claim.intended_at > RESEND_WITHIN_S:
        return f"{again} (--regenerate)"
    if not tools.settings[order.manifest].resend_unknown:
        return f"resend_unknown is false, and {again} (--regenerate)"
    return None


def _asks_for_the_same(order: Order, claim: Claim) -> bool:
    """Whoever can write to the store can't have others buy what their manifest does not ask for."""
    return claim.intent.kind == "real" and asks_for_the_same(claim.intent.body, new_intent(order, None).body)

"""What to do about a take's source: have it, collect it, ask again, buy it, or wait for somebody's word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.gateway_choice import is_same_gateway
from pipeline.jobs import FRUITLESS, OUTSTANDING, PurchaseKey, State
from pipeline.money import dollars
from pipeline.planning.plans import MAY_BE_STORED, Facts, Step, TakePlan, take_price
from pipeline.times import day

if TYPE_CHECKING:
    from pipeline.jobs import Job
    from pipeline.manifest.tracks import GatewaySettings, Manifest, Track
    from pipeline.store.documents import TakeRecord

RESEND_WITHIN_S: Final = 24 * 3600.0  # how long an Idempotency-Key is kept
NEW: Final = "new"
KEPT_AT_GATEWAY_S: Final = 7 * 24 * 3600.0  # how long a result can be fetched


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that takes were bought, whatever the ledger knows of them."""

    needed: int | None = None  # the take that the assets are made of, or are to be
    counted: int = 0  # so many takes the index counts
    named: frozenset[tuple[int, int]] = frozenset()  # (take, regeneration) in a lock

    def covers(self, key: PurchaseKey) -> bool:
        """Was it bought at some time?"""
        return key.take <= self.counted or (key.take, key.regeneration) in self.named


def plan_take(
    track: Track, key: PurchaseKey, manifest: Manifest, facts: Facts, proof: Proof, *, kept: bool
) -> TakePlan:
    """What to do about one take's source. `kept`: every asset of the track stands as it is."""
    job = _latest(key, facts)
    step, why = _step(track, job, manifest, facts)
    if step is not Step.HAVE and _was_here(key, job, proof, manifest.gateway):
        is_spare = kept or key.take != proof.needed
        if is_spare and not (step is Step.COLLECT and not proof.counted):  # nothing stands yet: it may become the pick
            step, why = Step.PROVEN, ""
        elif step is Step.BUY and facts.kind == "real":
            step, why = Step.BLOCKED, missing(track, _pruned_at(job, facts))
    if step in MAY_BE_STORED:
        if key in facts.stored and is_what_is_stored(job, facts.stored[key]):
            return TakePlan(key.take, key, Step.FETCH, job, stored=facts.stored[key])
        if step is Step.BUY and key in facts.spoilt:
            step, why = Step.BLOCKED, f"the team's store: {facts.spoilt[key]}"
    estimate = take_price(track) if step is Step.BUY and facts.kind == "real" else 0
    return TakePlan(key.take, key, step, job, estimate, why)


def is_what_is_stored(job: Job | None, stored: TakeRecord) -> bool:
    """Is there nothing of our own to go on with, or is that the very job that the store has?"""
    if job is None or job.state in FRUITLESS or job.state is State.EXPIRED:
        return True
    return stored.idempotency_key == job.intent.idempotency_key or stored.sha256 == job.source


def is_bought_again(gone: Job, settings: GatewaySettings) -> bool:
    """Is a job that the real gateway no longer has bought again unasked? Not what was here once."""
    return settings.on_expired == "regenerate" and gone.collected_at is None


def _was_here(key: PurchaseKey, job: Job | None, proof: Proof, settings: GatewaySettings) -> bool:
    """Does `proof` show that this take was bought and fetched once?

    Of the pick, and of what a lock names, it does. An index only counts the others: of those the ledger may know that
    one was never fetched.
    """
    if not proof.covers(key):
        return False
    if job is None or job.state is State.COLLECTED:
        return True
    is_told = key.take == proof.needed or (key.take, key.regeneration) in proof.named
    local = job.intent.kind == "local"
    return job.state is State.EXPIRED and (is_told or local or not is_bought_again(job, settings))


def _latest(key: PurchaseKey, facts: Facts) -> Job | None:
    jobs = [job for job in facts.jobs.get(key.fingerprint, ()) if job.key == key]
    return jobs[-1] if jobs else None


def _step(track: Track, job: Job | None, manifest: Manifest, facts: Facts) -> tuple[Step, str]:
    """What is to be done about a take that is, or was, `job`, and why."""
    if job is None:
        return Step.BUY, NEW
    if not is_same_gateway(job.intent.origin, facts.origin):
        if facts.kind == "local" and job.state in OUTSTANDING:
            return Step.BUY, "another local gateway had it"
        if facts.kind == "real" and (job.state in OUTSTANDING or _is_to_be_fetched_again(job, facts)):
            return Step.BLOCKED, _elsewhere(job)
    return _step_by_state(track, job, manifest, facts)


def _step_by_state(track: Track, job: Job, manifest: Manifest, facts: Facts) -> tuple[Step, str]:  # noqa: PLR0911 - a table
    local = facts.kind == "local"
    match job.state:
        case State.REFUSED | State.FAILED | State.CANCELLED:
            return Step.BUY, f"{job.state} before"
        case State.INTENDED | State.UNKNOWN:
            return _step_when_unknown(job, manifest, facts)
        case State.ACCEPTED | State.COMPLETED:
            return Step.COLLECT, "submitted before"
        case State.COLLECTED if job.source in facts.held:
            return Step.HAVE, ""
        case State.COLLECTED if facts.now - (job.ended_at or 0.0) < KEPT_AT_GATEWAY_S:
            return Step.COLLECT, "its source is missing; the gateway still has it"
        case _ if local:
            return Step.BUY, "its source is gone"
        case State.EXPIRED if job.collected_at is None:
            return _step_when_expired(track, job, manifest)
        case _:
            return Step.BLOCKED, missing(track, _pruned_at(job, facts))


def _is_to_be_fetched_again(job: Job, facts: Facts) -> bool:
    """Is its source gone from here, and still at the gateway?"""
    gone = job.state is State.COLLECTED and job.source not in facts.held
    return gone and facts.now - (job.ended_at or 0.0) < KEPT_AT_GATEWAY_S


def _elsewhere(job: Job) -> str:
    """The key is for the gateway that is asked now, and goes to no other."""
    where = job.intent.origin
    return f"asked of {where}: `--gateway {where}`, with the key for it, goes on with it; --regenerate buys it here"


def _step_when_unknown(job: Job, manifest: Manifest, facts: Facts) -> tuple[Step, str]:
    again = f"generating again costs {dollars(job.intent.estimate_microusd)} (--regenerate)"
    if facts.kind == "real" and not manifest.gateway.resend_unknown:
        return Step.BLOCKED, f"unknown whether it was made, and resend_unknown is false: {again}"
    if facts.now - job.intended_at > RESEND_WITHIN_S:
        if facts.kind == "local":
            return Step.BUY, "its answer was lost"
        return Step.BLOCKED, f"unknown whether it was made, and too old to ask: {again}"
    return Step.RESEND, "its answer was lost"


def _step_when_expired(track: Track, job: Job, manifest: Manifest) -> tuple[Step, str]:
    why = f"expired at the gateway before it was fetched, at {dollars(job.commitment.total)}"
    if is_bought_again(job, manifest.gateway):
        return Step.BUY, why
    return Step.BLOCKED, f"{why}: {_again(track)}"


def missing(track: Track, pruned_at: float | None = None) -> str:
    """Why a track whose source is gone, perhaps since somebody pruned it then, waits for somebody's word."""
    when = "" if pruned_at is None else f" (pruned on {day(pruned_at)})"
    return f"source missing{when}: {_again(track)}"


def _pruned_at(job: Job | None, facts: Facts) -> float | None:
    return None if job is None else facts.pruned.get(job.source or "")


def _again(track: Track) -> str:
    return f"generating again costs {dollars(take_price(track) * track.takes)} (--regenerate)"

"""What there is to get: an order for each take that is to come, each purchase once, in the order of its turn."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.planning.plans import TO_COME, Action, Step, TakePlan
from pipeline.runner.tools import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import anyio

    from pipeline.jobs import Job, Kind
    from pipeline.planning.plans import ManifestPlan, TrackPlan
    from pipeline.runner.account import Account


@dataclass(frozen=True)
class ManifestWork:
    """One manifest's share of a run."""

    plan: ManifestPlan
    run: int
    account: Account
    slots: anyio.Semaphore  # a job holds one from its submit to its end


def order_of(work: ManifestWork, track: TrackPlan, take: TakePlan, kind: Kind, origin: str) -> Order:
    """To get `take` of `track`, at the gateway that the run is about."""
    resent = take.job is not None and take.step is Step.RESEND
    return Order(
        key=take.key,
        manifest=track.track.manifest,
        track=track.track.name,
        kind=kind,
        origin=origin,
        run=work.run,
        account=work.account,
        estimate_microusd=take.job.intent.estimate_microusd if take.job and resent else take.estimate_microusd,
        asked=track.track,
        job=None if take.step is Step.BUY else take.job,
        stored=take.stored,
    )


def stray_order(work: ManifestWork, job: Job) -> Order:
    """To bring home what was paid for and nothing asks for any more, from where it was bought."""
    intent = job.intent
    return Order(
        intent.key, intent.manifest, intent.track, intent.kind, intent.origin, work.run, work.account, 0, None, job
    )


def stray_plan(job: Job) -> TakePlan:
    """What becomes of such a take."""
    return TakePlan(job.key.take, job.key, Step.COLLECT, job)


def turn(order: Order) -> int:
    """First what a store has and what the gateway is working on, then what it may be working on, then what is new.

    So what an earlier process left there holds its slots before anything new does.
    """
    if order.stored is not None:
        return 0
    if order.job is None:
        return 2
    return 0 if order.job.job_id is not None else 1


def scattered(orders: Iterable[Order], salt: str) -> list[Order]:
    """Orders by their turn, and within it by chance, which `salt` decides; what is finished together stays together."""
    return sorted(orders, key=lambda order: (turn(order), _chance(order, salt)))


def _chance(order: Order, salt: str) -> bytes:
    group = None if order.asked is None else order.asked.finishing.loudness.group
    return hashlib.sha256(f"{salt}\0{group or order.key.fingerprint}".encode()).digest()


def to_get(track: TrackPlan) -> Iterator[TakePlan]:
    """The takes whose source has to come; of a blocked track only what is already paid for or on its way."""
    steps = (Step.COLLECT,) if track.action is Action.BLOCKED else (*TO_COME, Step.FETCH)
    return (take for take in track.takes if take.step in steps)

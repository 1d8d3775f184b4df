"""One row a purchase: what was asked for once, all that became of it, and whose it is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline.planning.plans import Step
from pipeline.report.amounts import Amounts, amounts_of, cost_of
from pipeline.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.jobs import Job, PurchaseKey
    from pipeline.money import Basis
    from pipeline.output import AssetRow
    from pipeline.planning.plans import TrackPlan
    from pipeline.report.inputs import CostInput, ManifestFacts
    from pipeline.runner.results import TakeResult

UNSENT = "unsent"  # asked for by this run, and never sent
KEPT = "kept"  # in the index, and the ledger knows nothing of it


@dataclass(frozen=True, slots=True)
class Purchase:
    """One take that is paid for once, however many tracks are made of it. Figures that nobody knows are None."""

    key: PurchaseKey
    manifest: str
    track: str  # the first that asked for it
    status: str  # the last job's state, or `unsent`, or `kept`
    model: str | None = None
    seconds_asked: float | None = None
    seconds_got: float | None = None
    cost_microusd: int | None = None
    cost_basis: Basis | None = None
    attempts: int = 0
    job_id: str | None = None
    cost_tag: str | None = None
    tags: tuple[str, ...] = ()
    shared_with: tuple[str, ...] = ()  # the other tracks that are made of it
    placeholder: bool = False
    this_run: bool = False
    error: str | None = None
    date: str | None = None  # of the last that is known of it, ISO 8601, UTC
    bought_by: str | None = None  # who paid for it, where it came from a team's store
    bought_microusd: int | None = None
    run: Amounts = field(default_factory=Amounts)
    to_date: Amounts = field(default_factory=Amounts)


def purchases(given: CostInput) -> tuple[Purchase, ...]:
    """Every purchase that the ledger, the index and this run's results know of, in a stable order."""
    results = {take.plan.key: take for _, take in _takes(given)}
    jobs: defaultdict[PurchaseKey, list[Job]] = defaultdict(list)
    for job in sorted(given.jobs, key=lambda job: job.row):
        jobs[job.key].append(job)
    found = {key: _bought(some, given, results.get(key)) for key, some in jobs.items()}
    for plan, take in _takes(given):
        if take.plan.key not in found and _is_unsent(take):
            found[take.plan.key] = _unsent(plan, take)
    for row in sorted(given.rows, key=lambda row: (row.manifest, row.name, row.path)):
        key = row.purchase
        if key not in found and row.provenance.kind == "generated":
            found[key] = _kept(key, row)
    users = _users(given)
    rows = (_with_neighbours(purchase, given.manifests, users) for purchase in found.values())
    return tuple(sorted(rows, key=lambda row: (row.manifest, row.track, row.key.take, row.key[2], row.key[0])))


def _takes(given: CostInput) -> Iterator[tuple[TrackPlan, TakeResult]]:
    for manifest in given.results:
        for track in manifest.tracks:
            yield from ((track.plan, take) for take in track.takes)


def _is_unsent(take: TakeResult) -> bool:
    return take.plan.step is Step.BUY and take.job is None and (take.unsent or take.error is not None)


def _bought(jobs: Sequence[Job], given: CostInput, result: TakeResult | None) -> Purchase:
    last = jobs[-1]
    of_this_run = [job for job in jobs if job.run in given.runs]
    facts = given.manifests.get(last.intent.manifest) or given.unknown_manifest
    cost, basis = cost_of(jobs)
    return Purchase(
        key=last.key,
        manifest=last.intent.manifest,
        track=last.intent.track,
        status=last.state.value,
        model=last.intent.model,
        seconds_asked=last.intent.seconds_asked,
        seconds_got=last.seconds_got,
        cost_microusd=cost,
        cost_basis=basis,
        attempts=sum(job.sends for job in jobs),
        job_id=last.job_id,
        cost_tag=last.intent.cost_tag,
        placeholder=last.intent.kind == "local",
        this_run=bool(of_this_run),
        error=(result.error if result is not None else None) or last.error,
        date=timestamp(last.collected_at or last.ended_at or last.accepted_at or last.sent_at),
        bought_by=last.bought_by,
        bought_microusd=last.bought_microusd,
        run=amounts_of(of_this_run, facts.topup_fee),
        to_date=amounts_of(jobs, facts.topup_fee),
    )


def _unsent(plan: TrackPlan, take: TakeResult) -> Purchase:
    track = plan.track
    return Purchase(
        key=take.plan.key,
        manifest=track.manifest,
        track=track.name,
        status=UNSENT,
        model=track.model,
        seconds_asked=track.duration_s,
        placeholder=plan.placeholder,
        this_run=True,
        error=take.error,
        run=Amounts(estimated=take.plan.estimate_microusd),
    )


def _kept(key: PurchaseKey, row: AssetRow) -> Purchase:
    origin = row.provenance
    return Purchase(
        key=key,
        manifest=row.manifest,
        track=row.name,
        status=KEPT,
        model=_text(origin.model),
        job_id=_text(origin.job_id),
        placeholder=bool(row.placeholder),
        date=_text(origin.date),
    )


def _text(value: object) -> str | None:
    """The index is a file that anybody may have edited."""
    return value if isinstance(value, str) and value else None


def _users(given: CostInput) -> Mapping[str, set[tuple[str, str]]]:
    """Paid fingerprint -> the tracks that are made of it, as (manifest, name)."""
    users: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in given.rows:
        users[row.paid_fingerprint].add((row.manifest, row.name))
    for plan, take in _takes(given):
        users[take.plan.key.fingerprint].add((plan.track.manifest, plan.track.name))
    return users


def _with_neighbours(
    purchase: Purchase, manifests: Mapping[str, ManifestFacts], users: Mapping[str, set[tuple[str, str]]]
) -> Purchase:
    facts = manifests.get(purchase.manifest)
    tags = () if facts is None else facts.tags.get(purchase.track, ())
    others = sorted(users.get(purchase.key.fingerprint, set()) - {(purchase.manifest, purchase.track)})
    shared = (name if manifest == purchase.manifest else f"{manifest}: {name}" for manifest, name in others)
    return replace(purchase, tags=tags, shared_with=tuple(shared))

"""The cost report: every purchase, and what they sum up to in this run and to date."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.jobs import PurchaseKey, State
from pipeline.report.amounts import Amounts, Counts, Totals, total
from pipeline.report.failures import Failure, failures
from pipeline.report.purchases import Purchase, purchases
from pipeline.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from pipeline.report.inputs import CostInput
    from pipeline.runner.results import TrackResult


@dataclass(frozen=True, slots=True)
class Group:
    """Sums of what has `word` in common; None: what has no such word."""

    word: str | None
    run: Amounts
    to_date: Amounts


@dataclass(frozen=True, slots=True)
class ManifestCosts:
    """One manifest's share."""

    name: str
    given: bool  # False: it is only in the index or the ledger, and its fee is taken to be the usual one
    topup_fee: Decimal
    budget_microusd: int | None
    run: Totals
    to_date: Totals
    by_track: tuple[Group, ...]
    by_tag: tuple[Group, ...]  # a take with two tags is in both
    by_model: tuple[Group, ...]

    @property
    def budget_left_microusd(self) -> int | None:
        return None if self.budget_microusd is None else self.budget_microusd - self.run.amounts.committed


@dataclass(frozen=True, slots=True)
class TwinTakes:
    """Two takes of a track that are nearly the same: what the second one cost was for nothing."""

    manifest: str
    track: str
    sentence: str


@dataclass(frozen=True, slots=True)
class CostReport:
    """All that the report's files say."""

    generated_at: str  # ISO 8601, UTC
    since: str | None  # what `to_date` begins with; None: there is no ledger
    run: Totals
    to_date: Totals
    manifests: tuple[ManifestCosts, ...]
    by_tag: tuple[Group, ...]
    by_model: tuple[Group, ...]
    takes: tuple[Purchase, ...]
    failures: tuple[Failure, ...]
    twins: tuple[TwinTakes, ...] = ()
    cap_microusd: int | None = None

    @property
    def budget_microusd(self) -> int | None:
        """The budget over all: the cap, else the sum where each given manifest has one."""
        if self.cap_microusd is not None:
            return self.cap_microusd
        budgets = [one.budget_microusd for one in self.manifests if one.given]
        known = [budget for budget in budgets if budget is not None]
        return sum(known) if known and len(known) == len(budgets) else None


def cost_report(given: CostInput) -> CostReport:
    """The report of what `given` holds. Equal input gives an equal report."""
    takes = purchases(given)
    counted = _run_counts(given, takes)
    saved = _saved(given, counted)
    manifests = tuple(_manifest(name, given, takes, counted, saved) for name in _names(given, takes))
    return CostReport(
        generated_at=timestamp(given.generated_at),
        since=None if given.ledger_since is None else timestamp(given.ledger_since),
        run=_sum((one.run for one in manifests), given.seconds),
        to_date=_sum((one.to_date for one in manifests), None),
        manifests=manifests,
        by_tag=_groups(takes, _tags),
        by_model=_groups(takes, _model),
        takes=takes,
        failures=failures(given, takes),
        twins=tuple(_twins(given)),
        cap_microusd=given.cap_microusd,
    )


def _twins(given: CostInput) -> Iterator[TwinTakes]:
    """Of each track once, however many files it has."""
    found = {
        TwinTakes(row.manifest, row.name, str(warning.get("message", "")))
        for row in given.rows
        for warning in row.warnings
        if warning.get("code") == "twin"
    }
    yield from sorted(found, key=lambda twins: (twins.manifest, twins.track, twins.sentence))


def _names(given: CostInput, takes: Iterable[Purchase]) -> list[str]:
    return sorted({*given.manifests, *(row.manifest for row in given.rows), *(take.manifest for take in takes)})


def _sum(totals: Iterable[Totals], seconds: float | None) -> Totals:
    every = list(totals)
    savings = [one.saved for one in every if one.saved is not None]
    return Totals(
        counts=sum((one.counts for one in every), Counts()),
        amounts=total(one.amounts for one in every),
        saved=sum(savings) if len(savings) == len(every) else None,
        seconds=seconds,
    )


def _manifest(
    name: str,
    given: CostInput,
    takes: Sequence[Purchase],
    counted: Mapping[str, Counts],
    saved: Mapping[str, int | None],
) -> ManifestCosts:
    own = [take for take in takes if take.manifest == name]
    facts = given.manifests.get(name, given.unknown_manifest)
    return ManifestCosts(
        name=name,
        given=name in given.manifests,
        topup_fee=facts.topup_fee,
        budget_microusd=facts.budget_microusd,
        run=Totals(counted.get(name, Counts()), total(take.run for take in own), saved.get(name, 0)),
        to_date=Totals(_counts_to_date(own), total(take.to_date for take in own), None),
        by_track=_groups(own, lambda take: (take.track,)),
        by_tag=_groups(own, _tags),
        by_model=_groups(own, _model),
    )


def _groups(takes: Iterable[Purchase], words: Callable[[Purchase], Sequence[str | None]]) -> tuple[Group, ...]:
    """Sums by word, in the words' order, what has none last."""
    members: defaultdict[str | None, list[Purchase]] = defaultdict(list)
    for take in takes:
        for word in dict.fromkeys(words(take)):
            members[word].append(take)
    return tuple(
        Group(word, total(take.run for take in members[word]), total(take.to_date for take in members[word]))
        for word in sorted(members, key=lambda word: (word is None, word or ""))
    )


def _tags(take: Purchase) -> Sequence[str | None]:
    return take.tags or (None,)


def _model(take: Purchase) -> Sequence[str | None]:
    return (take.model,)


# --- how many tracks became what, and what keeping saved ------------------------------------------------------------


def _run_counts(given: CostInput, takes: Sequence[Purchase]) -> dict[str, Counts]:
    """By manifest: from the run's results; else what the ledger tells, which is less."""
    if not given.results:
        return {
            name: _counts_from_ledger([take for take in takes if take.manifest == name]) for name in given.manifests
        }
    bought = _bought_in_run(given)
    counts = {}
    for result in given.results:
        statuses = Counter(_status(track, bought) for track in result.tracks)
        words = ("generated", "finished", "kept", "failed", "skipped")
        counts[result.plan.manifest.name] = Counts(*(statuses[word] for word in words))
    return counts


def _bought_in_run(given: CostInput) -> frozenset[PurchaseKey]:
    own = (job for job in given.jobs if job.run in given.runs and job.bought_by is None)
    return frozenset(job.key for job in own if job.state is State.COLLECTED)


def _status(track: TrackResult, bought: Collection[PurchaseKey]) -> str:
    """What became of a track in its run: what an earlier process of the run generated, this one finds and keeps."""
    ours = any(take.key in bought for take in track.plan.takes)
    return "generated" if ours and track.status in ("kept", "finished") else track.status


def _counts_from_ledger(own: Sequence[Purchase]) -> Counts:
    of_run = [take for take in own if take.this_run]
    home = [take for take in of_run if take.status == State.COLLECTED]
    generated = {take.track for take in home if take.bought_by is None}
    failed = {take.track for take in of_run} - {take.track for take in home}
    return Counts(len(generated), None, None, len(failed), None)


def _counts_to_date(own: Sequence[Purchase]) -> Counts:
    """Tracks that were generated at some time, and tracks that nothing ever came of."""
    home = [take for take in own if take.status == State.COLLECTED]
    generated = {take.track for take in home if take.bought_by is None}
    failed = {take.track for take in own if take.attempts} - {take.track for take in home}
    return Counts(len(generated), None, None, len(failed), None)


def _saved(given: CostInput, counted: Mapping[str, Counts]) -> dict[str, int | None]:
    """By manifest: what the takes of the tracks that were kept would cost anew, a shared purchase once."""
    if not given.results:
        return dict.fromkeys(counted)
    bought = _bought_in_run(given)
    seen: set[str] = set()
    saved: dict[str, int | None] = {}
    for result in given.results:
        kept = [
            track.plan for track in result.tracks if _status(track, bought) == "kept" and not track.plan.placeholder
        ]
        kept.sort(key=lambda plan: -plan.list_price_microusd)  # of tracks that share, the one with most takes
        amount = 0
        for plan in kept:
            amount += 0 if plan.paid_fingerprint in seen else plan.list_price_microusd
            seen.add(plan.paid_fingerprint)
        saved[result.plan.manifest.name] = amount
    return saved

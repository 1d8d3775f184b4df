"""What may be removed: orphans' files, and sources that nothing names. Pure.

Where it is not sure that something is of no use, it stays: what a row does not describe, what is not what its row says,
what another manifest may need, what an open run has fetched, and for a while whatever was paid for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pipeline.jobs import FRUITLESS, State
from pipeline.manifest.names import folded
from pipeline.planning.renames import prints_of
from pipeline.times import day, moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.jobs import Job
    from pipeline.ledger.records import Source
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.output import AssetRow

    Rows = Mapping[tuple[str, str], AssetRow]  # (manifest, path) -> row

KEPT_FOR_S: Final = 30 * 24 * 3600.0  # what was paid for, from when it was collected


class Lies(StrEnum):
    """What stands at a row's path."""

    WHOLE = "whole"  # just what the row says
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class PruneFacts:
    """What is decided from: folders, ledger and locks as they stand at one moment."""

    manifests: tuple[Manifest, ...]
    now: float
    at_once: bool = False  # also what was paid for within the last 30 days
    rows: Rows = field(default_factory=dict)  # of every manifest
    intact: frozenset[tuple[str, str]] = frozenset()  # of the rows of what orphans were made of: those that stand whole
    lies: Mapping[tuple[str, str], Lies] = field(default_factory=dict)  # of orphans
    sidecars: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)  # of orphans: their paths
    recordings: Mapping[Path, str] = field(default_factory=dict)  # file -> SHA-256
    jobs: Sequence[Job] = ()
    open_runs: frozenset[int] = frozenset()
    sources: Mapping[str, Source] = field(default_factory=dict)
    here: frozenset[str] = frozenset()  # the sources whose files are there
    damaged: frozenset[str] = frozenset()  # of them, those that are not what was recorded
    locked: frozenset[str] = frozenset()  # the sources that lock files name

    @property
    def names(self) -> frozenset[str]:
        """The given manifests' names."""
        return frozenset(manifest.name for manifest in self.manifests)


@dataclass(frozen=True, slots=True)
class OrphanFate:
    """What becomes of an orphan and of what engines keep beside it; `why` it stays, where it does."""

    row: AssetRow
    lies: Lies
    sidecars: tuple[str, ...] = ()
    why: str = ""

    @property
    def goes(self) -> bool:
        return not self.why

    @property
    def size(self) -> int:
        """The bytes that its file takes."""
        return self.row.size if self.lies is Lies.WHOLE else 0


@dataclass(frozen=True, slots=True)
class SourceFate:
    """What becomes of a source that nothing names; `why` it stays, where it does."""

    source: Source
    job: Job  # the last that it was fetched for
    why: str = ""

    @property
    def goes(self) -> bool:
        return not self.why


@dataclass(frozen=True, slots=True)
class Pruning:
    """All that a prune would do. `elsewhere`: sources that nothing given names, by the manifest that they are of."""

    orphans: tuple[OrphanFate, ...] = ()
    sources: tuple[SourceFate, ...] = ()
    elsewhere: Mapping[str, int] = field(default_factory=dict)

    @property
    def going(self) -> tuple[tuple[OrphanFate, ...], tuple[SourceFate, ...]]:
        """The orphans and the sources that go."""
        return tuple(one for one in self.orphans if one.goes), tuple(one for one in self.sources if one.goes)

    @property
    def size(self) -> int:
        """The bytes that become free, but for sidecars."""
        orphans, sources = self.going
        return sum(one.size for one in orphans) + sum(one.source.size for one in sources)


def prune_of(facts: PruneFacts) -> Pruning:
    """What may go, and what stays though nothing names it."""
    orphans = tuple(_orphan_fates(facts))
    gone = {(one.row.manifest, one.row.path) for one in orphans if one.goes}
    rows = {at: row for at, row in facts.rows.items() if at not in gone}
    sources, elsewhere = _source_fates(facts, rows)
    return Pruning(orphans, tuple(sources), elsewhere)


def orphan_rows(manifests: Iterable[Manifest], rows: Rows) -> list[AssetRow]:
    """The rows of these manifests that none of their tracks makes any more."""
    claimed = {(track.manifest, path) for one in manifests for track in one.tracks for path in track.asset_paths}
    names = {manifest.name for manifest in manifests}
    found = [row for at, row in rows.items() if at[0] in names and at not in claimed]
    return sorted(found, key=lambda row: (row.manifest, row.path))


# --- orphans --------------------------------------------------------------------------------------------------------


def _orphan_fates(facts: PruneFacts) -> Iterator[OrphanFate]:
    orphans = orphan_rows(facts.manifests, facts.rows)
    if not orphans:
        return
    own = {(row.manifest, row.path) for row in orphans}
    others = {folded(row.path) for at, row in facts.rows.items() if at not in own}
    seekers = _seekers(facts, {row.paid_fingerprint for row in orphans})
    fetched = {job.key: job.source for job in facts.jobs if job.state is State.COLLECTED}
    for row in orphans:
        at = (row.manifest, row.path)
        has_source = fetched.get(row.purchase) in facts.here - facts.damaged
        why = _why_it_stays(row, facts, others, seekers, has_source=has_source)
        yield OrphanFate(row, facts.lies.get(at, Lies.GONE), facts.sidecars.get(at, ()), why)


def _why_it_stays(
    row: AssetRow, facts: PruneFacts, others: Collection[str], seekers: Mapping[str, str], *, has_source: bool
) -> str:
    lies = facts.lies.get((row.manifest, row.path), Lies.GONE)
    seeker = seekers.get(row.paid_fingerprint)
    if lies is Lies.CHANGED:
        return "changed since it was made: remove it by hand"
    if folded(row.path) in others:
        return "another row of the index names it too"
    if seeker is not None:
        return f"{seeker} asks for what it was made of: run first"
    is_only_copy = row.provenance.kind == "generated" and not row.placeholder and not has_source
    if lies is Lies.WHOLE and is_only_copy:
        made_at = moment(row.provenance.date)
        return _while_it_is_new(facts.now if made_at is None else made_at, facts, "its source is not here; ")
    return ""


def _seekers(facts: PruneFacts, of_orphans: Collection[str]) -> dict[str, str]:
    """Paid fingerprint -> a track that asks for it and has no asset of it: a run may move an orphan there."""
    found: dict[str, str] = {}
    for track in _tracks(facts):
        wanted = [one for one in prints_of(track, facts.recordings) if one in of_orphans]
        standing = (facts.rows[at] for at in _places(track) if at in facts.intact)
        if wanted and not any(row.paid_fingerprint in wanted for row in standing):
            found |= dict.fromkeys(wanted, track.name)
    return found


def _places(track: Track) -> Iterator[tuple[str, str]]:
    return ((track.manifest, path) for path in track.asset_paths)


def _while_it_is_new(since: float, facts: PruneFacts, remark: str = "") -> str:
    """Why what was paid for stays; nothing where it is old enough, or is to go at once."""
    if facts.at_once or facts.now - since >= KEPT_FOR_S:
        return ""
    return f"{remark}paid for: kept until {day(since + KEPT_FOR_S)}, or --now"


# --- sources --------------------------------------------------------------------------------------------------------


def _source_fates(facts: PruneFacts, rows: Rows) -> tuple[list[SourceFate], dict[str, int]]:
    """Those that nothing names: of the given manifests each with its fate, of others only how many there are."""
    fetched: defaultdict[str, list[Job]] = defaultdict(list)
    for job in facts.jobs:
        if job.state is State.COLLECTED and job.source in facts.here and job.source in facts.sources:
            fetched[job.source].append(job)
    named = _Named(facts, rows)
    fates: list[SourceFate] = []
    elsewhere: Counter[str] = Counter()
    for sha256, jobs in fetched.items():
        if sha256 in facts.locked or any(job.run in facts.open_runs or named.names(job) for job in jobs):
            continue
        others = {job.intent.manifest for job in jobs} - facts.names
        if others:
            elsewhere.update([min(others)])
            continue
        fates.append(SourceFate(facts.sources[sha256], jobs[-1], _why_kept(sha256, jobs, facts)))
    return sorted(fates, key=lambda one: (one.job.intent.manifest, one.job.intent.track, one.job.row)), dict(elsewhere)


def _why_kept(sha256: str, jobs: Sequence[Job], facts: PruneFacts) -> str:
    if sha256 in facts.damaged:
        return "not what was recorded: remove it by hand"
    paid = [job.collected_at or facts.now for job in jobs if job.intent.kind == "real"]
    return _while_it_is_new(max(paid), facts) if paid else ""


class _Named:
    """What manifests and index name: purchases that a track asks for, or that a row was made of."""

    def __init__(self, facts: PruneFacts, rows: Rows) -> None:
        self._takes = dict(_takes_asked_for(facts, rows))
        self._latest = _latest_regenerations(facts.jobs)
        self._standing = {(row.paid_fingerprint, row.provenance.regeneration) for row in rows.values()}
        # What a manifest that was not given asks for is not known: all that its assets' purchases brought stays.
        self._elsewhere = {row.paid_fingerprint for row in rows.values() if row.manifest not in facts.names}

    def names(self, job: Job) -> bool:
        key = job.key
        is_asked_for = key.take <= self._takes.get(key.fingerprint, 0)
        is_current = key.regeneration == self._latest[key.fingerprint, key.take]
        stands = (key.fingerprint, key.regeneration) in self._standing
        return (is_asked_for and is_current) or stands or key.fingerprint in self._elsewhere


def _takes_asked_for(facts: PruneFacts, rows: Rows) -> Iterator[tuple[str, int]]:
    """(paid fingerprint, takes) of what a track asks for; of a placeholder's only where no real asset stands."""
    most: defaultdict[str, int] = defaultdict(int)
    for track in _tracks(facts):
        if track.prompt is None:
            continue
        real, local = prints_of(track, {})
        own = (rows.get((track.manifest, path)) for path in track.asset_paths)
        stands = any(row is not None and row.paid_fingerprint == real for row in own)
        for one in (real,) if stands else (real, local):
            most[one] = max(most[one], track.takes)
    yield from most.items()


def _latest_regenerations(jobs: Iterable[Job]) -> dict[tuple[str, int], int]:
    latest: defaultdict[tuple[str, int], int] = defaultdict(int)
    for job in jobs:
        if job.state not in FRUITLESS:
            at = (job.key.fingerprint, job.key.take)
            latest[at] = max(latest[at], job.key.regeneration)
    return dict(latest)


def _tracks(facts: PruneFacts) -> Iterator[Track]:
    return (track for manifest in facts.manifests for track in manifest.tracks)

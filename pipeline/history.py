"""The history of a track: everything that was generated for it, and which take was its pick when.

Read from the ledger, the lock and the index, whatever of them is there: none of them is needed.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.fingerprints import judging_fingerprint, paid_fingerprint
from pipeline.jobs import FRUITLESS, State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read, readable_errors
from pipeline.money import Basis
from pipeline.output import rows_by_path
from pipeline.picks.numbering import as_locked
from pipeline.picks.pinning import pick_by_run
from pipeline.picks.values import Version
from pipeline.sources import take_path
from pipeline.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.jobs import Job, Kind
    from pipeline.ledger.records import Source
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.output import AssetRow
    from pipeline.picks.values import LockedTake, LockedTrack, Mark, Pick
    from pipeline.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of a take. What nobody knows is None."""

    fingerprint: str  # the paid one
    version: Version
    is_current: bool  # of what the manifest asks for now
    placeholder: bool
    status: str = State.COLLECTED.value
    date: str | None = None  # when its source came, ISO 8601, UTC
    seconds: float | None = None
    cost_microusd: int | None = None
    cost_basis: str | None = None
    job_id: str | None = None
    source: str | None = None  # SHA-256
    source_format: str = "wav"
    kept: bool = False  # its source is here
    unfit: str | None = None  # the gate that it failed
    prompt: str | None = None
    is_pick: bool = False
    mark: Mark | None = None  # what somebody thought of it

    @property
    def starred(self) -> bool:
        return self.mark is not None and self.mark.starred

    @property
    def note(self) -> str:
        return "" if self.mark is None else self.mark.note


@dataclass(frozen=True, slots=True)
class History:
    """What there is to tell of a track. `kind`: of its takes that count, real ones where there are any."""

    manifest: Manifest
    track: Track
    kind: Kind
    generations: tuple[Generation, ...]
    picks: tuple[Pick, ...]
    entry: LockedTrack  # what the lock says
    stands: AssetRow | None = None  # a row of what stands
    beside: tuple[Path, ...] = ()  # the takes beside the pick, as they were finished to be heard

    @property
    def fingerprint(self) -> str:
        return paid_fingerprint(self.track, self.kind)

    @property
    def current(self) -> tuple[Generation, ...]:
        """Of what the manifest asks for now: what can be picked."""
        return tuple(one for one in self.generations if one.is_current and one.status == State.COLLECTED)

    @property
    def pick(self) -> Version | None:
        """The version that is the pick: the one that stands, or that is to stand once a run has finished it."""
        chosen = self.entry.pick_of(self.fingerprint)
        if chosen is not None and chosen.chosen:
            return chosen.version
        return self.stands.provenance.version if self.stands is not None else None if chosen is None else chosen.version


def history_of(workspace: Workspace, manifest: Manifest, track: Track) -> History:
    """The history of a track that is generated. Raises LedgerError, LockMistake and FolderError."""
    entry = workspace.locks.of(manifest).read().track(track.name)
    remembered, jobs, sources = _from_ledger(workspace, manifest, track)
    jobs = as_locked(jobs, {fingerprint: one.takes for fingerprint, one in entry.purchases.items()})
    rows = rows_by_path(workspace.output.read_index(), remembered)
    own = [row for path in track.asset_paths if (row := rows.get((manifest.name, path))) is not None]
    prints: dict[Kind, str] = {kind: paid_fingerprint(track, kind) for kind in ("real", "local")}
    kind: Kind = "real" if _has_real(prints["real"], entry, jobs, own) else "local"
    stands = next((row for row in own if row.paid_fingerprint == prints[kind]), None)
    found = {one.fingerprint + str(one.version): one for one in _from_lock(entry)}
    for one in _from_jobs(jobs, sources, workspace):
        before = found.get(one.fingerprint + str(one.version))
        found[one.fingerprint + str(one.version)] = replace(one, unfit=None if before is None else before.unfit)
    wanted = [one for one in found.values() if one.placeholder == (kind == "local")]
    judged, marks = _judged(track, own), _marks(entry, wanted)
    told = History(manifest, track, kind, (), _picks(entry, prints[kind], stands), entry, stands)
    generations = tuple(
        replace(
            one,
            is_current=one.fingerprint == prints[kind],
            is_pick=one.fingerprint == prints[kind] and one.version == told.pick,
            unfit=judged.get((one.fingerprint, one.version), one.unfit),
            mark=marks.get((one.fingerprint, one.version)),
        )
        for one in sorted(wanted, key=lambda one: (one.fingerprint != prints[kind], one.fingerprint, one.version))
    )
    return replace(told, generations=generations, beside=tuple(_beside(workspace, track, generations)))


def _marks(entry: LockedTrack, generations: Iterable[Generation]) -> dict[tuple[str, Version], Mark]:
    """(paid fingerprint, version) -> the mark on its sound; of several takes that are one sound, each its own."""
    alike: defaultdict[tuple[str, str | None], list[Version]] = defaultdict(list)
    for one in generations:
        alike[one.fingerprint, one.source].append(one.version)
    found: dict[tuple[str, Version], Mark] = {}
    for mark in entry.marks:
        versions = alike.get((mark.fingerprint, mark.source), [])
        version = mark.version if mark.version in versions else min(versions, default=mark.version)
        found[mark.fingerprint, version] = mark
    return found


def _beside(workspace: Workspace, track: Track, generations: Iterable[Generation]) -> Iterator[Path]:
    pick = next((one.version.take for one in generations if one.is_pick), None)
    for take in dict.fromkeys(one.version.take for one in generations if one.is_current):
        paths = (workspace.state.path(take_path(track, take, output)) for output in track.outputs)
        yield from (_as_seen(path) for path in paths if take != pick and path.is_file())


def _as_seen(path: Path) -> Path:
    """From the working folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _picks(entry: LockedTrack, fingerprint: str, stands: AssetRow | None) -> tuple[Pick, ...]:
    """Those in the lock, and the one that stands where nobody has written that down: of a placeholder, say."""
    if stands is None or entry.pick_of(fingerprint) is not None:
        return entry.picks
    return (*entry.picks, pick_by_run(stands, placeholder=stands.placeholder))


def _from_ledger(
    workspace: Workspace, manifest: Manifest, track: Track
) -> tuple[Sequence[Mapping[str, object]], list[Job], dict[str, Source]]:
    """The rows that it remembers, every job under the track's words or its name, and the sources of those."""
    connection = connect_to_read(workspace.ledger_path)
    if connection is None:
        return (), [], {}
    with closing(connection), readable_errors(workspace.ledger_path):
        ledger = Ledger(connection)
        asked = ledger.jobs_for([paid_fingerprint(track, "real"), paid_fingerprint(track, "local")])
        jobs = {job.row: job for job in (*asked, *ledger.jobs_of_track(manifest.name, track.name))}
        sources = ledger.sources(job.source for job in jobs.values() if job.source is not None)
        return ledger.asset_rows(), [jobs[row] for row in sorted(jobs)], sources


def _has_real(fingerprint: str, entry: LockedTrack, jobs: Iterable[Job], rows: Iterable[AssetRow]) -> bool:
    """Was the real thing ever bought for what the track asks for now?"""
    came = any(job.key.fingerprint == fingerprint and job.collected_at is not None for job in jobs)
    return came or bool(entry.takes_of(fingerprint)) or any(row.paid_fingerprint == fingerprint for row in rows)


def _from_lock(entry: LockedTrack) -> Iterator[Generation]:
    for fingerprint, purchase in entry.purchases.items():
        for take in purchase.takes:
            yield _locked(fingerprint, take, purchase.asked.prompt, purchase.asked.source_format)


def _locked(fingerprint: str, take: LockedTake, prompt: str, source_format: str) -> Generation:
    return Generation(
        fingerprint,
        take.version,
        is_current=False,
        placeholder=False,
        date=take.date or None,
        seconds=take.seconds,
        cost_microusd=take.cost_microusd,
        cost_basis=take.cost_basis,
        job_id=take.job_id,
        source=take.source,
        source_format=source_format,
        unfit=take.unfit,
        prompt=prompt,
    )


def _from_jobs(jobs: Iterable[Job], sources: Mapping[str, Source], workspace: Workspace) -> Iterator[Generation]:
    """Each purchase's last job; of those that brought nothing there is nothing to tell."""
    latest = {job.key: job for job in jobs if job.state not in FRUITLESS}
    for key, job in latest.items():
        came = job.collected_at is not None
        source = sources.get(job.source or "")
        yield Generation(
            key.fingerprint,
            Version(key.take, key.regeneration),
            is_current=False,
            placeholder=job.intent.kind == "local",
            status=State.COLLECTED.value if came else job.state.value,
            date=None if job.collected_at is None else timestamp(job.collected_at),
            seconds=job.seconds_got,
            cost_microusd=_cost(job),
            cost_basis=job.cost_basis.value if job.cost_basis is not None else Basis.ESTIMATED.value,
            job_id=job.job_id,
            source=job.source,
            source_format=job.intent.source_format,
            kept=source is not None and workspace.sources.holds(source.sha256, source.format, source.size),
            prompt=job.intent.prompt,
        )


def _cost(job: Job) -> int | None:
    """What it cost, whoever of a team has paid for it."""
    if job.bought_by is not None:
        return job.bought_microusd
    return job.intent.estimate_microusd if job.collected_at is None else job.cost_microusd


def _judged(track: Track, rows: Iterable[AssetRow]) -> dict[tuple[str, Version], str]:
    """What the index says of takes that failed a gate, as it is set now."""
    judging = judging_fingerprint(track)
    return {
        (row.paid_fingerprint, Version(one.take, one.regeneration)): one.why
        for row in rows
        for one in row.unfit
        if one.judging == judging
    }

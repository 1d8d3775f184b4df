"""What a track's entry in the lock is to say, from what is known of its takes and its files. Pure.

The same facts make the same entry, whoever writes it down and when: two clones that saw the same commit the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pipeline.picks.numbering import version_among
from pipeline.picks.values import Asked, LockedAsset, LockedPurchase, LockedTake, LockedTrack, Pick, Version
from pipeline.planning.plans import Action
from pipeline.times import moment, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.jobs import Job
    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow
    from pipeline.picks.values import Lock
    from pipeline.planning.plans import ManifestPlan, TrackPlan

_LEFT_ALONE: Final = (Action.KEEP, Action.BLOCKED)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a track stands: what of it came home, and what was delivered."""

    track: Track
    fingerprint: str  # the paid one
    placeholder: bool
    jobs: Sequence[Job] = ()  # of its takes, all regenerations
    rows: Sequence[AssetRow] = ()  # of its assets, where they stand as they should
    judged: Mapping[Version, str | None] = field(default_factory=dict)  # by their gates: why one is unfit, if it is
    choice: Version | None = None  # what somebody chose: nothing but that is its pick, whatever stands meanwhile


def planned(plan: TrackPlan) -> Standing:
    """Where a track stands before anything is done about it."""
    chosen = next((take for take in plan.takes if take.number == plan.choice), None)
    return Standing(
        track=plan.track,
        fingerprint=plan.paid_fingerprint,
        placeholder=plan.placeholder,
        jobs=plan.home,
        rows=plan.rows if all(asset.keep for asset in plan.assets) else (),
        choice=None if chosen is None else chosen.version,
    )


def is_complete(lock: Lock, plan: ManifestPlan) -> bool:
    """Does `lock` say what is known of the tracks that nothing has to be done about, or can be?"""
    if lock.tracks and lock.manifest != plan.manifest.name:
        return False
    entries = ((lock.track(track.track.name), track) for track in plan.tracks if track.action in _LEFT_ALONE)
    return all(pinned(entry, planned(track)) == entry for entry, track in entries)


def pinned(entry: LockedTrack, standing: Standing) -> LockedTrack:
    """`entry` with what `standing` adds to it.

    Of placeholders only what somebody chose or marked is kept, and what took its place since: they were never paid for,
    and need no proof. What was chosen among them, and thought of them, ends when the real thing is there.
    """
    if standing.track.prompt is None:
        return entry
    rows = [row for row in standing.rows if row.paid_fingerprint == standing.fingerprint]
    if standing.placeholder:
        is_chosen = entry.pick_of(standing.fingerprint) is not None
        return replace(entry, picks=_picks(entry, rows, standing)) if is_chosen and rows else entry
    takes = _takes(entry.takes_of(standing.fingerprint), standing)
    if takes:
        purchase = {standing.fingerprint: LockedPurchase(asked_of(standing.track), takes)}
        entry = replace(entry, purchases={**entry.purchases, **purchase})
    if not rows:
        return entry
    assets = {row.path: LockedAsset(row.sha256, row.finishing_fingerprint) for row in rows}
    picks = tuple(pick for pick in _picks(entry, rows, standing) if not pick.placeholder)
    marks = tuple(mark for mark in entry.marks if not mark.placeholder)
    return replace(entry, assets=assets, picks=picks, marks=marks)


def asked_of(track: Track) -> Asked:
    """All of `track` that is paid for."""
    return Asked(
        model=track.model,
        prompt=track.prompt or "",
        lyrics=track.lyrics,
        refine_lyrics=track.refine_lyrics,
        duration=float(track.duration_s),
        source_format=track.source_format,
    )


def _picks(entry: LockedTrack, rows: Sequence[AssetRow], standing: Standing) -> tuple[Pick, ...]:
    """Those that there were, and what stands now where that is another."""
    last = entry.pick_of(standing.fingerprint)
    stands = rows[0].provenance.version
    is_clear = all(row.provenance.version == stands for row in rows)
    if not is_clear or standing.choice not in (None, stands) or (last is not None and last.version == stands):
        return entry.picks
    return (*entry.picks, pick_by_run(rows[0], placeholder=standing.placeholder))


def pick_by_run(row: AssetRow, *, placeholder: bool) -> Pick:
    """The pick that `row` shows to stand, which nobody chose."""
    source = row.provenance
    at = source.date if moment(source.date) is not None else ""
    return Pick(row.paid_fingerprint, *source.version, at, "run", placeholder=placeholder)


def _takes(known: Iterable[LockedTake], standing: Standing) -> tuple[LockedTake, ...]:
    found = {take.version: take for take in known}
    for job in standing.jobs:
        if job.source is None or job.collected_at is None or job.key.fingerprint != standing.fingerprint:
            continue
        version = version_among(tuple(found.values()), job)
        before = found.get(version)
        found[version] = LockedTake(
            *version,
            source=job.source,
            date=timestamp(job.collected_at),
            job_id=job.job_id,
            seconds=None if job.seconds_got is None else round(job.seconds_got, 6),
            cost_microusd=job.cost_microusd if job.bought_by is None else job.bought_microusd,
            cost_basis=None if job.cost_basis is None else job.cost_basis.value,
            unfit=None if before is None else before.unfit,
        )
    judged = (replace(take, unfit=standing.judged.get(take.version, take.unfit)) for take in found.values())
    return tuple(sorted(judged, key=lambda take: take.version))

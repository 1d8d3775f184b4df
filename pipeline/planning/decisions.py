"""Tracks x ledger x output folder -> a plan with its cost. Pure: it reads values, and decides.

The rules are docs/money.md's. In one breath: what the output folder proves is kept; what is paid for is collected,
never bought again; what is unknown is asked for again under its own key; the rest is bought; and what was paid for but
is gone waits for somebody's word (`--regenerate`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.fingerprints import paid_fingerprint, recording_fingerprint
from pipeline.gateway_choice import is_same_gateway
from pipeline.planning.actions import why_finished, with_action
from pipeline.planning.assets import plan_assets, proof_of_purchase, rows_of
from pipeline.planning.groups import groups_of, join_groups
from pipeline.planning.plans import Action, Facts, ManifestPlan, Step, TrackPlan, Wishes
from pipeline.planning.refreshing import refreshed, together
from pipeline.planning.renames import as_moved
from pipeline.planning.takes import Proof, plan_take
from pipeline.planning.wanted import Wanted, wanted_takes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.jobs import Job
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.output import AssetRow
    from pipeline.planning.plans import TakePlan
    from pipeline.planning.renames import Move


def plan_manifest(manifest: Manifest, facts: Facts, wishes: Wishes) -> ManifestPlan:
    """What a run of `manifest` would do."""
    moves = facts.moves.get(manifest.name, ())
    facts = as_moved(facts, manifest.name, moves)
    facts = replace(facts, bought=_bought(facts) if facts.kind == "real" else {})
    alone = [plan_track(track, manifest, facts, wishes) for track in manifest.tracks]
    alone = list(together(alone, manifest, facts)) if wishes.refreshes else alone
    tracks = join_groups(alone, facts.steps, lambda plan: _plan_again(plan, manifest, facts, wishes))
    tracks = _with_moves(tracks, moves) if moves else tracks
    claimed = {path for track in manifest.tracks for path in track.asset_paths}
    orphans = [row for (name, path), row in facts.rows.items() if name == manifest.name and path not in claimed]
    return ManifestPlan(
        manifest,
        tracks,
        orphans=tuple(sorted(orphans, key=lambda row: row.path)) if wishes.meant.all else (),
        strays=() if wishes.free else tuple(_strays(manifest, tracks, facts, wishes)),
        continues_run=manifest.name in facts.open_runs,
        groups=groups_of(tracks, facts.steps),
        unshared=() if wishes.free else tuple(_unshared(manifest, tracks, facts)),
        shard=wishes.meant.shard,
    )


def _bought(facts: Facts) -> dict[str, AssetRow]:
    """Paid fingerprint -> a row that proves that it was bought once, one whose file is whole if there is one."""
    rows = sorted(facts.rows.items(), key=lambda item: item[0] in facts.intact)
    return {row.paid_fingerprint: row for _, row in rows if row.provenance.kind == "generated"}


def _with_moves(plans: Sequence[TrackPlan], moves: Sequence[Move]) -> tuple[TrackPlan, ...]:
    of_tracks: defaultdict[str, list[Move]] = defaultdict(list)
    for move in moves:
        of_tracks[move.new.name].append(move)
    return tuple(replace(plan, moves=tuple(of_tracks[plan.track.name])) for plan in plans)


def plan_track(track: Track, manifest: Manifest, facts: Facts, wishes: Wishes) -> TrackPlan:
    """What a run would do to `track`."""
    if not wishes.meant(track):
        return TrackPlan(track, Action.SKIP, "", rows=rows_of(track, facts))
    return _unless_obstructed(_plan_unobstructed(track, manifest, facts, wishes), facts)


def _plan_unobstructed(
    track: Track, manifest: Manifest, facts: Facts, wishes: Wishes, *, again: bool = False
) -> TrackPlan:
    """`again`: though its assets stand, they are to be finished again."""
    if track.file is not None:
        return _plan_recording(track, facts, again=again)
    if facts.kind == "local" and any(_is_real(row) for row in rows_of(track, facts)):
        return _plan_beside_real(track, manifest, facts, again=again)
    return _plan_generated(track, manifest, facts, wishes, again=again)


def _plan_again(plan: TrackPlan, manifest: Manifest, facts: Facts, wishes: Wishes) -> TrackPlan | None:
    """`plan` with its standing assets finished again from the same source; None where that can't be had or be done.

    Nothing is bought for it.
    """
    if any((plan.track.manifest, path) in facts.obstacles for path in plan.track.asset_paths):
        return None
    again = _plan_unobstructed(plan.track, manifest, facts, wishes, again=True)
    is_free = again.action in (Action.FINISH, Action.GENERATE) and again.pick == plan.pick
    return replace(again, rejoins=True) if is_free else None


def _unless_obstructed(plan: TrackPlan, facts: Facts) -> TrackPlan:
    """Nothing is bought or made for an asset that could not be put where it belongs, or not be made here at all."""
    at = ((plan.track.manifest, asset.path) for asset in plan.assets if not asset.keep)
    why = next((facts.obstacles[one] for one in at if one in facts.obstacles), None)
    if why is None or plan.action not in (Action.GENERATE, Action.FINISH, Action.BLOCKED):
        return plan
    return replace(plan, action=Action.BLOCKED, why=why)


def _plan_recording(track: Track, facts: Facts, *, again: bool) -> TrackPlan:
    assert track.file is not None  # noqa: S101 - the caller's case
    fingerprint = recording_fingerprint(facts.recordings[track.file])
    assets = tuple(plan_assets(track, fingerprint, facts, lambda _: True))
    action = Action.FINISH if again or not all(asset.keep for asset in assets) else Action.KEEP
    return TrackPlan(track, action, fingerprint, (), assets, rows_of(track, facts), why=why_finished(assets))


def _plan_beside_real(track: Track, manifest: Manifest, facts: Facts, *, again: bool) -> TrackPlan:
    """A local run of a track with real assets: kept, or finished again from real sources; never replaced."""
    real = _plan_generated(track, manifest, replace(facts, kind="real"), Wishes(), again=again)
    if real.action in (Action.KEEP, Action.FINISH):
        return real
    unharmed = all((track.manifest, asset.path) in facts.intact for asset in real.assets)
    if unharmed:
        assets = tuple(replace(asset, keep=True) for asset in real.assets)
        return replace(real, action=Action.KEEP, takes=(), assets=assets, why="real; a local run leaves it")
    why = "a real asset is missing and so is its source: restore it, or run with the real gateway"
    return replace(real, action=Action.BLOCKED, takes=(), why=why)


def _plan_generated(track: Track, manifest: Manifest, facts: Facts, wishes: Wishes, *, again: bool) -> TrackPlan:
    fingerprint = paid_fingerprint(track, facts.kind)
    row = proof_of_purchase(track, fingerprint, facts)
    wanted = wanted_takes(track, fingerprint, row, facts, wishes)
    plan = _plan_takes(track, manifest, facts, wanted, row, again=again, free=wishes.free)
    return refreshed(plan, row, manifest, facts) if wishes.refreshes and not again else plan


def _plan_takes(
    track: Track, manifest: Manifest, facts: Facts, wanted: Wanted, row: AssetRow | None, *, again: bool, free: bool
) -> TrackPlan:
    """What to do about the `wanted` takes; `row` shows that the track was bought. `free`: without any gateway."""
    fingerprint = wanted.keys[0].fingerprint
    known = row if row is not None and row.provenance.version in wanted.versions else None
    stands = _stands(wanted)
    assets = tuple(plan_assets(track, fingerprint, facts, stands))
    pick = known.provenance.take if known is not None and stands(known) else None
    kept = pick is not None and all(asset.keep for asset in assets) and not again
    proof = Proof(
        needed=wanted.choice or pick or _locked_pick(track, wanted, facts),
        counted=0 if known is None else known.provenance.takes,
        named=facts.named.get(fingerprint, frozenset()),
    )
    takes = tuple([plan_take(track, key, manifest, facts, proof, kept=kept) for key in wanted.keys])
    if wanted.on_a_word:
        takes = tuple(replace(take, on_a_word=take.number in wanted.on_a_word) for take in takes)
    if free:
        takes = tuple(take for take in takes if take.step in _FREE or take.number == wanted.choice)
    plan = TrackPlan(
        track,
        Action.KEEP,
        fingerprint,
        takes,
        assets,
        rows_of(track, facts),
        pick=_usable_pick(pick, takes, kept=kept),
        placeholder=facts.kind == "local",
        choice=wanted.choice,
        candidates=wanted.candidates,
        home=tuple(_home(track, wanted, facts)),
    )
    return with_action(plan, row, again=again)


def _home(track: Track, wanted: Wanted, facts: Facts) -> Iterator[Job]:
    """The jobs that came home of all takes that are meant, and of those that were ever bought for this track."""
    takes, whose = {key.take for key in wanted.keys}, (track.manifest, track.name)
    for job in facts.jobs.get(wanted.keys[0].fingerprint, ()):
        if job.collected_at is not None and (job.key.take in takes or (job.intent.manifest, job.intent.track) == whose):
            yield job


_FREE: Final = (Step.HAVE, Step.PROVEN)


def _stands(wanted: Wanted) -> Callable[[AssetRow], bool]:
    """Is an asset made of one of the takes that are meant, and of the one that was chosen?"""

    def stands(row: AssetRow) -> bool:
        return row.provenance.version in wanted.versions and wanted.choice in (None, row.provenance.take)

    return stands


def _locked_pick(track: Track, wanted: Wanted, facts: Facts) -> int | None:
    """The pick that the lock names, where it is among the takes that are meant."""
    lock = facts.locks.get(track.manifest)
    pick = None if lock is None else lock.track(track.name).pick_of(wanted.keys[0].fingerprint)
    return pick.take if pick is not None and pick.version in wanted.versions else None


def _usable_pick(pick: int | None, takes: Sequence[TakePlan], *, kept: bool) -> int | None:
    """The pick stays the pick as long as it is kept, or its source can be had."""
    reachable = {take.number for take in takes if take.step in (Step.HAVE, Step.COLLECT, Step.FETCH)}
    return pick if kept or pick in reachable else None


def _is_real(row: AssetRow) -> bool:
    return not row.placeholder and row.provenance.kind == "generated"


def _unshared(manifest: Manifest, tracks: Sequence[TrackPlan], facts: Facts) -> Iterator[Job]:
    """What was paid for on these books, is here, and is not known to be in the manifest's store."""
    shared = facts.shared.get(manifest.name)
    if shared is None or facts.kind != "real":
        return
    seen: set[int] = set()
    for job in (job for track in tracks for job in track.home):
        is_ours = job.source in facts.held and job.bought_by is None and job.intent.kind == "real"
        if is_ours and job.row not in shared and job.row not in seen:
            seen.add(job.row)
            yield job


def _strays(manifest: Manifest, tracks: Sequence[TrackPlan], facts: Facts, wishes: Wishes) -> Iterator[Job]:
    """Jobs of this manifest that still run or wait to be fetched, though nothing in the plan is about them."""
    planned = {take.job.row for track in tracks for take in track.takes if take.job is not None}
    named = {track.name: track for track in manifest.tracks}
    for job in facts.outstanding:
        mine = job.intent.manifest == manifest.name and job.intent.kind == facts.kind
        mine = mine and is_same_gateway(job.intent.origin, facts.origin)
        name = job.intent.track
        if mine and job.row not in planned and wishes.meant.has_jobs_of(name, named.get(name)):
            yield job

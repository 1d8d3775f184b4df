"""Of a large manifest only what has changed is planned, where the last stamp shows that all the rest stands.

The stamp has a digest of each track of a plan with nothing to do. Where nothing else that decided it has changed, a
track with the same digest is kept. What tracks decide about each other (names that are passed on, purchases that are
shared, loudness groups, orphans) is left to the long way: any doubt is, here too.

For a plan that is to be read. A run plans everything.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from pipeline.fingerprints import paid_fingerprint
from pipeline.manifest.tracks import Track
from pipeline.noop.looking import still_holds
from pipeline.planning.plans import Action, TrackPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.audio.settings import Finishing, Output
    from pipeline.manifest.tracks import Manifest
    from pipeline.noop.stamp import Stamp
    from pipeline.noop.taking import Witness
    from pipeline.planning.plans import ManifestPlan
    from pipeline.workspace import Plan, PlanRequest, Workspace

    Row = Mapping[str, Any]

_MOST_CHANGED: Final = 200
#: All that a track is but where it stands in its file, which moves with every line above it.
_VALUES: Final = attrgetter(
    *(item.name for item in fields(Track) if item.name not in ("place", "finishing", "outputs"))
)


class Doubt(Exception):
    """Something is to be decided the long way."""


def digests_of(plan: Plan) -> list[str]:
    """What a stamp keeps of the tracks of a plan with nothing to do; nothing where one was kept for a reason."""
    parts = plan.manifests
    plain = not plan.request.only and not any(part.orphans for part in parts)
    if not plain or any(track.action is not Action.KEEP or track.why for part in parts for track in part.tracks):
        return []
    return [digest for part in parts for digest in _digests(part.manifest)]


def _digests(manifest: Manifest) -> Iterator[str]:
    yield _digest(repr(replace(manifest, tracks=())))
    for track in manifest.tracks:
        yield _digest(f"{_VALUES(track)!r}{_told(track.finishing, track.outputs)}")


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


@lru_cache(maxsize=1000)
def _told(finishing: Finishing, outputs: tuple[Output, ...]) -> str:
    return repr((finishing, outputs))


def plan_of_changes(request: PlanRequest, workspace: Workspace, witness: Witness) -> Plan | None:
    """The plan of `request`, of which only the changed tracks are looked at; None where that can't be, or is no use.

    Of the tracks that stand it says that they are kept, and no more.
    """
    stamp = witness.last
    if stamp is None or not stamp.standing or request.only or request.regenerate or request.new_run:
        return None
    try:
        changed = _changed(request.manifests, set(stamp.standing.split("\n")))
        beside = _without(stamp, witness.manifests)
        if still_holds(beside, str(request.output), str(request.state), witness.taken_ns) is None:
            return None
        index = workspace.output.read_index()
        own = _rows_of(index, request.manifests, changed)
    except (Doubt, TypeError):  # TypeError: of an index that somebody has edited
        return None
    some = replace(
        request,
        manifests=tuple(replace(manifest, tracks=tuple(changed[manifest.name])) for manifest in request.manifests),
    )
    found = workspace.plan_by(some, own, beside=_places(index) - _places(own))
    if found.nothing_to_do:
        return None  # the long way takes a stamp of it
    parts = tuple(
        _with_standing(part, manifest) for part, manifest in zip(found.manifests, request.manifests, strict=True)
    )
    return replace(found, request=request, manifests=parts, index=tuple(index))


def _changed(manifests: Sequence[Manifest], known: set[str]) -> dict[str, list[Track]]:
    """By manifest, the tracks that are not what they were: at least one in all, and never many. Raises Doubt."""
    changed: dict[str, list[Track]] = {}
    tracks = 0
    for manifest in manifests:
        head, *digests = _digests(manifest)
        if head not in known:
            raise Doubt
        pairs = zip(manifest.tracks, digests, strict=True)
        changed[manifest.name] = [track for track, digest in pairs if digest not in known]
        tracks += len(digests)
    number = sum(map(len, changed.values()))
    if not 0 < number <= _MOST_CHANGED or len(known) != tracks + len(manifests):
        raise Doubt
    return changed


def _without(stamp: Stamp, manifests: Sequence[str]) -> Stamp:
    """`stamp` but for the manifests: what they hold now is known already."""
    return stamp.renewed(stamp.taken_ns, stamp.sure.without(manifests), stamp.young.without(manifests))


def _rows_of(index: Sequence[Row], manifests: Sequence[Manifest], changed: Mapping[str, Sequence[Track]]) -> list[Row]:
    """The rows that planning the changed tracks needs: their own, and those of manifests that were not given.

    Raises Doubt where another track's may have a say: it has the same purchase, or the same group, or lost its track.
    """
    tracks: dict[tuple[object, object], Track] = {
        (name, track.name): track for name, some in changed.items() for track in some
    }
    names = {manifest.name: {track.name for track in manifest.tracks} for manifest in manifests}
    own: list[Row] = []
    bought: set[object] = set()
    standing: set[object] = set()
    for row in index:
        owner, name = row.get("manifest"), row.get("name")
        if owner not in names:
            own.append(row)
            standing.add(row.get("paid_fingerprint"))
        elif (owner, name) in tracks:
            _check_own(row, tracks[owner, name])
            own.append(row)
            bought.add((name, row.get("paid_fingerprint")))
        elif name in names[owner]:
            standing.add(row.get("paid_fingerprint"))
        else:
            raise Doubt
    _check_purchases(tracks, bought, standing)
    return own


def _places(rows: Sequence[Row]) -> frozenset[tuple[Any, Any]]:
    return frozenset((row.get("manifest"), row.get("path")) for row in rows)


def _check_own(row: Row, track: Track) -> None:
    if row.get("path") not in track.asset_paths or row.get("group") is not None:
        raise Doubt


def _check_purchases(tracks: Mapping[tuple[object, object], Track], bought: set[Any], standing: set[object]) -> None:
    """Has each changed track something of its own that it was, and nothing in common with any other that it is?"""
    if {name for name, _ in bought} != {name for _, name in tracks} or len(bought) != len(tracks):
        raise Doubt
    prints = [print_ for _, print_ in bought]
    for track in tracks.values():
        if track.finishing.loudness.group is not None or track.file is not None:
            raise Doubt
        before = next(print_ for name, print_ in bought if name == track.name)
        prints += {paid_fingerprint(track, "real"), paid_fingerprint(track, "local")} - {before}
    if len(set(prints)) != len(prints) or not standing.isdisjoint(prints):
        raise Doubt


def _with_standing(part: ManifestPlan, manifest: Manifest) -> ManifestPlan:
    """The whole manifest's plan: the tracks of `part`, and all others kept."""
    planned = {track.track.name: track for track in part.tracks}
    tracks = (planned.get(track.name) or TrackPlan(track, Action.KEEP, "") for track in manifest.tracks)
    return replace(part, manifest=manifest, tracks=tuple(tracks))

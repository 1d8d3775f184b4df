"""Of a large manifest only what has changed is planned, where the last stamp shows that all the rest stands.

The stamp has a digest of each track of a plan with nothing to do. Where nothing else that decided it has changed, a
track with the same digest is kept. What tracks decide about each other (names that are passed on, purchases that are
shared, loudness groups, orphans) is left to the long way: any doubt is, here too.

For a plan that is to be read. A run plans everything.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import fields, replace
from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from pipeline.fingerprints import paid_fingerprint
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read, readable_errors
from pipeline.manifest.tracks import Track
from pipeline.noop.looking import still_holds
from pipeline.planning.plans import Action, TrackPlan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.audio.settings import Finishing, Output
    from pipeline.manifest.tracks import Manifest
    from pipeline.noop.taking import Witness
    from pipeline.plan_request import PlanRequest
    from pipeline.planning.plans import ManifestPlan
    from pipeline.workspace import Plan, Workspace

_MOST_CHANGED: Final = 20
_DIGITS: Final = 16
#: All that a track is but where it stands in its file, which moves with every line above it.
_VALUES: Final = attrgetter(
    *(item.name for item in fields(Track) if item.name not in ("place", "finishing", "outputs"))
)


class Doubt(Exception):
    """Something is to be decided the long way."""


def lines_of(plan: Plan) -> list[str]:
    """What a stamp keeps of the tracks of a plan with nothing to do: digest and purchase of each.

    Nothing where one was kept for a reason, or where more than they are in the index.
    """
    parts, facts = plan.manifests, plan.facts
    tracks = [track for part in parts for track in part.tracks]
    kept = all(track.action is Action.KEEP and not track.why for track in tracks)
    if facts is None or not kept or any(part.orphans for part in parts):
        return []
    if any(manifest not in plan.request.names for manifest, _ in facts.rows):
        return []
    digests = (digest for part in parts for digest in _digests(part.manifest))
    prints = (print_ for part in parts for print_ in ("", *(track.paid_fingerprint for track in part.tracks)))
    return [f"{digest} {_short(print_)}" for digest, print_ in zip(digests, prints, strict=True)]


def _short(paid_fingerprint: str) -> str:
    return paid_fingerprint[-_DIGITS:]


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
    asks_otherwise = not request.meant.all or request.regenerate or request.new_run or request.stores
    if stamp is None or not stamp.standing or asks_otherwise:
        return None
    try:
        known = _Known(request.manifests, stamp.standing.split("\n"))
        rest = stamp.renewed(
            stamp.taken_ns, stamp.sure.without(witness.manifests), stamp.young.without(witness.manifests)
        )
        if still_holds(rest, str(request.output), str(request.state), witness.taken_ns) is None:
            return None
        rows = _own_rows(known.changed, workspace)
        known.check_apart(rows)
    except Doubt:
        return None
    some = [replace(manifest, tracks=known.tracks_of(manifest)) for manifest in request.manifests]
    found = workspace.plan_by(replace(request, manifests=tuple(some)), rows, is_all=True)
    if found.nothing_to_do:
        return None  # the long way takes a stamp of it
    both = zip(found.manifests, request.manifests, strict=True)
    return replace(found, request=request, manifests=tuple(_with_standing(part, manifest) for part, manifest in both))


class _Known:
    """What the stamp knows of the tracks, and which of them have changed: at least one, and a few. Raises Doubt."""

    def __init__(self, manifests: Sequence[Manifest], lines: Sequence[str]) -> None:
        stood = {line[:_DIGITS]: line[_DIGITS + 1 :] for line in lines}
        self.changed: list[Track] = []
        now: set[str] = set()
        for manifest in manifests:
            head, *digests = _digests(manifest)
            if head not in stood:
                raise Doubt
            now |= {head, *digests}
            pairs = zip(manifest.tracks, digests, strict=True)
            self.changed += [track for track, digest in pairs if digest not in stood]
        if not 0 < len(self.changed) <= _MOST_CHANGED or len(now) != len(stood):
            raise Doubt
        self._before = {print_ for digest, print_ in stood.items() if digest not in now}
        self._standing = {print_ for digest, print_ in stood.items() if digest in now}

    def tracks_of(self, manifest: Manifest) -> tuple[Track, ...]:
        """Those of `manifest` that have changed."""
        return tuple(track for track in self.changed if track.manifest == manifest.name)

    def check_apart(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Is each of the changed tracks by itself, with its purchase of before and with that of now? Raises Doubt.

        What has a purchase, a group or a place in common with another track is decided together with it.
        """
        every: list[str] = []
        for track in self.changed:
            own = [row for row in rows if (row["manifest"], row["name"]) == (track.manifest, track.name)]
            before = {_short(row["paid_fingerprint"]) for row in own}
            is_plain = track.file is None and track.finishing.loudness.group is None
            is_plain = is_plain and all(row.get("group") is None and row["path"] in track.asset_paths for row in own)
            if not is_plain or len(before) != 1 or not before <= self._before:
                raise Doubt
            every += before | {_short(paid_fingerprint(track, kind)) for kind in ("real", "local")}
        if len(every) != len(set(every)) or not self._standing.isdisjoint(every):
            raise Doubt


def _own_rows(changed: Sequence[Track], workspace: Workspace) -> list[dict[str, Any]]:
    """The rows of the changed tracks: what the ledger remembers of them, and what the index has. Raises Doubt."""
    connection = connect_to_read(workspace.ledger_path)
    if connection is None:
        raise Doubt
    with closing(connection), readable_errors(workspace.ledger_path):
        ledger = Ledger(connection)
        rows = [row for track in changed for row in ledger.asset_rows_of(track.manifest, track.name)]
    if not workspace.output.has_just(rows, [track.name for track in changed]):
        raise Doubt
    return rows


def _with_standing(part: ManifestPlan, manifest: Manifest) -> ManifestPlan:
    """The whole manifest's plan: the tracks of `part`, and all others kept."""
    planned = {track.track.name: track for track in part.tracks}
    tracks = (planned.get(track.name) or TrackPlan(track, Action.KEEP, "") for track in manifest.tracks)
    return replace(part, manifest=manifest, tracks=tuple(tracks))

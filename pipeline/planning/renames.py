"""Renames: a track that the index does not know, and an older name's assets, bought for just what it asks for. Pure.

The index proves the purchase, with or without a ledger: the assets take the track's name, and nothing is bought. A
name's assets are free to move where no track of that name asks for that purchase any more, so that names can be passed
on in a row (1 becomes 2, 2 becomes 3) or be swapped.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.fingerprints import paid_fingerprint, recording_fingerprint
from pipeline.picks.values import Renaming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.output import AssetRow
    from pipeline.planning.plans import Facts

    Rows = Mapping[tuple[str, str], AssetRow]  # (manifest, path) -> row

_MOST_COMPARED: Final = 400  # pairs of names; beyond that the order decides


class Held(StrEnum):
    """Where the file of an asset that moves is."""

    THERE = "there"  # under its old name
    MOVED = "moved"  # under its new one already: a run was stopped, or somebody moved it by hand
    ASIDE = "aside"  # put aside by a run that was stopped while it passed names around
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Move:
    """One asset that takes another name with its track."""

    old: AssetRow
    new: AssetRow
    held: Held = Held.THERE
    replaces: bool = False  # an asset that its track no longer asks for stands under the new name


class Renamed(NamedTuple):
    """A track, and the name that its assets have so far."""

    track: Track
    old_name: str


def renamed_tracks(
    manifest: Manifest,
    rows: Rows,
    recordings: Mapping[Path, str],
    is_continued: Callable[[AssetRow, AssetRow], bool],
    meant: Callable[[Track], bool] = lambda _: True,
) -> list[Renamed]:
    """The tracks of `manifest` that are renamed, each with one older name.

    `is_continued(old, new)`: of two rows of one content, is the second what the first has become, and no file of its
    own? `meant`: may a track be touched?
    """
    tracks = {track.name: track for track in manifest.tracks if meant(track)}
    free = _free_rows(manifest, rows, recordings, tracks)
    found: list[tuple[Track, AssetRow]] = []
    for track in tracks.values() if free else ():
        wanted = prints_of(track, recordings)
        own = [row for row in _rows_of(track, rows) if row.paid_fingerprint in wanted]
        for old_name in dict.fromkeys(name for one in wanted for name in free.get(one, {})):
            pairs = [(old, rows.get((manifest.name, at))) for old, at in _places(track, old_name, free, wanted)]
            continued = [
                (old, new) for old, new in pairs if new is not None and new in own and new.sha256 == old.sha256
            ]
            if pairs and len(continued) == len(own) and all(is_continued(*both) for both in continued):
                found.append((track, pairs[0][0]))
    return list(_best(found))


def moves_of(renamed: Renamed, manifest: Manifest, rows: Rows, recordings: Mapping[Path, str]) -> Iterator[Move]:
    """The assets of the older name that the track makes too; where their files are is not looked at."""
    track, old_name = renamed
    wanted = prints_of(track, recordings)
    for path in track.asset_paths:
        row = rows.get((manifest.name, _under(old_name, path, track.name)))
        if row is not None and row.name == old_name and row.paid_fingerprint in wanted:
            yield Move(row, replace(row, name=track.name, path=path))


def as_moved(facts: Facts, manifest: str, moves: Sequence[Move]) -> Facts:
    """`facts` as they will stand once all of `moves` are made."""
    if not moves:
        return facts
    left = {(manifest, move.old.path) for move in moves}
    taken = {(manifest, move.new.path): move for move in moves}
    names = {move.old.name: move.new.name for move in moves}
    rows = {at: row for at, row in facts.rows.items() if at not in left}
    rows |= {at: move.new for at, move in taken.items()}
    rows = {at: _with_names(row, names) if row.manifest == manifest else row for at, row in rows.items()}
    whole = {at for at, move in taken.items() if move.held is not Held.GONE}
    locks = dict(facts.locks)
    if manifest in locks:
        locks[manifest] = locks[manifest].renamed(renamings(moves))
    return replace(
        facts,
        rows=rows,
        locks=locks,
        intact=frozenset(facts.intact - left - taken.keys() | whole),
    )


def renamings(moves: Iterable[Move]) -> tuple[Renaming, ...]:
    """The tracks that are renamed by `moves`, each once."""
    found = (Renaming(move.old.name, move.new.name, move.old.paid_fingerprint) for move in moves)
    return tuple(dict.fromkeys(found))


def _with_names(row: AssetRow, names: Mapping[str, str]) -> AssetRow:
    """A loudness group is the same group, whatever its members are called."""
    if row.group is None or not names.keys() & row.group.members.keys():
        return row
    members = {names.get(name, name): share for name, share in row.group.members.items()}
    return replace(row, group=replace(row.group, members=members))


# --- what is free to move, and where it belongs ---------------------------------------------------------------------


def prints_of(track: Track, recordings: Mapping[Path, str]) -> tuple[str, ...]:
    """The paid fingerprints that an asset of `track` may have: the real thing's first, or its recording's."""
    if track.file is not None:
        return (recording_fingerprint(recordings[track.file]),) if track.file in recordings else ()
    return (paid_fingerprint(track, "real"), paid_fingerprint(track, "local"))


def _free_rows(
    manifest: Manifest, rows: Rows, recordings: Mapping[Path, str], touched: Mapping[str, Track]
) -> dict[str, dict[str, dict[str, AssetRow]]]:
    """Paid fingerprint -> name -> path -> row, of what no track under that name or path asks for any more."""
    named = {track.name for track in manifest.tracks}
    claimed = {path: track.name for track in manifest.tracks for path in track.asset_paths}
    free: defaultdict[str, dict[str, dict[str, AssetRow]]] = defaultdict(dict)
    for (owner, path), row in rows.items():
        if owner != manifest.name:
            continue
        names = {row.name, claimed.get(path, row.name)} & named
        # What is outside of --only, or in another shard, stays whose it is.
        if all(name in touched and not _asks_for(touched[name], row, recordings) for name in names):
            free[row.paid_fingerprint].setdefault(row.name, {})[path] = row
    return free


def _asks_for(track: Track, row: AssetRow, recordings: Mapping[Path, str]) -> bool:
    """Is `row` of what `track` asks for now? Most rows say so in plain words: fingerprints take longer."""
    asked = row.provenance
    said = (asked.prompt, asked.lyrics or "", asked.model, asked.duration, asked.refine_lyrics, asked.source_format)
    wants = (
        track.prompt, track.lyrics, track.model, track.duration_s, track.refine_lyrics, track.source_format
    )  # fmt: skip
    return said == wants or row.paid_fingerprint in prints_of(track, recordings)


def _places(
    track: Track, old_name: str, free: Mapping[str, Mapping[str, Mapping[str, AssetRow]]], wanted: Iterable[str]
) -> Iterator[tuple[AssetRow, str]]:
    """Each row of `old_name` that `track` asks for, with the path that it would have as its asset."""
    for fingerprint in wanted:
        rows = free.get(fingerprint, {}).get(old_name, {})
        for path in track.asset_paths:
            old = _under(old_name, path, track.name)
            if old in rows:
                yield rows[old], path


def _under(old_name: str, path: str, name: str) -> str:
    """What `path`, an asset's of the track `name`, was called when the track was called `old_name`."""
    return f"{old_name}{path.removeprefix(name)}"


def _rows_of(track: Track, rows: Rows) -> Iterator[AssetRow]:
    found = (rows.get((track.manifest, path)) for path in track.asset_paths)
    return (row for row in found if row is not None)


# --- several that fit -----------------------------------------------------------------------------------------------


def _best(found: Sequence[tuple[Track, AssetRow]]) -> Iterator[Renamed]:
    """Each track with one name, and each name with one track: real ones first, then those that are most alike."""
    likeness = _likeness if len(found) <= _MOST_COMPARED else lambda *_: (0.0,)
    ranked = sorted(
        found, key=lambda pair: (not pair[1].placeholder, *likeness(pair[0].name, pair[1].name)), reverse=True
    )
    tracks: set[str] = set()
    names: set[str] = set()
    for track, row in ranked:
        if track.name not in tracks and row.name not in names:
            tracks.add(track.name)
            names.add(row.name)
            yield Renamed(track, row.name)


def _likeness(new: str, old: str) -> tuple[float, ...]:
    """How alike two names are: the same but for its folder, then the same folder, then by their letters."""
    (new_folder, _, new_last), (old_folder, _, old_last) = new.rpartition("/"), old.rpartition("/")
    return (new_last == old_last, new_folder == old_folder, SequenceMatcher(None, new, old).ratio())

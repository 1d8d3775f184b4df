"""What a lock proves of the output folder: a file with the hash that it pins is the asset, whatever the index says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.files import plain_size, sha256_of
from pipeline.fingerprints import fingerprint_of, finishing_record, paid_fingerprint
from pipeline.output import AssetRow, Provenance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipeline.audio.settings import Output
    from pipeline.files import Folder
    from pipeline.manifest.tracks import Track
    from pipeline.picks.values import Lock, LockedAsset, LockedTake

At = tuple[str, str]  # manifest, path


def rows_proven(
    tracks: Iterable[Track], locks: Mapping[str, Lock], unproven: Iterable[At], folder: Folder
) -> dict[At, AssetRow]:
    """A row for each of the `unproven` paths whose file is what a lock pins there; its figures are not measured yet."""
    wanted = frozenset(unproven)
    found: dict[At, AssetRow] = {}
    for track in tracks:
        for row in _rows(track, locks[track.manifest], wanted, folder) if track.prompt is not None else ():
            found[row.manifest, row.path] = row
    return found


def _rows(track: Track, lock: Lock, wanted: frozenset[At], folder: Folder) -> Iterator[AssetRow]:
    entry, fingerprint = lock.track(track.name), paid_fingerprint(track, "real")
    pick, takes = entry.pick_of(fingerprint), entry.takes_of(fingerprint)
    taken = next((take for take in takes if pick is not None and take.version == pick.version), None)
    if pick is None or taken is None:
        return
    kept = _row_of(track, fingerprint, taken, max(take.take for take in takes))
    for path, output in _paths(track):
        asset = entry.assets.get(path)
        if asset is None or (track.manifest, path) not in wanted:
            continue
        size, settings = _size(folder.path(path), asset), finishing_record(track, output)
        if size is not None:
            yield replace(
                kept,
                path=path,
                format=output.format,
                size=size,
                sha256=asset.sha256,
                finishing_fingerprint=asset.finishing,
                settings=settings if fingerprint_of(settings) == asset.finishing else None,
            )


def _paths(track: Track) -> Iterator[tuple[str, Output]]:
    for output in track.outputs:
        yield output.path(track.name), output
        if track.finishing.splits_intro:
            yield output.intro_path(track.name), output


def _size(path: Path, asset: LockedAsset) -> int | None:
    """Of a file that is what the lock says; None for any other."""
    try:
        return plain_size(path) if sha256_of(path) == asset.sha256 else None
    except OSError:
        return None


def _row_of(track: Track, fingerprint: str, take: LockedTake, takes: int) -> AssetRow:
    """What all of the track's rows have in common."""
    return AssetRow(
        manifest=track.manifest,
        name=track.name,
        path="",
        format="",
        size=0,
        sha256="",
        duration=0.0,
        sample_rate=0,
        channels=0,
        lufs=None,
        max_short_term_lufs=None,
        loudness_range=None,
        true_peak_dbtp=None,
        loop=None,
        warnings=(),
        placeholder=False,
        paid_fingerprint=fingerprint,
        finishing_fingerprint="",
        provenance=Provenance(
            "generated",
            model=track.model,
            prompt=track.prompt,
            lyrics=track.lyrics or None,
            job_id=take.job_id,
            take=take.take,
            takes=takes,
            regeneration=take.regeneration,
            date=take.date,
            duration=float(track.duration_s),
            refine_lyrics=track.refine_lyrics,
            source_format=track.source_format,
        ),
    )


def is_unmeasured(row: AssetRow) -> bool:
    """Is it one whose figures are to be measured from its file?"""
    return row.sample_rate == 0

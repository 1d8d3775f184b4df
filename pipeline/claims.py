"""What stands in an asset's way: other manifests' rows, files that no run made, links, encoders that are missing."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.audio.formats import can_encode
from pipeline.fingerprints import paid_fingerprint
from pipeline.manifest.mistakes import ManifestMistakes, Mistake

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from pipeline.files import Folder
    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow

Rows = dict[tuple[str, str], "AssetRow"]  # (manifest, path) -> row


def adopted(rows: Rows, tracks: Iterable[Track], given: frozenset[str]) -> Rows:
    """`rows`, and as a given manifest's own what another one's row says of the very same purchase.

    So a manifest that was renamed keeps what it bought. Raises ManifestMistakes where the other's row is about
    something else: one file can't be two manifests'.
    """
    others = {_folded(row.path): row for row in rows.values() if row.manifest not in given}
    found, mistakes = dict(rows), []
    for track in tracks if others else ():
        for path in track.asset_paths:
            other = others.get(_folded(path))
            if other is None:
                continue
            if other.name == track.name and other.path == path and _same_purchase(track, other):
                found.setdefault((track.manifest, path), replace(other, manifest=track.manifest))
            else:
                what = (
                    f"{path} belongs to manifest {other.manifest!r} by the index of the output folder; "
                    "rename the track, or use another --output"
                )
                mistakes.append(Mistake(track.place, f"tracks.{track.name}", what))
    if mistakes:
        raise ManifestMistakes(tuple(mistakes))
    return found


def _same_purchase(track: Track, row: AssetRow) -> bool:
    if track.file is not None:
        return row.provenance.kind == "file"
    return row.paid_fingerprint in (paid_fingerprint(track, "real"), paid_fingerprint(track, "local"))


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def obstacles(
    folder: Folder,
    planned: Iterable[tuple[str, str]],
    rows: Mapping[tuple[str, str], AssetRow],
    intact: Container[tuple[str, str]],
) -> dict[tuple[str, str], str]:
    """(manifest, path) -> why nothing may be put there, for each planned asset that has such a reason."""
    root = os.path.realpath(folder.root)
    leads_outside: dict[str, bool] = {}
    found: dict[tuple[str, str], str] = {}
    for at in planned:
        parent = at[1].rpartition("/")[0]
        if parent not in leads_outside:
            real = os.path.realpath(folder.path(parent))
            leads_outside[parent] = os.path.commonpath([root, real]) != root
        if leads_outside[parent]:
            found[at] = f"{folder.path(parent)} leads outside of {folder.root}: remove the link"
        elif at not in intact:
            final = folder.path(at[1])
            if final.is_dir() and not final.is_symlink():
                found[at] = f"a folder stands at {final}: move it away"
            elif at not in rows and os.path.lexists(final):
                found[at] = f"{final} is there and no run made it: move it away, or rename the track"
    return found


def unmakeable(tracks: Iterable[Track]) -> dict[tuple[str, str], str]:
    """(manifest, path) -> what is missing on this machine, for each asset in a format that can't be made without it."""
    formats = [(track, output) for track in tracks for output in track.outputs]
    missing = {name: can_encode(name) for name in {output.format for _, output in formats}}
    return {
        (track.manifest, output.path(track.name)): why
        for track, output in formats
        if (why := missing[output.format]) is not None
    }

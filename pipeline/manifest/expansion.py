"""All entries of a manifest -> its tracks, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.manifest.entries import Entry, Shape, matrix_of, tracks_of
from pipeline.manifest.finishing import keys_in_force
from pipeline.manifest.matrix import MOST_TRACKS_OF_ONE_ENTRY
from pipeline.manifest.mistakes import Fault
from pipeline.manifest.names import normal
from pipeline.manifest.prices import prices_of
from pipeline.manifest.rules import section_faults
from pipeline.manifest.values import Mapping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.manifest.model import ManifestSection
    from pipeline.manifest.tracks import Track
    from pipeline.manifest.values import Document

MOST_TRACKS: Final = 100_000
MOST_TEXT: Final = 50_000_000  # characters of prompts and lyrics, which a few long templates multiply


def expand(
    manifest: ManifestSection, document: Document, folder: Path, faults: list[Fault], *, prices_understood: bool
) -> list[Track]:
    """Every track of `manifest`, as far as they are understood. What is wrong goes to `faults`.

    `folder`: what a recording's path is relative to. `prices_understood`: False where no track can be blamed for
    having no price, since what should give it one is at fault itself.
    """
    faults += section_faults(manifest.defaults, ("defaults",))
    total = sum(_most_tracks(manifest))
    if total > MOST_TRACKS:
        faults.append(Fault(("tracks",), f"are {total:,} tracks, expected at most {MOST_TRACKS:,}"))
        return []
    tracks: list[Track] = []
    characters = 0
    for entry in _entries(manifest, document, folder, prices_understood=prices_understood):
        for track in tracks_of(entry, faults):
            characters += len(track.prompt or "") + len(track.lyrics)
            if characters > MOST_TEXT:
                what = f"expand to more than {MOST_TEXT:,} characters of prompts and lyrics, expected fewer"
                faults.append(Fault(("tracks",), what))
                return tracks
            tracks.append(track)
    return tracks


def _most_tracks(manifest: ManifestSection) -> Iterator[int]:
    for section in manifest.tracks.values():
        matrix = matrix_of(section)
        yield min(matrix.most_combinations, MOST_TRACKS_OF_ONE_ENTRY) if matrix else 1


def _entries(
    manifest: ManifestSection, document: Document, folder: Path, *, prices_understood: bool
) -> Iterator[Entry]:
    prices = prices_of(manifest.gateway) if prices_understood else None
    usual = Shape.of(manifest.defaults)
    whose = normal(manifest.name)
    for name, section in manifest.tracks.items():
        keys = keys_in_force(section, manifest.defaults)
        yield Entry(
            manifest=whose,
            name=name,
            place=document.key_place(("tracks", name)),
            section=section,
            keys=keys,
            written=_written(document, name),
            model=keys.model or manifest.gateway.model,
            prices=prices,
            folder=folder,
            usual=usual,
        )


def _written(document: Document, name: str) -> Mapping:
    """What stands in the file for a track, understood or not."""
    tracks = document.root.get("tracks") if isinstance(document.root, Mapping) else None
    entry = tracks.get(name) if isinstance(tracks, Mapping) else None
    return entry if isinstance(entry, Mapping) else Mapping()

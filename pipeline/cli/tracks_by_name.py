"""Which manifest a track's name means: the one that was given, or the one nearby that has such a track."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from pipeline.manifest import ManifestMistakes, load_manifest
from pipeline.manifest.mistakes import nearest
from pipeline.manifest.names import normal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.manifest.tracks import Manifest, Track

#: Where manifests lie, as seen from the working folder.
_FOLDERS: Final = (Path(), Path("manifests"))
_ENDINGS: Final = ("*.yaml", "*.yml")
#: What every manifest has, and most other YAML files have not.
_TRACKS: Final = re.compile(rb"^[\"']?tracks[\"']?[ \t]*:", re.MULTILINE)
_LARGEST_BYTES: Final = 16_000_000


def find_track(name: str, given: Path | None) -> tuple[Manifest, Track]:
    """The track of that name in `given`, or in the only manifest here or in manifests/ that has it.

    Raises ManifestMistakes of a given manifest, and click.UsageError, which says what there is and what to say.
    """
    name = normal(name)
    manifests, mistaken = _nearby() if given is None else ([load_manifest(given)], [])
    found = [(manifest, track) for manifest in manifests if (track := _track(manifest, name)) is not None]
    if len(found) > 1:
        paths = " and ".join(str(manifest.path) for manifest, _ in found)
        raise click.UsageError(f"{name} is a track of {paths}: say which with --manifest FILE")
    if not found:
        _refuse(name, manifests, mistaken)
    return found[0]


def _track(manifest: Manifest, name: str) -> Track | None:
    return next((track for track in manifest.tracks if track.name == name), None)


def _nearby() -> tuple[list[Manifest], list[ManifestMistakes]]:
    """The manifests of the working folder and of manifests/, and the mistakes of those that can't be used."""
    manifests: list[Manifest] = []
    mistaken: list[ManifestMistakes] = []
    for path in candidates():
        try:
            manifests.append(load_manifest(path))
        except ManifestMistakes as mistakes:
            mistaken.append(mistakes)
    return manifests, mistaken


def candidates() -> Iterator[Path]:
    """What look like manifests in the working folder and in manifests/."""
    for folder in _FOLDERS:
        for path in sorted(path for ending in _ENDINGS for path in folder.glob(ending)):
            try:
                is_one = path.is_file() and path.stat().st_size <= _LARGEST_BYTES and _TRACKS.search(path.read_bytes())
            except OSError:
                continue
            if is_one:
                yield path


def _refuse(name: str, manifests: list[Manifest], mistaken: list[ManifestMistakes]) -> NoReturn:
    """Raises what there is to say of a name that no manifest has."""
    if not manifests and not mistaken:
        raise click.UsageError("there is no manifest here, nor in manifests/: name its file with --manifest FILE")
    if not manifests:
        raise ManifestMistakes([mistake for one in mistaken for mistake in one.mistakes])
    where = ", ".join(str(manifest.path) for manifest in manifests)
    known = nearest(name, (track.name for manifest in manifests for track in manifest.tracks))
    broken = sorted({mistake.place.file for one in mistaken for mistake in one.mistakes})
    also = f"; not looked into, for its mistakes: {', '.join(broken)}" if broken else ""
    raise click.UsageError(f"no track is called {name!r} in {where}; {known}{also}; --manifest FILE names another")

"""People's recordings, which take the place of a purchase: each by its hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.files import plain_size, reason
from pipeline.manifest.mistakes import ManifestMistakes, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipeline.manifest.tracks import Track
    from pipeline.noop.hashes import Hashes

_LARGEST_RECORDING: Final = 2_000_000_000


def hashes_of_recordings(tracks: Iterable[Track], hashes: Hashes) -> Mapping[Path, str]:
    """The hash of each recording of `tracks`, as `hashes` finds it.

    Raises ManifestMistakes naming every one that can't be read.
    """
    found: dict[Path, str] = {}
    mistakes: list[Mistake] = []
    for track in tracks:
        if track.file is None or track.file in found:
            continue
        try:
            found[track.file] = recording_hash(track.file, hashes)
        except OSError as error:
            what = f"{track.file} can't be read ({reason(error)}); expected an audio file beside the manifest"
            mistakes.append(Mistake(track.place, f"tracks.{track.name}.file", what))
    if mistakes:
        raise ManifestMistakes(tuple(mistakes))
    return found


def recording_hash(path: Path, hashes: Hashes) -> str:
    """Of one recording. Raises OSError, for what is no plain file too: a pipe or a device may never end."""
    if plain_size(path) > _LARGEST_RECORDING:
        raise OSError(None, f"larger than {_LARGEST_RECORDING:,} bytes")
    return hashes.sha256(path.absolute())

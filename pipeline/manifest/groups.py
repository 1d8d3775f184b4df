"""Loudness groups: one gain for all their tracks, so one target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.manifest.mistakes import Mistake, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.manifest.tracks import Track


def group_mistakes(tracks: Iterable[Track]) -> Iterator[Mistake]:
    """Tracks whose group is to be as loud as another of its tracks says, and not as they do."""
    first: dict[str, Track] = {}
    for track in tracks:
        loudness = track.finishing.loudness
        if loudness.group is None:
            continue
        other = first.setdefault(loudness.group, track)
        target = other.finishing.loudness.target_lufs
        if loudness.target_lufs != target:
            what = f"group {quoted(loudness.group)} has the target {target} by {quoted(other.name)} at {other.place}"
            path = f"tracks.{shown(track.name)}.loudness"
            yield Mistake(track.place, path, f"{what}, expected the same here instead of {loudness.target_lufs}")

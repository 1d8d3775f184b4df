"""Loudness groups: one gain for all their tracks, so one target and one set of limits."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from pipeline.audio.settings import Loudness
from pipeline.manifest.mistakes import Mistake, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.manifest.tracks import Track

#: What all members share. A preset is no more than a name for such figures.
_SHARED: Final = tuple(item.name for item in fields(Loudness) if item.name not in ("preset", "group"))
_KEYS: Final = {
    "target_lufs": "target",
    "true_peak_dbtp": "true_peak",
    "max_short_term_lufs": "max_short_term",
    "tolerance_lu": "tolerance",
    "limit_db": "limit",
}


def group_mistakes(tracks: Iterable[Track]) -> Iterator[Mistake]:
    """Tracks whose group is to be levelled as another of its tracks says, and not as they do."""
    first: dict[str, Track] = {}
    for track in tracks:
        loudness = track.finishing.loudness
        if loudness.group is None:
            continue
        other = first.setdefault(loudness.group, track)
        for name in _SHARED:
            its, own = getattr(other.finishing.loudness, name), getattr(loudness, name)
            if its != own:
                what = f"group {quoted(loudness.group)} has the {_KEYS[name]} {_figure(its)} by {quoted(other.name)}"
                expected = f"expected the same here instead of {_figure(own)}"
                path = f"tracks.{shown(track.name)}.loudness"
                yield Mistake(track.place, path, f"{what} at {other.place}, {expected}")


def _figure(value: float | None) -> str:
    return "none" if value is None else str(value)

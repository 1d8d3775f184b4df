"""A recording's track without a manifest: told by words, as on a command line, and read by a manifest's own rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, Union

from pipeline.manifest.loading import understood
from pipeline.manifest.mistakes import ManifestMistakes, path_text
from pipeline.manifest.values import Document, Mapping, Sequence, Value, resolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.manifest.mistakes import Mistake
    from pipeline.manifest.tracks import Track

#: Values as they are spelled, in the shape that a manifest has.
Words: TypeAlias = Union[str, "dict[str, Words]", "list[Words]"]

#: What the track is called in mistakes: the name of each file that is finished by it stands there.
NAME: Final = "FILE"

_AT: Final = ("tracks", NAME)
_TEXTS: Final = frozenset({"suffix"})  # keys whose value is text however it is spelled: nobody quotes an option


def recording_track(keys: dict[str, Words]) -> Track:
    """The track of a recording that has these keys and no others.

    Raises ManifestMistakes, in the keys' order. Their paths are those below the track; empty: about all of it.
    """
    track: dict[str, Words] = {"file": NAME, **keys}
    root: Words = {"version": "1", "name": "recordings", "tracks": {NAME: track}}
    try:
        (understood_track,) = understood(Document("options", _value(root, count(1))), Path()).tracks
    except ManifestMistakes as found:
        raise ManifestMistakes(map(_below_the_track, found.mistakes)) from found
    return understood_track


def _value(words: Words, numbers: Iterator[int], key: str = "") -> Value:
    """`words` as if they stood in a file, one to a line."""
    if isinstance(words, dict):
        mapping = Mapping()
        for inner, value in words.items():
            spot = next(numbers), 1
            mapping.put(inner, spot, _value(value, numbers, inner), spot)
        return mapping
    if isinstance(words, list):
        sequence = Sequence()
        for item in words:
            sequence.items_at.append((next(numbers), 1))
            sequence.append(_value(item, numbers, key))
        return sequence
    text = words.encode("utf-8", "replace").decode()  # half a character (a lone surrogate) is none in a manifest either
    return text if key in _TEXTS else resolved(text)


def _below_the_track(mistake: Mistake) -> Mistake:
    return replace(mistake, path=mistake.path.removeprefix(path_text(_AT)).removeprefix("."))

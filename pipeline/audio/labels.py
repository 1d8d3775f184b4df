"""What is written into a file beside its sound: its metadata, its loop, and its stream's serial number."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

_LARGEST_SERIAL: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Label:
    """`metadata`: (NAME, value) pairs, by the field names of Vorbis comments. `serial`: of an Ogg stream.

    `loop`: (start, end) in frames, end exclusive, where the sound loops.
    """

    metadata: tuple[tuple[str, str], ...] = ()
    serial: int = 1
    loop: tuple[int, int] | None = None


def with_loop(label: Label, start: int, end: int) -> Label:
    """`label` of a sound that loops from `start` to before `end`, with the fields that game engines read."""
    fields = (("LOOPSTART", str(start)), ("LOOPLENGTH", str(end - start)), ("LOOPEND", str(end)))
    return replace(label, metadata=(*label.metadata, *fields), loop=(start, end))


def serial_of(seed: str) -> int:
    """An Ogg stream's serial, the same for the same `seed`: never 0 or 2^32 - 1, which some readers take for none."""
    digest = hashlib.sha256(seed.encode()).digest()
    return int.from_bytes(digest[:8], "big") % (_LARGEST_SERIAL - 1) + 1

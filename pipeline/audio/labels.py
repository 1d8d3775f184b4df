"""What is written into a file beside its sound: its metadata, and its stream's serial number."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

_LARGEST_SERIAL: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Label:
    """`metadata`: (NAME, value) pairs, by the field names of Vorbis comments. `serial`: of an Ogg stream."""

    metadata: tuple[tuple[str, str], ...] = ()
    serial: int = 1


def serial_of(seed: str) -> int:
    """An Ogg stream's serial, the same for the same `seed`: never 0 or 2^32 - 1, which some readers take for none."""
    digest = hashlib.sha256(seed.encode()).digest()
    return int.from_bytes(digest[:8], "big") % (_LARGEST_SERIAL - 1) + 1

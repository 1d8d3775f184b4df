"""Bodies that are not the music that was asked for."""

from __future__ import annotations

import hashlib
import struct
from typing import Final

_PAGE: Final = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>\n"
_RATE: Final = 8000
_SILENT_BYTES: Final = 2 * _RATE * 5


def _noise() -> bytes:
    """64 KB that are no audio format."""
    return b"".join(hashlib.sha256(str(block).encode()).digest() for block in range(2048))


def _silence() -> bytes:
    """Five seconds of nothing, as a good WAV file."""
    numbers = (16, 1, 1, _RATE, 2 * _RATE, 2, 16)
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + _SILENT_BYTES, b"WAVE", b"fmt ", *numbers)
    return head + struct.pack("<4sI", b"data", _SILENT_BYTES) + bytes(_SILENT_BYTES)


#: name -> (body, content type)
WRONG_MEDIA: Final[dict[str, tuple[bytes, str]]] = {
    "html": (_PAGE, "text/html; charset=utf-8"),
    "empty": (b"", "audio/wav"),
    "noise": (_noise(), "audio/wav"),
    "silence": (_silence(), "audio/wav"),
}

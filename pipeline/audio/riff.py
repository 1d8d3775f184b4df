"""RIFF chunks of a WAV file: to add an INFO list (Multimedia Programming Interface 1.0, 1991)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from pipeline.audio.vorbis_comments import field_name

if TYPE_CHECKING:
    from pipeline.audio.labels import Label

_CHUNKS: Final = {
    "TITLE": b"INAM",
    "ARTIST": b"IART",
    "ALBUM": b"IPRD",
    "COMMENT": b"ICMT",
    "COPYRIGHT": b"ICOP",
    "DATE": b"ICRD",
    "ENCODER": b"ISFT",
    "GENRE": b"IGNR",
    "TRACKNUMBER": b"ITRK",
}


def with_label(wav: bytes, label: Label) -> bytes:
    """The same WAV with an INFO list at its end. Fields that INFO has no chunk for are left out."""
    fields = [(_CHUNKS[field_name(name)], value) for name, value in label.metadata if field_name(name) in _CHUNKS]
    if not fields:
        return wav
    texts = b"".join(_chunk(kind, value.replace("\0", " ").encode() + b"\0") for kind, value in fields)
    return with_chunk(wav, b"LIST", b"INFO" + texts)


def with_chunk(wav: bytes, kind: bytes, content: bytes) -> bytes:
    """The same WAV with one more chunk at its end."""
    body = wav[8:] + b"\0" * (len(wav) % 2) + _chunk(kind, content)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

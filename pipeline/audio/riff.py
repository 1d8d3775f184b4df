"""RIFF chunks of a WAV file: to add an INFO list and loop points (Multimedia Programming Interface 1.0, 1991)."""

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

_RATE_AT: Final = 24
_MIDDLE_C: Final = 60
_FORWARD: Final = 0
_FOR_EVER: Final = 0


def with_label(wav: bytes, label: Label) -> bytes:
    """The same WAV with its loop and an INFO list at its end. Fields that INFO has no chunk for are left out."""
    if label.loop is not None:
        wav = with_chunk(wav, b"smpl", _sampler(_rate(wav), *label.loop))
    fields = [(_CHUNKS[field_name(name)], value) for name, value in label.metadata if field_name(name) in _CHUNKS]
    if not fields:
        return wav
    texts = b"".join(_chunk(kind, value.replace("\0", " ").encode() + b"\0") for kind, value in fields)
    return with_chunk(wav, b"LIST", b"INFO" + texts)


def with_chunk(wav: bytes, kind: bytes, content: bytes) -> bytes:
    """The same WAV with one more chunk at its end."""
    body = wav[8:] + b"\0" * (len(wav) % 2) + _chunk(kind, content)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _sampler(sample_rate: int, start: int, end: int) -> bytes:
    """A sampler chunk of one forward loop, played for ever. Its end is the last frame that is played."""
    period_ns = round(1_000_000_000 / sample_rate)
    head = struct.pack("<9I", 0, 0, period_ns, _MIDDLE_C, 0, 0, 0, 1, 0)
    return head + struct.pack("<6I", 0, _FORWARD, start, end - 1, 0, _FOR_EVER)


def _rate(wav: bytes) -> int:
    """By the format chunk, which libsndfile writes first."""
    (sample_rate,) = struct.unpack_from("<I", wav, _RATE_AT)
    return int(sample_rate)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

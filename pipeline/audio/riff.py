"""RIFF chunks of a WAV file: to add an INFO list, XMP and loop points (Multimedia Programming Interface 1.0, 1991)."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Final

from pipeline.audio.marks import with_comment
from pipeline.audio.vorbis_comments import field_name
from pipeline.audio.xmp import xmp_packet

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

_HEAD_BYTES: Final = 8
_RATE_AT: Final = 24
_MIDDLE_C: Final = 60
_FORWARD: Final = 0
_FOR_EVER: Final = 0


def add_label(wav: io.BytesIO, label: Label) -> None:
    """Put its loop, an INFO list and XMP at a WAV's end. Fields that INFO has no chunk for are left out.

    But for a mark: it stands in the comment, which every reader shows, and in XMP, where IPTC's readers look for it.
    """
    if label.loop is not None:
        add_chunk(wav, b"smpl", _sampler(_rate(wav), *label.loop))
    texts = with_comment(label.metadata)
    fields = [(_CHUNKS[field_name(name)], value) for name, value in texts if field_name(name) in _CHUNKS]
    if fields:
        chunks = b"".join(_chunk(kind, value.replace("\0", " ").encode() + b"\0") for kind, value in fields)
        add_chunk(wav, b"LIST", b"INFO" + chunks)
    xmp = xmp_packet(label.metadata)
    if xmp:
        add_chunk(wav, b"_PMX", xmp)


def add_chunk(wav: io.BytesIO, kind: bytes, content: bytes) -> None:
    """Put one more chunk at a WAV's end, in place: a long one is in memory once."""
    length = wav.seek(0, io.SEEK_END)
    length += wav.write(b"\0" * (length % 2) + _chunk(kind, content))
    wav.seek(4)
    wav.write(struct.pack("<I", length - _HEAD_BYTES))


def _sampler(sample_rate: int, start: int, end: int) -> bytes:
    """A sampler chunk of one forward loop, played for ever. Its end is the last frame that is played."""
    period_ns = round(1_000_000_000 / sample_rate)
    head = struct.pack("<9I", 0, 0, period_ns, _MIDDLE_C, 0, 0, 0, 1, 0)
    return head + struct.pack("<6I", 0, _FORWARD, start, end - 1, 0, _FOR_EVER)


def _rate(wav: io.BytesIO) -> int:
    """By the format chunk, which libsndfile writes first."""
    wav.seek(_RATE_AT)
    return int.from_bytes(wav.read(4), "little")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

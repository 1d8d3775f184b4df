"""FLAC's metadata blocks: to write comments of our own (RFC 9639)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.audio.vorbis_comments import comment_block, vendor_of

if TYPE_CHECKING:
    from pipeline.audio.labels import Label

_MARKER: Final = b"fLaC"
_LAST: Final = 0x80
_COMMENTS: Final = 4
_PADDING: Final = 1


def with_label(stream: bytes, label: Label) -> bytes:
    """The same FLAC stream with comments of our own instead of the encoder's."""
    blocks, sound_at = _blocks(stream)
    vendor = next((vendor_of(content) for kind, content in blocks if kind == _COMMENTS), b"")
    kept = [(kind, content) for kind, content in blocks if kind not in (_COMMENTS, _PADDING)]
    written = [*kept, (_COMMENTS, comment_block(vendor, label.metadata))]
    heads = [_LAST if number == len(written) - 1 else 0 for number in range(len(written))]
    metadata = b"".join(
        bytes([kind | last]) + len(content).to_bytes(3, "big") + content
        for last, (kind, content) in zip(heads, written, strict=True)
    )
    return _MARKER + metadata + stream[sound_at:]


def _blocks(stream: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Every metadata block as (kind, content), and where the sound begins."""
    blocks, at, last = [], len(_MARKER), False
    while not last:
        last, kind = bool(stream[at] & _LAST), stream[at] & ~_LAST & 0xFF
        length = int.from_bytes(stream[at + 1 : at + 4], "big")
        blocks.append((kind, stream[at + 4 : at + 4 + length]))
        at += 4 + length
    return blocks, at

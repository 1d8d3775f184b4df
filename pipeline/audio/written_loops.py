"""The loop that is written in a file: a WAV's sampler chunk, or LOOPSTART and LOOPLENGTH among its tags.

Read from anybody's file, so within bounds: what is damaged or out of reach is as if it were not there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_BYTES: Final = 1 << 24  # of one file's tags, pictures among them
_MOST_CHUNKS: Final = 256
_MOST_DIGITS: Final = 15

_CHUNK: Final = struct.Struct("<4sI")
_LONG_SIZE: Final = 0xFFFF_FFFF  # RF64: the size of `data` stands in `ds64`
_LOOPS_AT, _FIRST_LOOP_AT = 28, 36
_LOOP: Final = struct.Struct("<4xIII4xI")  # kind, first and last frame, how often
_MOST_LOOPS: Final = 64
_FORWARD, _FOR_EVER = 0, 0
_KINDS: Final = {1: "back and forth", 2: "backwards"}

_FLAC_LAST: Final = 0x80
_FLAC_COMMENTS: Final = 4

_OGG_HEAD_BYTES: Final = 27
_FULL_SEGMENT: Final = 255
_COMMENT_PACKETS: Final = (b"\x03vorbis", b"OpusTags")

_ID3_HEAD_BYTES: Final = 10
_ID3_OLDER, _ID3_NEWER = 3, 4
_ID3_STRANGE: Final = 0xC0  # unsynchronised, or with an extended header: nobody writes loops so
_ID3_ENCODINGS: Final = ("latin-1", "utf-16", "utf-16-be", "utf-8")


@dataclass(frozen=True, slots=True)
class WrittenLoop:
    """What a file says of its loop: (start, end) in samples, end exclusive; or how another is played that it has."""

    points: tuple[int, int] | None = None
    played: str | None = None  # otherwise than forwards and for ever, as all that is made here is


def written_loop(path: str) -> tuple[int, int] | None:
    """The first loop that the file at `path` has, as (start, end) in samples, end exclusive. Raises OSError.

    None: it has none. Whether the sound is as long as that is for the caller to see.
    """
    return read_loop(path).points


def read_loop(path: str) -> WrittenLoop:
    """What the file at `path` says of its loop. Raises OSError."""
    with Path(path).open("rb") as file:
        mark = file.read(4)
        if mark in (b"RIFF", b"RF64"):
            return _of_sampler(file)
        if mark == b"fLaC":
            return WrittenLoop(_of_fields(_vorbis_fields(_flac_comments(file))))
        if mark == b"OggS":
            file.seek(0)
            return WrittenLoop(_of_fields(_vorbis_fields(_ogg_comments(file))))
        if mark.startswith(b"ID3"):
            file.seek(0)
            return WrittenLoop(_of_fields(_id3_fields(file)))
        return WrittenLoop()


def _of_fields(fields: Mapping[str, str]) -> tuple[int, int] | None:
    """By LOOPLENGTH where it is there: some programs write the last sample as LOOPEND, and some the one after it."""
    start, length, end = (_count(fields.get(name, "")) for name in ("LOOPSTART", "LOOPLENGTH", "LOOPEND"))
    if start is None or (length is None and end is None):
        return None
    return (start, start + length) if length is not None else (start, end or 0)


def _count(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None


# --- WAV ------------------------------------------------------------------------------------------------------------


def _of_sampler(file: BinaryIO) -> WrittenLoop:
    """By the `smpl` chunk."""
    long_size = 0
    file.seek(12)
    for _ in range(_MOST_CHUNKS):
        head = file.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            break
        kind, size = _CHUNK.unpack(head)
        begins = file.tell()
        if kind == b"smpl":
            return _first_loop(file.read(_FIRST_LOOP_AT + _MOST_LOOPS * _LOOP.size))
        if kind == b"ds64":
            (long_size,) = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))
        if kind == b"data" and size == _LONG_SIZE:
            size = min(long_size, 1 << 62)
        file.seek(begins + size + size % 2)
    return WrittenLoop()


def _first_loop(sampler: bytes) -> WrittenLoop:
    """The first that is played forwards and for ever. Its end is the last frame that is played."""
    told = int.from_bytes(sampler[_LOOPS_AT : _LOOPS_AT + 4], "little")
    there = sampler[_FIRST_LOOP_AT:][: min(told, _MOST_LOOPS) * _LOOP.size]
    loops = list(_LOOP.iter_unpack(there[: len(there) // _LOOP.size * _LOOP.size]))
    for kind, start, last, times in loops:
        if (kind, times) == (_FORWARD, _FOR_EVER):
            return WrittenLoop((start, last + 1))
    return WrittenLoop(played=_played(*loops[0]) if loops else None)


def _played(kind: int, _start: int, _last: int, times: int) -> str:
    how = [] if kind == _FORWARD else [_KINDS.get(kind, "in a way of its own")]
    return " and ".join([*how, *([] if times == _FOR_EVER else [f"{times:,} times"])])


# --- Vorbis comments ------------------------------------------------------------------------------------------------


def _vorbis_fields(block: bytes) -> dict[str, str]:
    """NAME -> value of a comment block, as far as its lengths are true; the first of a name counts."""
    pieces = _sized_pieces(block)
    next(pieces, b"")  # the vendor
    fields: dict[str, str] = {}
    for piece in pieces:
        name, _, value = piece.decode("utf-8", "replace").partition("=")
        fields.setdefault(name.upper(), value)
    return fields


def _sized_pieces(block: bytes) -> Iterator[bytes]:
    """The vendor's name, and after the fields' number each field."""
    at = 0
    while at + 4 <= len(block):
        (size,) = struct.unpack_from("<I", block, at)
        if at + 4 + size > len(block):
            return
        yield block[at + 4 : at + 4 + size]
        at += 4 + size + (4 if at == 0 else 0)


def _flac_comments(file: BinaryIO) -> bytes:
    for _ in range(_MOST_CHUNKS):
        head = file.read(4)
        if len(head) < 4:  # noqa: PLR2004 - a block's head: its kind, and three bytes of length
            return b""
        size = int.from_bytes(head[1:], "big")
        if head[0] & ~_FLAC_LAST == _FLAC_COMMENTS:
            return file.read(size)
        if head[0] & _FLAC_LAST:
            return b""
        file.seek(size, 1)
    return b""


def _ogg_comments(file: BinaryIO) -> bytes:
    """The block in the second packet of an Ogg Vorbis or Opus stream."""
    packets, packet = 0, bytearray()
    while len(packet) < _MOST_BYTES:
        head = file.read(_OGG_HEAD_BYTES)
        if len(head) < _OGG_HEAD_BYTES or not head.startswith(b"OggS"):
            return b""
        for length in file.read(head[-1]):
            packet += file.read(length)
            if length < _FULL_SEGMENT:
                packets += 1
                if packets == 2:  # noqa: PLR2004 - the second
                    return _without_mark(bytes(packet))
                packet.clear()
    return b""


def _without_mark(packet: bytes) -> bytes:
    mark = next((mark for mark in _COMMENT_PACKETS if packet.startswith(mark)), None)
    return b"" if mark is None else packet[len(mark) :]


# --- ID3 ------------------------------------------------------------------------------------------------------------


def _id3_fields(file: BinaryIO) -> dict[str, str]:
    """NAME -> value of an ID3v2 tag's TXXX frames, in version 2.3 or 2.4."""
    head = file.read(_ID3_HEAD_BYTES)
    if len(head) < _ID3_HEAD_BYTES or head[3] not in (_ID3_OLDER, _ID3_NEWER) or head[5] & _ID3_STRANGE:
        return {}
    tag = file.read(min(_seven_bits(head[6:10]), _MOST_BYTES))
    fields: dict[str, str] = {}
    at = 0
    while at + _ID3_HEAD_BYTES <= len(tag) and tag[at]:  # what follows the last frame is padding: zeros
        kind, counted = tag[at : at + 4], tag[at + 4 : at + 8]
        size = _seven_bits(counted) if head[3] == _ID3_NEWER else int.from_bytes(counted, "big")
        at += _ID3_HEAD_BYTES
        if kind == b"TXXX":
            name, _, value = _text(tag[at : at + size]).partition("\0")
            fields.setdefault(name.upper(), value.strip("\0"))
        at += size
    return fields


def _text(content: bytes) -> str:
    """A text frame's texts, with zeros between them; in UTF-16 each may begin with a mark of its own."""
    if not content or content[0] >= len(_ID3_ENCODINGS):
        return ""
    text = content[1:].decode(_ID3_ENCODINGS[content[0]], "replace")
    return text.replace("\N{ZERO WIDTH NO-BREAK SPACE}", "")


def _seven_bits(content: bytes) -> int:
    size = 0
    for byte in content:
        size = size << 7 | byte & 0x7F
    return size

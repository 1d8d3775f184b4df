"""The tags of anybody's file, by container: within bounds; what is damaged or out of reach is as if it were not there.

Each reader is given the file at its beginning and gives what it finds, piece by piece, in the file's order.
"""

from __future__ import annotations

import io
import struct
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Of one file's tags, pictures among them.
MOST_BYTES: Final = 1 << 24
_MOST_PIECES: Final = 256  # of a file: chunks, blocks, streams side by side
_MOST_FIELDS: Final = 4_096  # of a tag

_CHUNK_HEAD: Final = 8
_FIRST_CHUNK_AT: Final = 12
_BYTE_ORDERS: Final = {b"RIFF": "<", b"RF64": "<", b"FORM": ">"}
_LONG_SIZE: Final = 0xFFFF_FFFF  # RF64: the size of `data` stands in `ds64`

_BLOCK_HEAD: Final = 4
_LAST_BLOCK: Final = 0x80
FLAC_APPLICATION: Final = 2
FLAC_COMMENTS: Final = 4

_PAGE_HEAD: Final = 27
_FLAGS_AT: Final = 5
_SERIAL: Final = slice(14, 18)
_BEGINS: Final = 0x02
_FULL_SEGMENT: Final = 255
_COMMENT_PACKETS: Final = (b"\x03vorbis", b"OpusTags")
_COMMENT_PACKET: Final = 2  # it is the second

ID3_HEAD: Final = 10
_ID3_OLDER, _ID3_NEWER = 3, 4
_ID3_STRANGE: Final = 0xC0  # unsynchronised, or with an extended header: nobody writes so what is looked for here
_ID3_ENCODINGS: Final = ("latin-1", "utf-16", "utf-16-be", "utf-8")


# --- RIFF and AIFF --------------------------------------------------------------------------------------------------


def chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """(kind, size) of each chunk of a WAV or AIFF file, which then stands at the chunk's content; none of another."""
    order = _BYTE_ORDERS.get(file.read(4))
    long_size, at, length = 0, _FIRST_CHUNK_AT, file.seek(0, io.SEEK_END)
    for _ in range(_MOST_PIECES if order else 0):
        if at + _CHUNK_HEAD > length:
            return
        file.seek(at)
        head = file.read(_CHUNK_HEAD)
        kind, size = struct.unpack(f"{order}4sI", head)
        begins = file.tell()
        yield kind, size
        if kind == b"ds64":
            file.seek(begins)
            (long_size,) = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))
        if kind == b"data" and size == _LONG_SIZE:
            size = long_size
        at = begins + size + size % 2


def info_fields(content: bytes) -> Iterator[tuple[str, str]]:
    """(kind, text) of each chunk in an INFO list's content, which begins with that word."""
    at = 4
    for _ in range(_MOST_FIELDS):
        if at + _CHUNK_HEAD > len(content):
            return
        kind, size = struct.unpack_from("<4sI", content, at)
        at += _CHUNK_HEAD
        yield kind.decode("latin-1"), plain_text(content[at : at + size])
        at += size + size % 2


def plain_text(content: bytes) -> str:
    """A text that does not say its encoding, up to its first zero: UTF-8, else what Windows had before."""
    text = content.partition(b"\0")[0]
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


# --- Vorbis comments ------------------------------------------------------------------------------------------------


def vorbis_fields(block: bytes) -> Iterator[tuple[str, str]]:
    """(NAME, value) of each field of a comment block, as far as its lengths are true."""
    pieces = _sized_pieces(block)
    next(pieces, b"")  # the vendor
    for _, piece in zip(range(_MOST_FIELDS), pieces, strict=False):
        name, _, value = piece.decode("utf-8", "replace").partition("=")
        yield name.upper(), value


def _sized_pieces(block: bytes) -> Iterator[bytes]:
    """The vendor's name, and after the fields' number each field."""
    at = 0
    while at + 4 <= len(block):
        (size,) = struct.unpack_from("<I", block, at)
        if at + 4 + size > len(block):
            return
        yield block[at + 4 : at + 4 + size]
        at += 4 + size + (4 if at == 0 else 0)


def flac_blocks(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """(kind, size) of each metadata block, whose content the file then stands at; from where its mark is read."""
    for _ in range(_MOST_PIECES):
        head = file.read(_BLOCK_HEAD)
        if len(head) < _BLOCK_HEAD:
            return
        size = int.from_bytes(head[1:], "big")
        begins = file.tell()
        yield head[0] & ~_LAST_BLOCK, size
        if head[0] & _LAST_BLOCK:
            return
        file.seek(begins + size)


def ogg_comments(file: BinaryIO) -> bytes:
    """The comment block in the second packet of an Ogg Vorbis or Opus stream; others may lie beside it."""
    packets: defaultdict[bytes, bytearray] = defaultdict(bytearray)  # by serial: what there is of the next
    whole: Counter[bytes] = Counter()
    while file.tell() < MOST_BYTES:
        head = file.read(_PAGE_HEAD)
        if len(head) < _PAGE_HEAD or not head.startswith(b"OggS"):
            return b""
        serial, lacing, at = head[_SERIAL], file.read(head[-1]), 0
        body, packet = file.read(sum(lacing)), packets[serial]
        for size in lacing if whole[serial] < _COMMENT_PACKET else b"":
            packet += body[at : at + size]
            at += size
            if size < _FULL_SEGMENT:
                mark = next((mark for mark in _COMMENT_PACKETS if packet.startswith(mark)), None)
                if mark is not None:
                    return bytes(packet[len(mark) :])
                whole[serial] += 1
                packet.clear()
    return b""


def ogg_first_packets(file: BinaryIO) -> Iterator[bytes]:
    """How the first packet of each stream begins; all of them stand before anything else (RFC 3533)."""
    for _ in range(_MOST_PIECES):
        head = file.read(_PAGE_HEAD)
        if len(head) < _PAGE_HEAD or not head.startswith(b"OggS") or not head[_FLAGS_AT] & _BEGINS:
            return
        yield file.read(sum(file.read(head[-1])))


# --- ID3 ------------------------------------------------------------------------------------------------------------


def id3_frames(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """(kind, content) of each frame of an ID3v2 tag, in version 2.3 or 2.4."""
    head = file.read(ID3_HEAD)
    if len(head) < ID3_HEAD or head[3] not in (_ID3_OLDER, _ID3_NEWER) or head[5] & _ID3_STRANGE:
        return
    tag = file.read(min(seven_bits(head[6:10]), MOST_BYTES))
    at = 0
    for _ in range(_MOST_FIELDS):
        if at + ID3_HEAD > len(tag) or not tag[at]:  # what follows the last frame is padding: zeros
            return
        kind, counted = tag[at : at + 4], tag[at + 4 : at + 8]
        size = seven_bits(counted) if head[3] == _ID3_NEWER else int.from_bytes(counted, "big")
        at += ID3_HEAD
        yield kind, tag[at : at + size]
        at += size


def id3_text(content: bytes) -> str:
    """A text frame's texts, with zeros between them; in UTF-16 each may begin with a mark of its own."""
    if not content or content[0] >= len(_ID3_ENCODINGS):
        return ""
    text = content[1:].decode(_ID3_ENCODINGS[content[0]], "replace")
    return text.replace("\N{ZERO WIDTH NO-BREAK SPACE}", "")


def seven_bits(content: bytes) -> int:
    """A number whose bytes have seven bits each."""
    size = 0
    for byte in content:
        size = size << 7 | byte & 0x7F
    return size

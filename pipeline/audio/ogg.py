"""Ogg pages, read and written: to give a stream a serial number and comments of our own (RFC 3533)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.audio.vorbis_comments import comment_block, vendor_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.audio.labels import Label

_HEAD: Final = struct.Struct("<4sBBqIIIB")  # capture pattern, version, flags, granule, serial, number, CRC, segments
_CRC_AT: Final = 22
_MOST_SEGMENTS: Final = 255
_FULL_SEGMENT: Final = 255
_CONTINUED: Final = 0x01
_NOTHING_ENDS: Final = -1  # the granule of a page on which no packet ends
_VORBIS_HEADERS: Final = 3
_COMMENT_HEAD: Final = b"\x03vorbis"
_FRAMING_BIT: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class Page:
    """One page, without what follows from its place: serial, number, CRC."""

    flags: int
    granule: int
    lacing: bytes  # the segments' lengths
    body: bytes


def with_serial(stream: bytes, serial: int) -> bytes:
    """The same Ogg stream under another serial."""
    return _bound(_pages(stream), serial)


def with_label(stream: bytes, label: Label) -> bytes:
    """The same Ogg Vorbis stream under another serial, with comments of our own instead of the encoder's."""
    pages = list(_pages(stream))
    headers, sound_at = _first_packets(pages, _VORBIS_HEADERS)
    vendor = vendor_of(headers[1][len(_COMMENT_HEAD) :])
    comments = _COMMENT_HEAD + comment_block(vendor, label.metadata) + _FRAMING_BIT
    return _bound([pages[0], *_paged([comments, headers[2]]), *pages[sound_at:]], label.serial)


def _pages(stream: bytes) -> Iterator[Page]:
    at = 0
    while at < len(stream):
        _, _, flags, granule, _, _, _, segments = _HEAD.unpack_from(stream, at)
        body_at = at + _HEAD.size + segments
        lacing = stream[at + _HEAD.size : body_at]
        at = body_at + sum(lacing)
        yield Page(flags, granule, lacing, stream[body_at:at])


def _bound(pages: Iterable[Page], serial: int) -> bytes:
    """Pages as a stream: numbered, under `serial`, each with its CRC."""
    return b"".join(_page_bytes(page, serial, number) for number, page in enumerate(pages))


def _page_bytes(page: Page, serial: int, number: int) -> bytes:
    head = _HEAD.pack(b"OggS", 0, page.flags, page.granule, serial, number, 0, len(page.lacing))
    content = bytearray(head + page.lacing + page.body)
    struct.pack_into("<I", content, _CRC_AT, _crc(content))
    return bytes(content)


def _first_packets(pages: Iterable[Page], count: int) -> tuple[list[bytes], int]:
    """The first `count` packets, and the number of the page after them: headers end with their page."""
    packets, open_packet = [], b""
    for number, page in enumerate(pages):
        at = 0
        for length in page.lacing:
            open_packet += page.body[at : at + length]
            at += length
            if length < _FULL_SEGMENT:
                packets.append(open_packet)
                open_packet = b""
        if len(packets) >= count:
            return packets, number + 1
    raise ValueError(f"an Ogg stream with {len(packets)} packets, and {count} are headers")


def _paged(packets: Sequence[bytes]) -> Iterator[Page]:
    """Header packets, one after the other, on as few pages as they fit."""
    lacing = b"".join(
        bytes([_FULL_SEGMENT]) * (len(packet) // _FULL_SEGMENT) + bytes([len(packet) % _FULL_SEGMENT])
        for packet in packets
    )
    body, at = b"".join(packets), 0
    continued = False
    for first in range(0, len(lacing), _MOST_SEGMENTS):
        segments = lacing[first : first + _MOST_SEGMENTS]
        ends = any(length < _FULL_SEGMENT for length in segments)
        page = Page(0, 0 if ends else _NOTHING_ENDS, segments, body[at : at + sum(segments)])
        yield replace(page, flags=_CONTINUED) if continued else page
        at += sum(segments)
        continued = segments[-1] == _FULL_SEGMENT


_REVERSED_BITS: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _crc(content: bytes | bytearray) -> int:
    """Ogg's CRC: zlib's polynomial with bits in the other order, from zero and not inverted at its end."""
    mirrored = zlib.crc32(content.translate(_REVERSED_BITS), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED_BITS), "big")

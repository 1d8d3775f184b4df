"""mp3 frames: to write the one that says how many there are, and how many samples to leave out at both ends.

An mp3 begins with silence of the encoder's and ends on a whole frame. The Xing/LAME header, a frame of silence that
carries numbers, tells a player what is the music's own (gabriel.mp3-tech.org/mp3infotag.html).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_BITRATES: Final = {  # kbit/s of layer III by index, of MPEG 1 and of both versions of MPEG 2
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_MPEG_1: Final = (44_100, 48_000, 32_000)
_RATE_DIVISORS: Final = {0b11: 1, 0b10: 2, 0b00: 4}  # by version: MPEG 1, 2, 2.5
_MONO: Final = 0b11
_ENCODER_DELAY: Final = 576
_HEADER_BYTES: Final = 4
_FORM: Final = (0xFE, 0x0C)  # of the header's second and third byte: what frames of one stream share
_XING_BYTES: Final = 120
_LAME_BYTES: Final = 36
_HAS_EVERYTHING: Final = 0x0F  # frames, bytes, table of contents, quality
_HAS_COUNTS: Final = 0x03  # frames, bytes
_TAG_VERSION: Final = b"LAME3.100"  # whose layout it has: readers look for a version before they believe the rest
_CONTENTS: Final = bytes(place * 256 // 100 for place in range(100))  # of a constant bitrate


@dataclass(frozen=True, slots=True)
class Frame:
    """An mp3 frame's header, as four bytes."""

    head: bytes

    @classmethod
    def at_start_of(cls, stream: bytes) -> Frame:
        return cls(stream[:_HEADER_BYTES])

    @property
    def is_mpeg_1(self) -> bool:
        return self._version == 0b11  # noqa: PLR2004 - the standard's bits

    @property
    def bitrate(self) -> int:
        """In kbit/s."""
        return _BITRATES[self.is_mpeg_1][self.head[2] >> 4]

    @property
    def samples(self) -> int:
        """How many frames of sound it decodes to."""
        return 1152 if self.is_mpeg_1 else 576

    @property
    def size(self) -> int:
        """In bytes, with its header and its padding."""
        rate = _RATES_MPEG_1[self.head[2] >> 2 & 0b11] // _RATE_DIVISORS[self._version]
        return self.samples * self.bitrate * 125 // rate + (self.head[2] >> 1 & 1)

    @property
    def side_information_bytes(self) -> int:
        is_mono = self.head[3] >> 6 == _MONO
        if self.is_mpeg_1:
            return 17 if is_mono else 32
        return 9 if is_mono else 17

    @property
    def _version(self) -> int:
        return self.head[1] >> 3 & 0b11

    def is_like(self, other: bytes) -> bool:
        """Is `other` the header of another frame of the same version, layer and rate?"""
        return (
            len(other) == _HEADER_BYTES
            and other[0] == self.head[0]
            and all(other[at] & mask == self.head[at] & mask for at, mask in enumerate(_FORM, 1))
        )

    def with_bitrate_index(self, index: int) -> Frame:
        """The same without padding and without a checksum, at another bitrate."""
        return Frame(bytes([self.head[0], self.head[1] | 1, index << 4 | self.head[2] & 0b1100, self.head[3]]))


def info_frame(stream: bytes, frames: int) -> bytes:
    """The frame to put before `stream`, a constant-bitrate mp3 by LAME of sound that was `frames` long."""
    first = Frame.at_start_of(stream)
    music_frames = _count_frames(stream)
    needed = _HEADER_BYTES + first.side_information_bytes + _XING_BYTES + _LAME_BYTES
    carrier = _roomy(first, needed)
    padding = music_frames * first.samples - _ENCODER_DELAY - frames
    size = carrier.size
    xing = struct.pack(">4sIII", b"Info", _HAS_EVERYTHING, music_frames, size + len(stream)) + _CONTENTS + bytes(4)
    content = carrier.head + bytes(first.side_information_bytes) + xing
    content += _lame_tag(first.bitrate, padding, size + len(stream))
    return (content + struct.pack(">H", _crc_16(content))).ljust(size, b"\0")


def counting_frame(first: Frame, count: int, size: int) -> bytes:
    """The frame to put before a stream of `count` frames and `size` bytes that begins with `first`.

    It leaves nothing out at either end.
    """
    side = bytes(first.side_information_bytes)
    carrier = _roomy(first, _HEADER_BYTES + len(side) + _XING_BYTES)
    counts = struct.pack(">4sIII", b"Xing", _HAS_COUNTS, count, carrier.size + size)
    return (carrier.head + side + counts).ljust(carrier.size, b"\0")


def _lame_tag(bitrate: int, padding: int, size: int) -> bytes:
    """All of the LAME extension but the checksum at its end."""
    delays = (_ENCODER_DELAY << 12 | padding).to_bytes(3, "big")
    constant_bitrate = 0x01
    return struct.pack(
        ">9sBB8xBB3sBBHIH", _TAG_VERSION, constant_bitrate, 0, 0, min(bitrate, 255), delays, 0, 0, bitrate, size, 0
    )


def _roomy(frame: Frame, needed: int) -> Frame:
    """The frame at its own bitrate, or at the lowest that makes it `needed` bytes long."""
    own = frame.head[2] >> 4
    sized = (frame.with_bitrate_index(index) for index in range(own, len(_BITRATES[True])))
    return next(carrier for carrier in sized if carrier.size >= needed)


def _count_frames(stream: bytes) -> int:
    count = at = 0
    while at < len(stream):
        at += Frame(stream[at : at + _HEADER_BYTES]).size
        count += 1
    return count


def _crc_16(content: bytes) -> int:
    """CRC-16 with the polynomial 0x8005, bits mirrored, as LAME puts at the end of its tag."""
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc

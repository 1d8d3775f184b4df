"""How long a file says it is: to tell one that was cut short from one that is whole.

libsndfile trims a WAV's claim to what is there, so WAV headers are read here; and it guesses the length of an mp3 that
does not say it, so such a guess is not taken for a claim.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    import soundfile

_MOST_CHUNKS: Final = 64
_HEAD_BYTES: Final = 8
# Written for "not known yet" by programs that stream: all ones, or just under 2 GiB.
_UNKNOWN_SIZES: Final = (range(0x7FFF_F000, 0x8000_0000), range(0xFFFF_FFFF, 0x1_0000_0000))
# Encoders disagree on whether the frame that holds the count is counted itself.
_MP3_TOLERANCE_FRAMES: Final = 2 * 1152
_MP3_SEARCHED_BYTES: Final = 4096
_ID3_HEAD_BYTES: Final = 10


def claimed_frames(file: soundfile.SoundFile, path: str) -> int | None:
    """The frames that `file`'s own header claims. None where it makes no claim that could be held against it."""
    if file.format in ("WAV", "WAVEX", "RF64"):
        return _wav_claim(Path(path))
    if file.format == "MP3":
        return max(0, file.frames - _MP3_TOLERANCE_FRAMES) if _mp3_says_its_length(Path(path)) else None
    return int(file.frames)


def _wav_claim(path: Path) -> int | None:
    """Frames by the sizes in the header of a RIFF or RF64 file."""
    frame_bytes, long_size = 0, None
    with path.open("rb") as file:
        if file.read(12)[:4] not in (b"RIFF", b"RF64"):
            return None
        for _ in range(_MOST_CHUNKS):
            name, size = _chunk(file)
            if name == b"fmt ":
                frame_bytes = struct.unpack_from("<12xH", file.read(14).ljust(14, b"\0"))[0]
                file.seek(size + size % 2 - 14, 1)
            elif name == b"ds64":
                long_size = struct.unpack_from("<8xQ", file.read(16).ljust(16, b"\0"))[0]
                file.seek(size + size % 2 - 16, 1)
            elif name == b"data":
                return _data_frames(size, long_size, frame_bytes)
            elif not name:
                return None
            else:
                file.seek(size + size % 2, 1)
    return None


def _chunk(file: BinaryIO) -> tuple[bytes, int]:
    """The next chunk's name and size; no name at the file's end."""
    head = file.read(_HEAD_BYTES)
    return struct.unpack("<4sI", head) if len(head) == _HEAD_BYTES else (b"", 0)


def _data_frames(size: int, long_size: int | None, frame_bytes: int) -> int | None:
    if frame_bytes == 0:
        return None
    if long_size is not None:
        return long_size // frame_bytes
    return None if any(size in sizes for sizes in _UNKNOWN_SIZES) else size // frame_bytes


def _mp3_says_its_length(path: Path) -> bool:
    """Does the first frame carry a Xing, Info or VBRI header, which counts the frames?"""
    with path.open("rb") as file:
        head = file.read(_ID3_HEAD_BYTES)
        file.seek(_id3_length(head) if head.startswith(b"ID3") else 0)
        first = file.read(_MP3_SEARCHED_BYTES)
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def _id3_length(head: bytes) -> int:
    """Bytes of an ID3v2 tag with its head: four times seven bits."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size + _ID3_HEAD_BYTES

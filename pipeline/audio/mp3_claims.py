"""How long an mp3 is: it has no header of its own, so its frames are counted.

libsndfile believes a Xing frame's count and, where there is none, guesses from the first frame's bitrate; what lies
beyond either is never decoded. So what it would leave out is found here, and an mp3 whose count is too low or missing
is given one that is true.
"""

from __future__ import annotations

import io
import mmap
import re
from typing import TYPE_CHECKING, Final

from pipeline.audio.mp3_frames import Frame, counting_frame

if TYPE_CHECKING:
    from pathlib import Path

_SEARCHED_BYTES: Final = 4_096
_ID3_HEAD_BYTES: Final = 10
_EMPTY_TAG: Final = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)  # without one, libsndfile knows no mp3 in memory
_BITRATES_AND_RATES: Final = re.escape(bytes(bitrate << 4 | low for bitrate in range(1, 15) for low in range(12)))
_COUNTS: Final = (b"Xing", b"Info", b"VBRI")
# Layer III of any version, with a bitrate and a rate that exist; the fourth byte may be anything.
_HEADER: Final = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][%s]." % _BITRATES_AND_RATES, re.DOTALL)
_MOST_FRAMES: Final = 1 << 28  # a longer file is refused anyway
_MOST_STRAYS: Final = 20_000  # bytes that look like a header and are none
# Encoders put silence at both ends: at most as much as a LAME tag can tell players to leave out, and a frame.
_MOST_SILENCE_FRAMES: Final = 2 * 4_096 + 1_152


def says_its_length(path: Path) -> bool:
    """Does the first frame carry a Xing, Info or VBRI header, which counts the frames?"""
    with path.open("rb") as file:
        head = file.read(_ID3_HEAD_BYTES)
        file.seek(_id3_length(head))
        first = file.read(_SEARCHED_BYTES)
    return any(mark in first for mark in _COUNTS)


def hidden_frames(path: Path, frames: int) -> int:
    """How many frames of sound there are that are not among the `frames` that were decoded; 0 for encoders' silence."""
    _, there, _ = _walked(path)
    return there - frames if there - frames > _MOST_SILENCE_FRAMES else 0


def recounted(path: Path) -> io.BytesIO | None:
    """The mp3 with a count of its own frames in front instead of what it said; None where there are no frames."""
    start, there, first = _walked(path)
    if first is None:
        return None
    stream = path.read_bytes()[start:]
    if any(mark in stream[: first.size] for mark in _COUNTS):
        stream = stream[first.size :]
        there -= first.samples
    return io.BytesIO(_EMPTY_TAG + counting_frame(first, there // first.samples, len(stream)) + stream)


def _walked(path: Path) -> tuple[int, int, Frame | None]:
    """Where the first frame begins, how many frames of sound all of them hold, and the first itself."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at, start, sound, strays, first = _id3_length(content[:_ID3_HEAD_BYTES]), 0, 0, 0, None
        expected = -1  # where the frame before ends: what begins there needs no other witness
        while sound < _MOST_FRAMES and strays < _MOST_STRAYS and (found := _HEADER.search(content, at)):
            at, frame = found.start(), Frame(found[0])
            end = at + frame.size
            if end > len(content) or not (at == expected or frame.is_like(content[end : end + len(frame.head)])):
                at, strays = at + 1, strays + 1
                continue
            if first is None:
                start, first = at, frame
            sound += frame.samples
            at = expected = end
    return start, sound, first


def _id3_length(head: bytes) -> int:
    """Bytes of an ID3v2 tag with its head, 0 where there is none: four times seven bits."""
    if not head.startswith(b"ID3"):
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size + _ID3_HEAD_BYTES

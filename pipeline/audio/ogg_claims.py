"""Is an Ogg file one whole stream? Its header says no length, but its last page says that it is the last (RFC 3533)."""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING, Final

from pipeline.audio.tasks import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEAD: Final = struct.Struct("<4s x B 20x B")  # capture pattern, flags, segments
_BEGINS: Final = 0x02
_ENDS: Final = 0x04


def check_pages(path: Path) -> None:
    """Raise AudioError where its last page is missing, or where another stream follows, which nobody would hear.

    Streams that lie side by side, as music and a picture do, all begin before any of them goes on.
    """
    ended = gone_on = False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for flags in _flags_of_pages(content):
            if flags & _BEGINS and gone_on:
                raise AudioError("it is several Ogg streams in a row, of which players may play one: join them first")
            gone_on = gone_on or not flags & _BEGINS
            ended = ended or bool(flags & _ENDS)
    if not ended:
        raise AudioError("it is cut short: its last page is missing")


def _flags_of_pages(content: mmap.mmap) -> Iterator[int]:
    """Of every whole page in a row from the start; what is no page, or not all of one, ends it."""
    at = 0
    while at + _HEAD.size <= len(content):
        pattern, flags, segments = _HEAD.unpack_from(content, at)
        body = at + _HEAD.size + segments
        at = body + sum(content[at + _HEAD.size : body])
        if pattern != b"OggS" or at > len(content):
            return
        yield flags

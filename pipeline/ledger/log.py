"""SQLite's write-ahead log, as far as its head: a log that SQLite would pass over without a word is found here.

SQLite takes a log whose head it can't read for an empty one, and with it forgets what was committed to it: ids of jobs
that are being paid for. It syncs the head before anything follows, so that no power failure leaves one like that.
What comes after a torn record in the middle can't be told from what a power failure left unfinished at the end: there
SQLite's own judgement stands.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_HEAD_BYTES: Final = 32
_MAGIC: Final = 0x377F0682  # its last bit says in which order of bytes the checksums are made
_WORD: Final = 0xFFFFFFFF


def is_whole(log: Path) -> bool:
    """Is the head of `log` what SQLite has written, or nothing behind it to be lost? Raises OSError."""
    try:
        with log.open("rb") as file:
            head = file.read(_HEAD_BYTES + 1)
    except FileNotFoundError:
        return True
    return len(head) <= _HEAD_BYTES or _is_head(head[:_HEAD_BYTES])


def _is_head(head: bytes) -> bool:
    """As in "The WAL File Format" of SQLite's documentation."""
    magic, *_, first, second = struct.unpack(">8I", head)
    if magic & ~1 != _MAGIC:
        return False
    words = struct.unpack(f"{'>' if magic & 1 else '<'}6I", head[:24])
    return _checksum(words) == (first, second)


def _checksum(words: tuple[int, ...]) -> tuple[int, int]:
    first = second = 0
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & _WORD
        second = (second + other + first) & _WORD
    return first, second

"""How much sound a WAV or AIFF file says it holds, by the sizes in its chunks' headers."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST_CHUNKS: Final = 64
_HEAD_BYTES: Final = 8
_READ_BYTES: Final = 16  # of a chunk's content: all that is looked at
_ORDERS: Final = {b"RIFF": "<", b"RF64": "<", b"FORM": ">"}
# Written for "not known yet" by programs that stream: all ones, or just under 2 GiB.
_UNKNOWN_SIZES: Final = (range(0x7FFF_F000, 0x8000_0000), range(0xFFFF_FFFF, 0x1_0000_0000))


@dataclass(frozen=True, slots=True)
class _Chunk:
    name: bytes
    size: int  # as claimed
    there: int  # bytes of the file from the chunk's content on
    content: bytes  # its first bytes


def claimed_in_chunks(path: Path, frames: int) -> int:
    """How many frames the file at `path` says it holds; `frames`: how many it decodes to. 0: it does not say."""
    long_size, counted = None, 0
    with path.open("rb") as file:
        order = _ORDERS.get(file.read(12)[:4], "")
        for chunk in _chunks(file, order, path.stat().st_size):
            match chunk.name:
                case b"ds64":
                    (long_size,) = struct.unpack_from("<8xQ", chunk.content.ljust(_READ_BYTES, b"\0"))
                case b"COMM":
                    (counted,) = struct.unpack_from(">2xI", chunk.content.ljust(_READ_BYTES, b"\0"))
                case b"data":
                    return _by_bytes(chunk, chunk.size if long_size is None else long_size, frames, long_size)
                case b"SSND":
                    return max(counted, _by_bytes(chunk, chunk.size, frames))
    return counted


def _chunks(file: BinaryIO, order: str, length: int) -> Iterator[_Chunk]:
    """The first chunks of a file of `length` bytes; none where it has no byte order."""
    for _ in range(_MOST_CHUNKS if order else 0):
        head = file.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            return
        name, size = struct.unpack(f"{order}4sI", head)
        at = file.tell()
        yield _Chunk(name, size, length - at, file.read(min(size, _READ_BYTES)))
        file.seek(at + size + size % 2)


def _by_bytes(chunk: _Chunk, size: int, frames: int, long_size: int | None = None) -> int:
    """As many more frames than there are as the chunk claims more bytes, whatever they encode."""
    if long_size is None and any(size in sizes for sizes in _UNKNOWN_SIZES):
        return 0
    return -(-frames * size // chunk.there) if size > chunk.there > 0 else 0

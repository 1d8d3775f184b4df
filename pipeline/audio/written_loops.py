"""The loop that is written in a file: a WAV's sampler chunk, or LOOPSTART and LOOPLENGTH among its tags."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from pipeline.audio.tag_reading import (
    FLAC_COMMENTS,
    chunks,
    flac_blocks,
    id3_frames,
    id3_text,
    ogg_comments,
    vorbis_fields,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_DIGITS: Final = 15

_LOOPS_AT, _FIRST_LOOP_AT = 28, 36
_LOOP: Final = struct.Struct("<4xIII4xI")  # kind, first and last frame, how often
_MOST_LOOPS: Final = 64
_FORWARD, _FOR_EVER = 0, 0
_KINDS: Final = {1: "back and forth", 2: "backwards"}


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
        file.seek(0)
        if mark in (b"RIFF", b"RF64"):
            return _of_sampler(file)
        return WrittenLoop(_of_fields(_fields(file, mark)))


def _fields(file: BinaryIO, mark: bytes) -> Iterator[tuple[str, str]]:
    """(NAME, value) of every field that has a name of its own."""
    if mark == b"fLaC":
        file.seek(len(mark))
        block = next((file.read(size) for kind, size in flac_blocks(file) if kind == FLAC_COMMENTS), b"")
        yield from vorbis_fields(block)
    elif mark == b"OggS":
        yield from vorbis_fields(ogg_comments(file))
    elif mark.startswith(b"ID3"):
        for kind, content in id3_frames(file):
            if kind == b"TXXX":
                name, _, value = id3_text(content).partition("\0")
                yield name.upper(), value.strip("\0")


def _of_fields(every: Iterable[tuple[str, str]]) -> tuple[int, int] | None:
    """By LOOPLENGTH where it is there: some programs write the last sample as LOOPEND, and some the one after it."""
    fields: dict[str, str] = {}
    for name, value in every:
        fields.setdefault(name, value)
    start, length, end = (_count(fields.get(name, "")) for name in ("LOOPSTART", "LOOPLENGTH", "LOOPEND"))
    if start is None or (length is None and end is None):
        return None
    return (start, start + length) if length is not None else (start, end or 0)


def _count(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None


def _of_sampler(file: BinaryIO) -> WrittenLoop:
    """By the `smpl` chunk."""
    for kind, _ in chunks(file):
        if kind == b"smpl":
            return _first_loop(file.read(_FIRST_LOOP_AT + _MOST_LOOPS * _LOOP.size))
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

"""Shards: the tracks of a library shared out among several runs, so that each is in just one of them. Pure.

Which one a track is in depends on the track and on the number of shards alone: other tracks may come and go. What has
to be decided together stays together: the members of a loudness group, and tracks that are one purchase (but for those
which a group keeps elsewhere). It is the same for placeholders as for the real thing, and in every version: a shard's
run goes on with what it left.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.fingerprints import paid_fingerprint

if TYPE_CHECKING:
    from pipeline.manifest.tracks import Track

_MOST: Final = 10_000
_WRITTEN: Final = re.compile(r"(\d{1,5})/(\d{1,5})", re.ASCII)


class NoShard(ValueError):
    """A word that names no shard. Its text is one sentence."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of so many shards; they are numbered from 1."""

    number: int
    of: int

    @property
    def is_all(self) -> bool:
        """Is it the only one?"""
        return self.of == 1

    def has(self, track: Track) -> bool:
        """Is `track` in it?"""
        return self.is_all or int(_place(track), 16) % self.of == self.number - 1

    def share(self, whole: int) -> int:
        """What it gets of what all of the shards may use together, rounded down."""
        return whole // self.of

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def shard_from(text: str) -> Shard:
    """The shard that is written so: `2/8`, the second of eight. Raises NoShard."""
    written = _WRITTEN.fullmatch(text)
    number, of = map(int, written.groups()) if written else (0, 0)
    if not 1 <= number <= of <= _MOST:
        raise NoShard(f"{text!r} is no shard; expected one like 2/8 (the second of 8), of {_MOST:,} at most")
    return Shard(number, of)


def _place(track: Track) -> str:
    """A hash, in hex: the same for all that stays together."""
    group = track.finishing.loudness.group
    if group is not None:
        return _hash("group", track.manifest, group)
    if track.file is not None:
        return _hash("file", track.manifest, track.name)
    return paid_fingerprint(track, "real")


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()

"""Which of its manifests' tracks a plan is about: `--only`, `--shard`, both, or all. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.manifest.tracks import Track
    from pipeline.planning.shards import Shard


@dataclass(frozen=True, slots=True)
class Meant:
    """Is a track meant? Tracks that are not are left alone."""

    only: Callable[[str], bool] | None = None  # is a track of that name meant?
    shard: Shard | None = None

    @property
    def all(self) -> bool:
        """Are all of them?"""
        return self.only is None and (self.shard is None or self.shard.is_all)

    def __call__(self, track: Track) -> bool:
        return self._by_name(track.name) and (self.shard is None or self.shard.has(track))

    def has_jobs_of(self, name: str, track: Track | None) -> bool:
        """Are the jobs that a track called `name` left its concern? `track`: what is called so now.

        They are its shard's; of a track that is gone the first one's, as somebody has to bring them home.
        """
        if track is not None:
            return self(track)
        return self._by_name(name) and (self.shard is None or self.shard.number == 1)

    def _by_name(self, name: str) -> bool:
        return self.only is None or self.only(name)

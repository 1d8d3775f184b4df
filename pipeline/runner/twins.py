"""The gate `twin`: two takes of a track that are nearly the same. One of them was money for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from pipeline.audio.tasks import AudioError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.runner.finisher import Finisher


@dataclass(frozen=True, slots=True)
class Twins:
    """The numbers of two takes, the earlier first, and by how much they correlate."""

    one: int
    other: int
    correlation: float

    def __str__(self) -> str:
        return f"takes {self.one} and {self.other} are nearly the same: they correlate by {self.correlation:.2f}"

    def later(self, pick: int) -> int:
        """The one that a failing gate fails: never the pick."""
        return self.one if self.other == pick else self.other


async def find_twins(finisher: Finisher, sources: Mapping[int, str]) -> tuple[Twins, ...]:
    """Every two of `sources` (take -> path) that are twins. What does not decode is none: its other gates say so."""
    found = []
    for one, other in combinations(sorted(sources), 2):
        try:
            correlation = await finisher.compare(sources[one], sources[other])
        except AudioError:
            continue
        if correlation is not None:
            found.append(Twins(one, other, correlation))
    return tuple(found)

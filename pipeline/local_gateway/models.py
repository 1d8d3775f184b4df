"""The models that the local gateway offers: what they cost, and how long the pieces are that they make."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class MusicModel:
    """A model. A duration outside of its range is moved into it; `own_length`: it decides for itself."""

    slug: str
    name: str
    price_per_second_usd: Decimal
    shortest_s: float = 1.0
    longest_s: float = 600.0
    own_length: bool = False

    def clamped(self, asked_s: float) -> float:
        """The length nearest to `asked_s` that the model makes."""
        return float(max(self.shortest_s, min(self.longest_s, asked_s)))


MODELS: Final[tuple[MusicModel, ...]] = (
    MusicModel("sony-ai/mmaudio-v2-text-to-audio", "Mmaudio V2 Text To Audio", Decimal("0.0010")),
    MusicModel("local/short-pieces", "Short Pieces", Decimal("0.0020"), shortest_s=5.0, longest_s=47.0),
    MusicModel("local/long-pieces", "Long Pieces", Decimal("0.0015"), shortest_s=10.0, longest_s=300.0),
    MusicModel("local/own-length", "Own Length", Decimal("0.0010"), shortest_s=5.0, own_length=True),
)

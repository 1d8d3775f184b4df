"""Choices that are the same in every process: drawn from SHA-256 of what they are for, never from `hash()`."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


def seed_of(*names: object) -> int:
    """A 128-bit number that stands for `names`. Unpaired surrogates in a text are text too."""
    text = "\x1f".join(str(name) for name in names)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16], "big")


class Chance:
    """A stream of choices named by what it decides, so that one decision more elsewhere changes nothing here."""

    def __init__(self, *names: object) -> None:
        # Only `random()` is drawn from: of this generator's methods it alone is promised to stay the same for ever.
        self._draw = random.Random(seed_of(*names)).random  # noqa: S311 - music, not secrets

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._draw()

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self._draw() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._draw() * len(choices))]

    def weighted(self, choices: Sequence[tuple[T, float]]) -> T:
        """One of (choice, weight) pairs."""
        left = self._draw() * sum(weight for _, weight in choices)
        for choice, weight in choices:
            left -= weight
            if left < 0:
                return choice
        return choices[-1][0]

    def happens(self, probability: float) -> bool:
        return self._draw() < probability

    def bell(self, spread: float) -> float:
        """About normal around 0 with standard deviation `spread`, never beyond three of them."""
        return (self._draw() + self._draw() + self._draw() - 1.5) * 2.0 * spread

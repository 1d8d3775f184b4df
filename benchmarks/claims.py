"""What a benchmark claims, and how it says that it missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Claim:
    """A figure and its bound: at most, unless it is `at_least`."""

    what: str
    figure: float
    bound: float
    at_least: bool = False
    digits: int = 2

    @property
    def holds(self) -> bool:
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def __str__(self) -> str:
        side = "at least" if self.at_least else "at most"
        missed = "" if self.holds else f", MISSED by {abs(self.figure - self.bound):.{self.digits}f}"
        return f"{self.what}: {self.figure:.{self.digits}f} ({side} {self.bound:g}{missed})"


def exit_status(claims: Sequence[Claim], *, missed_only: bool = False) -> int:
    """Print what became of each of them, or of those that are missed, and how many hold. 1 where one is missed."""
    missed = [claim for claim in claims if not claim.holds]
    print(*(missed if missed_only else claims), sep="\n")
    print(f"\n{len(claims) - len(missed)} of {len(claims)} figures hold")
    return 1 if missed else 0


def told(rows: Sequence[Sequence[str]]) -> None:
    """A table: the first row is its head, the first column is words, the others are figures."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join([row[0].ljust(widths[0]), *others]) if first else "")
    print()

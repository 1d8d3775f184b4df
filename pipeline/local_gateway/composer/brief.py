"""What a prompt was read to ask for. What it leaves open is None or empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.theory import Metre


@dataclass(frozen=True, slots=True)
class Brief:
    tempo_bpm: float | None = None  # stated as a number
    tempo_range_bpm: tuple[float, float] | None = None  # stated as a word
    tonic: int | None = None  # pitch class, C is 0
    mode: str | None = None
    metre: Metre | None = None
    genre: str | None = None
    moods: tuple[str, ...] = ()
    families: tuple[str, ...] = ()  # instruments, in the order of their mention
    barred: frozenset[str] = frozenset()  # instruments it says are not to play
    energy: float = 0.5  # 0 still, 1 as hard as it goes
    valence: float = 0.0  # -1 sorrow, 1 joy
    tension: float = 0.2  # 0 at rest, 1 in dread
    loop: bool = False
    alone: bool = False  # only the instruments it names
    swung: bool = False

"""How a chord is laid out, so that each voice moves as little as it can to the next."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.theory import SCALE, Chord, Key

if TYPE_CHECKING:
    from collections.abc import Sequence

Voicing = tuple[int, ...]  # MIDI pitches, low to high

REACH: Final = 8  # steps either way of the centre
WIDEST: Final = 19  # semitones from the lowest voice to the highest
CLOSEST: Final = 2  # and least between neighbours: no seconds rubbing in the low middle
PARALLEL_COST: Final = 1.5


@dataclass(frozen=True, slots=True)
class Hand:
    """Where a player lays chords: around a pitch, within what the instrument reaches, in so many voices."""

    centre: float
    low: int
    high: int
    voices: int


def led(chords: Sequence[Chord], key: Key, hand: Hand) -> tuple[Voicing, ...]:
    """A voicing for each chord, each from the one before."""
    found: list[Voicing] = []
    for chord in chords:
        choices = layouts(chord, key, hand)
        before = found[-1] if found else None
        found.append(min(choices, key=lambda voicing: (_cost(voicing, before, hand.centre), voicing)))
    return tuple(found)


def layouts(chord: Chord, key: Key, hand: Hand) -> list[Voicing]:
    """Every sensible way to lay a chord in this hand; never none."""
    wanted = _essential(chord, hand.voices)
    middle = key.step_near(hand.centre)
    near = [
        step
        for step in range(middle - REACH, middle + REACH + 1)
        if chord.holds(step) and hand.low <= key.pitch(step) <= hand.high
    ]
    found = [
        tuple(key.pitch(step) for step in steps)
        for steps in combinations(near, hand.voices)
        if wanted <= {step % SCALE for step in steps}
    ]
    spaced = [voicing for voicing in found if _is_spaced(voicing)]
    return spaced or found or [tuple(key.pitch(step) for step in near[: hand.voices])]


def _essential(chord: Chord, voices: int) -> set[int]:
    """The degrees that must be heard: of a seventh or ninth in few voices the fifth, then the root, may go."""
    tones = list(chord.tones)
    for spare in (4, 0):
        if len(tones) > voices and spare in tones:
            tones.remove(spare)
    return {(chord.root + tone) % SCALE for tone in tones[:voices]}


def _is_spaced(voicing: Voicing) -> bool:
    gaps = [high - low for low, high in pairwise(voicing)]
    return voicing[-1] - voicing[0] <= WIDEST and all(gap >= CLOSEST for gap in gaps)


def _cost(voicing: Voicing, before: Voicing | None, centre: float) -> float:
    """How much the hands must move, how far it strays, and whether all go the same way."""
    away = abs(sum(voicing) / len(voicing) - centre)
    if before is None:
        return away + 0.15 * (voicing[-1] - voicing[0])
    moves = [new - old for old, new in zip(before, voicing, strict=False)]
    together = all(move > 0 for move in moves) or all(move < 0 for move in moves)
    return sum(abs(move) for move in moves) + 0.6 * away + PARALLEL_COST * together

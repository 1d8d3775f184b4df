"""Rhythms of a bar and the shape of a tune's first idea: what a melody is made from, and comes back to."""
# ruff: noqa: PLR2004 - music is counted in small numbers, plainer than names for them

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.chance import Chance
    from pipeline.local_gateway.composer.theory import Metre

Rhythm = tuple[tuple[float, float], ...]  # (beat in the bar, beats)

LOWEST_RISE, HIGHEST_RISE = -3, 4  # steps from its first note, that an idea goes
SHORTEST_S: Final = 0.12  # no melody note is shorter
SIMPLE: Final[
    tuple[tuple[tuple[float, ...], float, float], ...]
] = (  # lengths, weight, how the weight grows with density
    ((1.0,), 1.3, -1.0),
    ((0.5, 0.5), 0.35, 1.1),
    ((0.75, 0.25), 0.2, 0.1),
    ((0.5, 0.25, 0.25), 0.0, 0.35),
    ((0.25, 0.25, 0.5), 0.0, 0.35),
    ((-0.5, 0.5), 0.2, 0.0),  # a rest, then a note
)
COMPOUND: Final[tuple[tuple[tuple[float, ...], float, float], ...]] = (
    ((1.0,), 0.9, -0.6),
    ((2 / 3, 1 / 3), 0.7, 0.3),
    ((1 / 3, 1 / 3, 1 / 3), 0.1, 1.0),
)
LONG_GROUP: Final[tuple[tuple[tuple[float, ...], float, float], ...]] = (
    ((1.0, 0.5), 1.0, 0.0),
    ((0.5, 1.0), 0.5, 0.0),
    ((0.5, 0.5, 0.5), 0.2, 1.0),
    ((1.5,), 0.6, -0.5),
)


@dataclass(frozen=True, slots=True)
class Motif:
    """A rhythm, and for each of its notes how many steps above the first it lies."""

    rhythm: Rhythm
    rises: tuple[int, ...]


def motif_of(chance: Chance, metre: Metre, beat_s: float, density: float) -> Motif:
    """A new idea of one bar. `density`: 0 long notes, 1 as busy as the tempo allows."""
    rhythm = bar_rhythm(chance, metre, beat_s, density)
    return Motif(rhythm, _contour(chance, len(rhythm)))


def bar_rhythm(chance: Chance, metre: Metre, beat_s: float, density: float) -> Rhythm:
    """A bar's notes, group by group, some of them tied together."""
    busy = min(1.0, max(0.0, density * beat_s / 0.52))
    lengths: list[float] = []
    for group in metre.groups:
        lengths += _cell(chance, group, metre, beat_s, busy)
    rhythm, place = [], 0.0
    for length in _tied(chance, lengths, busy):
        if length > 0:
            rhythm.append((place, length))
        place += abs(length)
    return tuple(rhythm) or ((0.0, metre.beats),)


def _cell(chance: Chance, group: float, metre: Metre, beat_s: float, busy: float) -> list[float]:
    cells = LONG_GROUP if group > 1 else COMPOUND if metre.compound else SIMPLE
    playable = [
        (lengths, max(0.02, weight + growth * busy))
        for lengths, weight, growth in cells
        if min(abs(length) for length in lengths) * beat_s >= SHORTEST_S
    ]
    return list(chance.weighted(playable or [((group,), 1.0)]))


def _tied(chance: Chance, lengths: list[float], busy: float) -> list[float]:
    """Neighbouring whole beats join into longer notes, the more the calmer; two halves across a beat, now and then."""
    joined: list[float] = []
    for length in lengths:
        before = joined[-1] if joined else 0.0
        whole = before >= 1 and length >= 1 and before < 3 and chance.happens(0.62 - 0.5 * busy)
        syncopated = before == 0.5 and length == 0.5 and len(joined) % 2 == 0 and chance.happens(0.25)
        if whole or syncopated:
            joined[-1] = before + length
        else:
            joined.append(length)
    return joined


def _contour(chance: Chance, count: int) -> tuple[int, ...]:
    """Mostly steps, drifting one way; a leap now and then, and then back; all of it within a sixth or so."""
    rises, step, leapt = [0], 0, False
    drift = 1 if chance.happens(0.6) else -1
    for _ in range(count - 1):
        move = drift * chance.weighted(((1, 5.0), (-1, 2.4), (2, 1.8), (0, 0.5), (3, 0.9), (4, 0.5)))
        if leapt:
            move = -drift
        if not LOWEST_RISE <= step + move <= HIGHEST_RISE:
            move, drift = -move, -drift
        leapt = abs(move) > 2  # more than a third
        step += move
        rises.append(step)
    return tuple(rises)

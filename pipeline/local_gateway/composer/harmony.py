"""Which chords: progressions by mode and mood, with a cadence where a passage ends. All of them within the scale."""
# ruff: noqa: PLR2004 - music is counted in small numbers, plainer than names for them

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.theory import MODES, OCTAVE, SCALE, Chord

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.form import Close
    from pipeline.local_gateway.composer.sketch import Sketch

Degrees = tuple[int, ...]  # counted from 1, as musicians do


@dataclass(frozen=True, slots=True)
class Idiom:
    """How a mode usually moves: its openings (A), contrasts (B), and its ways to end."""

    opening: tuple[Degrees, ...]
    contrast: tuple[Degrees, ...]
    full: tuple[Degrees, ...]  # the last two chords at home
    half: tuple[Degrees, ...]  # the last two, left open


IDIOMS: Final[dict[str, Idiom]] = {
    "major": Idiom(
        ((1, 5, 6, 4), (1, 4, 1, 5), (1, 6, 4, 5), (1, 3, 4, 5), (1, 4, 6, 5), (1, 2, 4, 5), (1, 5, 4, 5)),
        ((6, 4, 1, 5), (4, 1, 4, 5), (6, 3, 4, 1), (2, 5, 3, 6), (4, 5, 6, 1)),
        ((5, 1), (4, 1), (5, 1)),
        ((4, 5), (2, 5), (6, 5)),
    ),
    "minor": Idiom(
        ((1, 6, 3, 7), (1, 7, 6, 7), (1, 4, 6, 7), (1, 6, 4, 7), (1, 3, 7, 4), (1, 4, 1, 7), (1, 6, 7, 1)),
        ((6, 7, 1, 3), (4, 1, 6, 7), (3, 7, 4, 6), (6, 3, 7, 1), (4, 7, 3, 6)),
        ((7, 1), (5, 1), (4, 1)),
        ((6, 7), (4, 5), (4, 7)),
    ),
    "dorian": Idiom(
        ((1, 4, 1, 7), (1, 7, 4, 1), (1, 3, 4, 1), (1, 4, 7, 1)),
        ((3, 7, 4, 1), (7, 4, 1, 4), (4, 3, 7, 1)),
        ((4, 1), (7, 1)),
        ((3, 4), (1, 7)),
    ),
    "phrygian": Idiom(
        ((1, 2, 1, 7), (1, 2, 3, 2), (1, 7, 2, 1), (1, 4, 2, 1)),
        ((3, 2, 7, 1), (6, 7, 2, 1), (4, 3, 2, 1)),
        ((2, 1), (7, 1)),
        ((1, 2), (3, 2)),
    ),
    "lydian": Idiom(
        ((1, 2, 1, 5), (1, 2, 6, 5), (1, 5, 2, 1), (1, 2, 5, 1)),
        ((6, 2, 5, 1), (5, 2, 3, 2), (3, 2, 6, 5)),
        ((2, 1), (5, 1)),
        ((6, 2), (1, 5)),
    ),
    "mixolydian": Idiom(
        ((1, 7, 4, 1), (1, 4, 7, 4), (1, 5, 7, 4), (1, 7, 1, 4)),
        ((7, 4, 1, 1), (4, 7, 1, 5), (6, 7, 4, 1)),
        ((7, 1), (4, 1)),
        ((4, 7), (1, 7)),
    ),
    "locrian": Idiom(((1, 5, 6, 7), (1, 2, 7, 1)), ((6, 5, 2, 1),), ((2, 1), (7, 1)), ((1, 5), (6, 5))),
    "harmonic minor": Idiom(
        ((1, 4, 5, 1), (1, 6, 4, 5), (1, 4, 1, 5), (1, 6, 5, 1)),
        ((4, 1, 5, 1), (6, 4, 1, 5), (4, 6, 5, 5)),
        ((5, 1),),
        ((4, 5), (6, 5)),
    ),
    "phrygian dominant": Idiom(
        ((1, 2, 1, 7), (1, 4, 2, 1), (1, 2, 4, 1)), ((4, 1, 2, 1), (7, 6, 2, 1)), ((2, 1), (7, 1)), ((4, 2), (1, 2))
    ),
}  # fmt: skip

# Genres with habits of their own: (openings, contrasts), in a mode with a major third and in one with a minor.
HABITS: Final[dict[str, dict[bool, tuple[tuple[Degrees, ...], tuple[Degrees, ...]]]]] = {
    "jazz": {
        True: (((2, 5, 1, 6), (1, 6, 2, 5), (4, 3, 2, 1), (1, 4, 3, 6)), ((3, 6, 2, 5), (4, 3, 2, 5))),
        False: (((1, 4, 7, 3), (4, 7, 3, 6), (1, 6, 4, 5), (1, 3, 4, 7)), ((6, 4, 7, 1), (4, 5, 1, 1))),
    },
    "blues": {
        True: (((1, 1, 4, 1), (1, 4, 1, 1)), ((4, 4, 1, 1), (5, 4, 1, 5))),
        False: (((1, 1, 4, 1), (1, 4, 1, 1)), ((4, 4, 1, 1), (5, 4, 1, 5))),
    },
    "folk": {
        True: (((1, 4, 1, 5), (1, 5, 4, 1), (1, 1, 4, 5)), ((4, 1, 4, 5), (6, 4, 1, 5))),
        False: (((1, 7, 1, 7), (1, 7, 6, 7), (1, 3, 7, 1)), ((3, 7, 1, 7), (6, 7, 1, 1))),
    },
    "ambient": {
        True: (((1, 4, 1, 4), (1, 3, 4, 1), (4, 1, 6, 4), (1, 5, 4, 4)), ((6, 4, 1, 1), (4, 6, 1, 5))),
        False: (((1, 6, 1, 6), (1, 3, 6, 1), (6, 1, 4, 1), (1, 4, 6, 6)), ((6, 3, 1, 1), (4, 6, 1, 7))),
    },
}
HASTE_S: Final = 1.25  # a chord lasts at least so long
NINTH: Final = 8


def chords_for(sketch: Sketch, label: str, bars: int, close: Close) -> tuple[Chord, ...]:
    """The chords of a passage. Equal labels have equal chords but for their endings."""
    plan = _plan(sketch, "A" if label == "I" else label, bars, close)
    total = bars * sketch.metre.beats
    length = sketch.metre.beats * _bars_each(sketch, bars) if bars > 1 else total / len(plan)
    return tuple(
        Chord(degree - 1, _tones(sketch, degree - 1), place * length, min(length, total - place * length))
        for place, degree in enumerate(plan)
    )


def last_chord(beats: float) -> Chord:
    """Home, plain enough to rest on."""
    return Chord(0, (0, 2, 4), 0.0, beats)


def _plan(sketch: Sketch, label: str, bars: int, close: Close) -> list[int]:
    slots = -(-bars // _bars_each(sketch, bars))
    cycle = _progression(sketch, label)
    plan = [cycle[slot % len(cycle)] for slot in range(slots)]
    ending = _ending(sketch, label, close)
    if slots >= 4:  # room for the progression itself before its cadence
        plan[-2:] = ending
    elif slots >= 2:
        plan[-1] = ending[1]
    elif close == "turn":
        plan.append(ending[1])
    return plan


def _ending(sketch: Sketch, label: str, close: Close) -> tuple[int, int]:
    """The last two chords: arriving home, leaving off, or leading home from where the next passage takes over."""
    idiom = IDIOMS[sketch.key.mode]
    chance = sketch.chance("cadence", label, close)
    home, away = chance.pick(idiom.full), chance.pick(idiom.half)
    if close == "turn":
        return away[0], home[0]
    first, last = home if close == "full" else away
    return first, last


def _bars_each(sketch: Sketch, bars: int) -> int:
    slow = sketch.genre in {"ambient", "drum and bass"} or sketch.bar_s < HASTE_S
    return 2 if slow and bars >= 4 and sketch.bar_s < 5.5 else 1  # never beyond 11 s


def _progression(sketch: Sketch, label: str) -> Degrees:
    idiom = IDIOMS[sketch.key.mode]
    openings, contrasts = idiom.opening, idiom.contrast
    habits = HABITS.get(sketch.style.harmony)
    if habits and sketch.key.mode in {"major", "minor", "mixolydian"}:
        openings, contrasts = habits[sketch.key.major]
    first = sketch.chance("progression", "A").pick(openings)
    if label == "A":
        return first
    others = [choice for choice in (contrasts if label == "B" else openings) if choice != first]
    return sketch.chance("progression", label).pick(others or contrasts)


def _tones(sketch: Sketch, root: int) -> tuple[int, ...]:
    """The chord's tones: as rich as the style is, without a ninth that grates on its root."""
    richness = sketch.style.richness
    if richness <= 3 or sketch.tension > 0.85:  # a triad
        return (0, 2, 4)
    if richness == 4:
        return (0, 2, 4, 6)
    steps = MODES[sketch.key.mode]
    whole_tone = (steps[(root + 1) % SCALE] - steps[root]) % OCTAVE == 2
    if sketch.style.harmony == "ambient":
        return (0, 2, 4, NINTH) if whole_tone else (0, 2, 4)
    return (0, 2, 4, 6, NINTH) if whole_tone else (0, 2, 4, 6)

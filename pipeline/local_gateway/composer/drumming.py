"""Drums for a passage: a groove bar by bar, in any metre, lighter where the music is, with a fill at its end."""
# ruff: noqa: PLR2004 - music is counted in small numbers, plainer than names for them

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.grooves import FILL_KITS, FILLS, GROOVES, LIGHT, STROKES
from pipeline.local_gateway.composer.score import Note
from pipeline.local_gateway.composer.theory import BEAT

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.chance import Chance
    from pipeline.local_gateway.composer.theory import Metre

STEP: Final = 0.25  # beats: a groove's grid
ANY_PITCH: Final = 60
SWELLING: Final = frozenset({"kit orchestra", "kit machine"})  # a cymbal rises into what follows

Pattern = dict[str, list[tuple[float, float]]]  # (beat, velocity) of each drum's strokes in a bar


@dataclass(frozen=True, slots=True)
class Stretch:
    """What drums are wanted for."""

    metre: Metre
    bars: int
    intensity: float  # 0 to 1
    crash: bool = False  # a cymbal on the first beat
    fill: bool = False  # in the last bar


def drummed(groove: str, kit: str, stretch: Stretch, chance: Chance) -> tuple[Note, ...]:
    """A passage of drums."""
    pattern = _fitted(GROOVES[groove], stretch.metre)
    size = stretch.metre.beats
    filled = stretch.fill and size >= 3 and bool(FILL_KITS.get(kit))
    notes = [_stroke(0.0, 0.6, "crash")] if stretch.crash else []
    for bar in range(stretch.bars):
        last = bar == stretch.bars - 1
        notes += _bar(pattern, bar * size, size - 2.0 * (filled and last), stretch.intensity, chance)
    if filled:
        at = stretch.bars * size - 2.0
        notes += _fill(chance, kit, at)
        notes += [Note(at, 2.0, ANY_PITCH, 0.55, "swell")] if kit in SWELLING else []
    return tuple(notes)


def _stroke(beat: float, velocity: float, drum: str) -> Note:
    return Note(beat, STEP, ANY_PITCH, min(1.0, velocity), drum)


def _bar(pattern: Pattern, at: float, length: float, intensity: float, chance: Chance) -> list[Note]:
    light_only = intensity < 0.45  # an introduction, a breathing space
    loudness = 0.72 + 0.3 * intensity
    return [
        _stroke(at + beat, velocity * loudness, drum)
        for drum, strokes in pattern.items()
        if drum in LIGHT or not light_only
        for beat, velocity in strokes
        if beat < length and (velocity > 0.3 or chance.happens(0.6))  # ghosts come and go
    ]


def _fill(chance: Chance, kit: str, at: float) -> list[Note]:
    """Two beats that grow."""
    strokes = FILLS[chance.pick(FILL_KITS[kit])]
    return [
        _stroke(at + place * STEP, STROKES[stroke] * (0.75 + 0.03 * place), drum)
        for drum, line in strokes.items()
        for place, stroke in enumerate(line)
        if stroke in STROKES
    ]


def _fitted(groove: dict[str, str], metre: Metre) -> Pattern:
    """A groove laid out for a metre."""
    if metre.name == "4/4":
        return {drum: _strokes(line) for drum, line in groove.items()}
    if metre.name == "2/4":
        return {drum: _strokes(line[:8]) for drum, line in groove.items()}
    return {drum: _by_metre(drum, line, metre) for drum, line in groove.items()}


def _strokes(line: str) -> list[tuple[float, float]]:
    return [(place * STEP, STROKES[stroke]) for place, stroke in enumerate(line) if stroke in STROKES]


def _by_metre(drum: str, line: str, metre: Metre) -> list[tuple[float, float]]:
    """The drum's habit in another metre: low drums on the accents, backbeats on the others, the rest on every part."""
    starts = metre.starts
    strong = [start for number, start in enumerate(starts) if number in metre.accents]
    if drum in {"kick", "taiko", "cajon", "stomp", "low"}:
        return [(start, 0.95 if start == 0 else 0.75) for start in strong]
    if drum in {"snare", "clap", "slap", "rim", "pedal"}:
        others = [start for start in starts if start not in strong] or strong[1:]
        return [(start, 0.7) for start in others]
    if drum in {"ghost", "open", "crash", "mid", "snap"} or not line.strip("."):
        return []
    return [(place, 0.75 if metre.strength(place) >= BEAT else 0.45) for place in metre.places(metre.part)]

"""Drums for a passage: a groove bar by bar, in any metre, lighter where the music is, with a fill before what follows."""

from __future__ import annotations

from typing import Final

from pipeline.local_gateway.composer.chance import Chance
from pipeline.local_gateway.composer.grooves import FILL_KITS, FILLS, GROOVES, LIGHT, STROKES
from pipeline.local_gateway.composer.score import Note
from pipeline.local_gateway.composer.theory import Metre

STEP: Final = 0.25  # beats: a groove's grid
SWELLING: Final = frozenset({"kit orchestra", "kit machine"})  # a cymbal rises into what follows
LOUD: Final = 0.75  # the intensity from which a phrase opens with a crash


def drummed(groove: str, metre: Metre, bars: int, intensity: float, chance: Chance, kit: str, *, fill: bool) -> tuple[Note, ...]:
    """A passage of drums."""
    pattern = _fitted(GROOVES[groove], metre)
    notes: list[Note] = []
    for bar in range(bars):
        filled = fill and bar == bars - 1 and bool(FILL_KITS.get(kit))
        until = metre.beats - 2.0 if filled and metre.beats >= 3 else metre.beats  # noqa: PLR2004
        notes += _bar(pattern, bar * metre.beats, until, intensity, chance)
        if until < metre.beats:
            notes += _fill(chance, kit, bar * metre.beats + until)
            notes += [Note(bar * metre.beats + until, 2.0, 60, 0.55, "swell")] if kit in SWELLING else []
    if intensity >= LOUD and kit != "kit hands" and bars >= 2:  # noqa: PLR2004
        notes.append(Note(0.0, 1.0, 60, 0.6, "crash"))
    return tuple(notes)


def _bar(pattern: dict[str, list[tuple[float, float]]], at: float, until: float, intensity: float, chance: Chance) -> list[Note]:
    light_only = intensity < 0.45  # noqa: PLR2004 - an introduction, a breathing space
    loudness = 0.72 + 0.3 * intensity
    return [
        Note(at + beat, STEP, 60, min(1.0, velocity * loudness), drum)
        for drum, strokes in pattern.items()
        if drum in LIGHT or not light_only
        for beat, velocity in strokes
        if beat < until and (velocity > 0.3 or chance.happens(0.6))  # noqa: PLR2004 - ghosts come and go
    ]


def _fill(chance: Chance, kit: str, at: float) -> list[Note]:
    strokes = FILLS[chance.pick(FILL_KITS[kit])]
    return [
        Note(at + place * STEP, STEP, 60, STROKES[stroke] * (0.75 + 0.03 * place), drum)
        for drum, line in strokes.items()
        for place, stroke in enumerate(line)
        if stroke != "."
    ]


def _fitted(groove: dict[str, str], metre: Metre) -> dict[str, list[tuple[float, float]]]:
    """(beat, velocity) of each drum's strokes, laid out for a metre."""
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
    return [(place, 0.75 if metre.strength(place) >= 0.5 else 0.45) for place in metre.places(metre.part)]  # noqa: PLR2004

"""Bass lines: the root where it matters, and a way from one chord to the next."""
# ruff: noqa: PLR2004 - music is counted in small numbers, plainer than names for them

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.score import Note
from pipeline.local_gateway.composer.theory import BEAT, OCTAVE, ROUNDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.local_gateway.composer.chance import Chance
    from pipeline.local_gateway.composer.theory import Chord, Key, Metre


@dataclass(frozen=True, slots=True)
class Line:
    """What a bass player looks at: this chord, the next one, and how low and high the instrument goes."""

    chord: Chord
    after: Chord
    key: Key
    metre: Metre
    low: int
    high: int

    @property
    def root(self) -> int:
        return self._placed(self.chord.root)

    @property
    def third(self) -> int:
        return self._placed(self.chord.root + 2)

    @property
    def fifth(self) -> int:
        return self._placed(self.chord.root + 4)

    @property
    def octave(self) -> int:
        """The root above, where the instrument has it."""
        return self.root + OCTAVE if self.root + OCTAVE <= self.high else self.root

    @property
    def next_root(self) -> int:
        return self._placed(self.after.root)

    def _placed(self, step: int) -> int:
        """The pitch of a degree in the lowest octave of the range."""
        return self.low + (self.key.pitch(step) - self.low) % OCTAVE

    def approach(self) -> int:
        """The scale's tone just below or above the next root."""
        goal = self.key.step_near(self.next_root)
        below, above = self.key.pitch(goal - 1), self.key.pitch(goal + 1)
        return below if self.root <= self.next_root and below >= self.low else above

    def bars(self) -> list[tuple[float, float]]:
        """(start, length) of each bar, or part of one, that the chord lasts."""
        size, found, at = self.metre.beats, [], self.chord.beat
        while at < self.chord.end - ROUNDING:
            end = min(self.chord.end, (at // size + 1) * size)
            found.append((at, end - at))
            at = end
        return found

    def parts(self, part: float) -> list[tuple[float, float]]:
        """(beat, strength) of each place on a grid within the chord."""
        return [
            (at + place, self.metre.strength(at + place))
            for at, length in self.bars()
            for place in self.metre.places(part)
            if place < length - ROUNDING
        ]


def held(line: Line, _: Chance) -> list[Note]:
    return [Note(at, length, line.root, 0.62) for at, length in line.bars()]


def root_fifth(line: Line, chance: Chance) -> list[Note]:
    notes = []
    for at, length in line.bars():
        notes.append(Note(at, min(length, 1.6), line.root, 0.7))
        if length >= 4:
            notes.append(Note(at + 2, 1.6, line.fifth, 0.6))
            if at + length >= line.chord.end and chance.happens(0.4):
                notes.append(Note(at + 3, 0.9, line.approach(), 0.52))
        elif length >= 2:
            notes.append(Note(at + length - 1, 0.9, line.fifth, 0.5))
    return notes


def eighths(line: Line, chance: Chance) -> list[Note]:
    """Straight and driving, with a step towards the next chord at the end."""
    part = 1 / line.metre.division
    notes = [Note(beat, part * 0.85, line.root, 0.42 + 0.4 * strength) for beat, strength in line.parts(part)]
    if line.next_root != line.root and chance.happens(0.5):
        notes[-1] = Note(notes[-1].beat, part * 0.85, line.approach(), 0.58)
    return notes


def octaves(line: Line, _: Chance) -> list[Note]:
    part = 1 / line.metre.division
    return [
        Note(beat, part * 0.8, line.root if strength >= BEAT else line.octave, 0.42 + 0.4 * strength)
        for beat, strength in line.parts(part)
    ]


def walking(line: Line, chance: Chance) -> list[Note]:
    """A tone on every beat: the root, tones of the chord, and a step into the next."""
    places = line.parts(1.0)
    notes = []
    for number, (beat, strength) in enumerate(places):
        if number == 0:
            pitch = line.root
        elif number == len(places) - 1:
            pitch = line.approach()
        else:
            pitch = chance.pick((line.third, line.fifth, line.octave))
        notes.append(Note(beat, 0.92, pitch, 0.56 + 0.16 * strength))
        if strength >= BEAT and chance.happens(0.12):  # a skip before the next beat
            notes.append(Note(beat + 0.5, 0.3, pitch, 0.36))
    return notes


def syncopated(line: Line, chance: Chance) -> list[Note]:
    """The one, something ahead of the three, and a way out."""
    notes = []
    for at, length in line.bars():
        notes.append(Note(at, min(1.4, length), line.root, 0.7))
        if length >= 3:
            notes.append(Note(at + 1.5, 0.45, line.root, 0.5))
            notes.append(Note(at + (2.5 if length >= 4 else 2.0), 0.9, chance.pick((line.fifth, line.octave)), 0.55))
        if length >= 4 and chance.happens(0.5):
            notes.append(Note(at + length - 0.5, 0.45, line.approach(), 0.5))
    return notes


def bossa(line: Line, _: Chance) -> list[Note]:
    notes = []
    for at, length in line.bars():
        notes.append(Note(at, 1.4, line.root, 0.66))
        if length >= 4:
            notes += [
                Note(at + 1.5, 0.5, line.fifth, 0.52),
                Note(at + 2, 1.4, line.fifth, 0.6),
                Note(at + 3.5, 0.5, line.root, 0.5),
            ]
    return notes


def funk(line: Line, chance: Chance) -> list[Note]:
    hits = ((0.0, 0), (0.75, 0), (1.5, 1), (2.5, 0), (2.75, 1), (3.5, 2))
    tones = (line.root, line.octave, line.approach())
    return [
        Note(at + beat, 0.3, tones[which], 0.72 if beat == 0 else 0.52)
        for at, length in line.bars()
        for beat, which in hits
        if beat < length and (beat in {0.0, 1.5} or chance.happens(0.8))
    ]


def offbeat(line: Line, _: Chance) -> list[Note]:
    """Between the kicks."""
    part = 1 / line.metre.division
    late = [(beat, strength) for beat, strength in line.parts(part) if strength < BEAT]
    return [Note(beat, part * 0.85, line.root, 0.66) for beat, _strength in late]


BASS_FIGURES: Final[dict[str, Callable[[Line, Chance], list[Note]]]] = {
    "held": held, "root fifth": root_fifth, "eighths": eighths, "octaves": octaves, "walking": walking,
    "syncopated": syncopated, "bossa": bossa, "funk": funk, "offbeat": offbeat,
}  # fmt: skip

"""Keys, chords and metres: the plain facts of music that everything else is written in.

A *step* counts along the scale: 0 is the tonic around middle C, 7 the tonic above, -1 the seventh degree below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIDDLE_C: Final = 60
SCALE: Final = 7  # degrees in a scale
OCTAVE: Final = 12  # semitones
MAJOR_THIRD: Final = 4
SIMPLE: Final = 2  # parts of a beat that is not compound
LAST_SHARP_SIDE: Final = 6  # tonics up to F sharp lie above middle C, the others below it
ROUNDING: Final = 1e-6  # beats: places closer than this are one place
DOWNBEAT, ACCENT, BEAT, PART, BETWEEN = 1.0, 0.75, 0.5, 0.25, 0.1  # how strong a place in the bar is

MODES: Final[dict[str, tuple[int, ...]]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "phrygian dominant": (0, 1, 4, 5, 7, 8, 10),
}


@dataclass(frozen=True, slots=True)
class Key:
    tonic: int  # pitch class, C is 0
    mode: str

    def pitch(self, step: int) -> int:
        """The MIDI pitch of a step."""
        octave, degree = divmod(step, SCALE)
        low = self.tonic if self.tonic <= LAST_SHARP_SIDE else self.tonic - OCTAVE
        return MIDDLE_C + low + OCTAVE * octave + MODES[self.mode][degree]

    def step_near(self, pitch: float) -> int:
        """The step whose pitch is nearest."""
        guess = round((pitch - self.pitch(0)) * SCALE / OCTAVE)
        return min(range(guess - 2, guess + 3), key=lambda step: abs(self.pitch(step) - pitch))

    @property
    def major(self) -> bool:
        """Whether the third above the tonic is major."""
        return MODES[self.mode][2] == MAJOR_THIRD


@dataclass(frozen=True, slots=True)
class Chord:
    """Scale degrees sounding together for a while."""

    root: int  # degree, the tonic is 0
    tones: tuple[int, ...]  # steps above the root: (0, 2, 4) is a triad
    beat: float  # from the passage's start
    beats: float

    @property
    def degrees(self) -> frozenset[int]:
        return frozenset((self.root + tone) % SCALE for tone in self.tones)

    @property
    def end(self) -> float:
        return self.beat + self.beats

    def holds(self, step: int) -> bool:
        """Whether a step, in any octave, belongs to the chord."""
        return step % SCALE in self.degrees

    def nearest(self, step: int) -> int:
        """The chord's own step nearest to `step`; of two as near, the lower."""
        return min(range(step - 4, step + 5), key=lambda other: (not self.holds(other), abs(other - step), other))


@dataclass(frozen=True, slots=True)
class Metre:
    """How a bar is counted. Beats are what a tempo counts: in 6/8 the dotted quarter, in 7/8 the quarter."""

    name: str
    groups: tuple[float, ...]  # beats: each begins with an accent
    division: int = 2  # a beat's first subdivision: 2 or 3
    accents: tuple[int, ...] = (0,)  # which groups are strong

    @property
    def beats(self) -> float:
        return sum(self.groups)

    @property
    def starts(self) -> tuple[float, ...]:
        """Where each group begins in the bar."""
        return tuple(sum(self.groups[:place]) for place in range(len(self.groups)))

    @property
    def part(self) -> float:
        """The length of a beat's subdivision, in beats."""
        return 1.0 / self.division

    @property
    def compound(self) -> bool:
        """Whether beats fall into three."""
        return self.division > SIMPLE

    def strength(self, beat: float) -> float:
        """How strong a place in the bar is, from DOWNBEAT to BETWEEN."""
        place = beat % self.beats
        for number, start in enumerate(self.starts):
            if abs(place - start) < ROUNDING:
                return DOWNBEAT if number == 0 else ACCENT if number in self.accents else BEAT
        parts = place * self.division
        return PART if abs(parts - round(parts)) < ROUNDING else BETWEEN

    def places(self, part: float) -> tuple[float, ...]:
        """Every place in the bar on a grid of `part` beats, counted anew from each group."""
        found: list[float] = []
        for start, length in zip(self.starts, self.groups, strict=True):
            found += [start + part * count for count in range(max(1, round(length / part)))]
        return tuple(found)


METRES: Final[dict[str, Metre]] = {
    metre.name: metre
    for metre in (
        Metre("4/4", (1, 1, 1, 1), accents=(0, 2)),
        Metre("3/4", (1, 1, 1)),
        Metre("2/4", (1, 1)),
        Metre("5/4", (1, 1, 1, 1, 1), accents=(0, 3)),
        Metre("6/4", (1, 1, 1, 1, 1, 1), accents=(0, 3)),
        Metre("7/4", (1, 1, 1, 1, 1, 1, 1), accents=(0, 4)),
        Metre("5/8", (1, 1.5), accents=(0, 1)),
        Metre("7/8", (1, 1, 1.5), accents=(0, 2)),
        Metre("6/8", (1, 1), division=3, accents=(0, 1)),
        Metre("9/8", (1, 1, 1), division=3),
        Metre("12/8", (1, 1, 1, 1), division=3, accents=(0, 2)),
    )
}

"""How chords are played: arpeggios, strums, offbeats, ostinati. Each figure turns one chord's voicing into notes."""
# ruff: noqa: PLR2004 - music is counted in small numbers, plainer than names for them

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.score import Note
from pipeline.local_gateway.composer.theory import ACCENT, BEAT, DOWNBEAT, OCTAVE, ROUNDING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.local_gateway.composer.theory import Chord, Metre
    from pipeline.local_gateway.composer.voicing import Voicing

STRUM_S: Final = 0.013  # from one string to the next


@dataclass(frozen=True, slots=True)
class Bed:
    """One chord to be played, and how."""

    chord: Chord
    voicing: Voicing
    metre: Metre
    beat_s: float
    energy: float
    pattern: int  # which of a figure's variants: the same throughout a piece
    root: int  # the chord's root, as a pitch below the voicing

    def bars(self) -> list[float]:
        """Where the bars begin that the chord sounds in."""
        first = int(self.chord.beat // self.metre.beats)
        last = int((self.chord.end - ROUNDING) // self.metre.beats)
        return [number * self.metre.beats for number in range(first, last + 1)]

    def within(self, beat: float) -> bool:
        return self.chord.beat - ROUNDING <= beat < self.chord.end - ROUNDING

    def places(self, part: float) -> list[tuple[float, float]]:
        """(beat from the passage's start, strength) of every place on a grid, for as long as the chord lasts."""
        return [
            (bar + place, self.metre.strength(place))
            for bar in self.bars()
            for place in self.metre.places(part)
            if self.within(bar + place)
        ]

    def hits(self, *in_bar: float) -> list[float]:
        """These places of each bar, for as long as the chord lasts."""
        return [bar + hit for bar in self.bars() for hit in in_bar if hit < self.metre.beats and self.within(bar + hit)]

    @property
    def even(self) -> bool:
        """Whether the chord begins in a bar with an even number, counted from 0."""
        return int(self.chord.beat // self.metre.beats) % 2 == 0

    @property
    def part(self) -> float:
        return self.metre.part

    def flowing(self, slow_s: float) -> float:
        """The subdivision that flows: quarters of a beat slower than `slow_s`, else its plain parts."""
        return 0.25 if self.beat_s > slow_s and not self.metre.compound else self.part

    def all(self, beat: float, beats: float, velocity: float, spread_s: float = 0.0) -> list[Note]:
        """The whole chord at once, or rolled upwards."""
        return [Note(beat, beats, pitch, velocity, lag_s=spread_s * place) for place, pitch in enumerate(self.voicing)]

    def turned(self, tones: Sequence[int], order: Sequence[int], part: float, longest: float) -> list[Note]:
        """Tones one after another in an order that comes round, each held until the chord ends or for `longest`."""
        return [
            Note(
                beat, min(longest, self.chord.end - beat), tones[order[number % len(order)] % len(tones)],
                0.33 + 0.42 * strength,
            )
            for number, (beat, strength) in enumerate(self.places(part))
        ]  # fmt: skip


def held(bed: Bed) -> list[Note]:
    return bed.all(bed.chord.beat, bed.chord.beats, 0.55)


def block(bed: Bed) -> list[Note]:
    """On every beat, or every other when calm."""
    every = 1 if bed.energy > 0.35 else 2
    beats = bed.places(1.0)[::every]
    return [note for beat, strength in beats for note in bed.all(beat, 0.92 * every, 0.45 + 0.25 * strength, 0.004)]


def arpeggio(bed: Bed) -> list[Note]:
    """Up and down the chord, with an octave above."""
    orders = ((0, 1, 2, 3, 2, 1), (0, 1, 2, 3), (0, 2, 1, 3), (0, 1, 3, 2, 1, 2))
    tones = (*bed.voicing, bed.voicing[0] + OCTAVE)
    return bed.turned(tones, orders[bed.pattern % 4], bed.flowing(0.62), 2.0)


def broken(bed: Bed) -> list[Note]:
    """Root first, then the chord in pieces above it."""
    orders = ((0, 2, 1, 3), (0, 1, 2, 3, 2, 1), (0, 3, 2, 3))
    return bed.turned((bed.root, *bed.voicing), orders[bed.pattern % 3], bed.part, 2.5)


def alberti(bed: Bed) -> list[Note]:
    """Low, high, middle, high, as in a sonatina."""
    return bed.turned((bed.voicing[0], bed.voicing[-1], bed.voicing[1]), (0, 1, 2, 1), bed.part, 0.5)


def rolled(bed: Bed) -> list[Note]:
    """One slow roll a chord, and an echo of its top."""
    notes = bed.all(bed.chord.beat, bed.chord.beats, 0.55, 0.045)
    if bed.chord.beats >= 2:
        half = bed.chord.beat + bed.chord.beats / 2
        notes += [Note(half, bed.chord.beats / 2, bed.voicing[-1], 0.4), Note(half + 0.5, 1.0, bed.voicing[-2], 0.35)]
    return notes


def sparse(bed: Bed) -> list[Note]:
    """A few single tones, far apart, one on the chord's first beat."""
    choice = ((0, 2), (1, 0, 2), (2, 1))[bed.pattern % 3]
    apart = max(1.0, bed.chord.beats // len(choice))
    return [
        Note(
            beat, bed.chord.end - beat, bed.voicing[tone % len(bed.voicing)] + OCTAVE * (tone == 2), 0.5 - 0.05 * number
        )
        for number, tone in enumerate(choice)
        if bed.within(beat := bed.chord.beat + number * apart)
    ]


def strum(bed: Bed) -> list[Note]:
    """Down on the beats, up between some of them."""
    ups = ((False, True, True, True), (False, True, False, True), (True, True, True, True))[bed.pattern % 3]
    notes = []
    for beat, strength in bed.places(bed.part):
        if strength >= BEAT:
            notes += bed.all(beat, 0.9, 0.53 + 0.27 * strength, STRUM_S)
        elif ups[int(beat % bed.metre.beats) % 4]:
            tops = bed.voicing[:0:-1][:3]
            notes += [Note(beat, 0.45, pitch, 0.42, lag_s=0.7 * STRUM_S * place) for place, pitch in enumerate(tops)]
    return notes


def picking(bed: Bed) -> list[Note]:
    """The thumb alternates below, the fingers answer between."""
    notes = []
    for number, (beat, strength) in enumerate(bed.places(bed.part)):
        if strength >= BEAT:  # the thumb
            thumb = bed.root if int(beat) % 2 == 0 or strength == DOWNBEAT else bed.voicing[0]
            notes.append(Note(beat, 1.0, thumb, 0.45 + 0.2 * strength))
        else:
            finger = bed.voicing[-1 - number // 2 % max(1, len(bed.voicing) - 1)]
            notes.append(Note(beat, 0.8, finger, 0.42))
    return notes


def offbeat(bed: Bed) -> list[Note]:
    """Between the beats, on the last part of each."""
    late = [
        beat
        for beat, strength in bed.places(bed.part)
        if abs(beat % 1.0 - (1 - bed.part)) < ROUNDING and strength < BEAT
    ]
    return [note for beat in late for note in bed.all(beat, bed.part * 0.8, 0.6)]


def oompah(bed: Bed) -> list[Note]:
    """On the beats that the bass leaves: all but the first, and in four all but the accents."""
    left = ACCENT if bed.metre.beats == 4 else DOWNBEAT
    return [note for beat, strength in bed.places(1.0) if strength < left for note in bed.all(beat, 0.55, 0.5, 0.004)]


def skank(bed: Bed) -> list[Note]:
    """Short and dry after each beat, as in reggae."""
    return [Note(note.beat, 0.22, note.pitch, 0.62) for note in offbeat(bed)]


def comp(bed: Bed) -> list[Note]:
    """A pianist listening: two or three chords a bar, most of them ahead of the beat or behind it."""
    bars = (
        ((0.0, 1.2), (1.5, 0.6)),
        ((0.0, 0.5), (1.5, 1.8)),
        ((0.5, 0.6), (2.5, 1.2)),
        ((0.0, 1.5), (2.5, 0.6), (3.5, 0.4)),
    )
    chosen = bars[(bed.pattern + bed.even) % 4]
    return [
        note
        for hit, beats in chosen
        for beat in bed.hits(hit)
        for note in bed.all(beat, min(beats, bed.chord.end - beat), 0.55 if hit % 1 == 0 else 0.5, 0.006)
    ]


def bossa(bed: Bed) -> list[Note]:
    """The clave's guitar: one bar with the beats, one against them."""
    beats = bed.hits(0.0, 1.0, 1.5, 2.5, 3.5) if bed.even else bed.hits(0.5, 1.5, 2.0, 3.0)
    return [note for beat in beats for note in bed.all(beat, 0.45, 0.5, 0.005)]


def ostinato(bed: Bed) -> list[Note]:
    """Short repeated bows: the chord's tones in a figure of eighths, accented by the metre."""
    orders = ((0, 0, 1, 0), (0, 1, 0, 2), (0, 0, 0, 1), (0, 2, 1, 2))
    part = bed.flowing(0.52) if bed.energy > 0.75 else bed.part
    return [note.louder(1.15) for note in bed.turned(bed.voicing, orders[bed.pattern % 4], part, part)]


def pulse(bed: Bed) -> list[Note]:
    """A sequencer: sixteenths round the chord."""
    orders = ((0, 1, 2, 3), (0, 2, 1, 3), (3, 2, 1, 0), (0, 3, 1, 3, 2, 3))
    part = bed.flowing(0.36)
    return bed.turned((*bed.voicing, bed.voicing[0] + OCTAVE), orders[bed.pattern % 4], part, 0.9 * part)


def stabs(bed: Bed) -> list[Note]:
    """Short chords off the grid's strong places."""
    bars = ((0.0, 0.75, 1.5, 2.5), (0.0, 1.5, 3.0), (0.5, 1.5, 2.25, 3.5), (0.0, 0.75, 2.0, 2.75))
    beats = bed.hits(*bars[bed.pattern % 4])
    return [note for beat in beats for note in bed.all(beat, 0.22, 0.62 if beat == bed.chord.beat else 0.5)]


def chug(bed: Bed) -> list[Note]:
    """A power chord let ring on the accents, muted between."""
    ringing = bed.hits(*((0.0, 1.5, 2.5), (0.0, 2.0, 2.5), (0.0, 2.0, 3.5), (0.0,))[bed.pattern % 4])
    return [
        Note(beat, 0.9, bed.root, 0.65 + 0.2 * strength)
        if beat in ringing
        else Note(beat, 0.4, bed.root, 0.45 + 0.2 * strength, colour="mute")
        for beat, strength in bed.places(bed.part)
    ]


FIGURES: Final[dict[str, Callable[[Bed], list[Note]]]] = {
    "held": held, "block": block, "arpeggio": arpeggio, "broken": broken, "alberti": alberti, "rolled": rolled,
    "sparse": sparse, "strum": strum, "picking": picking, "offbeat": offbeat, "oompah": oompah, "skank": skank,
    "comp": comp, "bossa": bossa, "ostinato": ostinato, "pulse": pulse, "stabs": stabs, "chug": chug,
}  # fmt: skip

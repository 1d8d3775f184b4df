"""How chords are played: arpeggios, strums, offbeats, ostinati. Each figure turns one chord's voicing into notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pipeline.local_gateway.composer.score import Note
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

    def places(self, part: float) -> list[tuple[float, float]]:
        """(beat from the passage's start, strength) of every place on a grid, for as long as the chord lasts."""
        found = []
        bar = self.chord.beat // self.metre.beats * self.metre.beats
        while bar < self.chord.end:
            for place in self.metre.places(part):
                if self.chord.beat - 1e-6 <= bar + place < self.chord.end - 1e-6:  # noqa: PLR2004
                    found.append((bar + place, self.metre.strength(place)))
            bar += self.metre.beats
        return found

    def quick(self) -> float:
        """The subdivision that flows at this tempo: quarters of a slow beat, halves of a fast one."""
        if self.metre.division == 3:  # noqa: PLR2004
            return 1 / 3
        return 0.25 if self.beat_s > 0.62 else 0.5  # noqa: PLR2004

    def all(self, beat: float, beats: float, velocity: float, spread_s: float = 0.0) -> list[Note]:
        """The whole chord at once, or rolled upwards."""
        return [Note(beat, beats, pitch, velocity, lag_s=spread_s * place) for place, pitch in enumerate(self.voicing)]


def held(bed: Bed) -> list[Note]:
    return bed.all(bed.chord.beat, bed.chord.beats, 0.55)


def block(bed: Bed) -> list[Note]:
    """On every beat, or every other when calm."""
    every = 1 if bed.energy > 0.35 else 2  # noqa: PLR2004
    beats = [place for place in bed.places(1.0)][::every]
    return [note for beat, strength in beats for note in bed.all(beat, 0.92 * every, 0.45 + 0.25 * strength, 0.004)]


def arpeggio(bed: Bed) -> list[Note]:
    """Up and down the chord, an octave added where the hand reaches."""
    tones = [*bed.voicing, bed.voicing[0] + 12]
    orders = ([0, 1, 2, 3, 2, 1], [0, 1, 2, 3], [0, 2, 1, 3], [0, 1, 3, 2, 1, 2])
    order = orders[bed.pattern % len(orders)]
    part = bed.quick()
    notes = []
    for number, (beat, strength) in enumerate(bed.places(part)):
        pitch = tones[order[number % len(order)] % len(tones)]
        notes.append(Note(beat, min(2.0, bed.chord.end - beat), pitch, 0.33 + 0.42 * strength))
    return notes


def broken(bed: Bed) -> list[Note]:
    """Root first, then the chord in pieces above it."""
    tones = [bed.root, *bed.voicing]
    order = ([0, 2, 1, 3], [0, 1, 2, 3, 2, 1], [0, 3, 2, 3])[bed.pattern % 3]
    return [
        Note(beat, min(2.5, bed.chord.end - beat), tones[order[number % len(order)] % len(tones)], 0.33 + 0.42 * strength)
        for number, (beat, strength) in enumerate(bed.places(1 / bed.metre.division))
    ]


def alberti(bed: Bed) -> list[Note]:
    low, *rest = bed.voicing
    high, middle = rest[-1], rest[0]
    order = (low, high, middle, high)
    return [
        Note(beat, 0.5, order[number % 4], 0.32 + 0.4 * strength)
        for number, (beat, strength) in enumerate(bed.places(1 / bed.metre.division))
    ]


def rolled(bed: Bed) -> list[Note]:
    """One slow roll a chord, and an echo of its top."""
    notes = bed.all(bed.chord.beat, bed.chord.beats, 0.55, 0.045)
    if bed.chord.beats >= 2:  # noqa: PLR2004
        half = bed.chord.beat + bed.chord.beats / 2
        notes += [Note(half, bed.chord.beats / 2, bed.voicing[-1], 0.4), Note(half + 0.5, 1.0, bed.voicing[-2], 0.35)]
    return notes


def sparse(bed: Bed) -> list[Note]:
    """A few single tones, far apart, one on the chord's first beat."""
    choice = ((0, 2), (1, 0, 2), (2, 1))[bed.pattern % 3]
    step = bed.chord.beats / len(choice)
    beats = [bed.chord.beat + (place * step // 1 if step >= 1 else place * step) for place in range(len(choice))]
    return [
        Note(beat, bed.chord.end - beat, bed.voicing[tone % len(bed.voicing)] + 12 * (tone == 2), 0.5 - 0.1 * (beat > bed.chord.beat))  # noqa: PLR2004
        for beat, tone in zip(beats, choice, strict=True)
    ]


def strum(bed: Bed) -> list[Note]:
    """Down on the beats, up between some of them."""
    ups = ((False, True, True, True), (False, True, False, True), (True, True, True, True))[bed.pattern % 3]
    notes = []
    for beat, strength in bed.places(1 / bed.metre.division):
        on_beat = strength >= 0.5  # noqa: PLR2004
        number = int(beat % bed.metre.beats)
        if on_beat:
            quiet = bed.pattern % 3 != 2 and number == 2 and bed.metre.beats == 4  # noqa: PLR2004 - the tied third beat
            notes += bed.all(beat, 0.9, (0.5 if quiet else 0.55) + 0.25 * strength, STRUM_S)
        elif ups[number % 4]:
            tops = bed.voicing[:0:-1][:3]
            notes += [Note(beat, 0.45, pitch, 0.42, lag_s=STRUM_S * 0.7 * place) for place, pitch in enumerate(tops)]
    return notes


def picking(bed: Bed) -> list[Note]:
    """The thumb alternates below, the fingers answer between."""
    notes = []
    for number, (beat, strength) in enumerate(bed.places(1 / bed.metre.division)):
        if strength >= 0.5:  # noqa: PLR2004 - the thumb
            thumb = bed.root if int(beat) % 2 == 0 or strength == 1.0 else bed.voicing[0]
            notes.append(Note(beat, 1.0, thumb, 0.45 + 0.2 * strength))
        else:
            finger = bed.voicing[-1 - number // 2 % max(1, len(bed.voicing) - 1)]
            notes.append(Note(beat, 0.8, finger, 0.42))
    return notes


def offbeat(bed: Bed) -> list[Note]:
    """Between the beats."""
    part = 1 / bed.metre.division
    late = [beat for beat, strength in bed.places(part) if strength < 0.5 and abs(beat % 1.0 - (1 - part)) < 1e-6]  # noqa: PLR2004
    return [note for beat in late for note in bed.all(beat, part * 0.8, 0.6)]


def oompah(bed: Bed) -> list[Note]:
    """On every beat but the bar's first, which is the bass's."""
    off = [beat for beat, strength in bed.places(1.0) if strength < 1.0 and (strength < 0.75 or bed.metre.beats != 4)]  # noqa: PLR2004
    return [note for beat in off for note in bed.all(beat, 0.55, 0.5, 0.004)]


def skank(bed: Bed) -> list[Note]:
    """Short and dry after each beat, as in reggae."""
    return [Note(note.beat, 0.22, note.pitch, 0.62) for note in offbeat(bed)]


def comp(bed: Bed) -> list[Note]:
    """A pianist listening: two or three chords a bar, most of them ahead of the beat or behind it."""
    hits = (((0.0, 1.2), (1.5, 0.6)), ((0.0, 0.5), (1.5, 1.8)), ((0.5, 0.6), (2.5, 1.2)), ((0.0, 1.5), (2.5, 0.6), (3.5, 0.4)))
    bars = int(bed.chord.beat // bed.metre.beats)
    chosen = hits[(bed.pattern + bars % 2) % len(hits)]
    notes = []
    for offset, beats in chosen:
        beat = bed.chord.beat + offset
        if beat < bed.chord.end:
            notes += bed.all(beat, min(beats, bed.chord.end - beat), 0.55 if offset == int(offset) else 0.5, 0.006)
    return notes


def bossa(bed: Bed) -> list[Note]:
    """The clave's guitar: thumb with the bass, chords between."""
    hits = (0.5, 1.5, 2.0, 3.0) if int(bed.chord.beat // bed.metre.beats) % 2 else (0.0, 1.0, 1.5, 2.5, 3.5)
    found = [bed.chord.beat + hit for hit in hits if bed.chord.beat + hit < bed.chord.end]
    return [note for beat in found for note in bed.all(beat, 0.45, 0.5, 0.005)]


def ostinato(bed: Bed) -> list[Note]:
    """Short repeated bows: the chord's tones in a figure of eighths, accented by the metre."""
    orders = ((0, 0, 1, 0), (0, 1, 0, 2), (0, 0, 0, 1), (0, 2, 1, 2))
    order = orders[bed.pattern % len(orders)]
    part = 0.25 if bed.energy > 0.75 and bed.beat_s > 0.52 and bed.metre.division == 2 else 1 / bed.metre.division  # noqa: PLR2004
    return [
        Note(beat, part, bed.voicing[order[number % 4] % len(bed.voicing)], 0.42 + 0.42 * strength)
        for number, (beat, strength) in enumerate(bed.places(part))
    ]


def pulse(bed: Bed) -> list[Note]:
    """A sequencer: sixteenths round the chord."""
    part = 0.25 if bed.metre.division == 2 and bed.beat_s > 0.36 else 1 / bed.metre.division  # noqa: PLR2004
    tones = [*bed.voicing, bed.voicing[0] + 12]
    order = ((0, 1, 2, 3), (0, 2, 1, 3), (3, 2, 1, 0), (0, 3, 1, 3, 2, 3))[bed.pattern % 4]
    return [
        Note(beat, part * 0.9, tones[order[number % len(order)] % len(tones)], 0.34 + 0.4 * strength)
        for number, (beat, strength) in enumerate(bed.places(part))
    ]


def stabs(bed: Bed) -> list[Note]:
    """Short chords off the grid's strong places."""
    hits = ((0.0, 0.75, 1.5, 2.5), (0.0, 1.5, 3.0), (0.5, 1.5, 2.25, 3.5), (0.0, 0.75, 2.0, 2.75))[bed.pattern % 4]
    beats = [bed.chord.beat + hit for hit in hits if hit < bed.chord.beats]
    return [note for beat in beats for note in bed.all(beat, 0.22, 0.62 if beat == bed.chord.beat else 0.5)]


def chug(bed: Bed) -> list[Note]:
    """A power chord let ring on the accents, muted between."""
    ringing = ((0.0, 1.5, 2.5), (0.0, 0.75, 2.0, 2.75), (0.0, 2.0, 3.5), (0.0,))[bed.pattern % 4]
    notes = []
    for beat, strength in bed.places(1 / bed.metre.division):
        place = beat - bed.chord.beat
        if any(abs(place % bed.metre.beats - hit) < 0.01 for hit in ringing) or strength == 1.0:  # noqa: PLR2004
            notes.append(Note(beat, 0.9, bed.root, 0.65 + 0.2 * strength))
        else:
            notes.append(Note(beat, 0.4, bed.root, 0.45 + 0.2 * strength, colour="mute"))
    return notes


FIGURES: Final[dict[str, Callable[[Bed], list[Note]]]] = {
    "held": held, "block": block, "arpeggio": arpeggio, "broken": broken, "alberti": alberti, "rolled": rolled,
    "sparse": sparse, "strum": strum, "picking": picking, "offbeat": offbeat, "oompah": oompah, "skank": skank,
    "comp": comp, "bossa": bossa, "ostinato": ostinato, "pulse": pulse, "stabs": stabs, "chug": chug,
}  # fmt: skip

"""A tune over chords: a motif that returns, moves with the harmony, and comes to rest where the passage does."""
# ruff: noqa: PLR2004 - music is counted in small numbers, plainer than names for them

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.motif import Motif, Rhythm, motif_of
from pipeline.local_gateway.composer.theory import ACCENT, ROUNDING, SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.local_gateway.composer.chance import Chance
    from pipeline.local_gateway.composer.form import Close
    from pipeline.local_gateway.composer.theory import Chord, Metre

QUICK: Final = 0.4  # beats: notes shorter than this run along the scale
WIDEST_LEAP: Final = 5  # steps: a sixth


@dataclass(frozen=True, slots=True)
class Tone:
    """A melody note before it has a pitch: `step` counts along the scale."""

    beat: float
    beats: float
    step: int


@dataclass(frozen=True, slots=True)
class Ground:
    """What a tune is written over and for."""

    chords: tuple[Chord, ...]
    metre: Metre
    bars: int
    beat_s: float
    low: int  # steps: the player's range
    high: int
    close: Close
    pentatonic: frozenset[int] = frozenset()  # degrees to keep to; empty: all seven

    @property
    def centre(self) -> float:
        return (self.low + self.high) / 2

    def chord_at(self, beat: float) -> Chord:
        return next((chord for chord in reversed(self.chords) if chord.beat <= beat + ROUNDING), self.chords[0])


def tune(ground: Ground, ideas: Chance, density: float) -> tuple[Tone, ...]:
    """A melody for the whole passage. `ideas` makes its motifs: the same ideas, the same tune."""
    motif = motif_of(ideas, ground.metre, ground.beat_s, density)
    bars = {
        "M": motif,
        "X": motif,
        "R": motif_of(ideas, ground.metre, ground.beat_s, density * 0.8),
        "H": _halt(motif, ground),
        "C": _cadence(ground, ideas) if ground.close == "full" else _halt(motif, ground),
    }
    tones: list[Tone] = []
    for bar, task in enumerate(bar_plan(ground.bars)):
        tones += _placed(bars[task], bar, task, tones, ground)
    return settled(tones, ground)


def bar_plan(bars: int) -> str:
    """What each bar does: M the motif, R a reply, X a climax, H a halt half-way, C the close."""
    if bars <= 3:
        return "MRC"[3 - bars :] if bars != 2 else "MC"
    fours = ["MRMH"] * (bars // 4)
    fours[-1] = "MRXC" if len(fours) > 1 else "MRMC"
    return "MR"[: bars % 4] + "M" * max(0, bars % 4 - 2) + "".join(fours)


def _halt(motif: Motif, ground: Ground) -> Motif:
    """The motif's first note, held, and a breath before the next phrase."""
    length = ground.metre.beats
    keep = [note for note in zip(motif.rhythm, motif.rises, strict=True) if note[0][0] < 0.5 * length - ROUNDING][:2]
    (last, _), rise = keep[-1]
    rhythm = (*(note[0] for note in keep[:-1]), (last, max(0.5, 0.8 * length - last)))
    return Motif(rhythm, (*(note[1] for note in keep[:-1]), rise))


def _cadence(ground: Ground, chance: Chance) -> Motif:
    """Home: at once, or by way of the third above it."""
    length = ground.metre.beats
    if length >= 3 and chance.happens(0.5):
        return Motif(((0.0, 1.0), (1.0, length - 1.75)), (2, 0))
    return Motif(((0.0, max(0.5, length - 0.75)),), (0,))


def _placed(idea: Motif, bar: int, task: str, before: list[Tone], ground: Ground) -> list[Tone]:
    """The idea at its place, its first note on the chord, near where the tune is and where it's heading."""
    start = bar * ground.metre.beats
    chord = ground.chord_at(start)
    arch = sin(pi * (bar % 4 + 0.5) / 4) * 2.2 + 2.0 * (task == "X")
    aim = ground.centre - 1.5 + arch
    anchor = chord.nearest(round(aim if not before or task == "M" else 0.5 * (before[-1].step + aim)))
    if task == "C":
        anchor = _home(chord, aim, before, full=ground.close == "full")
    return [
        Tone(start + beat, beats, anchor + rise)
        for (beat, beats), rise in zip(idea.rhythm, idea.rises, strict=True)
        if beat < ground.metre.beats
    ]


def _home(chord: Chord, aim: float, before: list[Tone], *, full: bool) -> int:
    """The last note: the tonic nearest to where the tune is if it ends, a tone of the last chord if it stays open."""
    near = round(before[-1].step if before else aim)
    if full:
        return min(
            (near // SCALE * SCALE + SCALE * octave for octave in (-1, 0, 1, 2)), key=lambda step: abs(step - near)
        )
    return chord.nearest(near)


def settled(tones: Sequence[Tone], ground: Ground) -> tuple[Tone, ...]:
    """The tones with leaps tamed, strong beats on the chord, and every passing tone passing to somewhere."""
    steps: list[int] = []
    for number, tone in enumerate(tones):
        weighty = ground.metre.strength(tone.beat) >= ACCENT or tone.beats > 1 or number == len(tones) - 1
        steps.append(_reached(tone, steps, ground, weighty=weighty))
    for number in range(len(tones) - 2, -1, -1):
        chord, step = ground.chord_at(tones[number].beat), steps[number]
        passing = 0 < abs(steps[number + 1] - step) <= 1
        allowed = not ground.pentatonic or step % SCALE in ground.pentatonic
        if not chord.holds(step) and not (passing and allowed):
            steps[number] = _resolved(step, steps[max(0, number - 1)], steps[number + 1], chord, ground)
    return tuple(Tone(tone.beat, tone.beats, step) for tone, step in zip(tones, steps, strict=True))


def _reached(tone: Tone, before: Sequence[int], ground: Ground, *, weighty: bool) -> int:
    """The step nearest to what the idea wants that lies well from the step before: weighty tones on the chord."""
    chord = ground.chord_at(tone.beat)
    choices = [step for step in range(ground.low, ground.high + 1) if not weighty or chord.holds(step)]

    def strain(step: int) -> float:
        if not before:
            return abs(step - tone.step)
        leap = abs(step - before[-1])
        wide = 0.3 * max(0, leap - 3) + 3.0 * max(0, leap - WIDEST_LEAP)
        wide += 1.5 * max(0, leap - 1) * (tone.beats < QUICK)
        again = sum(step == earlier for earlier in before[-2:])  # once may be meant, twice is stuck
        return abs(step - tone.step) + wide + 1.1 * again

    return min(choices, key=lambda step: (strain(step), step), default=_within(tone.step, ground))


def _resolved(step: int, before: int, after: int, chord: Chord, ground: Ground) -> int:
    """A stranger to the chord made one of it, or else a neighbour of the note that follows; whichever lies better."""
    neighbours = [near for near in (after - 1, after + 1) if not ground.pentatonic or near % SCALE in ground.pentatonic]
    choices = (chord.nearest(step), *neighbours)
    return _within(min(choices, key=lambda other: abs(other - step) + 0.7 * abs(other - before)), ground)


def _within(step: int, ground: Ground) -> int:
    while step > ground.high and step - SCALE >= ground.low:
        step -= SCALE
    while step < ground.low and step + SCALE <= ground.high:
        step += SCALE
    return step


def answering(ground: Ground, chance: Chance, tones: Sequence[Tone]) -> tuple[Tone, ...]:
    """A second voice beside a tune: a long tone of each chord that the tune is not on, and a step to the next one."""
    found: list[Tone] = []
    for chord, after in zip(ground.chords, (*ground.chords[1:], None), strict=True):
        sung = {tone.step % SCALE for tone in tones if chord.beat <= tone.beat < chord.end}
        aim = found[-1].step if found else round(ground.centre)
        choices = [step for step in range(ground.low, ground.high + 1) if chord.holds(step)]
        step = min(choices, key=lambda step: (abs(step - aim) + 1.5 * (step % SCALE in sung), step), default=aim)
        goal = after.nearest(step) if after else step
        bridge = step + (goal > step) - (goal < step)
        passing = chord.beats >= 3 and bridge != step and ground.low <= bridge <= ground.high and chance.happens(0.6)
        found.append(Tone(chord.beat, chord.beats - passing, step))
        if passing:
            found.append(Tone(chord.end - 1.0, 1.0, bridge))
    return tuple(found)


def fitted(rhythm: Rhythm, ground: Ground, ideas: Chance) -> tuple[Tone, ...]:
    """A tune on a given rhythm, counted from the passage's start: for words, whose syllables decide the notes.

    It rises towards the middle of the line and comes down to its end, by the same little turns each time.
    """
    turns = [ideas.weighted(((1, 3.0), (2, 1.5), (-1, 2.0), (0, 0.6))) for _ in range(5)]
    height = ideas.between(2.5, 4.5)
    tones = []
    for number, (beat, beats) in enumerate(rhythm):
        arch = height * sin(pi * (number + 0.5) / len(rhythm))
        tones.append(Tone(beat, beats, round(ground.centre - 2.0 + arch) + turns[number % 5]))
    return settled(tones, ground)

"""A score -> sounds in time: each note's moment, sound, strength and place. Beats end here, frames begin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, cos, floor, pi, sin
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.instruments.strike import Strike
from pipeline.local_gateway.composer.instruments.voice import ONSET_S
from pipeline.local_gateway.composer.orchestra import PLAYERS, Player
from pipeline.local_gateway.composer.sound import SAMPLE_RATE
from pipeline.local_gateway.composer.theory import ROUNDING

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.form import Form
    from pipeline.local_gateway.composer.score import Note, Part, Score
    from pipeline.local_gateway.composer.sketch import Sketch

VELOCITIES: Final = (0.3, 0.45, 0.6, 0.75, 0.9)  # the strengths at which notes are rendered; gain makes up the rest
USUAL_VELOCITY: Final = 0.7
LENGTH_GRID_S: Final = 0.01
ECHOING: Final = frozenset({"synthwave", "chiptune", "electronic", "ambient", "drum and bass"})
ECHO_BEATS: Final = 0.75
STRAIGHT: Final = 0.5  # where an even off-beat falls
SUSTAINING: Final = frozenset({"pad", "bass"})  # whose notes begin late rather than not at all
PUMPING_ROLES: Final = frozenset({"pad", "chords"})


@dataclass(frozen=True, slots=True)
class Event:
    """A sound at a moment."""

    frame: int
    strike: Strike
    left: float  # gain
    right: float
    send: float  # into the room, as a share of the dry sound
    pumping: bool = False  # gives way to the beat


def performed(score: Score, form: Form, sketch: Sketch) -> list[Event]:
    """Every sound of the piece, in the order of time."""
    events: list[Event] = []
    for part in score.parts:
        played = [event for note in part.notes if (event := _event(note, part, form, sketch)) is not None]
        events += played
        if part.role == "lead" and sketch.genre in ECHOING:
            events += [echo for event in played for echo in _echoes(event, sketch)]
    return sorted(events, key=lambda event: event.frame)


def _echoes(event: Event, sketch: Sketch) -> list[Event]:
    """The tune again, softly, from the left and then from the right."""
    step = round(ECHO_BEATS * sketch.beat_s * SAMPLE_RATE)
    return [
        replace(event, frame=event.frame + step, left=0.34 * event.left, right=0.1 * event.right),
        replace(event, frame=event.frame + 2 * step, left=0.05 * event.left, right=0.17 * event.right),
    ]


def seconds_at(beat: float, sketch: Sketch) -> float:
    """When a beat falls. Swing delays what lies between beats."""
    whole = floor(beat + 1e-9)
    place = beat - whole
    if not sketch.metre.compound:
        early, late = 2 * place * sketch.swing, 1 - 2 * (1 - place) * (1 - sketch.swing)
        place = early if place < STRAIGHT else late
    return (whole + place) * sketch.beat_s


def _event(note: Note, part: Part, form: Form, sketch: Sketch) -> Event | None:
    if part.role == "texture":
        return _texture(note, part, sketch)
    if note.beat < form.skipped_beats - ROUNDING:
        if part.role not in SUSTAINING or note.beat + note.beats < form.skipped_beats + STRAIGHT:
            return None
        note = replace(note, beat=form.skipped_beats, beats=note.beat + note.beats - form.skipped_beats)
    facts = PLAYERS[part.instrument]
    origin = form.skipped_beats * sketch.beat_s
    early = ONSET_S if part.instrument == "voice" else 0.0
    moment = seconds_at(note.beat, sketch) - origin + note.lag_s - early
    strength = 10 ** (part.level_db / 20) * (note.velocity / USUAL_VELOCITY) ** 1.25
    left, right = placed(_pan(note, part, facts))
    return Event(
        frame=round(moment * SAMPLE_RATE),
        strike=_strike(note, part, sketch, early),
        left=strength * left,
        right=strength * right,
        send=facts.send,
        pumping=part.role in PUMPING_ROLES and sketch.style.pumping > 0,
    )


def _strike(note: Note, part: Part, sketch: Sketch, early: float) -> Strike:
    length_s = max(0.05, note.beats * sketch.beat_s + early)
    return Strike(
        instrument=part.instrument,
        pitch=note.pitch,
        frames=round(round(length_s / LENGTH_GRID_S) * LENGTH_GRID_S * SAMPLE_RATE),
        velocity=min(VELOCITIES, key=lambda velocity: abs(velocity - note.velocity)),
        colour=note.colour,
        variant=_variant(note, part, sketch),
    )


def _variant(note: Note, part: Part, sketch: Sketch) -> int:
    """Which of a drum's or string's ways to sound: by its place in the bar, so that what returns sounds the same."""
    place = int(note.beat % sketch.metre.beats * 4)
    if part.instrument.startswith("kit "):
        return place % 3
    return place % 2 if not PLAYERS[part.instrument].held else 0


def _texture(note: Note, part: Part, sketch: Sketch) -> Event:
    """A turn of a place's sound. All have one length, so that they are one sound and join each other."""
    frames = ceil(note.beats * sketch.beat_s * SAMPLE_RATE)
    turn = round(note.beat / note.beats)
    strength = 10 ** (part.level_db / 20)
    return Event(turn * frames, Strike(part.instrument, note.pitch, frames, note.velocity), strength, strength, 0.0)


def _pan(note: Note, part: Part, facts: Player) -> float:
    if not facts.width:
        return part.pan
    middle = (facts.low + facts.high) / 2
    return min(1.0, max(-1.0, part.pan + facts.width * (note.pitch - middle) / (facts.high - facts.low) * 2))


def placed(pan: float) -> tuple[float, float]:
    """Gains of left and right for a place from -1 to 1, of equal power, 1 and 1 in the middle."""
    angle = (pan + 1) * pi / 4
    return cos(angle) * 2**0.5, sin(angle) * 2**0.5

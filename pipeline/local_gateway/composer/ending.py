"""The last chord: everybody comes home together, and lets it ring."""

from __future__ import annotations

from typing import Final

from pipeline.local_gateway.composer.bass import Line
from pipeline.local_gateway.composer.form import Form
from pipeline.local_gateway.composer.harmony import last_chord
from pipeline.local_gateway.composer.orchestra import PLAYERS
from pipeline.local_gateway.composer.passages import REGISTERS, hand_of
from pipeline.local_gateway.composer.score import Note
from pipeline.local_gateway.composer.sketch import Sketch
from pipeline.local_gateway.composer.theory import OCTAVE
from pipeline.local_gateway.composer.voicing import layouts

ROLL_S: Final = 0.055
QUIET_GENRES: Final = frozenset({"ambient", "lofi", "classical"})


def ending_notes(sketch: Sketch, form: Form, *, sung: bool) -> list[tuple[str, str, list[Note]]]:
    """(role, player, notes) of the last chord, in beats from where it's struck."""
    beats = form.beats - (form.ending_beat or 0.0)
    cast = sketch.cast
    found: list[tuple[str, str, list[Note]]] = []
    if cast.lead and not sung:
        found.append(("lead", cast.lead, [Note(0.0, beats * 0.85, _tonic(sketch, cast.lead, "lead"), 0.72)]))
    if sung:
        found.append(("voice", "voice", [Note(0.0, beats * 0.75, _tonic(sketch, "voice", "voice"), 0.72, "-a")]))
    for role, player in (("pad", cast.pad), ("chords", cast.chords)):
        if player:
            found.append((role, player, _chord(sketch, player, role, beats)))
    if cast.bass:
        found.append(("bass", cast.bass, [Note(0.0, beats * 0.85, _root(sketch, cast.bass), 0.7)]))
    if cast.kit:
        found.append(("drums", cast.kit, _last_strokes(sketch)))
    for pattern in cast.percussion:
        if pattern == "timpani":
            found.append(("percussion:timpani", "timpani", [Note(0.0, 2.0, _root(sketch, "timpani"), 0.8)]))
        elif pattern == "taiko":
            found.append(("percussion:taiko", "kit orchestra", [Note(0.0, 2.0, 60, 0.95, "taiko"), Note(0.0, 2.0, 60, 0.5, "crash")]))
    return found


def _tonic(sketch: Sketch, player: str, role: str) -> int:
    facts = PLAYERS[player]
    centre = min(max(REGISTERS[role], facts.low + 6), facts.high - 6)
    pitch = sketch.key.pitch(0)
    while pitch < centre - 6:
        pitch += OCTAVE
    while pitch > centre + 6:
        pitch -= OCTAVE
    return pitch


def _root(sketch: Sketch, player: str) -> int:
    facts = PLAYERS[player]
    home = last_chord(sketch, 4.0)
    return Line(home, home, sketch.key, sketch.metre, facts.low, facts.high).root


def _chord(sketch: Sketch, player: str, role: str, beats: float) -> list[Note]:
    """The tonic chord, rolled by those who pluck or strike, its root on top where that can be."""
    facts = PLAYERS[player]
    home = last_chord(sketch, beats)
    if player == "power guitar":
        return [Note(0.0, beats * 0.85, _root(sketch, player), 0.85)]
    hand = hand_of(player, role, 4)
    choices = layouts(home, sketch.key, hand)
    voicing = min(choices, key=lambda each: ((each[-1] - sketch.key.tonic) % OCTAVE != 0, abs(sum(each) / 4 - hand.centre), each))
    if player == "pulse arpeggio":
        colour = "-".join(str(pitch - voicing[0]) for pitch in voicing[:3])
        return [Note(0.0, min(beats * 0.6, 2.0), voicing[0], 0.6, colour)]
    roll = 0.0 if facts.held else ROLL_S if sketch.energy < 0.6 else 0.02  # noqa: PLR2004
    pitches = voicing if facts.held else tuple(sorted({*voicing, voicing[0] + OCTAVE}))
    return [Note(0.0, beats * 0.85, pitch, 0.62, lag_s=roll * place) for place, pitch in enumerate(pitches)]


def _last_strokes(sketch: Sketch) -> list[Note]:
    if sketch.genre in QUIET_GENRES:
        return [Note(0.0, 1.0, 60, 0.6, "kick")]
    return [Note(0.0, 1.0, 60, 0.85, "kick"), Note(0.0, 1.0, 60, 0.65, "crash")]


__all__ = ["ending_notes"]

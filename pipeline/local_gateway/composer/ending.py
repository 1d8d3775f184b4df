"""The last chord: everybody comes home together, and lets it ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.bass import Line
from pipeline.local_gateway.composer.desk import Stand
from pipeline.local_gateway.composer.drumming import ANY_PITCH
from pipeline.local_gateway.composer.harmony import last_chord
from pipeline.local_gateway.composer.orchestra import PLAYERS
from pipeline.local_gateway.composer.passages import REGISTERS, colour_of, hand_of, percussionist
from pipeline.local_gateway.composer.score import Note
from pipeline.local_gateway.composer.theory import OCTAVE
from pipeline.local_gateway.composer.voicing import layouts

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.form import Form
    from pipeline.local_gateway.composer.sketch import Sketch

ROLL_S: Final = 0.075  # from one tone of a rolled chord to the next, when calm
QUIET_GENRES: Final = frozenset({"ambient", "lofi", "classical"})


def ending_notes(sketch: Sketch, form: Form, *, sung: bool) -> list[tuple[Stand, list[Note]]]:
    """What each stand plays at the last chord, in beats from where it's struck."""
    beats = form.beats - (form.ending_beat or 0.0)
    cast = sketch.cast
    found: list[tuple[Stand, list[Note]]] = []
    singer = "voice" if sung else cast.lead
    if singer:
        role = "voice" if sung else "lead"
        tonic = _tonic(sketch, singer, role)
        found.append((Stand(role, singer), [Note(0.0, beats * 0.8, tonic, 0.72, "-a" if sung else "")]))
    for role, player in (("pad", cast.pad), ("chords", cast.chords)):
        if player:
            found.append((Stand(role, player), _chord(sketch, player, role, beats)))
    if cast.bass:
        found.append((Stand("bass", cast.bass), [Note(0.0, beats * 0.85, _root(sketch, cast.bass), 0.7)]))
    if cast.kit:
        found.append((Stand("drums", cast.kit), _last_strokes(sketch)))
    struck = [(Stand("percussion", percussionist(each), each), _last_beat(sketch, each)) for each in cast.percussion]
    return found + struck


def _last_beat(sketch: Sketch, pattern: str) -> list[Note]:
    if pattern == "timpani":
        return [Note(0.0, 2.0, _root(sketch, "timpani"), 0.8)]
    if pattern == "taiko":
        return [Note(0.0, 2.0, ANY_PITCH, 0.95, "taiko"), Note(0.0, 2.0, ANY_PITCH, 0.5, "crash")]
    return []


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
    home = last_chord(4.0)
    return Line(home, home, sketch.key, sketch.metre, facts.low, facts.high).root


def _chord(sketch: Sketch, player: str, role: str, beats: float) -> list[Note]:
    """The tonic chord, rolled by those who pluck or strike, its root on top where that can be."""
    facts = PLAYERS[player]
    home = last_chord(beats)
    if player == "power guitar":
        return [Note(0.0, beats * 0.85, _root(sketch, player), 0.85)]
    hand = hand_of(player, role, 4)
    choices = layouts(home, sketch.key, hand)
    voicing = min(
        choices, key=lambda each: ((each[-1] - sketch.key.tonic) % OCTAVE != 0, abs(sum(each) / 4 - hand.centre), each)
    )
    if player == "pulse arpeggio":
        return [Note(0.0, min(beats * 0.6, 2.0), voicing[0], 0.6, colour_of(voicing[:3]))]
    roll = 0.0 if facts.held else ROLL_S * (1.0 - 0.7 * sketch.energy)
    pitches = voicing if facts.held else tuple(sorted({*voicing, voicing[0] + OCTAVE}))
    return [Note(0.0, beats * 0.85, pitch, 0.62, lag_s=roll * place) for place, pitch in enumerate(pitches)]


def _last_strokes(sketch: Sketch) -> list[Note]:
    if sketch.genre in QUIET_GENRES:
        return [Note(0.0, 1.0, ANY_PITCH, 0.6, "kick")]
    return [Note(0.0, 1.0, ANY_PITCH, 0.85, "kick"), Note(0.0, 1.0, ANY_PITCH, 0.65, "crash")]

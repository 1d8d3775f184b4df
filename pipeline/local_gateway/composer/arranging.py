"""A sketch and a form -> a score: who plays in which section, how strongly, and how it all ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pipeline.local_gateway.composer import passages
from pipeline.local_gateway.composer.casting import centre_of
from pipeline.local_gateway.composer.chance import Chance
from pipeline.local_gateway.composer.ending import ending_notes
from pipeline.local_gateway.composer.form import Form, Section
from pipeline.local_gateway.composer.melody import Tone, fitted
from pipeline.local_gateway.composer.orchestra import PLAYERS
from pipeline.local_gateway.composer.passages import Passage, passage_of
from pipeline.local_gateway.composer.score import Note, Part, Score
from pipeline.local_gateway.composer.singing import Syllable, rhythm_for
from pipeline.local_gateway.composer.sketch import Sketch

LEVELS_DB: Final[dict[str, float]] = {
    "lead": 0.0, "voice": 1.5, "counter": -7.0, "chords": -5.0, "pad": -10.0, "bass": -2.0, "drums": -4.0,
    "percussion": -5.0, "texture": -19.0,
}  # fmt: skip
LIFTED: Final = 0.45  # the energy from which a tune's last return is doubled
TEXTURE_S: Final = 20.0  # a place's sound comes round after at most so long
MECHANICAL: Final = frozenset({"kit machine", "kit chip", "kit eighties"})


@dataclass
class Desk:
    """The parts while they are being written."""

    sketch: Sketch
    notes: dict[tuple[str, str], list[Note]] = field(default_factory=dict)

    def add(self, role: str, player: str, notes: list[Note], section: Section) -> None:
        """Lay a section's notes into a part, played by a person: at the section's place and strength."""
        played = humanised(notes, self.sketch, role, player, section)
        self.notes.setdefault((role, player), []).extend(note.later(section.beat) for note in played)

    def parts(self) -> tuple[Part, ...]:
        """The parts at their levels and places: the fewer they are, the nearer the middle they stand."""
        spread = min(1.0, len(self.notes) / 5)
        return tuple(
            Part(role.partition(":")[0], player, tuple(notes), LEVELS_DB[role.partition(":")[0]] + PLAYERS[player].level_db,
                 PLAYERS[player].pan * spread)
            for (role, player), notes in self.notes.items()
        )  # fmt: skip


def arranged(sketch: Sketch, form: Form, lines: tuple[tuple[Syllable, ...], ...]) -> Score:
    """The whole score. `lines` are sung, one after the other, from the first verse on."""
    desk = Desk(sketch)
    queue = Verses(lines)
    for section in form.sections:
        if section.label == "E":
            for role, player, notes in ending_notes(sketch, form, sung=bool(lines)):
                desk.add(role, player, notes, section)
        else:
            _write(desk, passage_of(sketch, section), form, queue)
    _lay_textures(desk, form)
    return Score(desk.parts(), form.beats)


def _write(desk: Desk, passage: Passage, form: Form, verses: Verses) -> None:
    cast, section = passage.sketch.cast, passage.section
    roles = roles_in(section, form)
    tones: tuple[Tone, ...] = ()
    if verses.lines and section.label != "I":
        desk.add("voice", "voice", _verse(passage, verses), section)
    elif cast.lead and "lead" in roles:
        leader = cast.counter if section.label == "C" and cast.counter else cast.lead
        tones = passages.melody(passage, leader)
        desk.add("lead", leader, passages.sung_as_notes(tones, passage), section)
    if cast.counter and _is_return(section, form) and passage.sketch.energy >= LIFTED and tones:
        desk.add("counter", cast.counter, _doubled(tones, passage, cast.counter), section)
    elif cast.counter and "counter" in roles:
        desk.add("counter", cast.counter, passages.counter(passage, cast.counter, tones), section)
    if cast.pad and "pad" in roles:
        desk.add("pad", cast.pad, passages.pad(passage, cast.pad), section)
    if cast.chords and "chords" in roles:
        desk.add("chords", cast.chords, passages.chords(passage, cast.chords, _figure(passage.sketch, cast.chords, section.label)), section)
    if cast.bass and "bass" in roles:
        desk.add("bass", cast.bass, passages.bass(passage, cast.bass, _bass_figure(passage.sketch)), section)
    _write_drums(desk, passage, roles)


def _is_return(section: Section, form: Form) -> bool:
    """Whether the first idea comes back for the last time, after something else."""
    return section.last and section.label == "A" and any(each.label == "B" for each in form.sections)


def _doubled(tones: tuple[Tone, ...], passage: Passage, player: str) -> list[Note]:
    """The tune again in another octave, where that player is at home."""
    facts, notes = PLAYERS[player], passages.sung_as_notes(tones, passage)
    middle = sum(note.pitch for note in notes) / len(notes)
    shift = min((-24, -12, 0, 12), key=lambda octave: abs(middle + octave - centre_of(player)) + 4 * (octave == 0))
    return [
        Note(note.beat, note.beats, note.pitch + shift, note.velocity)
        for note in notes
        if facts.low <= note.pitch + shift <= facts.high
    ]


def _write_drums(desk: Desk, passage: Passage, roles: frozenset[str]) -> None:
    sketch, section = passage.sketch, passage.section
    if sketch.cast.kit and "drums" in roles:
        groove = sketch.chance("groove").pick(sketch.style.grooves or ("pop",))
        desk.add("drums", sketch.cast.kit, passages.drums(passage, sketch.cast.kit, groove), section)
    if "percussion" in roles:
        for pattern in sketch.cast.percussion:
            player = {"timpani": "timpani", "hands": "kit hands", "claps": "kit hands"}.get(pattern, "kit orchestra")
            desk.add(f"percussion:{pattern}", player, passages.percussion(passage, pattern), section)


def roles_in(section: Section, form: Form) -> frozenset[str]:
    """Who plays in a section: few at first, all at the height, and a breath before the return."""
    everybody = frozenset({"lead", "counter", "pad", "chords", "bass", "drums", "percussion"})
    if section.label == "I":
        return frozenset({"pad", "chords", "percussion", "drums"})
    if section.label == "C":
        return everybody - {"drums", "percussion", "counter"}
    first = section is next(each for each in form.sections if each.label != "I")
    if first and len(form.sections) > 3:  # noqa: PLR2004 - there is time to grow
        return everybody - {"counter"}
    return everybody


def _figure(sketch: Sketch, player: str, label: str) -> str:
    """How chords are played: the style's way if the player can, else the player's own. The contrast may have another."""
    able = PLAYERS[player].figures
    wished = [figure for figure in sketch.style.figures if figure in able]
    if sketch.metre.beats == 3 and "oompah" in able and sketch.energy > 0.3:  # noqa: PLR2004 - a waltz
        wished.append("oompah")
    return sketch.chance("figure", player, label in "BC").pick(wished or able[:2])


def _bass_figure(sketch: Sketch) -> str:
    return sketch.chance("bass figure").pick(sketch.style.bass_figures)


class Verses:
    """The lines of the lyrics, handed out in order, from the top again when they're through."""

    def __init__(self, lines: tuple[tuple[Syllable, ...], ...]) -> None:
        self.lines = lines
        self._next = 0

    def take(self) -> tuple[Syllable, ...]:
        line = self.lines[self._next % len(self.lines)]
        self._next += 1
        return line


def _verse(passage: Passage, verses: Verses) -> list[Note]:
    """A section's worth of singing: a line to every two bars, or to four where bars are short."""
    metre, sketch = passage.sketch.metre, passage.sketch
    span_bars = min(passage.section.bars, 4 if sketch.bar_s < 1.6 else 2)  # noqa: PLR2004
    ground = passage.ground("voice", "voice")
    notes: list[Note] = []
    for bar in range(0, passage.section.bars, span_bars):
        start = bar * metre.beats
        beats = min(span_bars, passage.section.bars - bar) * metre.beats
        line = verses.take()
        rhythm = tuple((start + beat, long) for beat, long in rhythm_for(len(line), beats, metre, sketch.beat_s))
        tones = fitted(rhythm, ground, sketch.chance("sung", passage.section.label))
        sung = passages.sung_as_notes(tones, passage, legato=0.96)
        notes += [
            Note(note.beat, note.beats, note.pitch, note.velocity, syllable.colour)
            for note, syllable in zip(sung, line, strict=False)
        ]
    return notes


def humanised(notes: list[Note], sketch: Sketch, role: str, player: str, section: Section) -> list[Note]:
    """The notes as people play them: a little early or late, never twice as loud, growing through the phrase.

    A section that returns is played the same way again.
    """
    chance = Chance(sketch.take, "hands", role, player, section.label)
    loose = 0.0 if player in MECHANICAL else sketch.style.looseness_s * (0.6 if role == "bass" else 1.0)
    length = max(1.0, section.bars * sketch.metre.beats)
    strength = 0.68 + 0.36 * section.intensity
    return [
        Note(
            note.beat, note.beats, note.pitch,
            min(1.0, max(0.08, note.velocity * strength * (0.96 + 0.08 * note.beat / length) * (1 + chance.bell(0.05)))),
            note.colour, note.lag_s + chance.bell(loose),
        )
        for note in notes
    ]  # fmt: skip


def _lay_textures(desk: Desk, form: Form) -> None:
    """Places last the whole piece, in equal turns that join."""
    sketch = desk.sketch
    total = form.beats
    turns = max(1, -int(-total * sketch.beat_s // TEXTURE_S))
    for place in sketch.cast.textures:
        notes = [Note(total * turn / turns, total / turns, 60, 0.7) for turn in range(turns)]
        desk.notes[("texture", place)] = notes

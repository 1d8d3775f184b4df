"""A sketch and a form -> a score: who plays in which section, and what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer import passages
from pipeline.local_gateway.composer.casting import centre_of
from pipeline.local_gateway.composer.desk import Desk, Stand
from pipeline.local_gateway.composer.ending import ending_notes
from pipeline.local_gateway.composer.orchestra import PLAYERS
from pipeline.local_gateway.composer.passages import passage_of
from pipeline.local_gateway.composer.score import Note, Score
from pipeline.local_gateway.composer.verses import Verses

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.form import Form, Section
    from pipeline.local_gateway.composer.melody import Tone
    from pipeline.local_gateway.composer.passages import Passage
    from pipeline.local_gateway.composer.singing import Syllable
    from pipeline.local_gateway.composer.sketch import Sketch

EVERYBODY: Final = frozenset({"lead", "counter", "pad", "chords", "bass", "drums", "percussion"})
GROWING: Final = 4  # sections: a piece that has time to grow
LONG: Final = 7  # and one that has time to lend its tune
LIFTED: Final = 0.45  # the energy from which a tune's last return is doubled
WALTZING: Final = 0.3  # and a waltz is danced
TEXTURE_S: Final = 20.0  # a place's sound comes round after at most so long


def arranged(sketch: Sketch, form: Form, lines: tuple[tuple[Syllable, ...], ...]) -> Score:
    """The whole score. `lines` are sung, one after the other, from the first verse on."""
    desk, verses = Desk(sketch), Verses(lines)
    for section in form.sections:
        if section.label == "E":
            for stand, notes in ending_notes(sketch, form, sung=bool(lines)):
                desk.add(stand, notes, section)
        else:
            _write(desk, passage_of(sketch, section), form, verses)
    _lay_textures(desk, form)
    return Score(desk.parts(), form.beats)


def _write(desk: Desk, passage: Passage, form: Form, verses: Verses) -> None:
    """One section, role by role: the tune first, for others listen to it."""
    roles = roles_in(passage.section, form)
    if verses.lines and "lead" in roles:
        desk.add(Stand("voice", "voice"), verses.set_to(passage), passage.section)
        roles -= {"lead"}
    tones = _write_tune(desk, passage, form) if "lead" in roles else ()
    if "counter" in roles:
        _write_counter(desk, passage, form, tones)
    _write_harmony(desk, passage, roles)
    _write_drums(desk, passage, roles)


def roles_in(section: Section, form: Form) -> frozenset[str]:
    """Who plays in a section: few at first, all at the height, and a breath before the return."""
    if section.label == "I":
        return frozenset({"pad", "chords", "percussion", "drums"})
    if section.label == "C":
        return EVERYBODY - {"drums", "percussion", "counter"}
    first = section is next(each for each in form.sections if each.label != "I")
    return EVERYBODY - {"counter"} if first and len(form.sections) >= GROWING else EVERYBODY


def _write_tune(desk: Desk, passage: Passage, form: Form) -> tuple[Tone, ...]:
    leader = _leader(passage, form)
    if leader is None:
        return ()
    tones = passages.melody(passage, leader)
    desk.add(Stand("lead", leader), passages.as_notes(tones, passage), passage.section)
    return tones


def _leader(passage: Passage, form: Form) -> str | None:
    """Who has the tune: the second voice where the music steps back, and in the contrasts of a long piece."""
    cast, label = passage.sketch.cast, passage.section.label
    lent = label == "C" or (label == "B" and len(form.sections) >= LONG)
    return cast.counter if lent and cast.counter and cast.lead else cast.lead


def _write_counter(desk: Desk, passage: Passage, form: Form, tones: tuple[Tone, ...]) -> None:
    player, section = passage.sketch.cast.counter, passage.section
    if player is None or (tones and _leader(passage, form) == player):
        return
    doubles = tones and _is_return(section, form) and passage.sketch.energy >= LIFTED
    notes = _doubled(tones, passage, player) if doubles else passages.counter(passage, player, tones)
    desk.add(Stand("counter", player), notes, section)


def _is_return(section: Section, form: Form) -> bool:
    """Whether the first idea comes back for the last time, after something else."""
    return section.last and section.label == "A" and any(each.label == "B" for each in form.sections)


def _doubled(tones: tuple[Tone, ...], passage: Passage, player: str) -> list[Note]:
    """The tune again in another octave, where that player is at home."""
    facts, notes = PLAYERS[player], passages.as_notes(tones, passage)
    middle = sum(note.pitch for note in notes) / len(notes)
    shift = min((-24, -12, 0, 12), key=lambda octave: abs(middle + octave - centre_of(player)) + 4 * (octave == 0))
    moved = [replace(note, pitch=note.pitch + shift) for note in notes]
    return [note for note in moved if facts.low <= note.pitch <= facts.high]


def _write_harmony(desk: Desk, passage: Passage, roles: frozenset[str]) -> None:
    cast, sketch, section = passage.sketch.cast, passage.sketch, passage.section
    if cast.pad and "pad" in roles:
        desk.add(Stand("pad", cast.pad), passages.pad(passage, cast.pad), section)
    if cast.chords and "chords" in roles:
        figure = _figure(sketch, cast.chords, section.label)
        desk.add(Stand("chords", cast.chords), passages.chords(passage, cast.chords, figure), section)
    if cast.bass and "bass" in roles:
        figure = sketch.chance("bass figure").pick(sketch.style.bass_figures)
        desk.add(Stand("bass", cast.bass), passages.bass(passage, cast.bass, figure), section)


def _figure(sketch: Sketch, player: str, label: str) -> str:
    """How chords are played: the style's way if the player can, else the player's own. A contrast may have another."""
    able = PLAYERS[player].figures
    wished = [figure for figure in sketch.style.figures if figure in able]
    if sketch.metre.name == "3/4" and "oompah" in able and sketch.energy > WALTZING:
        wished.append("oompah")
    return sketch.chance("figure", player, label in "BC").pick(wished or able[:2])


def _write_drums(desk: Desk, passage: Passage, roles: frozenset[str]) -> None:
    sketch, section = passage.sketch, passage.section
    if sketch.cast.kit and "drums" in roles:
        groove = sketch.chance("groove").pick(sketch.style.grooves or ("pop",))
        desk.add(Stand("drums", sketch.cast.kit), passages.drums(passage, sketch.cast.kit, groove), section)
    if "percussion" in roles:
        for pattern in sketch.cast.percussion:
            stand = Stand("percussion", passages.percussionist(pattern), pattern)
            desk.add(stand, passages.percussion(passage, pattern), section)


def _lay_textures(desk: Desk, form: Form) -> None:
    """Places last the whole piece, in equal turns that join."""
    turns = max(1, -int(-form.beats * desk.sketch.beat_s // TEXTURE_S))
    length = form.beats / turns
    for place in desk.sketch.cast.textures:
        desk.notes[Stand("texture", place)] = [Note(turn * length, length, 60, 0.7) for turn in range(turns)]

"""One passage of the piece, role by role: what each player plays from its first bar to its last, in beats from 0."""
# ruff: noqa: PLR2004 - music is counted in small numbers, plainer than names for them

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.local_gateway.composer.bass import BASS_FIGURES, Line
from pipeline.local_gateway.composer.drumming import Stretch, drummed
from pipeline.local_gateway.composer.figures import FIGURES, Bed
from pipeline.local_gateway.composer.harmony import chords_for
from pipeline.local_gateway.composer.melody import Ground, Tone, answering, tune
from pipeline.local_gateway.composer.orchestra import PLAYERS
from pipeline.local_gateway.composer.score import Note
from pipeline.local_gateway.composer.theory import OCTAVE, SCALE, Chord
from pipeline.local_gateway.composer.voicing import Hand, Voicing, led

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.form import Section
    from pipeline.local_gateway.composer.sketch import Sketch

FULL_FIGURES: Final = frozenset({"comp", "held", "block", "rolled"})  # four voices where chords are rich
REGISTERS: Final[dict[str, int]] = {"lead": 75, "counter": 65, "chords": 62, "pad": 60, "voice": 67}
PENTATONIC: Final[dict[bool, frozenset[int]]] = {True: frozenset({0, 1, 2, 4, 5}), False: frozenset({0, 2, 3, 4, 6})}
FIVE_TONE_GENRES: Final = frozenset({"folk", "lofi", "blues", "rock", "hiphop", "pop"})
LOUD: Final = 0.75  # the intensity from which a passage opens with a crash
STRIKING: Final = 0.4  # if the piece has this energy
LEGATO: Final = 0.97  # how much of its time a melody note sounds
SPREAD: Final = 9  # semitones above and below its middle that a melody uses


@dataclass(frozen=True, slots=True)
class Passage:
    """A section with its chords: what every role is written over."""

    sketch: Sketch
    section: Section
    chords: tuple[Chord, ...]

    @property
    def beats(self) -> float:
        return self.section.bars * self.sketch.metre.beats

    def ground(self, player: str, role: str) -> Ground:
        """The melody's ground for a player: the steps around where the role lies that the player can reach."""
        facts, key = PLAYERS[player], self.sketch.key
        centre = min(max(REGISTERS[role], facts.low + SPREAD), facts.high - SPREAD)
        low, high = max(facts.low, centre - SPREAD), min(facts.high, centre + SPREAD)
        five = PENTATONIC[key.major] if self.sketch.genre in FIVE_TONE_GENRES else frozenset[int]()
        return Ground(
            chords=self.chords, metre=self.sketch.metre, bars=self.section.bars, beat_s=self.sketch.beat_s,
            low=key.step_near(low + 1), high=key.step_near(high - 1), close=self.section.close, pentatonic=five,
        )  # fmt: skip


def passage_of(sketch: Sketch, section: Section) -> Passage:
    return Passage(sketch, section, chords_for(sketch, section.label, section.bars, section.close))


def as_notes(tones: tuple[Tone, ...], passage: Passage) -> list[Note]:
    """Tones as notes: strong beats weigh more, and so does what lies high."""
    key, metre = passage.sketch.key, passage.sketch.metre
    middle = sum(tone.step for tone in tones) / max(1, len(tones))
    return [
        Note(
            tone.beat, tone.beats * LEGATO, key.pitch(tone.step),
            0.58 + 0.2 * metre.strength(tone.beat) + 0.02 * (tone.step - middle),
        )
        for tone in tones
    ]  # fmt: skip


def melody(passage: Passage, player: str) -> tuple[Tone, ...]:
    """The passage's tune for this player."""
    sketch, section = passage.sketch, passage.section
    density = min(0.95, sketch.style.density * (0.7 + 0.6 * sketch.energy))
    ideas = sketch.chance("motif", section.label)
    return tune(passage.ground(player, "lead"), ideas, density)


def counter(passage: Passage, player: str, tones: tuple[Tone, ...]) -> list[Note]:
    chance = passage.sketch.chance("counter", passage.section.label)
    return as_notes(answering(passage.ground(player, "counter"), chance, tones), passage)


def pad(passage: Passage, player: str) -> list[Note]:
    """Long chords that overlap a little, so that one grows out of the other."""
    overlap = 0.12 / passage.sketch.beat_s
    return [
        Note(chord.beat, chord.beats + overlap, pitch, 0.5 + 0.3 * passage.section.intensity)
        for chord, voicing in zip(passage.chords, _voicings(passage, player, "pad", 4), strict=True)
        for pitch in voicing
    ]


def chords(passage: Passage, player: str, figure: str) -> list[Note]:
    """The chords as the figure breaks them up."""
    if player == "pulse arpeggio":
        return _as_arpeggios(passage, player)
    full = figure == "strum" or (figure in FULL_FIGURES and passage.sketch.style.richness > 3)
    pattern = passage.sketch.chance("pattern", figure).whole(0, 11)
    notes = [note for bed in _beds(passage, player, 4 if full else 3, pattern) for note in FIGURES[figure](bed)]
    high = PLAYERS[player].high
    return [replace(note, pitch=note.pitch - OCTAVE) if note.pitch > high else note for note in notes]


def _voicings(passage: Passage, player: str, role: str, voices: int) -> tuple[Voicing, ...]:
    return led(passage.chords, passage.sketch.key, hand_of(player, role, voices))


def hand_of(player: str, role: str, voices: int) -> Hand:
    facts = PLAYERS[player]
    centre = min(max(REGISTERS[role], facts.low + 6), facts.high - 9)
    return Hand(centre, facts.low, facts.high, voices)


def _below(voicing: Voicing, chord: Chord, passage: Passage, player: str) -> int:
    """The chord's root, lower than the voicing if the player reaches so low."""
    root = passage.sketch.key.pitch(chord.root % SCALE)
    low = PLAYERS[player].low
    while root >= voicing[0]:
        root -= OCTAVE
    while root < low:
        root += OCTAVE
    return root


def _as_arpeggios(passage: Passage, player: str) -> list[Note]:
    """Each chord as notes whose colour lists its tones: the console turns them fast."""
    part = passage.sketch.metre.part
    return [
        Note(beat, part * 0.9, bed.voicing[0], 0.4 + 0.3 * strength, colour_of(bed.voicing))
        for bed in _beds(passage, player, 3)
        for beat, strength in bed.places(part)
    ]


def colour_of(voicing: Voicing) -> str:
    """A voicing as a console's arpeggio names it: semitones above its lowest tone."""
    return "-".join(str(pitch - voicing[0]) for pitch in voicing)


def _beds(passage: Passage, player: str, voices: int, pattern: int = 0) -> list[Bed]:
    sketch = passage.sketch
    return [
        Bed(
            chord, voicing, sketch.metre, sketch.beat_s, sketch.energy, pattern, _below(voicing, chord, passage, player)
        )
        for chord, voicing in zip(passage.chords, _voicings(passage, player, "chords", voices), strict=True)
    ]


def bass(passage: Passage, player: str, figure: str) -> list[Note]:
    sketch = passage.sketch
    facts = PLAYERS[player]
    chance = sketch.chance("bass", passage.section.label)
    notes: list[Note] = []
    for chord, after in zip(passage.chords, (*passage.chords[1:], passage.chords[0]), strict=True):
        line = Line(chord, after, sketch.key, sketch.metre, facts.low, min(facts.high, facts.low + 24))
        notes += BASS_FIGURES[figure](line, chance)
    return notes


def drums(passage: Passage, kit: str, groove: str) -> list[Note]:
    chance = passage.sketch.chance("drums", groove, passage.section.label)
    loud = passage.section.intensity >= LOUD and passage.sketch.energy >= STRIKING
    return list(drummed(groove, kit, _stretch(passage, crash=loud, fill=passage.section.bars >= 2), chance))


def percussion(passage: Passage, pattern: str) -> list[Note]:
    """A pattern of the hands or of great drums; timpani play the harmony's roots."""
    if pattern == "timpani":
        return _timpani(passage)
    kit = percussionist(pattern)
    chance = passage.sketch.chance("percussion", pattern, passage.section.label)
    return list(drummed(pattern, kit, _stretch(passage, crash=False, fill=pattern == "taiko"), chance))


def percussionist(pattern: str) -> str:
    """Who plays a pattern of percussion."""
    return {"timpani": "timpani", "hands": "kit hands", "claps": "kit hands"}.get(pattern, "kit orchestra")


def _stretch(passage: Passage, *, crash: bool, fill: bool) -> Stretch:
    section = passage.section
    return Stretch(passage.sketch.metre, section.bars, section.intensity, crash=crash, fill=fill)


def _timpani(passage: Passage) -> list[Note]:
    facts = PLAYERS["timpani"]
    notes = []
    for chord, after in zip(passage.chords, (*passage.chords[1:], passage.chords[0]), strict=True):
        line = Line(chord, after, passage.sketch.key, passage.sketch.metre, facts.low, facts.high)
        notes.append(Note(chord.beat, 1.0, line.root, 0.75))
        last = chord is passage.chords[-1]
        if last and chord.beats >= 2:  # a roll that leads on
            notes += [Note(chord.end - 1 + place / 6, 0.2, line.root, 0.35 + 0.07 * place) for place in range(6)]
        elif chord.beats >= 4:
            notes.append(Note(chord.end - 1, 0.5, line.fifth, 0.5))
    return notes

"""Chords, tunes, words and parts, before they sound."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from pipeline.local_gateway.composer.arranging import arranged
from pipeline.local_gateway.composer.form import shaped
from pipeline.local_gateway.composer.orchestra import FAMILIES, PLAYERS
from pipeline.local_gateway.composer.passages import passage_of
from pipeline.local_gateway.composer.performing import performed
from pipeline.local_gateway.composer.reading import read
from pipeline.local_gateway.composer.singing import lines_of, rhythm_for, syllables_of
from pipeline.local_gateway.composer.sketch import sketch_of
from pipeline.local_gateway.composer.styles import STYLES
from pipeline.local_gateway.composer.theory import METRES, MODES, Key
from pipeline.local_gateway.composer.vocabulary import MOODS
from pipeline.local_gateway.composer.voicing import Hand, led

PROMPTS = [
    "Calm orchestral exploration theme, harp and strings, 90 bpm",
    "dragon boss battle, high intensity, taiko drums",
    "lo-fi study beat",
    "chiptune in F# major",
    "jazz waltz in Bb",
    "heavy metal in E phrygian",
    "Irish jig with fiddle and whistle",
    "ambient meditation with bells",
    "7/8 synthwave, dark",
    "happy ukulele jingle",
    "solo piano, sad, in C# minor",
    "bossa nova with nylon guitar",
    "military march with snare",
    "reggae with organ",
    "klezmer clarinet and accordion",
]
KIT = "kit "


def score_of(prompt, duration_s=40.0, lyrics="", variation=0):
    sketch, form = sketch_of(read(prompt), prompt, variation), None
    form, sketch = shaped(sketch, duration_s)
    return arranged(sketch, form, lines_of(lyrics)), form, sketch


def pitched(score):
    for part in score.parts:
        if not part.instrument.startswith(KIT) and part.role != "texture":
            for note in part.notes:
                yield part, note


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_note_belongs_to_the_key(prompt):
    """No pitched note leaves the scale that the prompt named or that was chosen."""
    score, _, sketch = score_of(prompt)
    scale = {sketch.key.pitch(step) % 12 for step in range(7)}
    assert {note.pitch % 12 for _, note in pitched(score)} <= scale


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_note_lies_within_its_players_reach(prompt):
    """Nobody is asked for a pitch that the instrument doesn't have."""
    score, _, _ = score_of(prompt)
    outside = [
        (part.role, part.instrument, note.pitch)
        for part, note in pitched(score)
        if not PLAYERS[part.instrument].low <= note.pitch <= PLAYERS[part.instrument].high
    ]
    assert not outside


@pytest.mark.parametrize("prompt", PROMPTS)
def test_strong_beats_of_the_tune_are_chord_tones(prompt):
    """On every accent the melody is at one with its chord."""
    score, form, sketch = score_of(prompt)
    lead = next(part for part in score.parts if part.role == "lead")
    for section in form.sections[:-1]:
        passage = passage_of(sketch, section)
        for note in lead.notes:
            beat = note.beat - section.beat
            if 0 <= beat < passage.beats and sketch.metre.strength(beat) >= 0.75:
                chord = next(chord for chord in passage.chords if chord.beat <= beat + 1e-6 < chord.end)
                classes = {sketch.key.pitch(degree) % 12 for degree in chord.degrees}
                assert note.pitch % 12 in classes, (section.label, beat)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_tunes_mostly_move_by_step_and_never_leap_beyond_an_octave(prompt):
    """A melody is singable: small moves rule, and no leap passes an octave."""
    score, _, _ = score_of(prompt, 60.0)
    lead = max((part for part in score.parts if part.role == "lead"), key=lambda part: len(part.notes))
    leaps = [abs(after.pitch - before.pitch) for before, after in pairwise(lead.notes)]
    assert max(leaps) <= 12
    assert sum(leap <= 4 for leap in leaps) >= 0.6 * len(leaps)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_section_that_returns_brings_its_tune_back(prompt):
    """The first idea's first bar is the same wherever it returns."""
    score, form, sketch = score_of(prompt, 60.0)
    lead = max((part for part in score.parts if part.role == "lead"), key=lambda part: len(part.notes))
    returns = [section for section in form.sections if section.label == "A"]
    openings = {
        tuple(
            (round(note.beat - section.beat, 3), note.pitch)
            for note in lead.notes
            if section.beat <= note.beat < section.beat + sketch.metre.beats / 2
        )
        for section in returns
    }
    assert len(returns) > 1
    assert len(openings) == 1


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_piece_ends_at_home(prompt):
    """The last section is the tonic chord, with the tonic in the bass."""
    score, form, sketch = score_of(prompt)
    last = [note for _, note in pitched(score) if note.beat >= form.ending_beat]
    home = {sketch.key.pitch(step) % 12 for step in (0, 2, 4)}
    assert {note.pitch % 12 for note in last} <= home
    assert min(last, key=lambda note: note.pitch).pitch % 12 == sketch.key.tonic


def test_voices_move_little_from_chord_to_chord():
    """Led voices move by two semitones on average, where root positions would jump by four or more."""
    sketch = sketch_of(read("strings in C major, 90 bpm"), "x", 0)
    form, sketch = shaped(sketch, 60)
    chords = [chord for section in form.sections[:-1] for chord in passage_of(sketch, section).chords]
    voicings = led(chords, Key(0, "major"), Hand(60, 40, 84, 4))
    moves = [abs(new - old) for before, after in pairwise(voicings) for old, new in zip(before, after, strict=True)]
    assert sum(moves) / len(moves) < 2.0


@pytest.mark.parametrize("mode", MODES)
def test_steps_and_pitches_are_inverse(mode):
    """The step nearest to a step's pitch is that step, in every mode and octave."""
    key = Key(7, mode)
    assert all(key.step_near(key.pitch(step)) == step for step in range(-20, 20))


@pytest.mark.parametrize("name", METRES)
def test_a_bar_is_strongest_where_it_begins(name):
    """Each metre's first beat is its strongest place, and its places lie within the bar in order."""
    metre = METRES[name]
    places = metre.places(metre.part)
    assert list(places) == sorted(set(places))
    assert all(0 <= place < metre.beats for place in places)
    assert metre.strength(0) == 1.0 > max(metre.strength(place) for place in places[1:])


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("spring", 1),
        ("prices", 2),
        ("disappear", 3),
        ("here", 1),
        ("adventure", 3),
        ("the", 1),
        ("fire", 1),
        ("table", 2),
    ],
)
def test_words_have_their_syllables(word, count):
    """Syllables are counted as they're spoken, silent letters left out."""
    assert len(syllables_of(word)) == count


def test_lines_leave_out_what_is_said_to_the_singer():
    """`[Verse]` and `(softly)` are not sung, and blank lines are no lines."""
    assert len(lines_of("[Verse 1]\nSpring is here\n\n(softly) again")) == 2


@pytest.mark.parametrize("count", [1, 3, 8, 14])
def test_syllables_fit_their_bars(count):
    """Whatever its number of syllables, a line stays in its bars, in order, and leaves time to breathe."""
    rhythm = rhythm_for(count, 8.0, METRES["4/4"], 0.5)
    assert len(rhythm) == count
    assert all(before + length <= after + 1e-9 for (before, length), (after, _) in pairwise(rhythm))
    assert rhythm[-1][0] + rhythm[-1][1] <= 7.5


def test_lyrics_are_sung_on_notes_syllable_by_syllable():
    """Each syllable of the line has one note, in order, and the singer takes the lead's place."""
    score, _, _ = score_of("pop jingle 110 bpm", 15.0, "Spring is here, prices disappear")
    voice = next(part for part in score.parts if part.role == "voice")
    line = lines_of("Spring is here, prices disappear")[0]
    assert [note.colour for note in voice.notes[: len(line)]] == [syllable.colour for syllable in line]
    assert not [part for part in score.parts if part.role == "lead"]


def test_what_a_prompt_bars_does_not_play():
    """`no drums` has no drums, and `solo piano` nothing but a piano."""
    drumless, _, _ = score_of("rock without drums", 20)
    solo, _, _ = score_of("solo piano nocturne", 20)
    assert not [part for part in drumless.parts if part.role == "drums"]
    assert {part.instrument for part in solo.parts} == {"piano"}


@pytest.mark.parametrize(
    ("prompt", "instruments"),
    [
        ("harp and strings", {"harp", "strings"}),
        ("choir and taiko drums", {"choir", "kit orchestra"}),
        ("ukulele with glockenspiel", {"ukulele", "glockenspiel"}),
        ("rain, electric piano, upright bass", {"rain", "electric piano", "upright bass"}),
        ("distorted guitar and drums", {"power guitar", "kit rock"}),
        ("chiptune", {"pulse arpeggio", "triangle bass", "kit chip"}),
    ],
)
def test_the_instruments_that_are_named_play(prompt, instruments):
    """What a prompt names is heard."""
    score, _, _ = score_of(prompt, 30)
    assert instruments <= {part.instrument for part in score.parts}


def test_energy_is_written_into_the_notes():
    """An epic piece has more notes a second than a calm one of the same genre, and drums."""

    def notes_a_second(prompt):
        score, _, _ = score_of(prompt, 30)
        return sum(len(part.notes) for part in score.parts) / 30

    assert notes_a_second("epic orchestral battle") > 1.5 * notes_a_second("calm orchestral morning")


@pytest.mark.parametrize("seed", range(80))
def test_any_mixture_of_known_words_is_a_playable_piece(seed):
    """Whatever a prompt combines, somebody has the tune, in key and within reach, from the start of the piece."""
    dice = random.Random(seed)
    words = [
        *dice.sample(sorted(MOODS), dice.choice((0, 1, 2))),
        *dice.sample(sorted(STYLES), dice.choice((0, 1))),
        ", ".join(dice.sample(sorted(FAMILIES), dice.choice((0, 1, 3, 5)))),
        dice.choice(("", f"in {dice.choice('ABCDEFG')}{dice.choice(('', '#', 'b'))} {dice.choice(sorted(MODES))}")),
        dice.choice(("", "", dice.choice(sorted(METRES)), f"{dice.randint(40, 220)} bpm")),
        dice.choice(("", "loop", "solo", "no drums")),
    ]
    prompt, duration_s = " ".join(words), dice.choice((0.4, 2.0, 7.0, 30.0, 95.0))
    score, form, sketch = score_of(prompt, duration_s, dice.choice(("", "", "sing me home")), dice.randrange(5))
    scale = {sketch.key.pitch(step) % 12 for step in range(7)}
    assert any(part.role in {"lead", "voice"} for part in score.parts)
    assert min(event.frame for event in performed(score, form, sketch)) < 0.5 * duration_s * 44_100
    for part, note in pitched(score):
        assert PLAYERS[part.instrument].low <= note.pitch <= PLAYERS[part.instrument].high
        assert note.pitch % 12 in scale
        assert note.beats > 0

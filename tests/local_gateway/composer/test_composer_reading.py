"""Prompts in words become briefs."""

from __future__ import annotations

import pytest

from pipeline.local_gateway.composer.brief import Brief
from pipeline.local_gateway.composer.orchestra import FAMILIES, PLAYERS
from pipeline.local_gateway.composer.reading import read
from pipeline.local_gateway.composer.sketch import MOODS_SUGGEST, SUGGESTED
from pipeline.local_gateway.composer.styles import STYLES
from pipeline.local_gateway.composer.vocabulary import FAMILIES as NAMED_FAMILIES
from pipeline.local_gateway.composer.vocabulary import GENRES, MOODS


@pytest.mark.parametrize(
    ("prompt", "bpm"),
    [
        ("calm harp, 90 bpm", 90),
        ("90BPM lo-fi", 90),
        ("techno at 128.5 bpm", 128.5),
        ("tempo: 75, strings", 75),
        ("120-130 bpm house", 125),
        ("96 beats per minute", 96),
        ("9999 bpm", None),
        ("900 bpm", 260),
        ("an 80s tune with 4 guitars", None),
    ],
)
def test_a_tempo_in_numbers_is_read(prompt, bpm):
    """A stated tempo is read in its usual spellings, and kept within what can be played."""
    assert read(prompt).tempo_bpm == bpm


@pytest.mark.parametrize(
    ("word", "low", "high"),
    [
        ("a slow ballad", 55, 80),
        ("Andante", 70, 95),
        ("fast chase", 135, 165),
        ("presto!", 160, 190),
        ("very slow", 40, 60),
    ],
)
def test_a_tempo_in_words_is_a_range(word, low, high):
    """Tempo words, Italian or plain, give the range they're known by."""
    found = read(word).tempo_range_bpm
    assert found is not None
    assert low <= found[0] < found[1] <= high


@pytest.mark.parametrize(
    ("prompt", "tonic", "mode"),
    [
        ("in D minor", 2, "minor"),
        ("F# major fanfare", 6, "major"),
        ("Bb dorian groove", 10, "dorian"),
        ("e-flat major", 3, "major"),
        ("C sharp minor", 1, "minor"),
        ("theme in a minor", 9, "minor"),
        ("in a minor key", None, "minor"),
        ("a major hit", None, None),
        ("Am, 90 bpm", 9, "minor"),
        ("key of G", 7, None),
        ("a D lydian dream", 2, "lydian"),
        ("something dorian", None, "dorian"),
        ("A harmonic minor tango", 9, "harmonic minor"),
        ("Be happy", None, None),
    ],
)
def test_a_key_is_read(prompt, tonic, mode):
    """Tonic and mode are read where a key is named, and an article is not taken for the note A."""
    brief = read(prompt)
    assert (brief.tonic, brief.mode) == (tonic, mode)


@pytest.mark.parametrize(
    ("prompt", "metre"),
    [("a waltz", "3/4"), ("prog in 7/8", "7/8"), ("Irish jig", "6/8"), ("12/8 blues", "12/8"), ("pop song", None)],
)
def test_a_metre_is_read(prompt, metre):
    """Metres are read in figures and in the dances that have them."""
    found = read(prompt).metre
    assert (found.name if found else None) == metre


@pytest.mark.parametrize(
    ("prompt", "genre"),
    [
        ("lo-fi hip hop beats", "lofi"),
        ("8-bit boss theme", "chiptune"),
        ("cinematic trailer", "orchestral"),
        ("drum and bass roller", "drum and bass"),
        ("Celtic tavern song", "folk"),
        ("radio jingle", "pop"),
        ("rocket launch", None),
    ],
)
def test_a_genre_is_read(prompt, genre):
    """The special genre wins over the general one, and a word within a word is none."""
    assert read(prompt).genre == genre


@pytest.mark.parametrize(
    ("prompt", "families", "barred"),
    [
        ("harp and strings", ("harp", "strings"), set()),
        ("electric piano, upright bass, drums", ("electric piano", "upright bass", "drums"), set()),
        ("piano without drums", ("piano",), {"drums"}),
        ("no drums, no bass, only choir", ("choir",), {"drums", "bass"}),
        ("rain on a vinyl record", ("rain", "vinyl"), set()),
        ("square waves by the sea", ("chip", "sea"), set()),
    ],
)
def test_instruments_are_read_in_their_order(prompt, families, barred):
    """Instruments come in the order of their mention; those it says to leave out are kept apart."""
    brief = read(prompt)
    assert brief.families == families
    assert set(brief.barred) == barred


def test_moods_move_energy_and_joy():
    """Calm has less energy than epic, sad less joy than happy, horror more tension than either."""
    assert read("calm").energy < read("pop").energy < read("epic").energy
    assert read("sad").valence < read("pop").valence < read("happy").valence
    assert read("horror").tension > read("pop").tension


@pytest.mark.parametrize("prompt", ["a seamless loop", "looping theme", "loopable bed", "endless tension"])
def test_a_loop_is_read(prompt):
    """Every usual way to ask for a loop is understood."""
    assert read(prompt).loop


@pytest.mark.parametrize("prompt", ["no loop please", "not a loop", "sloop john b"])
def test_what_is_no_loop_is_not_read_as_one(prompt):
    """A refused loop is none."""
    assert not read(prompt).loop


@pytest.mark.parametrize("prompt", ["", "\n", "🎵🔥", "x" * 10_000, "\ud800", "春の歌", "\0\0"])
def test_a_prompt_without_known_words_is_an_open_brief(prompt):
    """Odd prompts ask for nothing in particular."""
    assert read(prompt) == Brief()


def test_every_word_that_can_be_read_can_be_played():
    """Each family, genre and mood of the vocabulary has its players and its style, and none is spare."""
    assert set(NAMED_FAMILIES) == set(FAMILIES)
    assert set(GENRES) <= set(STYLES)
    assert set(MOODS) >= set(MOODS_SUGGEST)
    assert set(SUGGESTED) <= set(FAMILIES)
    assert set(SUGGESTED.values()) <= set(STYLES)
    named = {player for roles in FAMILIES.values() for role, player in roles.items() if player and role != "percussion"}
    assert named <= set(PLAYERS)

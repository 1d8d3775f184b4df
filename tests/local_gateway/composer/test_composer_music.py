"""What is heard: tempo, key, stereo, loudness, and how pieces differ."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from composer_measuring import loudness_of, onset_strength, pitch_classes, samples_of, tempo_of

from pipeline.local_gateway.composer import compose

PULSED = {  # prompts whose players mark the beat
    "rock song": 120, "lo-fi beat": 80, "epic taiko battle": 130, "chiptune": 140, "synthwave": 100, "house": 124,
    "jazz swing": 132, "folk guitar": 104, "funk": 108, "reggae": 76, "pop song": 110, "march": 112,
    "ukulele jingle": 118, "metal": 160, "6/8 celtic jig": 96, "hip hop": 88, "disco": 115, "blues": 92,
    "waltz with piano": 138, "drum and bass": 174,
}  # fmt: skip
CALM = {"ambient harp": 70, "music box lullaby": 72, "solo piano ballad": 66, "harp and strings": 90}
VARIED = (
    "Calm orchestral exploration theme, harp and strings, 90 bpm",
    "dragon boss battle, high intensity, taiko drums",
    "chiptune level",
    "ambient meditation",
    "solo flute",
    "lo-fi with rain",
    "heavy metal",
)


@cache
def heard(prompt, duration_s=8.0, lyrics=""):
    return samples_of(compose(prompt, lyrics, duration_s, "wav", 0))


@pytest.mark.long
@pytest.mark.parametrize(("words", "bpm"), PULSED.items())
def test_the_tempo_that_was_asked_for_is_heard(words, bpm):
    """The tempo found in the audio is the one in the prompt, within 2 %, and not its half or double."""
    assert tempo_of(heard(f"{words}, {bpm} bpm", 12.0)) == pytest.approx(bpm, rel=0.02)


@pytest.mark.long
@pytest.mark.parametrize(("words", "bpm"), CALM.items())
def test_a_calm_piece_keeps_its_tempo_too(words, bpm):
    """Without drums a slow beat may be counted in halves; it's still on the grid that was asked for."""
    found = tempo_of(heard(f"{words}, {bpm} bpm", 16.0))
    assert min(abs(found / bpm / octave - 1) for octave in (0.5, 1, 2)) < 0.02


@pytest.mark.long
@pytest.mark.parametrize(
    ("prompt", "scale"),
    [
        ("strings and harp in D minor", "D minor"),
        ("calm piano in D minor", "D minor"),
        ("lo-fi in D minor, no drums", "D minor"),
        ("folk guitar in D minor, no drums", "D minor"),
        ("synthwave pads in D minor, no drums", "D minor"),
        ("piano in F# major", "F# major"),
        ("choir in E phrygian", "E phrygian"),
        ("flute in G dorian", "G dorian"),
    ],
)
def test_the_key_that_was_asked_for_is_heard(prompt, scale):
    """Next to no energy lies outside the scale, and the tonic and its fifth are among the strongest classes."""
    tonic = {"D": 2, "F#": 6, "E": 4, "G": 7}[scale.split()[0]]
    steps = {
        "minor": (0, 2, 3, 5, 7, 8, 10), "major": (0, 2, 4, 5, 7, 9, 11), "phrygian": (0, 1, 3, 5, 7, 8, 10),
        "dorian": (0, 2, 3, 5, 7, 9, 10),
    }[scale.split()[1]]  # fmt: skip
    shares = pitch_classes(heard(prompt))
    assert 1 - sum(shares[(tonic + step) % 12] for step in steps) < 0.12
    assert shares[tonic] + shares[(tonic + 7) % 12] > 0.25


@pytest.mark.long
@pytest.mark.parametrize("prompt", VARIED)
def test_a_piece_is_stereo_loud_enough_and_never_clips(prompt):
    """Both sides are heard and differ, loudness is that of music, and no peak passes -0.5 dBFS."""
    audio = heard(prompt)
    assert np.corrcoef(audio.T)[0, 1] < 0.99
    assert np.abs(audio).max() < 10 ** (-0.5 / 20)
    assert -24 < loudness_of(audio) < -12
    assert abs(audio.mean()) < 1e-3
    balance_db = 10 * np.log10(np.square(audio[:, 0]).sum() / np.square(audio[:, 1]).sum())
    assert abs(balance_db) < 3


@pytest.mark.parametrize("prompt", VARIED)
def test_a_piece_starts_at_once_and_ends_in_silence(prompt):
    """Sound within the first half second; at the end it has rung out, but not long before."""
    audio = heard(prompt)
    assert np.abs(audio[:22_050]).max() > 0.003
    assert np.abs(audio[-50:]).max() < 0.001
    loud = np.flatnonzero(np.abs(audio).max(axis=1) > 0.001)
    assert loud[-1] > 0.9 * len(audio)


def spectrum(audio):
    size = 8192
    frames = audio[: len(audio) // size * size].mean(axis=1).reshape(-1, size) * np.hanning(size)
    edges = np.unique(np.round(np.geomspace(4, size // 2, 40)).astype(int))
    return np.log(np.add.reduceat(np.square(np.abs(np.fft.rfft(frames))).mean(axis=0), edges[:-1]) + 1e-9)


def test_another_prompt_is_other_music():
    """Any two of several prompts differ in their spectra by some dB, and in when their notes begin."""
    spectra = [spectrum(heard(prompt)) for prompt in VARIED]
    onsets = [onset_strength(heard(prompt)) for prompt in VARIED]
    for one, other in combinations(range(len(VARIED)), 2):
        assert np.abs(spectra[one] - spectra[other]).mean() > 0.3
        assert np.corrcoef(onsets[one], onsets[other])[0, 1] < 0.6


def test_moods_are_heard():
    """A happy piece has the major third of its key, a sad one the minor."""
    happy, sad = pitch_classes(heard("happy piano in C")), pitch_classes(heard("sad piano in C"))
    assert happy[4] > 3 * happy[3]
    assert sad[3] > 3 * sad[4]


def test_words_change_the_music():
    """With lyrics there's a voice: energy where formants are, and other samples."""
    plain, sung = heard("folk guitar ballad"), heard("folk guitar ballad", lyrics="La la la, my love is far away")
    assert not np.array_equal(plain, sung)
    assert np.corrcoef(onset_strength(plain), onset_strength(sung))[0, 1] < 0.95

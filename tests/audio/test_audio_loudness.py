"""Loudness against the test signals of EBU Tech 3341 and 3342, and against the standard's own filter."""

from __future__ import annotations

import numpy as np
import pytest
from audio_signals import music, noise, silence, tone

from pipeline.audio.k_weighting import k_response, tenth_powers
from pipeline.audio.loudness import read_loudness

# ITU-R BS.1770-4, tables 1 and 2: (b0, b1, b2, a1, a2) at 48 kHz.
SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585)
HIGH_PASS = (1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621)


@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        pytest.param([(-23, 20)], -23.0, id="case 1: -23 dBFS"),
        pytest.param([(-33, 20)], -33.0, id="case 2: -33 dBFS"),
        pytest.param([(-36, 10), (-23, 60), (-36, 10)], -23.0, id="case 3: the relative gate"),
        pytest.param([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0, id="case 4: both gates"),
        pytest.param([(-26, 20), (-20, 20.1), (-26, 20)], -23.0, id="case 5: nothing gated"),
    ],
)
def test_integrated_loudness_of_tech_3341(parts, lufs):
    """The stereo signals of EBU Tech 3341 measure within its 0.1 LU."""
    assert read_loudness(tone(*parts)).lufs == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize("rate", [8_000, 22_051, 44_100, 96_000, 192_000])
def test_loudness_does_not_depend_on_the_sample_rate(rate):
    """A tone of -23 dBFS is at -23 LUFS at any rate, one that is not divisible by ten too."""
    assert read_loudness(tone((-23, 5), rate=rate)).lufs == pytest.approx(-23.0, abs=0.1)


def test_mono_is_one_channel():
    """The same tone in one channel is half the power of two."""
    assert read_loudness(tone((-23, 5), channels=1)).lufs == pytest.approx(-26.0, abs=0.1)


def test_short_term_loudness_of_tech_3341():
    """Case 9: levels that alternate within three seconds have one short-term loudness."""
    assert read_loudness(tone(*[(-20, 1.34), (-30, 1.66)] * 5)).max_short_term_lufs == pytest.approx(-23.0, abs=0.1)


def test_momentary_loudness_of_tech_3341():
    """Case 12: levels that alternate within 400 ms have one momentary loudness."""
    assert read_loudness(tone(*[(-20, 0.18), (-30, 0.22)] * 25)).max_momentary_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(
    ("parts", "range_lu"),
    [
        pytest.param([(-20, 20), (-30, 20)], 10.0, id="case 1"),
        pytest.param([(-20, 20), (-15, 20)], 5.0, id="case 2"),
        pytest.param([(-40, 20), (-20, 20)], 20.0, id="case 3"),
        pytest.param([(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15.0, id="case 4"),
    ],
)
def test_loudness_range_of_tech_3342(parts, range_lu):
    """The synthetic signals of EBU Tech 3342 have their range within its 1 LU."""
    assert read_loudness(tone(*parts)).range_lu == pytest.approx(range_lu, abs=1.0)


@pytest.mark.parametrize(
    ("seconds", "loudness", "short_term"),
    [(0.39, False, False), (0.4, True, False), (2.9, True, False), (3, True, True)],
)
def test_what_is_too_short_has_no_figure(seconds, loudness, short_term):
    """Below 400 ms there is no loudness and below 3 s no short-term value: none, rather than a very low one."""
    reading = read_loudness(tone((-20, seconds)))
    assert (reading.lufs is not None, reading.max_momentary_lufs is not None) == (loudness, loudness)
    assert (reading.max_short_term_lufs is not None, reading.range_lu is not None) == (short_term, short_term)


@pytest.mark.parametrize("sound", [silence(5), tone((-90, 5))], ids=["digital silence", "below -70 LUFS"])
def test_silence_has_no_figure(sound):
    """Nothing above the absolute gate is no measurement."""
    reading = read_loudness(sound)
    assert (reading.lufs, reading.max_momentary_lufs, reading.max_short_term_lufs, reading.range_lu) == (None,) * 4


def test_the_weighting_is_the_standards_at_48_khz():
    """The frequency response is that of the coefficients that BS.1770 prints."""
    response = k_response(48_000)
    z = np.exp(-1j * np.pi * np.arange(len(response)) / (len(response) - 1))
    expected = np.ones_like(z)
    for b0, b1, b2, a1, a2 in (SHELF, HIGH_PASS):
        expected *= (b0 + b1 * z + b2 * z**2) / (1 + a1 * z + a2 * z**2)
    assert np.abs(response - expected).max() < 1e-6


def test_blocks_filter_like_one_sample_after_the_other():
    """Across the edges of the FFT's blocks the power is that of the biquads run sample by sample."""
    sound = noise(1.6, rate=48_000, channels=1)
    expected = (one_by_one(sound.samples[:, 0].astype(float)) ** 2).reshape(-1, 4_800).mean(axis=1)
    assert tenth_powers(sound) == pytest.approx(expected, rel=1e-5)


def one_by_one(samples):
    for b0, b1, b2, a1, a2 in (SHELF, HIGH_PASS):
        filtered, state_1, state_2 = [], 0.0, 0.0
        for sample in samples:
            output = b0 * sample + state_1
            state_1 = b1 * sample - a1 * output + state_2
            state_2 = b2 * sample - a2 * output
            filtered.append(output)
        samples = filtered
    return np.array(samples)


def test_gain_moves_every_figure_but_the_range():
    """6 dB more is 6 LU more."""
    quiet, loud = read_loudness(music(4)), read_loudness(music(4, gain_db=6))
    assert loud.lufs - quiet.lufs == pytest.approx(6, abs=1e-4)
    assert loud.max_short_term_lufs - quiet.max_short_term_lufs == pytest.approx(6, abs=1e-4)
    assert loud.range_lu == pytest.approx(quiet.range_lu, abs=1e-4)

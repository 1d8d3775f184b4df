"""Loudness against the test signals of EBU Tech 3341 and 3342, and against the standard's own filter."""

from __future__ import annotations

import time

import numpy as np
import pytest
from audio_signals import is_near, music, noise, silence, tone

from pipeline.audio.k_weighting import step_energies, weighted_power
from pipeline.audio.loudness import read_loudness
from pipeline.audio.sound import Sound

# ITU-R BS.1770-4, tables 1 and 2: (b0, b1, b2, a1, a2) at 48 kHz.
SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585)
HIGH_PASS = (1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621)

SILENT = -np.inf


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


@pytest.mark.parametrize("number", range(20))
def test_a_tone_of_three_seconds_is_seen_wherever_it_begins(number):
    """Cases 10 and 11: the highest short-term loudness of a tone after so many times 0.15 s of silence is its level."""
    case_10 = tone((SILENT, number * 0.15), (-23, 3), (SILENT, 1))
    assert read_loudness(case_10).max_short_term_lufs == pytest.approx(-23, abs=0.1)
    case_11 = [((SILENT, i * 0.15), (-38 + i, 3), (SILENT, 3 - i * 0.15)) for i in range(number + 1)]
    so_far = tone(*[part for segment in case_11 for part in segment], rate=8_000)
    assert read_loudness(so_far).max_short_term_lufs == pytest.approx(-38 + number, abs=0.1)


def test_momentary_loudness_of_tech_3341():
    """Case 12: levels that alternate within 400 ms have one momentary loudness."""
    assert read_loudness(tone(*[(-20, 0.18), (-30, 0.22)] * 25)).max_momentary_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("number", range(20))
def test_a_tone_of_400_ms_is_seen_wherever_it_begins(number):
    """Cases 13 and 14: the highest momentary loudness of a tone after so many times 20 ms of silence is its level."""
    case_13 = tone((SILENT, number * 0.02), (-23, 0.4), (SILENT, 1))
    assert read_loudness(case_13).max_momentary_lufs == pytest.approx(-23, abs=0.1)
    case_14 = [((SILENT, i * 0.02), (-38 + i, 0.4), (SILENT, 0.4 - i * 0.02)) for i in range(number + 1)]
    so_far = tone(*[part for segment in case_14 for part in segment])
    assert read_loudness(so_far).max_momentary_lufs == pytest.approx(-38 + number, abs=0.1)


# BS.2217 gives a level for each of its signals, and how it is made; the amplitudes follow from the standard's filter.
@pytest.mark.parametrize("lufs", [-23, -24])
@pytest.mark.parametrize("hertz", [25, 100, 500, 1_000, 2_000, 10_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_tones_of_bs_2217(lufs, hertz, channels):
    """Sines from the lowest to the highest octave, in one channel or two, are as loud as the weighting makes them."""
    dbfs = lufs + 0.691 - weighting_db(hertz) + 10 * np.log10(2 / channels)
    sound = tone((dbfs, 20), hertz=hertz, channels=channels)
    assert read_loudness(sound).lufs == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize("side", [0, 1])
def test_either_channel_counts(side):
    """BS.2217's channel checks: a tone on one side alone, the other silent."""
    samples = tone((-24 + 0.691 + 10 * np.log10(2) - weighting_db(1_000), 10)).samples.copy()
    samples[:, side] = 0
    assert read_loudness(Sound(samples, 48_000)).lufs == pytest.approx(-24, abs=0.1)


def test_a_sweep_of_bs_2217():
    """A sine that is made as loud at every frequency as at any other, and rises from 20 Hz to 20 kHz, stays at -18."""
    seconds, rate = 20, 48_000
    hertz = 20 * 1_000 ** (np.arange(seconds * rate) / (seconds * rate))
    amplitude = 10 ** ((-18 + 0.691 - weighting_db(hertz)) / 20)
    wave = (amplitude * np.sin(2 * np.pi * np.cumsum(hertz) / rate)).astype(np.float32)
    reading = read_loudness(Sound(np.repeat(wave[:, np.newaxis], 2, axis=1), rate))
    assert reading.lufs == pytest.approx(-18, abs=0.1)
    assert reading.range_lu == pytest.approx(0, abs=0.1)


def test_gates_of_bs_2217():
    """What is more than 10 LU below the mean does not count, nor what is below -70 LUFS however long it lasts."""
    assert read_loudness(tone((-10, 20), (-30, 50))).lufs == pytest.approx(-10, abs=0.1)
    assert read_loudness(tone((-69.5, 20), (-72, 50))).lufs == pytest.approx(-69.5, abs=0.1)


def weighting_db(hertz):
    """What the biquads that BS.1770 prints do to a sine, in dB."""
    z = np.exp(-2j * np.pi * np.asarray(hertz) / 48_000)
    gain = np.prod(
        [(b0 + b1 * z + b2 * z**2) / (1 + a1 * z + a2 * z**2) for b0, b1, b2, a1, a2 in (SHELF, HIGH_PASS)], 0
    )
    return 20 * np.log10(np.abs(gain))


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


@pytest.mark.parametrize("frames", [63, 16_384, 76_800])
def test_blocks_filter_like_one_sample_after_the_other(frames):
    """Within a block, at its edge and across many, the power is that of the biquads that BS.1770 prints for 48 kHz."""
    sound = noise(1.6, rate=48_000, channels=1)
    sound = Sound(sound.samples[:frames], 48_000)
    expected = one_by_one(sound.samples[:, 0].astype(float)) ** 2
    power = np.concatenate([power for _, power in weighted_power(sound)])
    assert is_near(power, expected, rel=1e-5, within=1e-10)


def test_energies_are_of_fiftieths_of_a_second():
    """960 frames each at 48 kHz; what is left over is in none."""
    sound = noise(1.615, rate=48_000, channels=2)
    energies, frames = step_energies(sound)
    power = np.concatenate([power for _, power in weighted_power(sound)])
    assert energies == pytest.approx(power[: 80 * 960].reshape(80, 960).sum(axis=1))
    assert frames.tolist() == [960] * 80


def test_the_meter_works_on_its_own_thread():
    """Matrix products are shared among threads where they are large; workers, one a core, would fight over cores."""
    sound = noise(20, channels=2)
    step_energies(sound)
    process, thread = time.process_time(), time.thread_time()
    step_energies(sound)
    mine = time.thread_time() - thread
    assert time.process_time() - process < 1.5 * mine


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

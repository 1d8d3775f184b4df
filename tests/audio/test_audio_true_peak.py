"""True peak against the test signals of EBU Tech 3341, and the pruned search against a whole one."""

from __future__ import annotations

import numpy as np
import pytest
from audio_signals import music, noise, percussion, silence, tone

from pipeline.audio.limiter import limit
from pipeline.audio.sound import Sound
from pipeline.audio.true_peak import true_peak_dbtp


@pytest.mark.parametrize(
    ("divisor", "phase_degrees", "amplitude", "dbtp"),
    [
        pytest.param(4, 0, 0.50, -6.0, id="case 15"),
        pytest.param(4, 45, 0.50, -6.0, id="case 16: samples 3 dB below the peak"),
        pytest.param(6, 60, 0.50, -6.0, id="case 17"),
        pytest.param(8, 67.5, 0.50, -6.0, id="case 18"),
        pytest.param(4, 45, 1.41, 3.0, id="case 19: over full scale"),
    ],
)
def test_true_peak_of_tech_3341(divisor, phase_degrees, amplitude, dbtp):
    """Sines whose peaks fall between samples read within +0.2 and -0.4 dB."""
    dbfs = 20 * np.log10(amplitude)
    sound = tone((dbfs, 1), hertz=48_000 / divisor, phase_degrees=phase_degrees)
    faded = sound.samples * np.hanning(sound.frames)[:, np.newaxis].astype(np.float32)
    assert -0.4 <= true_peak_dbtp(Sound(faded, sound.sample_rate)) - dbtp <= 0.2


@pytest.mark.parametrize("offset", range(4))
def test_one_period_between_samples_of_tech_3341(offset):
    """Cases 20 to 23: a period at full scale within a quieter tone, wherever between its samples its peaks fall."""
    rate, tapered = 192_000, 960
    before = 0.5 * np.sin(2 * np.pi / 24 * np.arange(200 * 24))
    period = np.sin(2 * np.pi / 16 * np.arange(16))
    wave = np.concatenate([before, period, before])
    wave[:tapered] *= np.linspace(0, 1, tapered)
    wave[-tapered:] *= np.linspace(1, 0, tapered)
    spectrum = np.fft.rfft(wave)
    spectrum[np.fft.rfftfreq(len(wave), 1 / rate) > rate / 8] = 0  # all that the lower rate can't hold
    samples = np.fft.irfft(spectrum, len(wave))[offset::4].astype(np.float32)
    sound = Sound(np.repeat(samples[:, np.newaxis], 2, axis=1), 48_000)
    assert -0.4 <= true_peak_dbtp(sound) <= 0.2


def oversampled(sound: Sound, times: int, taps: int, window: np.ndarray) -> float:
    """The peak in dBTP by a windowed sinc of so many taps a phase, applied to everything."""
    position = np.arange(times * taps + 1) - times * taps / 2
    kernel = np.sinc(position / times) * window
    stretched = np.zeros((sound.frames * times, sound.channels))
    stretched[::times] = sound.samples
    return 20 * np.log10(max(np.abs(np.convolve(channel, kernel)).max() for channel in stretched.T))


@pytest.mark.parametrize(
    "sound",
    [*(noise(0.5, seed=seed) for seed in range(3)), percussion(1), music(1), tone((-6, 0.5), hertz=17_000)],
    ids=["noise", "noise 1", "noise 2", "hits", "music", "tone"],
)
def test_what_is_skipped_could_not_have_been_the_peak(sound):
    """The pruned search finds the same peak as oversampling everything."""
    everything = oversampled(sound, 6, 32, np.kaiser(193, 6))
    assert true_peak_dbtp(sound) == pytest.approx(everything, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("decay_s", [0.003, 0.05])
def test_hits_of_noise_are_read_and_limited_as_long_filters_read_them(seed, decay_s):
    """To within 0.15 dB, by 33 taps a phase as ffmpeg's meter has, and by a finer grid; 12 taps leave 1 dB more."""
    sound = percussion(2, decay_s=decay_s, seed=seed)
    limited = limit(sound, 2 - true_peak_dbtp(sound), -1.0).sound
    assert oversampled(limited, 8, 32, np.kaiser(257, 6)) <= -0.85
    assert oversampled(limited, 4, 33, np.kaiser(133, 9)) <= -0.85


@pytest.mark.parametrize("place", [0, 63, 64, 500, 999], ids=str)
def test_a_peak_is_found_anywhere(place):
    """Two equal neighbours rise between them, in the first frames and in the last, in either channel."""
    samples = np.zeros((1_001, 2), np.float32)
    samples[place : place + 2, place % 2] = 0.5
    assert true_peak_dbtp(Sound(samples, 44_100)) == pytest.approx(20 * np.log10(2 / np.pi), abs=0.2)


def test_one_sample_is_its_own_peak():
    """Sound may be one frame long."""
    assert true_peak_dbtp(Sound(np.full((1, 1), 0.5, np.float32), 44_100)) == pytest.approx(-6.02, abs=0.01)


def test_digital_silence_has_no_peak():
    """No figure, rather than minus infinity."""
    assert true_peak_dbtp(silence(1)) is None

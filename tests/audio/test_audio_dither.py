"""Whole numbers: dithered in 16 bits, exact where nothing needs rounding, clipped and never wrapped."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from audio_signals import is_near, music, silence, tone

from pipeline.audio.dither import as_16_bit, as_24_bit, clipped_frames
from pipeline.audio.sound import Sound

STEP = 1 / 32_768


def error_of(sound):
    return as_16_bit(sound.samples) * STEP - sound.samples.astype(float)


def test_dither_is_a_triangle_of_one_step_either_way():
    """With rounding the error stays within a step and a half, has no mean, and a TPDF's power: 1/4 step squared."""
    error = error_of(music(3)) / STEP
    assert np.abs(error).max() <= 1.5
    assert error.mean() == pytest.approx(0, abs=0.005)
    assert error.var() == pytest.approx(1 / 4, rel=0.02)


def test_dither_keeps_what_rounding_would_lose():
    """A tone of a third of a step is in the noise, where rounding would leave silence."""
    quiet = tone((20 * np.log10(STEP / 3), 2))
    reference = np.sin(2 * np.pi * 1_000 / 48_000 * np.arange(quiet.frames))
    assert not np.rint(quiet.samples / STEP).any()
    heard = 2 * np.mean(as_16_bit(quiet.samples)[:, 0] * STEP * reference)
    assert heard == pytest.approx(STEP / 3, rel=0.1)


def test_dither_differs_between_channels():
    """The same noise in both would sit in the middle of the stereo picture."""
    left, right = error_of(tone((-20, 1))).T
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.02


def test_dither_is_the_same_everywhere():
    """The noise comes from a stream that numpy never changes: this is its digest."""
    samples = (np.arange(-70_000, 70_001)[:, np.newaxis] / 2**18).astype(np.float32)
    digest = hashlib.sha256(as_16_bit(samples).astype("<i2").tobytes()).hexdigest()
    assert digest == "f653aef3f5c47cd5257cb6f6523914de88a9e3ee8606c0070223350147db1d64"


def test_16_bit_sound_stays_as_it_is():
    """What needs no rounding needs no dither: silence stays silent."""
    steps = np.random.default_rng(2).integers(-32_768, 32_767, (70_000, 2), dtype=np.int16)
    assert np.array_equal(as_16_bit((steps * STEP).astype(np.float32)), steps)
    assert not as_16_bit(silence(0.1).samples).any()


def test_24_bits_are_exact():
    """A float has 24 bits of its own."""
    samples = music(0.5).samples
    assert is_near(as_24_bit(samples) / 2.0**31, samples, within=2.0**-24)
    assert not (as_24_bit(samples) & 0xFF).any()


def test_full_scale_is_clipped_and_never_wraps():
    """A sample over full scale becomes the highest number, not a negative one."""
    samples = np.array([[1.5], [1.0], [-1.0], [-1.5]], np.float32)
    assert as_16_bit(samples)[[0, 3], 0].tolist() == [32_767, -32_768]
    assert as_24_bit(samples)[:, 0].tolist() == [0x7FFFFF00, 0x7FFFFF00, -0x80000000, -0x80000000]


def test_frames_over_full_scale_are_counted():
    """A frame counts once, whichever of its channels is over."""
    samples = np.array([[0.5, 1.1], [1.2, -1.3], [1.0, -1.0]], np.float32)
    assert clipped_frames(samples) == 2
    assert clipped_frames(Sound(samples, 1).samples / 2) == 0

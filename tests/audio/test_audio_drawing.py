"""What is drawn of a sound: its outline, and its loudness over time."""

from __future__ import annotations

import numpy as np
import pytest
from audio_signals import noise, tone

from pipeline.audio.drawing import draw
from pipeline.audio.loudness import read_loudness
from pipeline.audio.measurement import measure
from pipeline.audio.settings import Finishing, Trim
from pipeline.audio.shaping import shape
from pipeline.audio.sound import Sound
from pipeline.audio.waveform import COLUMNS, FULL_SCALE, LoudnessCurve, level_of, lufs_of


def drawn(sound):
    return draw(sound, measure(sound).curve)


def test_an_outline_follows_peaks_and_rms_of_the_louder_channel():
    """A sine of -6 dBFS in one channel of two: peaks at half of full scale, RMS over both channels 6 dB lower."""
    one = tone((-6.02, 4.0), rate=44_100).samples[:, :1]
    waveform = drawn(Sound(np.hstack([one, np.zeros_like(one)]), 44_100))
    assert len(waveform.peaks) == len(waveform.bodies) == COLUMNS
    assert set(waveform.peaks) <= {127, 128, 129}
    assert set(waveform.bodies) <= {63, 64, 65}


def test_what_is_over_full_scale_is_drawn_at_full_scale():
    """A float source may go beyond it; a drawing does not."""
    waveform = drawn(Sound(np.full((1_000, 1), 1.5, np.float32), 8_000))
    assert set(waveform.peaks) == {FULL_SCALE}


@pytest.mark.parametrize("frames", [0, 1, 7, COLUMNS - 1, COLUMNS + 1])
def test_a_sound_shorter_than_a_drawing_has_a_column_a_frame(frames):
    """Down to nothing at all."""
    waveform = draw(Sound(np.ones((frames, 1), np.float32), 8_000), LoudnessCurve())
    assert len(waveform.peaks) == min(frames, COLUMNS)
    assert set(waveform.peaks) <= {FULL_SCALE}


def test_a_curve_shows_when_it_is_loud():
    """12 s at -40 LUFS, then 12 s at -20: each half of the curve says so but for the 3 s around the change."""
    quiet, loud = tone((-40, 12.0), rate=48_000), tone((-20, 12.0), rate=48_000)
    curve = read_loudness(Sound(np.concatenate([quiet.samples, loud.samples]), 48_000)).curve
    assert curve.window_s == 3.0
    lufs = [lufs_of(level) for level in curve.levels]
    before, after = lufs[: COLUMNS // 2 - 16], lufs[COLUMNS // 2 + 16 :]
    assert max(before) - min(before) <= 0.31
    assert max(after) - min(after) <= 0.31
    assert after[0] - before[0] == pytest.approx(20, abs=0.4)


def test_a_short_sound_has_a_curve_of_momentary_loudness_and_a_shorter_one_has_none():
    """3 s windows say nothing about a sound of 5 s; 400 ms ones say nothing about a click."""
    assert read_loudness(noise(5.0, dbfs=-20)).curve.window_s == 0.4
    assert read_loudness(noise(0.3, dbfs=-20)).curve == LoudnessCurve()


@pytest.mark.parametrize("lufs", [-69.6, -35.0, -16.0, -0.1, 6.0])
def test_a_level_is_within_half_a_step(lufs):
    """0.3 LU a step."""
    assert lufs_of(level_of(lufs)) == pytest.approx(lufs, abs=0.151)


def test_what_was_cut_off_both_ends_is_known():
    """Trimmed silence, in seconds of the source."""
    quiet, loud = noise(1.0, dbfs=-80), tone((-20, 0.5), rate=44_100, phase_degrees=90)
    sound = Sound(np.concatenate([quiet.samples, loud.samples, quiet.samples]), 44_100)
    shaped = shape(sound, Finishing(trim=Trim(keep_head_s=0.0, keep_tail_s=0.0)))
    assert shaped.trimmed_s == pytest.approx((1.0, 1.0), abs=0.01)
    assert shape(sound, Finishing()).trimmed_s == (0.0, 0.0)

"""Loops repeat in whole bars, without a seam."""

from __future__ import annotations

import numpy as np
import pytest
from composer_measuring import SAMPLE_RATE, samples_of

from pipeline.local_gateway.composer import compose, rooms
from pipeline.local_gateway.composer.form import shaped
from pipeline.local_gateway.composer.reading import read
from pipeline.local_gateway.composer.sketch import sketch_of


def period_of(prompt, duration_s):
    """The frames after which the loop repeats, and those of one bar."""
    form, sketch = shaped(sketch_of(read(prompt), f"{prompt}\x1f", 0), duration_s)
    return round(form.beats * sketch.beat_s * SAMPLE_RATE), sketch.bar_s * SAMPLE_RATE


@pytest.mark.long
@pytest.mark.parametrize(
    ("prompt", "duration_s"),
    [
        ("calm harp loop, 90 bpm", 30.0),
        ("lo-fi loop with rain and vinyl", 24.0),
        ("seamless battle loop, 140 bpm", 20.0),
    ],
)
def test_a_loop_repeats_sample_for_sample(prompt, duration_s):
    """The second time round is the first again, ringing notes, room and all; and there's no fade-out."""
    audio = samples_of(compose(prompt, "", duration_s, "wav", 0))
    period, bar = period_of(prompt, duration_s)
    assert period / bar == pytest.approx(round(period / bar), abs=1e-4)
    assert np.array_equal(audio[period:], audio[: len(audio) - period])
    assert audio[-SAMPLE_RATE // 2 :].std() > 0.1 * audio.std()


@pytest.mark.parametrize("prompt", ["lo-fi loop with rain", "ambient pads, seamless", "chiptune loop", "strings loop"])
def test_the_end_runs_on_into_the_beginning(prompt):
    """At the seam the spectrum changes as it does elsewhere in the loop, and no sample jumps."""
    audio = samples_of(compose(prompt, "", 16.0, "wav", 0))
    period, _ = period_of(prompt, 16.0)
    mono = audio[:period].mean(axis=1)
    steps = np.abs(np.diff(mono))
    assert abs(mono[0] - mono[-1]) <= np.quantile(steps, 0.9999)
    turned = np.roll(mono, period // 2)
    size = 2048
    frames = turned[: period // size * size].reshape(-1, size) * np.hanning(size)
    change = np.abs(np.diff(np.log(np.abs(np.fft.rfft(frames))[:, 2:400] + 1e-3), axis=0)).mean(axis=1)
    seam = len(change) // 2
    elsewhere = np.delete(change, [seam - 1, seam])
    assert change[seam - 1 : seam + 1].max() <= 1.3 * elsewhere.max()


@pytest.mark.parametrize("prompt", ["lo-fi with rain", "synthwave loop, 100 bpm"])
def test_the_windows_that_are_mixed_at_a_time_are_not_heard(prompt, monkeypatch):
    """Mixed in windows of half the size, every note, echo and pumping pad comes out the same."""
    usual = samples_of(compose(prompt, "", 14.0, "wav", 0))
    monkeypatch.setattr(rooms, "WINDOW_FFT", rooms.WINDOW_FFT // 2)
    assert np.abs(samples_of(compose(prompt, "", 14.0, "wav", 0)) - usual).max() <= 2 / 32768


def test_a_piece_that_is_no_loop_ends():
    """Without the word the same prompt has an ending."""
    audio = samples_of(compose("calm harp, 90 bpm", "", 12.0, "wav", 0))
    assert np.abs(audio[-50:]).max() < 0.001

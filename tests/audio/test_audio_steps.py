"""The seam to pydub: nothing is lost on the way there and back, and a step that goes wrong is named."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from audio_signals import is_near, music, noise, tone

from pipeline.audio.segment import as_segment, as_sound, stepped
from pipeline.audio.tasks import AudioError


def same(segment):
    return segment


def as_text(segment):
    return "not audio"


def all_gone(segment):
    return segment[:0]


def slow(segment):
    return segment._spawn(segment.raw_data, {"frame_rate": 100})


def wrong(segment):
    raise ValueError("no such\nthing")


@pytest.mark.parametrize("channels", [1, 2])
def test_there_and_back_is_the_same_sound(channels):
    """32 bits hold what a float's 24 do."""
    sound = music(0.3, channels=channels)
    back = as_sound(as_segment(sound))
    assert is_near(back.samples, sound.samples, within=1e-9)
    assert back.sample_rate == sound.sample_rate


def test_a_segment_has_exactly_the_frames_of_the_sound():
    """Not whole milliseconds of them."""
    assert as_segment(noise(0.1234)).frame_count() == noise(0.1234).frames


@pytest.mark.parametrize("width", [1, 2, 4])
def test_segments_of_any_width_come_back(width):
    """A step may leave 8 or 16 bits."""
    sound = tone((-1, 0.05))
    back = as_sound(as_segment(sound).set_sample_width(width))
    assert is_near(back.samples, sound.samples, within=2.0 ** (1 - 8 * width) * 1.01)


def test_a_segment_of_many_channels_is_folded_down():
    """A step may leave more than two."""
    quiet = as_segment(tone((-20, 0.05), channels=1))
    assert as_sound(type(quiet).from_mono_audiosegments(quiet, quiet, quiet)).channels == 2


def test_peaks_over_full_scale_survive_the_seam():
    """An mp3 decodes to more than full scale: a step must not clip it."""
    loud = music(0.3, gain_db=30)
    assert np.abs(loud.samples).max() > 2
    assert is_near(stepped(loud, (same,)).samples, loud.samples, within=1e-6)


def test_without_steps_pydub_is_not_asked():
    """The very same sound comes back."""
    sound = music(0.1)
    assert stepped(sound, ()) is sound


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (wrong, "the step wrong failed: ValueError: no such thing"),
        (as_text, "the step as_text gave str, and a step gives an AudioSegment"),
        (all_gone, "the step all_gone left no sound"),
        (slow, "the step slow left a sample rate of 100 Hz"),
    ],
)
def test_a_step_that_goes_wrong_is_named(step, sentence):
    """The track fails with a sentence about the user's own function."""
    with pytest.raises(AudioError) as refused:
        stepped(music(0.1), (same, step))
    assert str(refused.value) == sentence


def test_workers_load_no_more_than_they_need():
    """Finishing's import, which each worker pays, leaves out pydub and the libraries that few tracks need."""
    code = "import sys, pipeline.audio.finishing; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded
    assert {"pydub", "soxr", "lameenc", "scipy", "mutagen"}.isdisjoint(loaded)


def test_asking_what_can_be_encoded_loads_no_numpy():
    """A plan asks it, and a plan starts fast."""
    code = "import sys, pipeline.audio.formats as it; assert it.can_encode('ogg') is None; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"numpy", "soundfile", "pydub"}.isdisjoint(loaded)

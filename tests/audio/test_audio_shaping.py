"""What is done to a source before it is measured: channels, rate, trim, fades, steps."""

from __future__ import annotations

import numpy as np
import pytest
from audio_signals import UNTOUCHED, is_near, music, noise, task_for, tone

from pipeline.audio import shaping
from pipeline.audio.channels import with_channels
from pipeline.audio.fades import faded
from pipeline.audio.finishing import finish
from pipeline.audio.resampling import resampled
from pipeline.audio.settings import Finishing, Output, Trim
from pipeline.audio.sound import Sound
from pipeline.audio.trimming import trimmed


def shape(sound, finishing, steps=()):
    return shaping.shape(sound, finishing, steps).sound


def level_dbfs(sound):
    """Of a sine's peaks, without the ends, where a resampler has nothing to look ahead to."""
    middle = sound.samples[1_000:-1_000].astype(float)
    return 20 * np.log10(np.sqrt(np.mean(middle**2)) * np.sqrt(2))


def test_nothing_asked_is_nothing_done():
    """A finishing without settings leaves every sample as it was."""
    sound = music(0.5)
    assert shape(sound, UNTOUCHED) is sound


def test_mono_is_the_mean_and_stereo_is_mono_twice():
    """Neither changes how loud a centred sound is."""
    stereo = music(0.2)
    mono = with_channels(stereo, 1)
    assert is_near(mono.samples[:, 0], stereo.samples.mean(axis=1), rel=1e-6)
    assert np.array_equal(with_channels(mono, 2).samples, np.repeat(mono.samples, 2, axis=1))
    assert with_channels(stereo, 2) is stereo
    assert with_channels(stereo, None) is stereo


@pytest.mark.parametrize("frames", [1, 2, 441, 44_101])
@pytest.mark.parametrize(("had", "wanted"), [(44_100, 48_000), (48_000, 44_100), (8_000, 192_000), (192_000, 8_000)])
def test_resampling_keeps_the_length_to_the_frame(frames, had, wanted):
    """As long as before, to the nearest frame, and never nothing."""
    sound = Sound(np.ones((frames, 2), np.float32), had)
    assert resampled(sound, wanted).frames == max(1, round(frames * wanted / had))


def test_resampling_makes_no_alias():
    """A tone above the new rate's half is gone, and one below it is as it was."""
    above, below = tone((-6, 1), hertz=15_000), tone((-6, 1), hertz=3_000)
    assert level_dbfs(resampled(above, 24_000)) < -90
    assert level_dbfs(resampled(below, 24_000)) == pytest.approx(-6, abs=0.05)


def test_trimming_keeps_a_little_at_both_ends():
    """What is below -60 dBFS goes, but for 5 ms before and 100 ms after."""
    quiet, loud = noise(1.0, dbfs=-80), tone((-20, 0.5), rate=44_100, phase_degrees=90)
    sound = Sound(np.concatenate([quiet.samples, loud.samples, quiet.samples]), 44_100)
    cut, begins = trimmed(sound, Trim())
    first, last = 44_100 - round(0.005 * 44_100), 44_100 + loud.frames + 4_410
    assert np.array_equal(cut.samples, sound.samples[first:last])
    assert begins == first


def test_trimming_never_leaves_nothing():
    """Where nothing is above the threshold nothing is cut: whether that is a fault is a gate's question."""
    sound = noise(0.5, dbfs=-90)
    assert trimmed(sound, Trim()) == (sound, 0)
    assert trimmed(sound, None) == (sound, 0)


def test_fades_are_equal_power_for_every_sample():
    """A rise and its mirror have together the power of the whole, at each sample and without a stair."""
    ones = Sound(np.ones((10_000, 2), np.float32), 10_000)
    rise, fall = faded(ones, 0.5, 0).samples[:, 0], faded(ones, 0, 0.5).samples[:, 0]
    assert (rise[0], fall[-1]) == (0, 0)
    assert is_near(rise[:5_000] ** 2 + fall[5_000:][:5_000] ** 2, np.ones(5_000), within=1e-3)
    assert np.all(np.diff(rise[:5_000]) > 0)
    assert np.all(rise[5_000:] == 1)
    assert np.all(fall[:5_000] == 1)
    assert np.array_equal(fall, rise[::-1])


def test_fades_longer_than_the_sound_take_all_of_it():
    """A fade of ten seconds on one second is a fade of one."""
    ones = Sound(np.ones((1_000, 1), np.float32), 1_000)
    assert np.array_equal(faded(ones, 10, 0).samples, faded(ones, 1, 0).samples)


@pytest.mark.parametrize(
    ("fades", "said"),
    [
        ((0.5, 0.5), []),
        ((0.0, 1.0), []),
        ((0.0, 30.0), ["it is 1 s long, and its fade_out of 30 s can be no longer than that"]),
        ((2.0, 3.0), ["it is 1 s long, and its fade_in of 2 s and fade_out of 3 s can be no longer than that"]),
        (
            (0.5, 0.8),
            ["it is 1 s long, and its fade_in of 0.5 s and fade_out of 0.8 s overlap: it is never at its full level"],
        ),
    ],
    ids=["both", "all of it", "too long", "both too long", "together too long"],
)
def test_fades_that_do_not_fit_are_said(tmp_path, fades, said):
    """On each file: it is the source's length that decides."""
    finishing = Finishing(fade_in_s=fades[0], fade_out_s=fades[1])
    for file in finish(task_for(tmp_path, music(1), Output("wav"), Output("ogg"), finishing=finishing)):
        assert [warning.message for warning in file.warnings if warning.code.startswith("fade")] == said


def test_a_source_is_not_changed_by_its_shaping():
    """Samples are never written over: a task's targets share them."""
    sound = music(0.5)
    before = sound.samples.copy()
    shape(sound, Finishing(fade_in_s=0.1, fade_out_s=0.1, channels=1, sample_rate=48_000, trim=Trim()))
    assert np.array_equal(sound.samples, before)


def test_steps_come_after_the_fades_in_their_order():
    """A step gets faded audio of the manifest's channels and rate, and gives it to the next."""
    seen = []

    def watch(segment):
        seen.append((segment.frame_rate, segment.channels, segment.sample_width, abs(segment[:5].max), segment.dBFS))
        return segment - 6

    sound = Sound(np.ones((44_100, 2), np.float32) / 2, 44_100)
    shaped = shape(sound, Finishing(fade_in_s=0.5, channels=1, sample_rate=48_000), (watch, watch))
    first, second = seen
    assert first[:3] == second[:3] == (48_000, 1, 4)
    assert first[3] < 0.02 * (1 << 31)
    assert first[4] - second[4] == pytest.approx(6, abs=0.01)
    assert shaped.samples[-1_000, 0] == pytest.approx(0.5 * 10 ** (-12 / 20), abs=1e-3)


def test_the_manifest_has_the_last_word_on_rate_and_channels():
    """A step that changes them is brought back where the manifest states them, and else is followed."""

    def telephone(segment):
        return segment.set_channels(1).set_frame_rate(8_000)

    followed = shape(music(0.5), Finishing(), (telephone,))
    assert (followed.sample_rate, followed.channels) == (8_000, 1)
    held = shape(music(0.5), Finishing(sample_rate=44_100, channels=2), (telephone,))
    assert (held.sample_rate, held.channels, held.frames) == (44_100, 2, 22_050)

"""The limiter: no peak over the ceiling, by a meter that knows nothing of it, and nothing else changed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from audio_signals import UNTOUCHED, music, noise, percussion, silence, task_for, tone

from pipeline.audio.finishing import finish
from pipeline.audio.limiter import Limited, limit
from pipeline.audio.settings import Finishing, Loudness, Output
from pipeline.audio.sound import Sound
from pipeline.audio.true_peak import CELL, cell_peaks, true_peak_dbtp
from pipeline.report.file_tables import tenths

RATE = 44_100
WAV = Output("wav")


def beaten(seconds: float = 5.0, every_s: float = 0.5, dbfs: float = -1.0) -> Sound:
    """Soft music with hard, short hits: what a limiter is for. They fall on no grid."""
    samples = music(seconds, gain_db=-8).samples.copy()
    hit = np.exp(-np.arange(400) / 60) * np.sin(np.arange(400) * 0.9) * 10 ** (dbfs / 20) * 1.3
    for number in range(int(seconds / every_s)):
        at = round((number + 0.31) * every_s * RATE)
        samples[at : at + 400, number % 2] += hit
    return Sound(samples, RATE)


def gain_of(before: Sound, after: Sound) -> np.ndarray:
    """By frame, linear; of frames that are loud enough to tell."""
    index = np.abs(before.samples).argmax(axis=1)
    loudest = np.take_along_axis(before.samples, index[:, np.newaxis], 1)[:, 0]
    return np.take_along_axis(after.samples, index[:, np.newaxis], 1)[:, 0] / np.where(loudest == 0, 1, loudest)


@pytest.mark.parametrize("gain_db", [1.0, 3.0, 6.0, 12.0])
@pytest.mark.parametrize(
    "sound",
    [beaten(2), noise(1), music(2), noise(0.3, rate=192_000), noise(0.3, rate=8_000), tone((-20, 0.5), hertz=11_000)],
    ids=["hits", "noise", "music", "192 kHz", "8 kHz", "tone"],
)
def test_no_true_peak_passes_the_ceiling(sound, gain_db):
    """However far the gain goes: the meter that oversamples everything finds none over it, and one just below."""
    lift = -1 - true_peak_dbtp(sound) + gain_db
    limited = limit(sound, lift, -1.0)
    assert -1.1 < true_peak_dbtp(limited.sound) <= -1
    assert limited.most_db == pytest.approx(gain_db, abs=0.05)


@pytest.mark.parametrize("place", [0, 1, 15, 16, 17, 700, 985, 998, 999])
def test_a_peak_is_caught_anywhere(place):
    """In the first frame and in the last."""
    samples = np.full((1_000, 2), 0.01, np.float32)
    samples[place : place + 2, place % 2] = 0.9
    limited = limit(Sound(samples, RATE), 0.0, -6.0)
    assert true_peak_dbtp(limited.sound) <= -6


@pytest.mark.parametrize("frames", [16, 17, 33, 1_000])
def test_what_rings_outside_of_the_sound_is_caught(frames):
    """Before its first sample and after its last, where it begins or ends at its loudest."""
    samples = 0.5 * np.cos(np.pi * np.arange(frames, dtype=np.float32))[:, np.newaxis]
    limited = limit(Sound(samples, RATE), 0.0, -6.0)
    assert -6.1 < true_peak_dbtp(limited.sound) <= -6
    assert limited.most_db > 2


def test_what_is_below_the_ceiling_is_linear():
    """The very same samples, but for their gain."""
    sound = music(1)
    limited = limit(sound, -3.0, -1.0)
    assert np.array_equal(limited.sound.samples, sound.with_gain(-3.0).samples)
    assert limited.most_db == 0


def test_gain_falls_within_5_ms_and_rises_by_60_db_a_second():
    """Outside of that stretch nothing is touched."""
    samples = np.full((RATE, 1), 0.1, np.float32)
    samples[20_000] = 1.0
    limited = limit(Sound(samples, RATE), 0.0, -6.0)
    taken = -20 * np.log10(limited.sound.samples[:, 0] / samples[:, 0])
    assert np.flatnonzero(taken > 1e-5)[0] >= 20_000 - 0.005 * RATE - 2 * CELL
    assert limited.most_db == pytest.approx(6, abs=0.1)
    falling = taken[20_000 + 2 * CELL : 20_000 + 2_000]
    assert np.diff(falling) * RATE == pytest.approx(-60, abs=2)
    assert np.flatnonzero(taken > 1e-5)[-1] == pytest.approx(20_000 + limited.most_db / 60 * RATE, abs=4 * CELL)


def test_the_gain_is_even():
    """No step between two frames of more than 0.1 dB, with hits every tenth of a second."""
    sound = beaten(2, every_s=0.1)
    gain = gain_of(sound, limit(sound, 6.0, -1.0).sound)
    assert np.abs(np.diff(20 * np.log10(gain))).max() < 0.1


def test_both_channels_share_one_gain():
    """Else a hit on the left would push the music to the right."""
    samples = np.full((4_000, 2), 0.1, np.float32)
    samples[2_000, 0] = 1.0
    quiet = limit(Sound(samples, RATE), 0.0, -6.0).sound.samples
    assert quiet[1_990, 0] == quiet[1_990, 1] < 0.1


@pytest.mark.parametrize("start", [0, 10_000, 10_007], ids=["all of it loops", "after an intro", "on no grid"])
@pytest.mark.parametrize("place", [-1, -100, 0, 1, 100], ids=str)
def test_the_gain_is_even_over_the_seam_of_a_loop(start, place):
    """A hit near one end turns the other down as well, as it would within the music."""
    samples = np.full((60_005, 1), 0.1, np.float32)
    samples[place + (start if place >= 0 else 0)] = 1.0
    sound = Sound(samples, RATE)
    gain = 20 * np.log10(gain_of(sound, limit(sound, 0.0, -6.0, loop_start=start).sound))
    around = np.concatenate([gain[-200:], gain[start : start + 200]])
    assert np.abs(np.diff(around)).max() < 0.25
    assert np.abs(np.diff(gain)).max() < 0.25
    assert gain[-1] < -0.01


def test_cells_hold_the_peak_that_the_whole_sound_has():
    """The highest of them is the sound's, and those that can't pass the threshold cost nothing."""
    sound = beaten(1)
    peaks = cell_peaks(sound, 0.0)
    assert len(peaks) * CELL >= sound.frames
    assert 20 * np.log10(peaks.max()) == pytest.approx(true_peak_dbtp(sound), abs=1e-5)
    assert not cell_peaks(sound, 10.0).any()
    above = cell_peaks(sound, 0.5)
    assert np.array_equal(above[above > 0.5], peaks[peaks > 0.5])


def test_the_shortest_sounds_pass():
    """One frame, and digital silence."""
    assert true_peak_dbtp(limit(Sound(np.ones((1, 1), np.float32), RATE), 0.0, -6.0).sound) <= -6
    assert not limit(silence(0.01), 20.0, -6.0).sound.samples.any()


class TestDelivered:
    """What the limiter does for a file."""

    @staticmethod
    def delivered(folder, limit_db, target=-16.0, output=WAV):
        finishing = Finishing(loudness=Loudness("own", target, -1.0, limit_db=limit_db))
        (file,) = finish(task_for(folder, beaten(), output, finishing=finishing))
        return file

    @pytest.mark.parametrize("output", [Output("wav"), Output("ogg"), Output("mp3")], ids=lambda output: output.format)
    def test_a_target_behind_peaks_is_reached(self, tmp_path, output):
        """Where linear gain is short of it: peaks are limited, that is recorded, and what it cost is given back."""
        linear = self.delivered(tmp_path, 0, target=-27.0, output=output)
        limited = self.delivered(tmp_path, 6, target=-27.0, output=output)
        assert [warning.code for warning in linear.warnings] == ["loudness_short"]
        assert (linear.limited_db, linear.lufs < -27.5) == (0, True)
        assert limited.lufs == pytest.approx(-27, abs=0.05 if output.format == "wav" else 0.2)
        assert limited.true_peak_dbtp <= -1
        (warning,) = limited.warnings
        assert (warning.code, warning.message) == ("limited", f"up to {limited.limited_db:.1f} dB taken off its peaks")

    @pytest.mark.parametrize("most_db", [2.949, 2.95, 1.2449])
    def test_the_warning_says_what_is_recorded(self, tmp_path, monkeypatch, most_db):
        """Rounded once, so that a table shows no other tenth."""
        limited = Limited(music(5), most_db)
        monkeypatch.setattr("pipeline.audio.mastering.limit", lambda *_: limited)
        file = self.delivered(tmp_path, 3, target=-8)
        assert file.warnings[-1].message == f"up to {tenths(file.limited_db)} dB taken off its peaks"

    def test_no_more_is_limited_than_may_be(self, tmp_path):
        """The rest is said to be missing."""
        file = self.delivered(tmp_path, 2, target=-8)
        assert file.limited_db == pytest.approx(2, abs=0.01)
        assert [warning.code for warning in file.warnings] == ["loudness_short", "limited"]
        assert file.true_peak_dbtp == pytest.approx(-1, abs=0.05)

    def test_nothing_is_limited_where_nothing_is_in_the_way(self, tmp_path):
        """A quiet target, or no target."""
        assert self.delivered(tmp_path, 3, target=-40).limited_db == 0
        (file,) = finish(task_for(tmp_path, beaten(), Output("wav"), finishing=UNTOUCHED))
        assert file.limited_db == 0

    def test_the_loudest_seconds_are_held_with_the_limiter_too(self, tmp_path):
        """Short-term loudness is the file's, after limiting."""
        sound = beaten(8)
        sound.samples[: 3 * RATE] *= 3
        loudness = dataclasses.replace(Loudness("own", -20.0, -3.0), max_short_term_lufs=-19.0)
        (file,) = finish(task_for(tmp_path, sound, Output("ogg"), finishing=Finishing(loudness=loudness)))
        assert file.max_short_term_lufs <= -19
        assert file.true_peak_dbtp <= -3
        assert file.limited_db > 0

    @pytest.mark.parametrize("output", [Output("wav"), Output("mp3")], ids=lambda output: output.format)
    @pytest.mark.parametrize(("target", "most"), [(-29.0, -28.3), (-28.5, -28.0)])
    def test_what_limiting_takes_off_the_loudest_seconds_is_given_back(self, tmp_path, output, target, most):
        """They are held where they are allowed to be, not where they would be without a limiter."""
        sound = beaten(8)
        sound.samples[: 3 * RATE] *= 1.5
        loudness = dataclasses.replace(Loudness("own", target, -3.0, limit_db=6.0), max_short_term_lufs=most)
        (file,) = finish(task_for(tmp_path, sound, output, finishing=Finishing(loudness=loudness)))
        assert most - 0.1 <= file.max_short_term_lufs <= most
        assert file.limited_db > 3
        assert file.warnings[0].message.endswith(f"short of {target:.4g}: its loudest 3 seconds")

    def test_what_holds_it_down_after_limiting_is_what_it_says(self, tmp_path):
        """Peaks, where the limiter may take no more before the loudest three seconds are as loud as they may be."""
        loudness = dataclasses.replace(Loudness("own", -20.0, -3.0), max_short_term_lufs=-19.0)
        (file,) = finish(task_for(tmp_path, beaten(8), WAV, finishing=Finishing(loudness=loudness)))
        assert file.max_short_term_lufs < -19.2
        assert file.limited_db == pytest.approx(3, abs=0.01)
        assert file.warnings[0].message.endswith("short of -20: peaks")

    def test_no_more_is_limited_where_the_format_needs_another_rate(self, tmp_path):
        """Peaks grow by resampling, and it is the grown ones that are limited."""
        drums = percussion(3, rate=37_800)
        finishing = Finishing(loudness=Loudness("own", -5.0, -1.0, limit_db=2.0))
        (file,) = finish(task_for(tmp_path, drums, Output("mp3"), finishing=finishing))
        assert (file.sample_rate, file.limited_db) == (44_100, pytest.approx(2, abs=0.01))

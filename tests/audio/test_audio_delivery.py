"""What lands on disk: measured as delivered, within its ceiling, at its target or saying why not."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from audio_signals import UNTOUCHED, music, noise, silence, task_for, tone

from pipeline.audio.decoding import decode
from pipeline.audio.encoding import encode
from pipeline.audio.finishing import finish
from pipeline.audio.measurement import measure, measure_file
from pipeline.audio.settings import PRESETS, Finishing, Loudness, Output, Trim
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import AudioError
from pipeline.audio.tasks import Warning as AssetWarning

FOUR = (Output("wav"), Output("flac"), Output("ogg"), Output("mp3"))


def softer(segment):
    return segment - 3


def codes(file):
    return [warning.code for warning in file.warnings]


def square(seconds=3.0):
    """Clipped noise: what lossy formats do most to the peaks of."""
    samples = np.clip(noise(seconds, dbfs=6).samples, -1, 1) * np.float32(0.5)
    return Sound(samples, 44_100)


def test_one_source_becomes_every_file(tmp_path):
    """Each file is there, at its target, and is described as it was delivered."""
    finished = finish(task_for(tmp_path, music(4), *FOUR, metadata=(("TITLE", "battle/dragon"),)))
    assert [file.format for file in finished] == ["wav", "flac", "ogg", "mp3"]
    for file in finished:
        content = Path(file.path).read_bytes()
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        measured = measure_file(file.path)
        assert (file.lufs, file.true_peak_dbtp) == (measured.lufs, measured.true_peak_dbtp)
        assert (file.max_short_term_lufs, file.loudness_range_lu) == (
            measured.max_short_term_lufs,
            measured.loudness_range_lu,
        )
        assert (file.duration_s, file.sample_rate, file.channels) == (4.0, 44_100, 2)
        assert file.lufs == pytest.approx(-16, abs=0.2)
        assert file.true_peak_dbtp <= -1
        assert (file.warnings, file.loop) == ((), None)
        assert file.gain_db == pytest.approx(-16 - measure(music(4)).lufs, abs=0.4)


@pytest.mark.parametrize("preset", ["game", "mobile", "broadcast-eu", "advert-us", "streaming"])
def test_presets_are_met(tmp_path, preset):
    """By the file, not by the sound before it was encoded."""
    loudness = PRESETS[preset]
    (file,) = finish(task_for(tmp_path, music(4), Output("ogg"), finishing=Finishing(loudness=loudness)))
    assert file.lufs == pytest.approx(loudness.target_lufs, abs=0.2)
    assert file.true_peak_dbtp <= loudness.true_peak_dbtp


@pytest.mark.long
@pytest.mark.parametrize("output", [*FOUR, Output("ogg", quality=0), Output("mp3", bitrate=128)], ids=str)
@pytest.mark.parametrize("sound", [noise(3), square()], ids=["noise", "clipped noise"])
@pytest.mark.parametrize("limit_db", [0, 3])
def test_peaks_stay_under_their_ceiling(tmp_path, output, sound, limit_db):
    """A target that peaks don't allow is missed, the ceiling is not, and the asset says by how much."""
    loudness = Loudness("loud", 0.0, -1.0, limit_db=limit_db)
    (file,) = finish(task_for(tmp_path, sound, output, finishing=Finishing(loudness=loudness)))
    assert file.true_peak_dbtp <= -1
    assert file.warnings[0] == AssetWarning("loudness_short", f"{-file.lufs:.1f} LU short of 0: peaks")
    assert codes(file)[1:] == (["limited"] if limit_db else [])
    assert file.limited_db == pytest.approx(limit_db, abs=0.01)


@pytest.mark.parametrize("output", [Output("mp3", bitrate=64), Output("ogg", quality=0)], ids=str)
def test_what_encoding_takes_off_is_given_back(tmp_path, output):
    """White noise loses up to 5 LU above the codec's cut-off: it is encoded again, louder."""
    (file,) = finish(task_for(tmp_path, noise(3), output))
    assert file.lufs == pytest.approx(-16, abs=0.2)
    assert file.warnings == ()


@pytest.mark.parametrize(("output", "limit_db"), [(Output("mp3"), 0), (Output("ogg"), 0), (Output("mp3"), 3)], ids=str)
def test_what_peaks_hold_down_is_lifted_where_the_encoder_leaves_room(tmp_path, output, limit_db):
    """A file that is said to be held by its peaks has them near the ceiling, not 0.5 dB below it."""
    loudness = Loudness("loud", -2.0, -1.0, limit_db=limit_db)
    (file,) = finish(task_for(tmp_path, music(5), output, finishing=Finishing(loudness=loudness)))
    assert -1.3 <= file.true_peak_dbtp <= -1
    assert file.warnings[0].message.endswith("short of -2: peaks")


def test_the_best_try_is_delivered(tmp_path, monkeypatch):
    """Not the last: what an encoder adds to peaks may grow from try to try."""
    growing = iter([0.2, 0.4, 0.9])
    gains = {}

    def strays(sound, output, label):
        loudest = float(np.abs(sound.samples).max())
        gain = gains.setdefault(loudest, next(growing, None))
        return encode(sound.with_gain(gain), output, label)

    monkeypatch.setattr("pipeline.audio.writing.encode", strays)
    loudness = Loudness("loud", -2.0, -1.0, limit_db=0)
    (file,) = finish(task_for(tmp_path, music(3), Output("flac"), finishing=Finishing(loudness=loudness)))
    assert len(gains) == 3
    assert next(growing, None) is None
    assert file.true_peak_dbtp == pytest.approx(-0.88, abs=0.02)
    assert measure_file(file.path).true_peak_dbtp == file.true_peak_dbtp


def test_the_loudest_three_seconds_hold_an_advert_down(tmp_path):
    """R 128 s1: a short-term loudness over -18 is refused by broadcasters, being quiet is not."""
    shout = tone((-27, 20), (-20, 3.5), (-27, 20), rate=8_000)
    (file,) = finish(task_for(tmp_path, shout, Output("ogg"), finishing=Finishing(loudness=PRESETS["advert-eu"])))
    assert file.max_short_term_lufs <= -18
    assert codes(file) == ["loudness_short"]
    assert file.warnings[0].message.endswith("its loudest 3 seconds")


@pytest.mark.parametrize("output", FOUR, ids=lambda output: output.format)
@pytest.mark.parametrize("seconds", [1 / 44_100, 0.01, 0.3])
def test_a_sting_is_levelled_by_its_peak(tmp_path, output, seconds):
    """Below 400 ms there is no loudness to reach; -6 dBTP, and it says so."""
    sting = Sound(music(1).samples[4_000 : 4_000 + round(seconds * 44_100)], 44_100)
    (file,) = finish(task_for(tmp_path, sting, output))
    assert file.lufs is None
    assert codes(file) == ["levelled_by_peak"]
    if output.format in ("wav", "flac"):
        assert file.true_peak_dbtp == pytest.approx(-6, abs=0.01)
    assert file.true_peak_dbtp <= -1
    assert file.duration_s == pytest.approx(round(seconds * 44_100) / 44_100)


@pytest.mark.parametrize("sound", [silence(2), noise(2, dbfs=-80), silence(0.1)], ids=["digital", "faint", "short"])
def test_silence_is_a_fault_and_nothing_to_amplify(tmp_path, sound):
    """It fails by default; where the gate is opened it stays as quiet as it was."""
    with pytest.raises(AudioError, match="silent: nothing in it is above -60 LUFS"):
        finish(task_for(tmp_path, sound, Output("wav")))
    for action, expected in (("warn", ["silent"]), ("off", [])):
        finishing = Finishing(gates=(("silent", action),))
        (file,) = finish(task_for(tmp_path, sound, Output("wav"), finishing=finishing))
        assert codes(file) == expected
        assert file.true_peak_dbtp is None or file.true_peak_dbtp < -60


def test_none_is_measured_and_not_changed(tmp_path):
    """Sixteen bits in, the same sixteen bits out."""
    steps = (np.rint(music(2).samples * 32_768) / 32_768).astype(np.float32)
    (file,) = finish(task_for(tmp_path, Sound(steps, 44_100), Output("flac"), finishing=UNTOUCHED))
    assert np.array_equal(decode(file.path).samples, steps)
    assert file.lufs is not None
    assert file.warnings == ()


def test_none_over_full_scale_says_that_it_is_clipped(tmp_path):
    """Whole numbers end at full scale; Vorbis holds more."""
    loud = music(2, gain_db=20)
    wav, ogg = finish(task_for(tmp_path, loud, Output("wav"), Output("ogg"), finishing=UNTOUCHED))
    assert codes(wav) == ["clipped"]
    assert "frames are over full scale and clipped" in wav.warnings[0].message
    assert codes(ogg) == []
    assert ogg.true_peak_dbtp > 0


def test_shape_and_format_are_as_asked(tmp_path):
    """Trim, fades, rate and channels reach every file."""
    sound = Sound(np.concatenate([silence(1).samples, music(3).samples, silence(1).samples]), 44_100)
    finishing = Finishing(trim=Trim(), fade_out_s=1.0, sample_rate=48_000, channels=1)
    for file in finish(task_for(tmp_path, sound, *FOUR, finishing=finishing)):
        assert (file.sample_rate, file.channels) == (48_000, 1)
        assert file.duration_s == pytest.approx(3.1, abs=0.01)


def test_a_rate_that_is_lost_is_said(tmp_path):
    """mp3 ends at 48 kHz."""
    wav, mp3 = finish(task_for(tmp_path, music(2, rate=96_000), Output("wav"), Output("mp3")))
    assert (wav.sample_rate, codes(wav)) == (96_000, [])
    assert (mp3.sample_rate, codes(mp3)) == (48_000, ["resampled"])
    assert mp3.warnings[0].message == "mp3 has no 96,000 Hz: it is at 48,000"


def test_steps_run_before_loudness(tmp_path):
    """What a step takes off is made up for by the target."""
    (with_step,) = finish(task_for(tmp_path, music(3), Output("flac"), steps=(softer,)))
    assert with_step.lufs == pytest.approx(-16, abs=0.01)


def test_the_same_task_gives_the_same_files(tmp_path):
    """Written over what a killed worker left under the name."""
    task = task_for(tmp_path, music(2), *FOUR)
    first = finish(task)
    Path(task.targets[2].path).write_bytes(b"half a file")
    assert finish(task) == first


def test_only_the_seed_changes_a_stream(tmp_path):
    """Another take's Ogg has another serial, and nothing else of it differs."""
    task = task_for(tmp_path, music(2), Output("ogg"), Output("flac"))
    ogg, flac = finish(task)
    other_ogg, other_flac = finish(dataclasses.replace(task, serial_seed="0ther"))
    assert (ogg.sha256 != other_ogg.sha256, ogg.size == other_ogg.size) == (True, True)
    assert flac.sha256 == other_flac.sha256


def test_an_output_is_the_same_whatever_is_made_with_it(tmp_path):
    """One that is finished again alone has the bytes that it had among others."""
    task = task_for(tmp_path, music(2), Output("mp3"), Output("ogg"))
    among_others = finish(task)[1].sha256
    assert finish(dataclasses.replace(task, targets=task.targets[1:]))[0].sha256 == among_others


def test_tasks_and_results_travel_between_processes(tmp_path):
    """Paths and plain values, and a step by its name."""
    task = task_for(tmp_path, music(1), Output("wav"), steps=(softer,))
    assert pickle.loads(pickle.dumps(task)) == task
    finished = finish(task)
    assert pickle.loads(pickle.dumps(finished)) == finished


def test_a_broken_source_fails_with_its_reason(tmp_path):
    """Finishing decodes with the same care as inspection."""
    task = task_for(tmp_path, music(1), Output("ogg"))
    Path(task.source).write_bytes(b"not audio")
    with pytest.raises(AudioError, match="it is not audio"):
        finish(task)


def test_a_folder_that_cannot_be_written_is_the_systems_error(tmp_path):
    """The runner says what that means; it is not the audio's fault."""
    task = task_for(tmp_path, music(0.5), Output("wav"))
    (tmp_path / "0.wav").mkdir()
    with pytest.raises(OSError, match=r"0\.wav"):
        finish(task)

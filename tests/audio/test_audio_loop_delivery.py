"""Loops as files: their points in the index and in the file, their seam heard again, two files where one is split."""

from __future__ import annotations

import io
import pickle
import struct
from pathlib import Path

import mutagen
import numpy as np
import pytest
from audio_signals import composition, is_near, music, noise, repeated, save, task_for

from pipeline.audio.decoding import decode
from pipeline.audio.encoding import encode
from pipeline.audio.finishing import finish
from pipeline.audio.labels import Label, with_loop
from pipeline.audio.measurement import measure_file, measure_seam
from pipeline.audio.resampling import resampled_loop
from pipeline.audio.settings import Finishing, Loop, Loudness, Output
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import AudioError, FinishTask, Target

RATE = 22_050
PERIOD = 7 * RATE
FOUR = (Output("wav"), Output("flac"), Output("ogg"), Output("mp3"))
SOURCE = repeated(composition(7, seed=11, rate=RATE), 16 * RATE, fade_s=3)


def codes(file):
    return [warning.code for warning in file.warnings]


def smpl(content):
    """The sampler chunk of a WAV, as numbers; None where it has none."""
    at = 12
    while at < len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        if content[at : at + 4] == b"smpl":
            return struct.unpack("<15I", content[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return None


def loop_fields(path):
    """LOOPSTART, LOOPLENGTH and LOOPEND as another reader finds them."""
    tags = mutagen.File(io.BytesIO(Path(path).read_bytes())).tags or {}
    if path.endswith("mp3"):
        return [int(tags[f"TXXX:{name}"].text[0]) for name in ("LOOPSTART", "LOOPLENGTH", "LOOPEND")]
    return [int(tags[name][0]) for name in ("LOOPSTART", "LOOPLENGTH", "LOOPEND")]


@pytest.mark.parametrize("intro", ["drop", "keep"])
def test_loop_points_are_in_the_index_and_in_the_file(tmp_path, intro):
    """In samples of that very file: in comments, in mp3's TXXX frames, and in a WAV's sampler chunk."""
    finishing = Finishing(loop=Loop(intro=intro))
    for file in finish(task_for(tmp_path, SOURCE, *FOUR, finishing=finishing, metadata=(("TITLE", "sea"),))):
        start, end = file.loop
        assert (start > 0, end) == (intro == "keep", decode(file.path).frames)
        assert end - start == PERIOD
        assert codes(file) == []
        if file.format == "wav":
            numbers = smpl(Path(file.path).read_bytes())
            assert numbers == (0, 0, round(1e9 / RATE), 60, 0, 0, 0, 1, 0, 0, 0, start, end - 1, 0, 0)
        else:
            assert loop_fields(file.path) == [start, PERIOD, end]


@pytest.mark.parametrize("output", FOUR, ids=lambda output: output.format)
def test_what_does_not_loop_says_nothing_of_loops(tmp_path, output):
    """A tag too many, and an engine plays a victory for ever."""
    (file,) = finish(task_for(tmp_path, SOURCE, output))
    content = Path(file.path).read_bytes()
    assert file.loop is None
    assert b"smpl" not in content[:100] + content[-1_000:]
    assert b"LOOP" not in content


class TestSplit:
    """The intro in a file of its own."""

    @staticmethod
    def finished(folder, output, **loudness):
        target = Target(output, str(folder / f"a.{output.extension}"), str(folder / f"a.intro.{output.extension}"))
        finishing = Finishing(loop=Loop(intro="split"), loudness=Loudness(**loudness))
        task = FinishTask(save(folder / "source.wav", SOURCE), finishing, (target,), "5eed")
        (file,) = finish(task)
        return file

    @pytest.mark.parametrize("output", FOUR, ids=lambda output: output.format)
    def test_two_files(self, tmp_path, output):
        """The loop, and the intro that leads into it, of which only the first has loop points."""
        file = self.finished(tmp_path, output)
        loop, intro = decode(file.path), decode(file.intro.path)
        assert file.loop == (0, PERIOD) == (0, loop.frames)
        assert file.intro.loop is None
        assert file.intro.duration_s == intro.duration_s > 0
        assert b"LOOP" not in Path(file.intro.path).read_bytes()
        assert (file.intro.lufs, file.intro.size) == (
            measure_file(file.intro.path).lufs,
            Path(file.intro.path).stat().st_size,
        )
        assert pickle.loads(pickle.dumps(file)) == file

    def test_one_gain_for_both(self, tmp_path):
        """Played after one another they are what the source was, and the loop has the target."""
        file = self.finished(tmp_path, Output("wav", bits=24), target_lufs=-20.0)
        together = np.concatenate([decode(file.intro.path).samples, decode(file.path).samples])
        cut = len(together) - 2_000
        gains = (
            together[:cut][np.abs(SOURCE.samples[:cut]) > 0.05]
            / SOURCE.samples[:cut][np.abs(SOURCE.samples[:cut]) > 0.05]
        )
        assert gains == pytest.approx(np.full(len(gains), gains[0]), rel=1e-4)
        assert file.lufs == pytest.approx(-20, abs=0.02)

    @pytest.mark.parametrize("output", [Output("ogg"), Output("mp3")], ids=lambda output: output.format)
    def test_the_ceiling_holds_for_both(self, tmp_path, output):
        """Peaks of the intro count as well."""
        file = self.finished(tmp_path, output, target_lufs=-5.0, limit_db=2.0)
        assert max(file.true_peak_dbtp, file.intro.true_peak_dbtp) <= -1

    def test_without_a_place_for_it_the_intro_is_dropped(self, tmp_path):
        """And the asset says so."""
        (file,) = finish(task_for(tmp_path, SOURCE, Output("ogg"), finishing=Finishing(loop=Loop(intro="split"))))
        assert (file.intro, file.loop, codes(file)) == (None, (0, PERIOD), ["intro_dropped"])


def test_seams_are_heard_on_the_delivered_file(tmp_path):
    """The warning has the figures of the file as it decodes, which anyone can measure again."""
    finishing = Finishing(loop=Loop(crossfade_s=0.0))
    rising = Sound(noise(10, rate=RATE).samples * np.linspace(0.05, 1, 10 * RATE, dtype=np.float32)[:, None], RATE)
    (file,) = finish(task_for(tmp_path, rising, Output("ogg"), finishing=finishing))
    seam = measure_seam(file.path, *file.loop)
    assert codes(file) == ["nothing_repeats", "seam_heard"]
    assert file.warnings[1].message == f"its seam stands out, in percentiles of the loop's own: {seam}"
    assert file.warnings[0].message == f"nothing in it repeats: its ends are crossfaded over 0.00 s ({seam})"


def test_loops_are_limited_evenly_over_their_seam(tmp_path):
    """The limiter knows that the end leads back to the start."""
    finishing = Finishing(loop=Loop(), loudness=Loudness(target_lufs=-9.0, limit_db=6.0))
    (file,) = finish(task_for(tmp_path, SOURCE, Output("wav"), finishing=finishing))
    assert file.limited_db > 3
    assert not measure_seam(file.path, *file.loop).is_heard


class TestRates:
    """Loops at another rate."""

    def test_a_format_without_the_rate_keeps_the_loop(self, tmp_path):
        """mp3 ends at 48 kHz: the points are in its own samples."""
        source = repeated(composition(4, seed=2, rate=96_000), 9 * 96_000, fade_s=1)
        (file,) = finish(task_for(tmp_path, source, Output("mp3"), finishing=Finishing(loop=Loop(intro="keep"))))
        start, end = file.loop
        assert end - start == pytest.approx(4 * 48_000, abs=1)
        assert loop_fields(file.path) == [start, end - start, end]

    def test_both_ends_are_resampled_with_what_is_next_to_them(self):
        """A sine that loops is still one, also over the seam."""
        sine = np.sin(2 * np.pi * 441 / 44_100 * np.arange(44_100))[:, np.newaxis].astype(np.float32)
        after, start = resampled_loop(Sound(sine, 44_100), 48_000, 0)
        expected = np.sin(2 * np.pi * 441 / 48_000 * np.arange(48_000))
        assert (start, after.frames) == (0, 48_000)
        assert is_near(after.samples[:, 0], expected, within=1e-4)

    def test_loops_after_an_intro_and_very_short_ones(self):
        """The start moves with the rate, and stays within."""
        after, start = resampled_loop(music(2, rate=96_000), 48_000, 96_000)
        assert (start, after.frames) == (48_000, 96_000)
        after, start = resampled_loop(music(2, rate=96_000), 48_000, 96_000 * 2 - 1)
        assert start == 95_999
        assert resampled_loop(Sound(np.ones((1, 1), np.float32), 96_000), 8_000, 0)[0].frames == 1


class TestSteps:
    """The user's own steps come after the loop."""

    def test_they_may_change_the_length_of_what_loops_whole(self, tmp_path):
        """The file is the loop, however long."""
        task = task_for(tmp_path, SOURCE, Output("wav"), finishing=Finishing(loop=Loop()), steps=(first_second,))
        (file,) = finish(task)
        assert file.loop == (0, RATE)

    def test_with_an_intro_they_must_not(self, tmp_path):
        """Nobody could say where the loop starts then."""
        finishing = Finishing(loop=Loop(intro="keep"))
        with pytest.raises(AudioError, match="the steps change its length"):
            finish(task_for(tmp_path, SOURCE, Output("wav"), finishing=finishing, steps=(first_second,)))
        (file,) = finish(task_for(tmp_path, SOURCE, Output("wav"), finishing=finishing, steps=(twice_the_rate,)))
        assert file.loop[1] - file.loop[0] == pytest.approx(2 * PERIOD, abs=2)


def first_second(segment):
    return segment[:1000]


def twice_the_rate(segment):
    return segment.set_frame_rate(2 * RATE)


def test_an_odd_wav_keeps_its_chunks():
    """A sampler chunk after an odd number of bytes is padded away from them."""
    sound = Sound(noise(3 / 44_100, channels=1).samples, 44_100)
    content = encode(sound, Output("wav", bits=24), with_loop(Label(), 1, 3))
    assert smpl(content)[11:13] == (1, 2)

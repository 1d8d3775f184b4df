"""One file as it is: its figures, the loop in its tags, its seam, and what could not be measured and why."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import mutagen.flac
import mutagen.id3
import mutagen.oggvorbis
import numpy as np
import pytest
import soundfile
from audio_signals import UNTOUCHED, music, save, silence, task_for, tone

from pipeline.audio import riff
from pipeline.audio.examining import examine
from pipeline.audio.finishing import finish
from pipeline.audio.labels import Label
from pipeline.audio.measurement import measure_file
from pipeline.audio.settings import Output
from pipeline.audio.tasks import AudioError
from pipeline.audio.written_loops import written_loop

if TYPE_CHECKING:
    from pipeline.audio.sound import Sound

FORMATS = ("wav", "flac", "ogg", "mp3")


def made(folder: Path, audio_format: str, sound: Sound | None = None) -> str:
    """The path of a file in `audio_format`."""
    (file,) = finish(task_for(folder, sound or music(4), Output(audio_format), finishing=UNTOUCHED))
    return file.path


def with_tags(path: str, **fields: int) -> str:
    """The same file, its tags written by another program."""
    texts = {name: str(value) for name, value in fields.items()}
    if path.endswith("mp3"):
        tag = mutagen.id3.ID3()
        for name, text in texts.items():
            tag.add(mutagen.id3.TXXX(encoding=1, desc=name, text=[text]))
        tag.save(path, v2_version=3)
        return path
    kinds = {"flac": mutagen.flac.FLAC, "ogg": mutagen.oggvorbis.OggVorbis}
    file = kinds[path.rsplit(".", 1)[1]](path)
    file.update(texts)
    file.save()
    return path


def with_sampler(path: str, start: int, end: int) -> str:
    wav = io.BytesIO(Path(path).read_bytes())
    riff.add_label(wav, Label(loop=(start, end)))
    Path(path).write_bytes(wav.getvalue())
    return path


@pytest.mark.parametrize("audio_format", FORMATS)
def test_the_figures_are_those_of_the_one_meter(tmp_path, audio_format):
    """The same that finishing and check measure, and what the file is."""
    path = made(tmp_path, audio_format)
    examined, measured = examine(path), measure_file(path)
    assert examined.format == audio_format
    for figure in ("duration_s", "frames", "sample_rate", "channels", "lufs", "max_short_term_lufs", "true_peak_dbtp"):
        assert getattr(examined, figure) == getattr(measured, figure)
    assert examined.sample_peak_dbfs <= examined.true_peak_dbtp
    assert (examined.loop, examined.seam, examined.warnings, examined.unmeasured) == (None, None, (), ())


def test_aiff_and_more_channels(tmp_path):
    """The file's own channels are told, and that they were folded down to be measured."""
    surround = np.repeat(music(1, channels=1).samples, 6, axis=1)
    soundfile.write(tmp_path / "a.aiff", surround, 48_000, subtype="PCM_24")
    examined = examine(str(tmp_path / "a.aiff"))
    assert (examined.format, examined.encoding, examined.channels) == ("aiff", "pcm_24", 6)
    assert [warning.code for warning in examined.warnings] == ["folded"]


@pytest.mark.parametrize(
    ("sound", "missing"),
    [
        (music(3), {}),
        (music(2.9), dict.fromkeys(("max_short_term_lufs", "loudness_range"), "shorter than 3 s")),
        (
            music(0.39),
            {"lufs": "shorter than 0.4 s"}
            | dict.fromkeys(("max_short_term_lufs", "loudness_range"), "shorter than 3 s"),
        ),
        (
            tone((-90, 4)),
            dict.fromkeys(("lufs", "max_short_term_lufs", "loudness_range"), "nothing in it is above -70 LUFS"),
        ),
        (
            silence(4),
            dict.fromkeys(("lufs", "max_short_term_lufs", "loudness_range"), "nothing in it is above -70 LUFS")
            | dict.fromkeys(("true_peak_dbtp", "sample_peak_dbfs"), "digital silence"),
        ),
    ],
    ids=["long enough", "no short term", "no loudness", "faint", "silence"],
)
def test_what_cant_be_measured_says_why(tmp_path, sound, missing):
    """None is no measurement, and never a very low one."""
    examined = examine(save(tmp_path / "a.wav", sound))
    assert dict(examined.unmeasured) == missing
    assert (examined.lufs is None) == ("lufs" in missing)
    assert (examined.true_peak_dbtp is None) == ("true_peak_dbtp" in missing)


@pytest.mark.parametrize("audio_format", ["flac", "ogg", "mp3"])
@pytest.mark.parametrize("fields", [{"LOOPSTART": 4410, "LOOPLENGTH": 44_100}, {"LOOPSTART": 4410, "LOOPEND": 48_510}])
def test_loops_in_tags_are_read_back(tmp_path, audio_format, fields):
    """Whoever wrote them: here the independent library that the tests have."""
    path = with_tags(made(tmp_path, audio_format), **fields)
    examined = examine(path)
    assert examined.loop == (4410, 48_510)
    assert 0 <= examined.seam.flux <= 100


def test_a_sampler_chunk_is_read_back(tmp_path):
    """Its end is inclusive there, and exclusive everywhere else; other chunks may stand before it."""
    path = made(tmp_path, "wav")
    wav = io.BytesIO(Path(path).read_bytes())
    riff.add_chunk(wav, b"junk", b"odd")
    Path(path).write_bytes(wav.getvalue())
    assert examine(with_sampler(path, 100, 50_000)).loop == (100, 50_000)


def test_a_loop_outside_of_its_file_is_said_and_not_scored(tmp_path):
    """Engines would play past the end, or nothing."""
    examined = examine(with_sampler(save(tmp_path / "a.wav", music(1)), 0, 50_000))
    assert (examined.loop, examined.seam) == (None, None)
    assert [(warning.code, warning.message) for warning in examined.warnings] == [
        ("loop_outside", "its loop, from 0 to 50,000, is not within its 44,100 samples")
    ]


def sampler_of(*loops):
    """A sampler chunk's content, of loops as (kind, first, last, times)."""
    head = struct.pack("<9I", 0, 0, 0, 60, 0, 0, 0, len(loops), 0)
    return head + b"".join(struct.pack("<6I", 0, kind, first, last, 0, times) for kind, first, last, times in loops)


@pytest.mark.parametrize(
    ("loops", "points", "played"),
    [
        ([(0, 5, 99, 0)], (5, 100), None),
        ([(1, 5, 99, 0)], None, "back and forth"),
        ([(2, 5, 99, 0)], None, "backwards"),
        ([(77, 5, 99, 0)], None, "in a way of its own"),
        ([(0, 5, 99, 3)], None, "3 times"),
        ([(1, 5, 99, 3)], None, "back and forth and 3 times"),
        ([(1, 5, 99, 0), (0, 7, 199, 0)], (7, 200), None),
        ([], None, None),
    ],
    ids=["forwards", "back and forth", "backwards", "unknown", "counted", "both", "the first that fits", "none"],
)
def test_only_a_loop_that_goes_forwards_for_ever_is_one(tmp_path, loops, points, played):
    """Others are played otherwise than anything here would play them: they are named, and not scored."""
    wav = io.BytesIO(Path(made(tmp_path, "wav", music(0.5))).read_bytes())
    riff.add_chunk(wav, b"smpl", sampler_of(*loops))
    (tmp_path / "sampler.wav").write_bytes(wav.getvalue())
    examined = examine(str(tmp_path / "sampler.wav"))
    assert (examined.loop, written_loop(str(tmp_path / "sampler.wav"))) == (points, points)
    assert (examined.seam is None) == (points is None)
    expected = []
    if played is not None:
        expected = [f"its loop is played {played}, and is not looked at: only one that goes forwards for ever is"]
    assert [warning.message for warning in examined.warnings] == expected


def test_a_single_sample_is_no_loop(tmp_path):
    """It would be scored as unheard: nothing in it moves."""
    examined = examine(with_sampler(save(tmp_path / "a.wav", music(1)), 1_000, 1_001))
    assert (examined.loop, examined.seam) == (None, None)
    assert [warning.code for warning in examined.warnings] == ["loop_ignored"]


def test_gates_look_only_where_they_are_asked(tmp_path):
    """What they find is told, and fails nothing; a loop needs no ending."""
    path = save(tmp_path / "a.wav", tone((-6, 4)))
    assert examine(path).warnings == ()
    assert [warning.code for warning in examine(path, gates=True).warnings] == ["ending"]
    assert examine(with_sampler(path, 0, 4 * 48_000), gates=True).warnings == ()
    assert "silent" in [warning.code for warning in examine(save(tmp_path / "b.wav", silence(4)), gates=True).warnings]


@pytest.mark.parametrize(
    "content", [b"", b"no audio at all", b"RIFF\xff\xff\xff\xffWAVE", b"ID3\x04\0\0\x7f\x7f\x7f\x7f"]
)
def test_what_is_no_audio_is_refused(tmp_path, content):
    """In one sentence."""
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError):
        examine(str(tmp_path / "a.wav"))


@pytest.mark.parametrize("audio_format", FORMATS)
def test_damaged_tags_are_as_if_they_were_not_there(tmp_path, audio_format):
    """Cut short, overwritten, with lengths that lie: a loop or none, and never an error."""
    path = made(tmp_path, audio_format, music(0.5))
    whole = Path(with_sampler(path, 0, 99) if audio_format == "wav" else with_tags(path, LOOPSTART=0, LOOPLENGTH=99))
    content, seed = whole.read_bytes(), 7
    assert written_loop(path) == (0, 99)
    dice = random.Random(seed)
    for _ in range(400):
        damaged = bytearray(content[: dice.randrange(len(content))] if dice.random() < 0.3 else content)
        for _ in range(dice.randrange(1, 8)):
            if damaged:
                damaged[dice.randrange(min(len(damaged), 300))] = dice.randrange(256)
        whole.write_bytes(damaged)
        found = written_loop(path)
        assert found is None or all(isinstance(point, int) for point in found), f"seed {seed}"


def test_a_large_wav_says_where_its_sound_ends(tmp_path):
    """RF64: the true size stands in a chunk of its own, and the sampler chunk after it is found."""
    sampler = struct.pack("<15I", 0, 0, 0, 60, 0, 0, 0, 1, 0, 0, 0, 5, 9, 0, 0)
    chunks = (
        b"ds64" + struct.pack("<IQQQI", 28, 0, 8, 2, 0)
        + b"data" + struct.pack("<I", 0xFFFF_FFFF) + bytes(8)
        + b"smpl" + struct.pack("<I", len(sampler)) + sampler
    )  # fmt: skip
    (tmp_path / "a.wav").write_bytes(b"RF64\xff\xff\xff\xffWAVE" + chunks)
    assert written_loop(str(tmp_path / "a.wav")) == (5, 10)

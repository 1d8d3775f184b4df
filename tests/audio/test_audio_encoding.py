"""Every format: the frames that went in come out, the bytes are the same every time, and other readers agree."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from audio_signals import is_near, music, noise, tone

from pipeline.audio import formats, ogg
from pipeline.audio.encoding import encode, rate_for
from pipeline.audio.formats import can_encode
from pipeline.audio.labels import Label, serial_of
from pipeline.audio.measurement import measure_file
from pipeline.audio.settings import FORMATS, Output
from pipeline.audio.sound import Sound

OUTPUTS = [
    Output("wav"),
    Output("wav", bits=24),
    Output("flac"),
    Output("flac", bits=24),
    Output("ogg"),
    Output("mp3"),
]
NAMES = [f"{output.format}{output.bits or ''}" for output in OUTPUTS]
METADATA = (("TITLE", "Käse, 夜"), ("COMMENT", "two\nlines"), ("Artist", "nobody"), ("MOOD", "calm"), ("X=Y", "odd"))


def made(sound, output, label=None):
    return encode(sound, output, label or Label((("TITLE", "night"),), 7))


def read(content):
    samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    return Sound(samples, rate)


@pytest.mark.parametrize("output", OUTPUTS, ids=NAMES)
@pytest.mark.parametrize("frames", [1, 2, 100, 1_151, 1_152, 4_095, 4_097, 44_101])
def test_as_many_frames_come_out_as_went_in(output, frames):
    """In every format and for every length, mono and stereo."""
    for channels in (1, 2):
        sound = noise(frames / 44_100, channels=channels)
        back = read(made(sound, output))
        assert (back.frames, back.channels, back.sample_rate) == (frames, channels, 44_100)


@pytest.mark.parametrize("output", OUTPUTS, ids=NAMES)
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_101, 48_000, 96_000, 192_000])
def test_every_rate_finds_its_way(output, rate):
    """A format takes a rate as it is, or the next that it has."""
    wanted = rate_for(output.format, rate)
    sound = noise(0.2, rate=wanted)
    assert read(made(sound, output)).sample_rate == wanted
    assert wanted == rate or output.format == "mp3"


@pytest.mark.parametrize(
    ("audio_format", "rate", "wanted"),
    [
        ("mp3", 44_100, 44_100),
        ("mp3", 44_101, 48_000),
        ("mp3", 96_000, 48_000),
        ("mp3", 9_000, 11_025),
        ("opus", 44_100, 48_000),
        ("m4a", 192_000, 96_000),
        ("ogg", 44_101, 44_101),
        ("wav", 192_000, 192_000),
    ],
)
def test_a_rate_that_a_format_lacks_is_replaced_by_the_next(audio_format, rate, wanted):
    """Upwards where there is one, so that nothing is lost."""
    assert rate_for(audio_format, rate) == wanted


@pytest.mark.parametrize(
    ("output", "tolerance"),
    [
        (Output("wav"), 1.5 / 32_768),
        (Output("wav", bits=24), 2**-23),
        (Output("flac"), 1.5 / 32_768),
        (Output("flac", bits=24), 2**-23),
    ],
)
def test_lossless_is_lossless(output, tolerance):
    """But for the last bit, and dither in 16 bits."""
    sound = music(1)
    assert is_near(read(made(sound, output)).samples, sound.samples, within=tolerance)


@pytest.mark.parametrize("output", [Output("ogg", quality=8), Output("mp3", bitrate=320)], ids=["ogg", "mp3"])
def test_lossy_sound_is_where_it_was(output):
    """Not a sample later: a loop or a cue stays where it was set."""
    sound = music(2)
    back = read(made(sound, output)).samples[:, 0]
    original = sound.samples[:, 0]
    shifts = range(-3, 4)
    matches = [float(np.dot(original[1_000:-1_000], back[1_000 + by : len(back) - 1_000 + by])) for by in shifts]
    assert shifts[int(np.argmax(matches))] == 0
    assert np.corrcoef(original, back)[0, 1] > 0.995


def test_quality_and_bitrate_are_heard_in_the_size():
    """More of either is a larger file."""
    sound = noise(1)
    assert len(made(sound, Output("ogg", quality=0))) < len(made(sound, Output("ogg"))) * 0.8
    assert len(made(sound, Output("ogg", quality=10))) > len(made(sound, Output("ogg"))) * 1.5
    frames = 41  # of 1,152 samples: a second, the encoder's delay, and the one that says so
    assert len(made(sound, Output("mp3", bitrate=320))) == pytest.approx(frames * 1_152 / 44_100 * 40_000, rel=0.01)
    assert len(made(sound, Output("mp3"))) == pytest.approx(frames * 1_152 / 44_100 * 24_000, rel=0.01)


@pytest.mark.parametrize("output", OUTPUTS, ids=NAMES)
def test_metadata_is_read_by_others(output):
    """Every field in Vorbis comments, as ID3 frames in mp3, and what INFO has a chunk for in wav."""
    content = made(music(0.3), output, Label(METADATA, 7))
    assert read(content).frames == music(0.3).frames
    if output.format == "wav":
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            assert (file.title, file.comment, file.artist) == ("Käse, 夜", "two\nlines", "nobody")
        return
    tags = mutagen.File(io.BytesIO(content)).tags
    if output.format == "mp3":
        assert tags.version == (2, 4, 0)
        fields = [tags["TIT2"], tags["COMM::und"], tags["TPE1"], tags["TXXX:MOOD"], tags["TXXX:X_Y"]]
        assert [field.text for field in fields] == [[value] for _, value in METADATA]
    else:
        assert dict(tags) == {
            "title": ["Käse, 夜"],
            "comment": ["two\nlines"],
            "artist": ["nobody"],
            "mood": ["calm"],
            "x_y": ["odd"],
        }


@pytest.mark.parametrize("output", OUTPUTS, ids=NAMES)
def test_metadata_may_be_long_or_missing(output):
    """Longer than a page of Ogg, or none at all."""
    sound = music(0.3)
    for metadata in ((("COMMENT", "long " * 30_000),), ()):
        content = made(sound, output, Label(metadata, 7))
        assert read(content).frames == sound.frames
        tags = mutagen.File(io.BytesIO(content)).tags
        if metadata and output.format in ("ogg", "flac"):
            assert tags["comment"] == [metadata[0][1]]
        if not metadata:
            assert not tags


def test_a_wav_holds_nothing_that_changes():
    """No PEAK chunk with its time stamp: format, sound, and what we wrote."""
    content = made(music(0.1), Output("wav", bits=24))
    chunks, at = [], 12
    while at < len(content):
        chunks.append(content[at : at + 4])
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    assert chunks == [b"fmt ", b"data", b"LIST"]
    assert at == len(content) == 8 + int.from_bytes(content[4:8], "little")


def test_an_odd_wav_is_padded():
    """A chunk that ends on an odd byte is followed by one of padding, which its size does not count."""
    content = made(noise(3 / 44_100, channels=1), Output("wav", bits=24))
    assert content[-26:-22] == b"LIST"
    assert read(content).frames == 3


class TestOgg:
    """Ogg's pages are written anew, for their serial and comments."""

    def test_the_serial_is_ours(self):
        """On every page."""
        content = made(music(1), Output("ogg"), Label((), 0x12345678))
        starts = [at for at in range(len(content)) if content.startswith(b"OggS", at)]
        assert len(starts) > 2
        assert {content[at + 14 : at + 18] for at in starts} == {b"\x78\x56\x34\x12"}

    def test_checksums_are_right(self):
        """libogg skips a page whose CRC is wrong: every frame is there, and changing one bit loses some."""
        sound = music(1)
        content = made(sound, Output("ogg"))
        broken = bytearray(content)
        broken[-200] ^= 1
        assert read(content).frames == sound.frames
        assert read(bytes(broken)).frames < sound.frames

    def test_the_encoders_own_pages_have_our_checksums(self):
        """Written under its own serial, a stream of libsndfile's is unchanged to the last byte."""
        stream = io.BytesIO()
        soundfile.write(stream, music(0.5).samples, 44_100, format="OGG", subtype="VORBIS")
        content = stream.getvalue()
        assert ogg.with_serial(content, int.from_bytes(content[14:18], "little")) == content

    def test_serials_follow_from_the_seed(self):
        """The same for the same seed, and never one that means none."""
        serials = {serial_of(f"{number:x}") for number in range(1_000)}
        assert len(serials) == 1_000
        assert all(0 < serial < 0xFFFF_FFFF for serial in serials)
        assert serial_of("5eed") == serial_of("5eed")


class TestMp3:
    """LAME's silence at both ends is counted, and its loss of level given back."""

    @pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
    @pytest.mark.parametrize("bitrate", [32, 64, 128, 192, 320])
    def test_every_rate_and_bitrate_keeps_its_frames(self, rate, bitrate):
        """Also where the rate has no such bitrate, and where a frame is too short for the header."""
        for channels in (1, 2):
            back = read(made(noise(0.3, rate=rate, channels=channels), Output("mp3", bitrate=bitrate)))
            assert (back.frames, back.sample_rate, back.channels) == (round(0.3 * rate), rate, channels)

    @pytest.mark.parametrize("bitrate", [96, 128, 160, 192, 224, 256, 320])
    def test_level_is_given_back(self, bitrate):
        """A tone is as loud after as before, where LAME would make it up to 0.45 dB quieter."""
        sound = tone((-10, 1))
        back = read(made(sound, Output("mp3", bitrate=bitrate)))
        middle = slice(5_000, -5_000)
        assert back.samples[middle].std() == pytest.approx(sound.samples[middle].std(), rel=0.003)

    def test_level_is_not_given_back_into_clipping(self):
        """At full scale there is no room for it."""
        back = read(made(tone((0, 1)), Output("mp3", bitrate=128)))
        assert np.abs(back.samples[5_000:-5_000]).max() < 1

    @pytest.mark.parametrize("frames", [1, 100, 1_151, 1_152, 1_153, 44_101])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_ffmpeg_and_libsndfile_read_the_same_frames(self, tmp_path, frames, channels):
        """As many as went in, each at its place, in both decoders."""
        ffmpeg = pytest.importorskip(
            "imageio_ffmpeg", reason="ffmpeg's side of mp3 is not looked at: imageio-ffmpeg is not installed"
        ).get_ffmpeg_exe()
        content = made(noise(frames / 44_100, channels=channels), Output("mp3"))
        path = tmp_path / "a.mp3"  # ffmpeg counts frames only in what can be sought in
        path.write_bytes(content)
        command = [ffmpeg, "-nostdin", "-v", "error", "-i", path, "-f", "f32le", "pipe:1"]
        decoded = subprocess.run(command, capture_output=True, check=True).stdout
        samples = np.frombuffer(decoded, "<f4").reshape(-1, channels)
        assert len(samples) == frames
        assert is_near(samples, read(content).samples, within=2e-4)

    def test_others_know_its_length(self):
        """The header says constant bitrate, how many frames, and by which encoder."""
        content = made(music(3), Output("mp3"))
        parsed = mutagen.File(io.BytesIO(content)).info
        assert parsed.length == pytest.approx(3, abs=1e-3)
        assert parsed.bitrate == pytest.approx(192_000, rel=0.01)
        assert parsed.bitrate_mode == mutagen.mp3.BitrateMode.CBR


SAME_BYTES = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from audio_signals import composition, repeated, task_for
from pipeline.audio.finishing import finish
from pipeline.audio.formats import can_encode
from pipeline.audio.settings import FORMATS, Finishing, Loop, Loudness, Output
outputs = [Output(each) for each in FORMATS if can_encode(each) is None]
outputs += [Output("wav", bits=24), Output("flac", bits=24)]
sound = repeated(composition(3), 8 * 44_100)
for finishing in (Finishing(loudness=Loudness(target_lufs=-9.0)), Finishing(loop=Loop(intro="split"))):
    task = task_for(Path(sys.argv[2]), sound, *outputs, finishing=finishing, metadata=(("TITLE", "night"),))
    for file in finish(task):
        print(file.format, file.sha256)
"""


@pytest.mark.long
def test_the_same_bytes_every_time(tmp_path):
    """Two fresh processes make the same files, in every format, through the whole chain: limited, and looped."""
    here = str(Path(__file__).parent)
    runs = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        command = [sys.executable, "-c", SAME_BYTES, here, str(folder)]
        runs.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert runs[0] == runs[1]
    assert {"wav", "flac", "ogg", "mp3"} <= set(runs[0][::2])
    assert len(set(runs[0][1::2])) == len(runs[0][1::2]) >= 2 * 6


def test_what_needs_ffmpeg_says_so(monkeypatch):
    """A plan can tell before anything is bought."""
    monkeypatch.setattr(formats, "ffmpeg_is_there", lambda: False)
    missing = {audio_format: can_encode(audio_format) for audio_format in FORMATS}
    assert {audio_format for audio_format, why in missing.items() if why is not None} == {"m4a", "opus"}
    assert missing["m4a"] == "m4a needs ffmpeg on the PATH: install it, or ask for ogg, mp3, flac or wav"
    monkeypatch.setattr(formats, "ffmpeg_is_there", lambda: True)
    assert all(can_encode(audio_format) is None for audio_format in FORMATS)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg on the PATH")
@pytest.mark.parametrize("audio_format", ["m4a", "opus"])
def test_ffmpegs_formats_keep_their_length_and_bytes(tmp_path, audio_format):
    """Where ffmpeg is there, its formats come out whole, and the same every time."""
    sound = music(1, rate=48_000)
    path = tmp_path / f"a.{audio_format}"
    path.write_bytes(made(sound, Output(audio_format), Label(METADATA, 7)))
    measured = measure_file(str(path))
    assert (measured.frames, measured.sample_rate, measured.channels) == (48_000, 48_000, 2)
    assert path.read_bytes() == made(sound, Output(audio_format), Label(METADATA, 7))

"""Sources as they come: whole ones are known by their facts, and what is hostile or broken is refused by a sentence."""

from __future__ import annotations

import dataclasses
import io
import pickle
import struct

import numpy as np
import pytest
import soundfile
from audio_signals import is_near, music, noise, save, tone

from pipeline.audio import decoding
from pipeline.audio.decoding import decode
from pipeline.audio.inspection import inspect_source
from pipeline.audio.labels import Label
from pipeline.audio.mp3 import encode_mp3
from pipeline.audio.settings import Output
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import AudioError, SourceFacts

SECOND = noise(1.0)


def wav(subtype="PCM_16", sound=SECOND):
    return written(sound, "WAV", subtype)


def written(sound, container, subtype):
    stream = io.BytesIO()
    soundfile.write(stream, sound.samples, sound.sample_rate, subtype=subtype, format=container)
    return stream.getvalue()


def refusal(path, content):
    path.write_bytes(content)
    with pytest.raises(AudioError) as refused:
        inspect_source(str(path))
    return str(refused.value)


@pytest.mark.parametrize(
    ("container", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("WAVEX", "PCM_16"),
        ("RF64", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("MP3", "MPEG_LAYER_III"),
        ("AIFF", "PCM_16"),
    ],
)
def test_a_source_is_known_by_its_content(tmp_path, container, subtype):
    """Whatever its name says, a file in a format that libsndfile knows is measured by decoding it."""
    path = tmp_path / "music.txt"
    path.write_bytes(written(SECOND, container, subtype))
    facts = inspect_source(str(path))
    assert facts == SourceFacts(facts.frames / 44_100, facts.frames, 44_100, 2)
    assert facts.frames - SECOND.frames in range(2_400)  # libsndfile's own mp3 may end on whole frames


def test_facts_and_errors_travel_between_processes(tmp_path):
    """What a worker gives back can be pickled, and so can the error it raises."""
    facts = inspect_source(save(tmp_path / "a.wav", SECOND))
    assert pickle.loads(pickle.dumps(facts)) == facts
    assert str(pickle.loads(pickle.dumps(AudioError("it is empty")))) == "it is empty"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nothing.wav", b""),
        ("page.mp3", b"<!DOCTYPE html><html>" + b" " * 5_000),
        ("zeros.mp3", bytes(20_000)),
        ("raw.vox", b"hello" * 1_000),  # by its name a headerless format
        ("raw.raw", b"hello" * 1_000),
        ("raw.au", b"hello" * 1_000),
        ("half a header.wav", wav()[:30]),
        ("endless tag.mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(100_000)),
        ("no channels.wav", wav()[:22] + b"\0\0" + wav()[24:]),
        ("no rate.wav", wav()[:24] + bytes(4) + wav()[28:]),
        ("9999 channels.wav", wav()[:22] + struct.pack("<H", 9_999) + wav()[24:]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_audio_is_refused(tmp_path, name, content):
    """Text, zeros, broken headers and headerless samples are not audio, whatever their names say."""
    assert refusal(tmp_path / name, content) == "it is not audio: nothing in it decodes as wav, aiff, mp3, flac or ogg"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(wav()[:44], "not one frame", id="a header alone"),
        pytest.param(wav()[:40] + bytes(4) + wav()[44:], "not one frame", id="a header that claims nothing"),
        pytest.param(wav()[:88_000], "44,100 frames (1.0 s), and 21,989 frames (0.5 s) are there", id="half a wav"),
        pytest.param(
            wav()[:-4],
            "cut short: its header claims 44,100 frames (1.0 s), and 44,099 frames (1.0 s) are there",
            id="a wav without its last frame",
        ),
        pytest.param(wav()[:40] + struct.pack("<I", 0xFFFF_FFFC) + wav()[44:], "cut short", id="a wav of 4 GiB"),
        pytest.param(written(SECOND, "RF64", "PCM_16")[:88_000], "cut short", id="half an RF64"),
        pytest.param(written(SECOND, "FLAC", "PCM_16")[:88_000], "damaged after", id="half a flac"),
        pytest.param(written(SECOND, "OGG", "VORBIS")[:4_400], "not one frame", id="the headers of an ogg"),
        pytest.param(wav()[:24] + struct.pack("<I", 0x7FFF_FFFF) + wav()[28:], "2,147,483,647 Hz", id="2 GHz"),
        pytest.param(wav()[:24] + struct.pack("<I", 1) + wav()[28:], "1 Hz", id="1 Hz"),
        pytest.param(wav(sound=noise(0.1, channels=9)), "9 channels", id="nine channels"),
    ],
)
def test_what_is_broken_or_hostile_is_refused_with_its_reason(tmp_path, content, sentence):
    """A claim is believed only as far as the file can be read."""
    assert sentence in refusal(tmp_path / "take.wav", content)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_samples_that_are_not_numbers_are_refused(tmp_path, value):
    """One NaN in a minute of music would silence every measurement after it."""
    sound = Sound(noise(2.0).samples.copy(), 44_100)
    sound.samples[-1, 1] = value
    assert "not numbers" in refusal(tmp_path / "take.wav", wav("FLOAT", sound))


def test_a_stream_of_unknown_length_is_whole(tmp_path):
    """A program that writes into a pipe can't go back to fill in the length: all ones are no claim."""
    content = wav()
    path = tmp_path / "piped.wav"
    path.write_bytes(content[:4] + b"\xff" * 4 + content[8:40] + b"\xff" * 4 + content[44:])
    assert inspect_source(str(path)).frames == SECOND.frames


class TestMp3:
    """mp3 has no header of its own: only a Xing frame makes a claim."""

    content = encode_mp3(SECOND, Output("mp3"), Label())

    def test_cut_short(self, tmp_path):
        """Half of a file that says its length is refused."""
        assert "cut short" in refusal(tmp_path / "a.mp3", self.content[: len(self.content) // 2])

    def test_a_claim_of_two_thousand_million_frames(self, tmp_path):
        """A lying count costs no more than reading what is there."""
        at = self.content.index(b"Info") + 8
        assert "cut short" in refusal(tmp_path / "a.mp3", self.content[:at] + b"\x7f" + self.content[at + 1 :])

    def test_without_a_claim(self, tmp_path):
        """A file without a Xing frame is taken as long as it is."""
        path = tmp_path / "a.mp3"
        info = self.content.index(b"\xff\xfb", 4)
        path.write_bytes(self.content[info:])
        assert inspect_source(str(path)).frames >= SECOND.frames

    def test_damage_in_the_middle(self, tmp_path):
        """A hole is named with the second at which it begins."""
        broken = self.content[:8_000] + bytes(8_000) + self.content[16_000:]
        assert refusal(tmp_path / "a.mp3", broken).startswith("its audio is damaged after 0.")


def test_more_than_a_worker_can_hold_is_refused(tmp_path, monkeypatch):
    """Reading stops where the limit is passed, whatever is still to come."""
    monkeypatch.setattr(decoding, "MOST_SAMPLES", 100_000)
    assert "longer than" in refusal(tmp_path / "a.wav", wav(sound=noise(2.0)))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    """The reason is a sentence, without libsndfile's own words."""
    with pytest.raises(AudioError, match=r"^it can't be read \(no such file or directory\)$"):
        inspect_source(str(tmp_path / "gone.wav"))


def test_one_frame_is_a_source(tmp_path):
    """The shortest file is audio; what is made of it is finishing's question."""
    one = dataclasses.replace(SECOND, samples=SECOND.samples[:1])
    assert inspect_source(save(tmp_path / "a.wav", one)).frames == 1


def test_decoding_keeps_every_sample(tmp_path):
    """A float file comes back as it was, peaks over full scale too."""
    sound = music(0.5, gain_db=20)
    assert np.array_equal(decode(save(tmp_path / "a.wav", sound)).samples, sound.samples)


@pytest.mark.parametrize(
    ("channels", "left"),
    [
        (3, 1 + 0.7071),
        (4, 1 + 0.7071),
        (5, 1 + 2 * 0.7071),
        (6, 1 + 2 * 0.7071),
        (7, 1 + 2 * 0.7071 + 0.5),
        (8, 1 + 3 * 0.7071),
    ],
)
def test_more_channels_fold_down_to_stereo(tmp_path, channels, left):
    """By ITU-R BS.775: the centre and what is behind at -3 dB, the low-frequency channel left out."""
    sound = tone((-20, 0.1), channels=channels)
    folded = decode(save(tmp_path / "a.wav", sound))
    assert folded.channels == 2
    assert is_near(folded.samples, np.repeat(sound.samples[:, :1], 2, axis=1) * left, within=1e-4)
    assert inspect_source(str(tmp_path / "a.wav")).channels == channels

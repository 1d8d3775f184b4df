"""Files that lie, never end, or are no files: each is refused by one sentence, or becomes all of what it holds."""

from __future__ import annotations

import io
import os
import struct
import sys

import numpy as np
import pytest
import soundfile
from audio_signals import music, noise
from peak_memory import said_in_a_child

from pipeline.audio import ogg
from pipeline.audio.decoding import decode
from pipeline.audio.inspection import inspect_source
from pipeline.audio.labels import Label
from pipeline.audio.measurement import measure_file
from pipeline.audio.mp3 import encode_mp3
from pipeline.audio.settings import Output
from pipeline.audio.tasks import AudioError

SECOND = noise(1.0)
NO_FRAMES = "it holds no sound: not one frame"
NOT_AUDIO = "it is not audio: nothing in it decodes as wav, aiff, mp3, flac or ogg"


def written(container, subtype=None, sound=SECOND):
    stream = io.BytesIO()
    soundfile.write(stream, sound.samples, sound.sample_rate, subtype=subtype, format=container)
    return stream.getvalue()


def mp3(sound=SECOND, bitrate=192):
    return encode_mp3(sound, Output("mp3", bitrate=bitrate), Label())


def without_count(content):
    """An mp3 as a stream has it: without the frame that says how many there are."""
    return content[content.index(b"\xff\xfb", 4) :]


def counting(content, count):
    """An mp3 whose Xing frame says this count."""
    at = content.index(b"Info") + 8
    return content[:at] + struct.pack(">I", count) + content[at + 4 :]


WAV, AIFF, RF64, FLAC, OGG = (written(container) for container in ("WAV", "AIFF", "RF64", "FLAC", "OGG"))
PAGES = list(ogg._pages(OGG))
EMPTY_PAGE = ogg.Page(0, 0, b"", b"")
ENDLESS_PAGE = ogg.Page(1, -1, b"\xff" * 255, bytes(255 * 255))


def patched(content, at, value, kind="<I"):
    return content[:at] + struct.pack(kind, value) + content[at + struct.calcsize(kind) :]


def flac_of(frames):
    """A FLAC whose header says so many frames: 36 bits, after others."""
    return patched(FLAC, 18, struct.unpack_from(">Q", FLAC, 18)[0] & ~((1 << 36) - 1) | frames, ">Q")


def result(path, content):
    """The seconds that a file holds, or why it is refused."""
    path.write_bytes(content)
    try:
        facts = inspect_source(str(path))
    except AudioError as error:
        return str(error)
    assert decode(str(path)).frames == facts.frames
    return round(facts.duration_s, 1)


CUT_SHORT = "it is cut short: its header claims"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(patched(WAV, 40, 0x7FFF_0000), CUT_SHORT, id="a WAV of 2 GiB"),
        pytest.param(patched(AIFF, AIFF.index(b"COMM") + 10, 1 << 31, ">I"), CUT_SHORT, id="an AIFF of 2^31 frames"),
        pytest.param(AIFF[: len(AIFF) // 2], CUT_SHORT, id="half an AIFF"),
        pytest.param(flac_of(1 << 31), CUT_SHORT, id="a FLAC of 2^31 frames"),
        pytest.param(flac_of((1 << 36) - 1), CUT_SHORT, id="a FLAC of 2^36 frames"),
        pytest.param(flac_of(0), 1.0, id="a FLAC from a pipe says no length"),
        pytest.param(FLAC + FLAC, "its audio is damaged after 0.0 s", id="two FLACs in a row"),
        pytest.param(patched(RF64, RF64.index(b"ds64") + 16, 1 << 62, "<Q"), CUT_SHORT, id="an RF64 of 2^62 bytes"),
        pytest.param(patched(RF64, RF64.index(b"ds64") + 16, 0, "<Q"), NO_FRAMES, id="of none"),
        pytest.param(written("W64"), NOT_AUDIO, id="a W64"),
        pytest.param(written("AIFF", "ULAW"), 1.0, id="an AIFF-C"),
        pytest.param(patched(AIFF, 4, 16, ">I"), 1.0, id="an AIFF whose size is too small"),
        pytest.param(patched(WAV, 4, 0), 1.0, id="a RIFF whose size is 0"),
        pytest.param(patched(WAV, 4, 0x7FFF_FFFF), 1.0, id="a RIFF whose size is 2 GiB"),
        pytest.param(patched(WAV, 16, 0xFFFF_FFFF), NOT_AUDIO, id="a format of 4 GiB"),
        pytest.param(patched(WAV, 32, 0, "<H"), 1.0, id="frames of no bytes"),
        pytest.param(written("WAV", "IMA_ADPCM")[:30_000], CUT_SHORT, id="half an ADPCM, whose frames are not bytes"),
        pytest.param(patched(WAV, 22, 65_535, "<H"), NOT_AUDIO, id="65535 channels"),
        pytest.param(written("WAV", "PCM_24", noise(0.5, rate=192_000, channels=8)), 0.5, id="8 channels at 192 kHz"),
        pytest.param(written("FLAC", None, noise(1 / 44_100)), 0.0, id="one frame"),
        pytest.param(written("OGG", None, noise(0)), NO_FRAMES, id="none"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400, NOT_AUDIO, id="a picture"),
    ],
)
def test_a_claim_is_held_against_what_is_there(tmp_path, content, expected):
    """Of frames, bytes and channels, in either direction, whatever the format."""
    found = result(tmp_path / "take.mp3", content)
    assert found == expected or str(found).startswith(str(expected))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(lambda: WAV[:12] + b"junk\0\0\0\0" * 1_000_000 + WAV[12:], NOT_AUDIO, id="a million chunks"),
        pytest.param(lambda: b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + mp3(), NOT_AUDIO, id="a tag of 256 MB"),
        pytest.param(lambda: b"ID3\x04\0\0\0\0\0\x01\0" * 100_000 + mp3(), NOT_AUDIO, id="100,000 tags"),
        pytest.param(
            lambda: b"fLaC" + FLAC[4:42] + b"\1\0\0\0" * 100_000 + FLAC[42:], 1.0, id="100,000 blocks in a FLAC"
        ),
        pytest.param(lambda: b"fLaC" + FLAC[4:42] + b"\1\0\0\0" * 100_000, NO_FRAMES, id="no end"),
        pytest.param(lambda: ogg._bound([EMPTY_PAGE] * 100_000, 7), NOT_AUDIO, id="pages without end"),
        pytest.param(
            lambda: ogg._bound([*PAGES[:3], *[EMPTY_PAGE] * 100_000, *PAGES[3:]], 7), 1.0, id="empty pages inside"
        ),
        pytest.param(lambda: ogg._bound([PAGES[0], *[ENDLESS_PAGE] * 100], 7), NOT_AUDIO, id="a packet without end"),
        pytest.param(lambda: mp3() + b"\xff\xfb\x90\x64" * 200_000, 1.0, id="headers without frames"),
        pytest.param(lambda: mp3() + b"\xff" * 4_000_000, 1.0, id="nothing but ones"),
    ],
)
def test_what_goes_on_and_on_is_read_once(tmp_path, content, expected):
    """A header without end is refused or passed over."""
    assert result(tmp_path / "take", content()) == expected


class TestMp3:
    """An mp3's length is what its frames say, whatever its first one says about the others."""

    def test_a_count_that_is_too_low_is_not_believed(self, tmp_path):
        """All of what is there is decoded, the encoder's silence at both ends with it."""
        assert result(tmp_path / "a", counting(mp3(), 10)) == pytest.approx(1.0, abs=0.06)

    def test_without_a_count_all_of_it_is_decoded(self, tmp_path):
        """A first frame at a high bitrate makes libsndfile guess far too few for a variable one."""
        content = without_count(mp3(bitrate=320)) + without_count(mp3(noise(5.0), bitrate=64))
        assert result(tmp_path / "a", content) == pytest.approx(6.0, abs=0.1)

    def test_a_recount_gives_the_same_sound(self, tmp_path):
        """The samples are those of the file with a true count, but for the silence that is not left out."""
        whole, lying = tmp_path / "whole", tmp_path / "lying"
        whole.write_bytes(mp3(music(1.0)))
        lying.write_bytes(counting(mp3(music(1.0)), 10))
        expected, found = decode(str(whole)).samples, decode(str(lying)).samples
        start = 576  # what a LAME tag says to leave out, 529 samples of the decoder's own aside
        assert np.array_equal(found[start : start + len(expected)], expected)

    @pytest.mark.parametrize("other", [noise(1.0, rate=48_000), noise(1.0, channels=1)], ids=["rate", "channels"])
    def test_one_that_changes_on_the_way_is_refused(self, tmp_path, other):
        """libsndfile stops there without a word."""
        found = result(tmp_path / "a", without_count(mp3()) + without_count(mp3(other)))
        assert "changes its form on the way: 1." in found


class TestOgg:
    """An Ogg file is one stream, and it ends with its last page."""

    @pytest.mark.parametrize("share", [0.5, 0.9])
    def test_one_that_is_cut_short_is_refused(self, tmp_path, share):
        """Vorbis says no length at its start: only its last page tells that nothing is missing."""
        assert result(tmp_path / "a", OGG[: int(len(OGG) * share)]) == "it is cut short: its last page is missing"

    @pytest.mark.parametrize(
        "second", [SECOND, noise(1.0, rate=22_050), noise(1.0, channels=1)], ids=["same", "rate", "channels"]
    )
    def test_several_in_a_row_are_refused(self, tmp_path, second):
        """libsndfile would play the first and say nothing of the others."""
        found = result(tmp_path / "a", ogg.with_serial(OGG, 1) + ogg.with_serial(written("OGG", None, second), 2))
        assert found.startswith("it is several Ogg streams in a row")


def test_samples_beyond_all_bounds_are_refused(tmp_path):
    """Numbers whose squares no float holds would silence what is measured after them, as NaNs do."""
    loud = music(0.1)
    assert "full scale" in result(tmp_path / "a.wav", written("WAV", "FLOAT", loud.with_gain(700)))
    assert result(tmp_path / "b.wav", written("WAV", "FLOAT", loud.with_gain(180))) == 0.1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among files")
@pytest.mark.parametrize("kind", ["a pipe", "a device", "a folder", "a link to a device"])
def test_what_is_no_file_is_never_opened(tmp_path, kind):
    """A pipe would wait for a writer, and a device never end."""
    path = tmp_path / "recording.wav"
    match kind:
        case "a pipe":
            os.mkfifo(path)
        case "a device":
            path = "/dev/zero"
        case "a folder":
            path.mkdir()
        case _:
            path.symlink_to("/dev/zero")
    for read in (inspect_source, decode, measure_file):
        with pytest.raises(AudioError, match="it is no plain file"):
            read(str(path))


def test_a_link_to_a_file_is_that_file(tmp_path):
    """A recording may lie elsewhere."""
    (tmp_path / "real.wav").write_bytes(WAV)
    (tmp_path / "linked.wav").symlink_to(tmp_path / "real.wav")
    assert inspect_source(str(tmp_path / "linked.wav")).frames == SECOND.frames


@pytest.mark.skipif(sys.platform != "linux", reason="its peak is told nowhere else")
def test_hours_of_silence_in_a_few_kilobytes_are_never_held_in_memory(tmp_path):
    """A FLAC bomb is read block by block, and refused where it passes what can be finished (here a sixteenth of it)."""
    path = tmp_path / "bomb.flac"
    with soundfile.SoundFile(path, "w", 44_100, 8, "PCM_16", format="FLAC") as file:
        for _ in range(5):
            file.write(np.zeros((1 << 19, 8), np.int16))
    assert path.stat().st_size < 50_000
    program = (
        "import sys\n"
        "from peak_memory import peak_bytes\n"
        "from pipeline.audio import decoding, inspection\n"
        "decoding.MOST_SAMPLES = 1 << 24\n"
        "before = peak_bytes()\n"
        "try:\n    inspection.inspect_source(sys.argv[1])\n"
        "except Exception as error:\n    print(error)\n"
        "print(peak_bytes() - before)\n"
    )
    said, grown = said_in_a_child(program, str(path))
    assert said.startswith("it is longer than the 1 minutes")
    assert int(grown) < 20_000_000  # held as float32, it would be 64 MiB

"""Marks: what a delivered file says of its origin, as other programs read it, and what a source said before it."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import mutagen
import mutagen.flac
import mutagen.id3
import mutagen.mp3
import mutagen.oggvorbis
import pytest
import soundfile
from audio_signals import UNTOUCHED, music, task_for

from pipeline.audio import ogg, riff
from pipeline.audio.encoding import encode
from pipeline.audio.finishing import finish
from pipeline.audio.labels import Label, with_loop
from pipeline.audio.marks import (
    ALGORITHMIC,
    LONGEST_TEXT,
    MOST_TAGS,
    TRAINED,
    SourceMarks,
    bounded_tags,
    mark_of,
    read_source_marks,
)
from pipeline.audio.measurement import measure_file
from pipeline.audio.remeasuring import remeasure
from pipeline.audio.settings import Output
from pipeline.audio.source_marks import source_marks
from pipeline.audio.written_loops import written_loop

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = mark_of("sony-ai/mmaudio", "job_01H", placeholder=False)
FIELDS = {"DIGITALSOURCETYPE": TRAINED, "AISYSTEMUSED": "sony-ai/mmaudio", "JOBID": "job_01H"}
TOLD = f"digitalSourceType: {TRAINED}; AISystemUsed: sony-ai/mmaudio; jobId: job_01H"
C2PA = b"\0\0\0\x20jumb ... " + TRAINED.encode() + b"\0..."
FOUR = ("wav", "flac", "ogg", "mp3")


def marked(audio_format: str) -> bytes:
    """A marked file that loops."""
    label = with_loop(Label((("TITLE", "sea"), *MARK.fields), 7), 100, 5_000)
    return encode(music(0.3, rate=48_000), Output(audio_format), label)


def fields_of(content: bytes) -> dict[str, str]:
    """NAME -> text, as an independent reader finds them."""
    tags = mutagen.File(io.BytesIO(content)).tags
    if isinstance(tags, mutagen.id3.ID3):
        return {frame.desc: frame.text[0] for frame in tags.getall("TXXX")}
    return {name.upper(): value for name, value in tags}


def xmp_of(content: bytes) -> dict[str, str]:
    """IPTC's properties in the XMP of a WAV, by its chunks and an XML parser."""
    at = 12
    while content[at : at + 4] != b"_PMX":
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    packet = content[at + 8 : at + 8 + int.from_bytes(content[at + 4 : at + 8], "little")]
    (description,) = ET.fromstring(packet).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    return {name.rpartition("}")[2]: value for name, value in description.attrib.items()}


@pytest.mark.parametrize("audio_format", FOUR)
def test_a_mark_is_read_by_others(tmp_path, audio_format):
    """In fields of their own; of a WAV, in the comment and in XMP. Its loop and its sound are what they were."""
    content = marked(audio_format)
    if audio_format == "wav":
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            assert (file.title, file.comment) == ("sea", TOLD)
        assert xmp_of(content) == {"about": "", "DigitalSourceType": TRAINED, "AISystemUsed": "sony-ai/mmaudio"}
    else:
        loop = {"LOOPSTART": "100", "LOOPLENGTH": "4900", "LOOPEND": "5000"}
        assert {name: value for name, value in fields_of(content).items() if name != "TITLE"} == FIELDS | loop
    path = tmp_path / f"a.{audio_format}"
    path.write_bytes(content)
    found = remeasure(str(path), None)
    assert (found.mark, found.loop, written_loop(str(path))) == (TRAINED, (100, 5_000), (100, 5_000))
    assert measure_file(str(path)).frames == music(0.3, rate=48_000).frames


@pytest.mark.parametrize("audio_format", ["m4a", "opus"])
def test_ffmpegs_formats_are_marked_as_far_as_they_can_be(tmp_path, monkeypatch, audio_format):
    """Opus in its comments; m4a, which has no such field, in the one comment that it has."""
    program = pytest.importorskip(
        "imageio_ffmpeg", reason="marks in m4a and opus are not looked at: imageio-ffmpeg is not installed"
    ).get_ffmpeg_exe()
    (tmp_path / "ffmpeg").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    content = marked(audio_format)
    if audio_format == "m4a":
        assert mutagen.File(io.BytesIO(content)).tags["\xa9cmt"] == [TOLD]
    else:
        assert FIELDS.items() <= fields_of(content).items()
    (tmp_path / "a").write_bytes(content)
    assert source_marks(str(tmp_path / "a")).digital_source_type == TRAINED


def test_a_placeholder_was_made_by_rules():
    """The model that it stands in for had no part in it."""
    assert dict(mark_of("maker/model", "job_1", placeholder=True).fields) == {
        "DIGITALSOURCETYPE": ALGORITHMIC,
        "JOBID": "job_1",
    }


def test_an_address_is_public_without_its_query():
    """Whatever a gateway calls its jobs: a signature, or a key, may stand behind the question mark."""
    mark = mark_of("maker/model", "https://gateway/jobs/1?key=sk-aig-secret", placeholder=False)
    assert dict(mark.fields)["JOBID"] == "https://gateway/jobs/1"


# --- sources --------------------------------------------------------------------------------------------------------


def wav_source(path: Path) -> None:
    wav = io.BytesIO()
    soundfile.write(wav, music(0.3).samples, 44_100, format="WAV")
    riff.add_label(wav, Label((("TITLE", "draft"), ("ENCODER", "maker 2"))))
    riff.add_chunk(wav, b"C2PA", C2PA)
    path.write_bytes(wav.getvalue())


def mp3_source(path: Path) -> None:
    path.write_bytes(encode(music(0.3), Output("mp3"), Label()))
    tag = mutagen.id3.ID3()
    tag.add(mutagen.id3.TIT2(encoding=1, text=["draft"]))
    tag.add(mutagen.id3.TXXX(encoding=3, desc="ENCODER", text=["maker 2"]))
    tag.add(mutagen.id3.GEOB(encoding=0, mime="application/c2pa", filename="c2pa", desc="c2pa", data=C2PA))
    tag.save(path, v2_version=3)


def flac_source(path: Path) -> None:
    """As the specification has it: the manifest in an ID3 tag before it."""
    path.write_bytes(encode(music(0.3), Output("flac"), Label((("TITLE", "draft"), ("ENCODER", "maker 2")))))
    tag = mutagen.id3.ID3()
    tag.add(mutagen.id3.GEOB(encoding=0, mime="application/c2pa", filename="c2pa", desc="c2pa", data=C2PA))
    head = io.BytesIO()
    tag.save(head, padding=lambda _: 0)
    path.write_bytes(head.getvalue() + path.read_bytes())


def old_flac_source(path: Path) -> None:
    """As it was done before that: in a block of an application's own."""
    content = encode(music(0.3), Output("flac"), Label((("TITLE", "draft"), ("ENCODER", "maker 2"))))
    block = b"\x02" + (len(C2PA) + 4).to_bytes(3, "big") + b"c2pa" + C2PA
    path.write_bytes(content[:42] + block + content[42:])  # behind the one that has to be the first


def ogg_source(path: Path) -> None:
    """With a stream of its own beside the music's."""
    content = encode(music(0.3), Output("ogg"), Label((("TITLE", "draft"), ("ENCODER", "maker 2"))))
    first = 27 + content[26] + sum(content[27 : 27 + content[26]])
    packet = b"\0c2pa" + C2PA
    page = ogg.with_serial(struct.pack("<4sBBqIIIBB", b"OggS", 0, 2, 0, 0, 0, 0, 1, len(packet)) + packet, 9)
    path.write_bytes(content[:first] + page + content[first:])


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (wav_source, ("INAM", "ISFT")),
        (mp3_source, ("TIT2", "ENCODER")),
        (flac_source, ("TITLE", "ENCODER")),
        (old_flac_source, ("TITLE", "ENCODER")),
        (ogg_source, ("TITLE", "ENCODER")),
    ],
    ids=["wav", "mp3", "flac", "flac before", "ogg"],
)
def test_what_a_source_says_of_itself_is_noted(tmp_path, write: Callable[[Path], None], names):
    """Its C2PA manifest, where the specification puts it, the source type that is named in it, and its tags."""
    path = tmp_path / "source"
    write(path)
    found = source_marks(str(path))
    assert found == SourceMarks(
        c2pa=True, digital_source_type=TRAINED, tags=dict(zip(names, ("draft", "maker 2"), strict=True))
    )


def test_xmp_and_old_tags_are_noted(tmp_path):
    """XMP by its size and the source type in it, in WAV and mp3; ID3v1, ID3 in other forms, and texts of AIFF."""
    path = tmp_path / "source"
    path.write_bytes(marked("wav"))
    assert source_marks(str(path)).tags["XMP"].endswith(" bytes")
    path.write_bytes(encode(music(0.3), Output("mp3"), Label()) + b"TAG" + b"draft".ljust(125, b"\0"))
    assert source_marks(str(path)) == SourceMarks(tags={"ID3v1 title": "draft"})
    tag = mutagen.id3.ID3()
    tag.add(mutagen.id3.PRIV(owner="XMP", data=ALGORITHMIC.encode()))
    tag.add(mutagen.id3.COMM(encoding=3, lang="eng", desc="", text=["two", "lines"]))
    tag.save(path)
    assert source_marks(str(path)).digital_source_type == ALGORITHMIC
    assert source_marks(str(path)).tags["COMM"] == "two / lines"
    path.write_bytes(b"ID3\x04\0\x80\0\0\0\x40" + b"GEOB unsynchronised application/c2pa\0".ljust(64))
    assert source_marks(str(path)) == SourceMarks(c2pa=True)
    path.write_bytes(b"FORM\0\0\0\x30AIFFNAME\0\0\0\x05draft\0")
    assert source_marks(str(path)) == SourceMarks(tags={"NAME": "draft"})


def test_finishing_notes_it_and_carries_nothing_over(tmp_path):
    """What comes out has the source's marks in its description, and none of them in the file."""
    task = task_for(tmp_path, music(0.3), Output("wav"), finishing=UNTOUCHED)
    wav_source(Path(task.source))
    (file,) = finish(task)
    assert file.source_marks is not None
    assert file.source_marks.c2pa
    content = Path(file.path).read_bytes()
    assert not {mark for mark in (b"C2PA", b"draft", b"maker 2", b"iptc") if mark in content}


def test_tags_are_bounded_and_harmless():
    """As many as fit, short, on one line each, and no control character of a stranger's."""
    found = bounded_tags([("\x1b[31m" + "n" * 99, "v" * 999 + "\n"), ("A", "\x07ring"), ("A", "again"), ("B", " ")])
    (first, value), (name, ring) = found.items()
    assert first.startswith("\\x1b[31mnnn")
    assert value == "v" * (LONGEST_TEXT - 3) + "..."
    assert (name, ring) == ("A", "\\x07ring")
    assert len(bounded_tags([(str(number), "x") for number in range(9_999)])) == MOST_TAGS


@pytest.mark.parametrize("write", [wav_source, mp3_source, flac_source, ogg_source], ids=["wav", "mp3", "flac", "ogg"])
def test_a_damaged_file_says_less_and_never_more(tmp_path, write):
    """Cut off anywhere in its tags, or with any of its lengths at the highest: no error, and nothing without end."""
    path, damaged = tmp_path / "source", tmp_path / "damaged"
    write(path)
    content = path.read_bytes()
    for at in range(0, 400, 3):
        for cut in (at, -at):
            damaged.write_bytes(content[:cut])
            source_marks(str(damaged))
            damaged.write_bytes(content[:cut] + b"\xff\xff\xff\xff" + content[cut:][4:])
            source_marks(str(damaged))


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"c2pa": 1, "tags": {}}, {"c2pa": True, "tags": []}, {"c2pa": True, "tags": {"a": 1}},
     {"c2pa": True, "tags": {}, "digital_source_type": 3}],
    ids=str,
)  # fmt: skip
def test_marks_that_are_none_were_not_recorded(document):
    """The index is a file that anybody may have edited."""
    assert read_source_marks(document) is None

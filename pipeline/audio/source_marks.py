"""What a source says of itself: a C2PA manifest, IPTC's digital source type, and its text tags.

Read before finishing, which carries nothing of it over. Where a C2PA manifest stands is the C2PA specification's
(2.3, A.3): in a WAV a chunk of that name, in mp3 and before FLAC a GEOB frame of ID3, in Ogg a stream of its own; older
programs put it into an application block of FLAC.
"""

from __future__ import annotations

import io
import mmap
import re
from pathlib import Path
from typing import BinaryIO, Final

from pipeline.audio.marks import SCHEME, SourceMarks, bounded_tags
from pipeline.audio.tag_reading import (
    FLAC_APPLICATION,
    FLAC_COMMENTS,
    ID3_HEAD,
    MOST_BYTES,
    chunks,
    flac_blocks,
    id3_frames,
    id3_text,
    info_fields,
    ogg_comments,
    ogg_first_packets,
    plain_text,
    seven_bits,
    vorbis_fields,
)

_FORM: Final = re.compile(re.escape(SCHEME.encode()) + rb"[A-Za-z]{1,60}")
_C2PA_TYPES: Final = (b"application/c2pa\0", b"application/x-c2pa-manifest-store\0")  # the second: before 2.0
_C2PA_STREAM: Final = b"\0c2pa"
_OLD_TAG: Final = 128  # bytes of ID3v1, at a file's end
_OLD_FIELDS: Final = (("title", 3, 33), ("artist", 33, 63), ("album", 63, 93), ("year", 93, 97), ("comment", 97, 127))
_AIFF_TEXTS: Final = (b"NAME", b"AUTH", b"(c) ", b"ANNO")
_XMP: Final = "XMP"


class _Found:
    """What has been found so far. The order counts: the first source type that is named, the first tags."""

    def __init__(self) -> None:
        self.c2pa = False
        self.tags: list[tuple[str, str]] = []
        self._source_type: str | None = None

    def manifest(self, content: bytes) -> None:
        self.c2pa = True
        self.look_into(content)

    def tag(self, name: str, value: str) -> None:
        self.tags.append((name, value))
        self.look_into(value.encode("utf-8", "replace"))

    def xmp(self, content: bytes) -> None:
        self.tag(_XMP, f"{len(content):,} bytes")
        self.look_into(content)

    def look_into(self, content: bytes | mmap.mmap) -> None:
        if self._source_type is None and (named := _FORM.search(content)):
            self._source_type = named[0].decode()

    def marks(self) -> SourceMarks:
        return SourceMarks(self.c2pa, self._source_type, bounded_tags(self.tags))


def source_marks(path: str) -> SourceMarks:
    """What the file at `path` says of itself, by its content. Raises OSError."""
    found = _Found()
    with Path(path).open("rb") as file:
        mark = file.read(8)
        file.seek(0)
        if mark[:4] in (b"RIFF", b"RF64", b"FORM"):
            _read_chunks(file, found)
        elif mark[:4] == b"OggS":
            _read_ogg(file, found)
        elif mark[4:] == b"ftyp":
            _read_mp4(file, found)
        else:
            _read_stream(file, found)
    return found.marks()


def _read_chunks(file: BinaryIO, found: _Found) -> None:
    for kind, size in chunks(file):
        bounded = min(size, MOST_BYTES)
        if kind == b"C2PA":
            found.manifest(file.read(bounded))
        elif kind == b"LIST" and (content := file.read(bounded)).startswith(b"INFO"):
            for name, text in info_fields(content):
                found.tag(name, text)
        elif kind == b"_PMX":
            found.xmp(file.read(bounded))
        elif kind in (b"id3 ", b"ID3 "):
            _read_id3(io.BytesIO(file.read(bounded)), found)
        elif kind in _AIFF_TEXTS:
            found.tag(kind.decode().strip(), plain_text(file.read(bounded)))


def _read_ogg(file: BinaryIO, found: _Found) -> None:
    for name, value in vorbis_fields(ogg_comments(file)):
        found.tag(name, value)
    file.seek(0)
    for packet in ogg_first_packets(file):
        if packet.startswith(_C2PA_STREAM):
            found.manifest(packet)


def _read_mp4(file: BinaryIO, found: _Found) -> None:
    """As far as what is written here goes: a mark in its comment."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found.look_into(content)


def _read_stream(file: BinaryIO, found: _Found) -> None:
    """Of mp3 or FLAC: a tag before it, FLAC's own blocks, and the old tag behind it."""
    head = file.read(ID3_HEAD)
    begins = ID3_HEAD + seven_bits(head[6:]) if head.startswith(b"ID3") else 0
    if begins:
        file.seek(0)
        _read_id3(file, found)
        file.seek(0)
        tag = file.read(min(begins, MOST_BYTES)) if not found.tags and not found.c2pa else b""
        if any(one in tag for one in _C2PA_TYPES):  # in a form of ID3 whose frames are not read here
            found.manifest(tag)
    file.seek(begins)
    if file.read(4) == b"fLaC":
        _read_flac(file, found)
    else:
        _read_old_tag(file, found)


def _read_id3(file: BinaryIO, found: _Found) -> None:
    for kind, content in id3_frames(file):
        if kind == b"GEOB" and any(content[1:].startswith(one) for one in _C2PA_TYPES):
            found.manifest(content)
        elif kind == b"PRIV" and content.startswith(b"XMP\0"):
            found.xmp(content[4:])
        elif kind == b"TXXX":
            name, _, value = id3_text(content).partition("\0")
            found.tag(name or "TXXX", _joined(value))
        elif kind.startswith(b"T"):
            found.tag(kind.decode("latin-1"), _joined(id3_text(content)))
        elif kind == b"COMM":
            text = id3_text(content[:1] + content[4:])  # without its language
            found.tag("COMM", _joined(text.partition("\0")[2]))


def _joined(texts: str) -> str:
    return " / ".join(filter(None, texts.split("\0")))


def _read_flac(file: BinaryIO, found: _Found) -> None:
    for kind, size in flac_blocks(file):
        if kind == FLAC_COMMENTS:
            for name, value in vorbis_fields(file.read(size)):
                found.tag(name, value)
        elif kind == FLAC_APPLICATION and (content := file.read(size)).startswith(b"c2pa"):
            found.manifest(content)


def _read_old_tag(file: BinaryIO, found: _Found) -> None:
    length = file.seek(0, io.SEEK_END)
    file.seek(max(0, length - _OLD_TAG))
    tag = file.read(_OLD_TAG)
    if tag.startswith(b"TAG") and len(tag) == _OLD_TAG:
        for name, start, end in _OLD_FIELDS:
            found.tag(f"ID3v1 {name}", plain_text(tag[start:end]))

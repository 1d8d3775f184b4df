"""ID3v2.4: the metadata of mp3 (id3.org/id3v2.4.0-structure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.audio.vorbis_comments import field_name

if TYPE_CHECKING:
    from collections.abc import Sequence

_FRAMES: Final = {
    "TITLE": b"TIT2",
    "ARTIST": b"TPE1",
    "ALBUM": b"TALB",
    "ALBUMARTIST": b"TPE2",
    "COMPOSER": b"TCOM",
    "COPYRIGHT": b"TCOP",
    "DATE": b"TDRC",
    "ENCODER": b"TSSE",
    "GENRE": b"TCON",
    "TRACKNUMBER": b"TRCK",
}
_UTF8: Final = b"\x03"
_UNKNOWN_LANGUAGE: Final = b"und"


def id3_tag(metadata: Sequence[tuple[str, str]]) -> bytes:
    """A tag to put before an mp3's first frame; empty where there is nothing to say.

    Fields that ID3 has no frame for become TXXX frames under their own name.
    """
    frames = b"".join(_frame(field_name(name), value) for name, value in metadata)
    return b"ID3\x04\x00\x00" + _seven_bits(len(frames)) + frames if frames else b""


def _frame(name: str, value: str) -> bytes:
    text = value.replace("\0", " ").encode()
    if name in _FRAMES:
        return _framed(_FRAMES[name], _UTF8 + text)
    if name == "COMMENT":
        return _framed(b"COMM", _UTF8 + _UNKNOWN_LANGUAGE + b"\0" + text)
    return _framed(b"TXXX", _UTF8 + name.encode() + b"\0" + text)


def _framed(kind: bytes, content: bytes) -> bytes:
    return kind + _seven_bits(len(content)) + b"\0\0" + content


def _seven_bits(number: int) -> bytes:
    """Four bytes of seven bits each, so that no length looks like the start of a frame of sound."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))

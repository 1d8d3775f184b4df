"""The loop points that stand in a delivered file, as a game engine reads them (docs/sound.md)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio import flac, id3, ogg, riff
from pipeline.audio.vorbis_comments import fields_of

if TYPE_CHECKING:
    from pipeline.audio.settings import Format


def read_loop_points(path: str, audio_format: Format) -> tuple[int, int] | None:
    """(start, end) in frames, the end exclusive. None: there are none, or nobody could read them.

    m4a and opus are not looked into: what ffmpeg writes there is its own. Raises OSError.
    """
    content = Path(path).read_bytes()
    try:
        if audio_format == "wav":
            return riff.sampler_loop(content)
        fields = _fields(content, audio_format)
        start, length = int(fields["LOOPSTART"]), int(fields["LOOPLENGTH"])
    except (KeyError, ValueError, IndexError, struct.error):
        return None
    return start, start + length


def _fields(content: bytes, audio_format: Format) -> dict[str, str]:
    if audio_format == "mp3":
        return id3.user_texts(content)
    block = {"ogg": ogg.comments_of, "flac": flac.comments_of}[audio_format](content)
    return {} if block is None else fields_of(block)

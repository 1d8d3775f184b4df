"""Which formats can be made on this machine. A plan asks it, and a plan starts fast: nothing heavy is imported here."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.audio.settings import Format

NEED_FFMPEG: Final[frozenset[Format]] = frozenset({"m4a", "opus"})


def can_encode(audio_format: Format) -> str | None:
    """None where `audio_format` can be made here, else a sentence that says what it needs."""
    if audio_format in NEED_FFMPEG and not ffmpeg_is_there():
        return f"{audio_format} needs ffmpeg on the PATH: install it, or ask for ogg, mp3, flac or wav"
    return None


def ffmpeg_is_there() -> bool:
    """Is ffmpeg on the PATH?"""
    return shutil.which("ffmpeg") is not None

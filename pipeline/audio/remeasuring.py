"""What a delivered file is now: its format, figures, loop points and seam, for whoever holds it to account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import soundfile

from pipeline.audio import ffmpeg
from pipeline.audio.drawing import draw
from pipeline.audio.measurement import Measurement, decode_asset, measure
from pipeline.audio.seam import seam_of
from pipeline.audio.source_marks import source_marks
from pipeline.audio.written_loops import written_loop

if TYPE_CHECKING:
    from pipeline.audio.seam import Seam
    from pipeline.audio.settings import Format
    from pipeline.audio.waveform import Waveform

_FORMATS: Final[dict[tuple[str, str], Format]] = {("OGG", "VORBIS"): "ogg", ("OGG", "OPUS"): "opus"}
#: m4a and opus are not looked into: what ffmpeg writes there is its own.
_WITH_LOOPS: Final = frozenset({"wav", "flac", "ogg", "mp3"})
_OF_WHOLE_NUMBERS: Final = frozenset({"wav", "flac"})
_CONTAINERS: Final[dict[str, Format]] = {"WAV": "wav", "WAVEX": "wav", "FLAC": "flac", "MP3": "mp3"}


@dataclass(frozen=True, slots=True)
class Remeasured:
    """A file as it decodes. `format` None: none that finishing delivers.

    `loop`: the loop points in it, (start, end) in frames, the end exclusive. `seam`: of the loop that was asked about,
    where that lies within the file. `bits` of a sample, where samples are stored as whole numbers.
    """

    figures: Measurement
    format: Format | None
    loop: tuple[int, int] | None = None
    seam: Seam | None = None
    bits: int | None = None
    waveform: Waveform | None = None
    mark: str | None = None  # IPTC's digital source type, where it says one


def remeasure(path: str, loop: tuple[int, int] | None) -> Remeasured:
    """Decode and measure the file at `path`, and the seam of `loop` in it. Raises AudioError and OSError."""
    sound = decode_asset(path)
    audio_format = format_of(path)
    figures = measure(sound)
    return Remeasured(
        figures=figures,
        format=audio_format,
        loop=written_loop(path) if audio_format in _WITH_LOOPS else None,
        seam=seam_of(sound, *loop) if loop is not None and 0 <= loop[0] < loop[1] <= sound.frames else None,
        bits=None if audio_format is None else _bits_of(path, audio_format),
        waveform=draw(sound, figures.curve),
        mark=source_marks(path).digital_source_type,
    )


def format_of(path: str) -> Format | None:
    """The format of a file that decodes, by its content. Raises OSError."""
    if ffmpeg.is_mp4(path):
        return "m4a"
    found = soundfile.info(path)
    return _FORMATS.get((found.format, found.subtype)) or _CONTAINERS.get(found.format)


def _bits_of(path: str, audio_format: Format) -> int | None:
    if audio_format not in _OF_WHOLE_NUMBERS:
        return None
    kind, _, bits = soundfile.info(path).subtype.partition("_")
    return int(bits) if kind == "PCM" and bits.isdigit() else None

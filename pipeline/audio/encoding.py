"""From sound to a file's bytes, by format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.audio import ffmpeg
from pipeline.audio.formats import NEED_FFMPEG

if TYPE_CHECKING:
    from pipeline.audio.labels import Label
    from pipeline.audio.settings import Format, Output
    from pipeline.audio.sound import Sound

#: How much lower than the ceiling peaks are put where they decide, in dB: what encoding may add to them. Of 22 tracks
#: of game music Vorbis added up to 0.51, and mp3 at 192 kbit/s, LAME's own loss given back, up to 0.52.
HEADROOM_DB: Final[dict[Format, float]] = {
    "wav": 0.01,  # dither's
    "flac": 0.01,
    "ogg": 0.6,
    "mp3": 0.5,
    "m4a": 0.6,
    "opus": 0.6,
}


def clips(audio_format: Format) -> bool:
    """Does the encoder take whole numbers, so that samples over full scale are cut off?"""
    return audio_format != "ogg"


def rate_for(audio_format: Format, sample_rate: int) -> int:
    """The rate at which a sound of `sample_rate` Hz goes into `audio_format`: its own, or the next that it has."""
    rates = _rates(audio_format)
    if rates is None or sample_rate in rates:
        return sample_rate
    return min((rate for rate in rates if rate > sample_rate), default=max(rates))


def encode(sound: Sound, output: Output, label: Label) -> bytes:
    """The whole file. `sound` is at a rate that `rate_for` gave. Raises AudioError."""
    # Each encoder is imported where it is used: a worker that writes ogg never loads the others.
    if output.format == "ogg":
        from pipeline.audio.vorbis import encode_vorbis  # noqa: PLC0415 - see above

        return encode_vorbis(sound, output, label)
    if output.format == "mp3":
        from pipeline.audio.mp3 import encode_mp3  # noqa: PLC0415 - see above

        return encode_mp3(sound, output, label)
    if output.format in NEED_FFMPEG:
        return ffmpeg.encode_by_ffmpeg(sound, output, label)
    from pipeline.audio.lossless import encode_flac, encode_wav  # noqa: PLC0415 - see above

    return (encode_flac if output.format == "flac" else encode_wav)(sound, output, label)


def _rates(audio_format: Format) -> tuple[int, ...] | None:
    """The rates that `audio_format` has. None: any."""
    if audio_format == "mp3":
        from pipeline.audio.mp3 import RATES  # noqa: PLC0415 - as in `encode`

        return RATES
    return {"opus": ffmpeg.OPUS_RATES, "m4a": ffmpeg.AAC_RATES}.get(audio_format)

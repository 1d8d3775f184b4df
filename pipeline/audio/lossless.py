"""WAV and FLAC, in 16 or 24 bits."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import soundfile

from pipeline.audio import flac, riff
from pipeline.audio.dither import as_16_bit, as_24_bit

if TYPE_CHECKING:
    from pipeline.audio.labels import Label
    from pipeline.audio.settings import Output
    from pipeline.audio.sound import Sound

_DEFAULT_BITS = 16


def encode_wav(sound: Sound, output: Output, label: Label) -> bytes:
    """A WAV file."""
    return riff.with_label(_encoded(sound, "WAV", output.bits), label)


def encode_flac(sound: Sound, output: Output, label: Label) -> bytes:
    """A FLAC file."""
    return flac.with_label(_encoded(sound, "FLAC", output.bits), label)


def _encoded(sound: Sound, container: str, bits: int | None) -> bytes:
    # Whole numbers are handed over, so that libsndfile scales, rounds and wraps nothing.
    bits = bits or _DEFAULT_BITS
    steps = as_16_bit(sound.samples) if bits == _DEFAULT_BITS else as_24_bit(sound.samples)
    stream = io.BytesIO()
    soundfile.write(stream, steps, sound.sample_rate, subtype=f"PCM_{bits}", format=container)
    return stream.getvalue()

"""WAV and FLAC, in 16 or 24 bits."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import soundfile

from pipeline.audio import flac, riff
from pipeline.audio.dither import blocks_of_16_bit, blocks_of_24_bit

if TYPE_CHECKING:
    from pipeline.audio.labels import Label
    from pipeline.audio.settings import Output
    from pipeline.audio.sound import Sound

_DEFAULT_BITS = 16


def encode_wav(sound: Sound, output: Output, label: Label) -> bytes:
    """A WAV file."""
    stream = _encoded(sound, "WAV", output.bits)
    riff.add_label(stream, label)
    return stream.getvalue()


def encode_flac(sound: Sound, output: Output, label: Label) -> bytes:
    """A FLAC file."""
    return flac.with_label(_encoded(sound, "FLAC", output.bits).getvalue(), label)


def _encoded(sound: Sound, container: str, bits: int | None) -> io.BytesIO:
    # Whole numbers are handed over, so that libsndfile scales, rounds and wraps nothing.
    bits = bits or _DEFAULT_BITS
    blocks = blocks_of_16_bit if bits == _DEFAULT_BITS else blocks_of_24_bit
    stream, subtype = io.BytesIO(), f"PCM_{bits}"
    with soundfile.SoundFile(stream, "w", sound.sample_rate, sound.channels, subtype, format=container) as file:
        for block in blocks(sound.samples):
            file.write(block)
    return stream

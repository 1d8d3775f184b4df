"""Samples into files: WAV by hand, MP3 by LAME."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44_100
MP3_KBIT_S = 192
LAME_QUALITY = 5


def wav_bytes(pcm: NDArray[np.int16]) -> bytes:
    """`pcm` (frames, 2) as a 16-bit PCM WAV file."""
    audio = pcm.astype("<i2", copy=False).tobytes()
    layout = struct.pack("<HHIIHH", 1, 2, SAMPLE_RATE, SAMPLE_RATE * 4, 4, 16)
    return b"".join(
        (
            b"RIFF" + struct.pack("<I", 36 + len(audio)) + b"WAVE",
            b"fmt " + struct.pack("<I", len(layout)) + layout,
            b"data" + struct.pack("<I", len(audio)),
            audio,
        )
    )


def mp3_bytes(pcm: NDArray[np.int16]) -> bytes:
    """`pcm` (frames, 2) as an MP3 file of constant 192 kbit/s."""
    import lameenc  # noqa: PLC0415 - most requests want WAV

    encoder = lameenc.Encoder()
    encoder.set_bit_rate(MP3_KBIT_S)
    encoder.set_in_sample_rate(SAMPLE_RATE)
    encoder.set_channels(2)
    encoder.set_quality(LAME_QUALITY)
    encoder.silence()
    return bytes(encoder.encode(pcm.tobytes()) + encoder.flush())

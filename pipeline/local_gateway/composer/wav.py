"""Samples -> WAV, 16 bits, two channels."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pipeline.local_gateway.composer.sound import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def wav_bytes(pcm: NDArray[np.int16]) -> bytes:
    """`pcm` (frames, 2) as a PCM WAV file."""
    audio = pcm.astype("<i2", copy=False)
    layout = struct.pack("<HHIIHH", 1, 2, SAMPLE_RATE, SAMPLE_RATE * 4, 4, 16)
    return b"".join(
        (
            b"RIFF" + struct.pack("<I", 36 + audio.nbytes) + b"WAVE",
            b"fmt " + struct.pack("<I", len(layout)) + layout,
            b"data" + struct.pack("<I", audio.nbytes),
            audio.tobytes(),
        )
    )

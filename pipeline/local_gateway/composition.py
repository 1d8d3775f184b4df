"""What a composer is asked for, and the simplest one: a tone, at once. For tests and simulations."""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from typing import Final, Literal, Protocol

AudioFormat = Literal["wav", "mp3"]

_TONE_LEVEL: Final = 0.25
_BYTES_A_FRAME: Final = 2
_FEWEST_MP3_HZ: Final = 8000


class CompositionFailed(Exception):
    """A piece that could not be composed. Its text is one sentence."""


@dataclass(frozen=True, slots=True)
class CompositionRequest:
    """A piece of music to make. Equal requests give equal bytes."""

    model: str
    prompt: str
    lyrics: str  # empty: instrumental
    duration_s: float
    format: AudioFormat
    variation: int = 0  # the same words, another piece

    @property
    def digest(self) -> str:
        """The request's name: 32 hexadecimal digits."""
        words = (self.model, self.prompt, self.lyrics, repr(self.duration_s), self.format, str(self.variation))
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]


class Composer(Protocol):
    """Makes music. Raises CompositionFailed."""

    async def compose(self, request: CompositionRequest) -> bytes:
        """The whole file, in the format asked for, as long as asked for."""
        ...


class CannedComposer:
    """Gives two mono tones in turn, by the request, at once: pure, small, and of exactly the length asked for.

    An mp3 is as long as its frames make it (LAME's padding is not taken off) and never below 8 kHz.
    """

    def __init__(self, sample_rate: int = 8000) -> None:
        self._sample_rate = sample_rate

    async def compose(self, request: CompositionRequest) -> bytes:
        if request.format == "mp3":
            sample_rate = max(self._sample_rate, _FEWEST_MP3_HZ)
            return _mp3(_tone(request, sample_rate), sample_rate)
        return _wav(_tone(request, self._sample_rate), self._sample_rate)


def _tone(request: CompositionRequest, sample_rate: int) -> bytes:
    """16-bit mono PCM: a period of each tone, repeated, so that an hour costs no more than a second.

    One tone alone would make one piece in 31 like another, and whoever compares pieces would take one for the other.
    """
    frames = round(request.duration_s * sample_rate)
    wave = _period(request.digest[:8]) + _period(request.digest[8:16])
    return (wave * (frames * _BYTES_A_FRAME // len(wave) + 1))[: frames * _BYTES_A_FRAME]


def _period(digits: str) -> bytes:
    period = 5 + int(digits, 16) % 31
    peak = round(_TONE_LEVEL * 32767)
    return struct.pack(f"<{period}h", *(round(peak * math.sin(2 * math.pi * n / period)) for n in range(period)))


def _wav(pcm: bytes, sample_rate: int) -> bytes:
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(pcm), b"WAVE", b"fmt ", 16, 1, 1),
        *(sample_rate, sample_rate * _BYTES_A_FRAME, _BYTES_A_FRAME, 16, b"data", len(pcm)),
    )
    return head + pcm


def _mp3(pcm: bytes, sample_rate: int) -> bytes:
    import lameenc  # noqa: PLC0415 - most tests ask for no mp3

    encoder = lameenc.Encoder()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(sample_rate)
    encoder.set_bit_rate(32)
    encoder.set_quality(7)
    encoder.silence()
    return bytes(encoder.encode(pcm) + encoder.flush())

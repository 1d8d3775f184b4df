"""The room a piece stands in, and the tone it's heard with: two impulse responses, one FFT."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.shaping import band
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples, fast_length, noise_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAPS: Final = 8192  # of the tone filter: long enough for what it does below 40 Hz
DELAY: Final = 256  # samples by which it delays
WINDOW_FFT: Final = 3 << 17  # samples, 9 s
LOWEST_HZ: Final = 26.0  # below this nothing is heard, and much would be wasted


@dataclass(frozen=True, slots=True)
class Space:
    decay_s: float  # to -60 dB
    delay_s: float  # before the room answers
    bright_hz: float  # above this its echoes die sooner
    level: float


SPACES: Final[dict[str, Space]] = {
    "hall": Space(2.1, 0.022, 4500, 1.0),
    "cathedral": Space(2.9, 0.035, 3600, 1.5),
    "plate": Space(1.5, 0.008, 7000, 0.9),
    "room": Space(0.75, 0.009, 5000, 0.8),
    "dry": Space(0.3, 0.004, 5000, 0.5),
}

# The master's tone: (Hz, dB) points between which the gain goes straight on a logarithmic scale.
COLOURS: Final[dict[str, tuple[tuple[float, float], ...]]] = {
    "clear": ((30, 0), (200, 0), (400, -0.5), (2000, 0), (5000, 1.5), (10000, 3.0), (16000, 2.0), (20000, -6)),
    "warm": ((30, 0), (120, 0.5), (2000, 0), (5000, 1.0), (9000, 0.5), (14000, -2), (20000, -8)),
    "wide": ((30, 1.0), (90, 1.2), (350, -1.0), (3000, 0.5), (10000, 2.0), (17000, 0.5), (20000, -8)),
    "soft": ((38, -1), (200, 0.5), (2500, 0), (6000, -1.5), (12000, -5), (20000, -14)),
    "dusty": ((60, -1), (150, 1.5), (2500, 0), (5000, -4), (8000, -12), (12000, -26), (20000, -40)),
}


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """Hears a mix: `heard(dry, sent)` gives what stands in the room, tail and all."""

    direct: Samples  # (1, TAPS): the tone alone
    echoes: Samples  # (2, frames): the room, with the tone

    def window(self, frames: int) -> int:
        """How much to hear at a time: all of a short piece, or what makes the FFT a round size."""
        return min(frames, WINDOW_FFT - int(self.echoes.shape[1]))

    def heard(self, dry: Samples, sent: Samples) -> Samples:
        """The dry sound and its echoes, (2, frames), as much longer as the room rings, and DELAY samples late."""
        length = dry.shape[1] + self.echoes.shape[1]
        size = fast_length(length)
        spectrum = np.fft.rfft(dry, size) * _spectrum(self, size, 0)
        spectrum += np.fft.rfft(sent, size) * _spectrum(self, size, 1)
        return as_samples(np.fft.irfft(spectrum, size)[:, :length])


@lru_cache(maxsize=16)
def room_for(space: str, colour: str) -> Room:
    tone = _tone(colour)
    return Room(tone[None, :], _echoes(SPACES[space], tone))


@lru_cache(maxsize=8)
def _spectrum(room: Room, size: int, which: int) -> NDArray[np.complex64]:
    return np.asarray(np.fft.rfft(room.echoes if which else room.direct, size), np.complex64)


def _tone(colour: str) -> Samples:
    """The colour as a filter, delayed so that it starts after zero, and a high-pass (second order) with it."""
    points = np.array(COLOURS[colour])
    hertz = np.maximum(np.fft.rfftfreq(2 * TAPS, 1 / SAMPLE_RATE), 1e-3)
    gain_db = np.interp(np.log(hertz), np.log(points[:, 0]), points[:, 1])
    ratio = 1j * hertz / LOWEST_HZ
    passed = ratio**2 / (ratio**2 + 2**0.5 * ratio + 1)
    delayed = np.exp(-2j * np.pi * hertz * DELAY / SAMPLE_RATE)
    impulse = np.fft.irfft(10 ** (gain_db / 20) * passed * delayed)[:TAPS]
    return as_samples(impulse - impulse.mean())


def _echoes(space: Space, tone: Samples) -> Samples:
    """A room made of noise: a few early reflections, then a tail that dies faster the higher it sounds."""
    frames = round(space.decay_s * SAMPLE_RATE)
    chance = noise_of("room", space.decay_s)
    time = as_samples(np.arange(frames) / SAMPLE_RATE)
    tail = _tail(chance, space, time)
    for number in range(7):
        place = round((0.004 + 0.045 * chance.random()) * SAMPLE_RATE)
        tail[number % 2, place] += 2.5 * (0.8**number)
    tail *= np.float32(space.level / np.sqrt(np.sum(np.square(tail)) / 2))
    late = round(space.delay_s * SAMPLE_RATE)
    size = fast_length(frames + TAPS)
    wet = np.fft.irfft(np.fft.rfft(tail, size) * np.fft.rfft(tone, size), size)
    echoes = np.zeros((2, frames + late + TAPS), np.float32)
    echoes[:, late:] = wet[:, : frames + TAPS]
    return echoes


def _tail(chance: np.random.Generator, space: Space, time: Samples) -> Samples:
    """Two bands of noise, the upper one dying twice as fast, on two sides that have nothing in common."""
    size = fast_length(len(time))
    white = chance.standard_normal((2, size + 2), dtype=np.float32).view(np.complex64) * np.float32((size / 2) ** 0.5)
    middle = space.bright_hz / 3
    low = np.fft.irfft(white * band(size, 120.0, middle, 1.0), size)[:, : len(time)]
    high = np.fft.irfft(white * band(size, middle, space.bright_hz, 1.0), size)[:, : len(time)]
    fall = np.exp(np.float32(-6.9 / space.decay_s) * time)
    return as_samples((low * fall + 0.8 * high * fall**2) * np.minimum(time / np.float32(0.012), 1.0))

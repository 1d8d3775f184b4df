"""The room a piece stands in, and the tone it's heard with: two impulse responses, one FFT."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.local_gateway.composer.chance import seed_of
from pipeline.local_gateway.composer.instruments.shaping import filtered
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples

TAPS: Final = 8192  # of the tone filter: long enough for what it does below 40 Hz
DELAY: Final = 256  # samples by which it delays
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

    def heard(self, dry: Samples, sent: Samples) -> Samples:
        """The dry sound and its echoes, (2, frames), as much longer as the room rings."""
        length = dry.shape[1] + self.echoes.shape[1]
        size = fast_length(length)
        spectrum = np.fft.rfft(dry, size) * _spectrum(self, size, 0)
        spectrum += np.fft.rfft(sent, size) * _spectrum(self, size, 1)
        return np.fft.irfft(spectrum, size)[:, DELAY:length].astype(np.float32, copy=False)


@lru_cache(maxsize=16)
def room_for(space: str, colour: str) -> Room:
    tone = _tone(colour)
    return Room(tone[None, :], _echoes(SPACES[space], tone))


@lru_cache(maxsize=8)
def _spectrum(room: Room, size: int, which: int) -> NDArray[np.complex64]:
    return np.fft.rfft(room.echoes if which else room.direct, size)


def fast_length(least: int) -> int:
    """The next length whose FFT is quick: a power of two, or three quarters of one."""
    power = 1 << (least - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= least else power


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
    chance = np.random.Generator(np.random.PCG64(seed_of("room", space.decay_s) & ((1 << 64) - 1)))
    time = np.arange(frames) / SAMPLE_RATE
    noise = chance.standard_normal((2, frames), dtype=np.float32)
    low = filtered(noise, 120.0, space.bright_hz / 3, 1.0) * np.exp(-6.9 * time / space.decay_s)
    high = filtered(noise, space.bright_hz / 3, space.bright_hz, 1.0) * np.exp(-6.9 * time / (0.5 * space.decay_s))
    tail = (low + 0.8 * high) * np.minimum(time / 0.012, 1.0)
    for number in range(7):
        place = round((0.004 + 0.045 * chance.random()) * SAMPLE_RATE)
        tail[number % 2, place] += 2.5 * (0.8**number)
    tail /= np.sqrt(np.sum(np.square(tail)) / 2)
    late = round(space.delay_s * SAMPLE_RATE)
    shaped = np.zeros((2, frames + late + TAPS), np.float32)
    size = fast_length(shaped.shape[1])
    wet = np.fft.irfft(np.fft.rfft(tail, size) * np.fft.rfft(tone, size), size)
    shaped[:, late:] = wet[:, : frames + TAPS] * space.level
    return shaped

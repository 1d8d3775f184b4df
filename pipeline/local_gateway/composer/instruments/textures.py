"""Places rather than notes: rain, a record's crackle, wind, the sea. Each fills its time and joins its beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.shaping import band
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples, at_level

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.local_gateway.composer.instruments.strike import Strike


def play(strike: Strike) -> Samples:
    """The place named by the strike, (2, frames), circular: its end runs on into its start."""
    chance = strike.noise()
    return at_level(TEXTURES[strike.instrument](chance, strike.frames))


def _coloured(chance: np.random.Generator, frames: int, low_hz: float, high_hz: float, steepness: float) -> Samples:
    """Noise of one band, made in the frequency domain, and so without a seam."""
    bins = frames // 2 + 1
    gain = band(frames, low_hz, high_hz, steepness)
    spectrum = chance.standard_normal(2 * bins, dtype=np.float32).view(np.complex64) * gain
    return at_level(np.fft.irfft(spectrum, frames).astype(np.float32, copy=False))


def _wide(make: Callable[[], Samples]) -> Samples:
    left, right = make(), make()
    return np.stack((left + np.float32(0.3) * right, right + np.float32(0.3) * left))


def _waves(frames: int, turns: int, chance: np.random.Generator) -> Samples:
    """A slow swell between 0 and 1 that comes round a whole number of times."""
    around = np.arange(frames, dtype=np.float32) * np.float32(2 * np.pi / frames)
    first, second = chance.random(2) * 6.283
    swell = np.sin(turns * around + np.float32(first)) + 0.5 * np.sin((turns + 1) * around + np.float32(second))
    return as_samples(0.5 + swell / 3.0)


def _clicks(chance: np.random.Generator, frames: int, per_second: float, length: int) -> Samples:
    """Short ticks at random moments on random sides, some loud, most soft."""
    sound = np.zeros((2, frames + length), np.float32)
    fall = np.exp(-np.arange(length) / (length / 5.0)).astype(np.float32)
    count = max(1, int(per_second * frames / SAMPLE_RATE))
    starts = chance.integers(0, frames, count)
    sides, heights = chance.random(count), chance.random(count) ** 5
    for start, side, height in zip(starts, sides, heights, strict=True):
        grain = chance.standard_normal(length, dtype=np.float32) * fall * np.float32(height)
        sound[0, start : start + length] += grain * np.float32(1 - side)
        sound[1, start : start + length] += grain * np.float32(side)
    sound[:, :length] += sound[:, frames:]
    return sound[:, :frames]


def _rain(chance: np.random.Generator, frames: int) -> Samples:
    hush = _wide(lambda: _coloured(chance, frames, 900, 6000, 1.0))
    return as_samples(0.7 * hush + 0.5 * _clicks(chance, frames, 45, 260))


def _vinyl(chance: np.random.Generator, frames: int) -> Samples:
    hiss = _wide(lambda: _coloured(chance, frames, 400, 9000, 1.0))
    rumble = _coloured(chance, frames, 20, 90, 2.0)
    return as_samples(_clicks(chance, frames, 11, 60) + 0.1 * hiss + 0.15 * rumble)


def _wind(chance: np.random.Generator, frames: int) -> Samples:
    turns = max(1, frames // (7 * SAMPLE_RATE))
    low = _wide(lambda: _coloured(chance, frames, 180, 600, 2.0)) * _waves(frames, turns, chance)
    high = _wide(lambda: _coloured(chance, frames, 600, 1500, 2.0)) * _waves(frames, turns + 1, chance)
    return as_samples(low + 0.5 * high)


def _sea(chance: np.random.Generator, frames: int) -> Samples:
    turns = max(1, frames // (8 * SAMPLE_RATE))
    surf = _wide(lambda: _coloured(chance, frames, 300, 5000, 1.0)) * _waves(frames, turns, chance) ** 2
    return as_samples(surf + 0.5 * _wide(lambda: _coloured(chance, frames, 50, 400, 1.0)))


def _fire(chance: np.random.Generator, frames: int) -> Samples:
    glow = _wide(lambda: _coloured(chance, frames, 60, 500, 1.0))
    return as_samples(0.4 * glow + _clicks(chance, frames, 14, 180))


def _night(chance: np.random.Generator, frames: int) -> Samples:
    """Crickets: two narrow high tones that pulse, and air."""
    around = np.arange(frames, dtype=np.float64) / frames
    pulses = max(1, frames // SAMPLE_RATE) * np.array([13, 17])
    chirps = [_coloured(chance, frames, hertz, hertz, 12.0) for hertz in (4100.0, 4700.0)]
    gates = [np.maximum(np.sin(2 * np.pi * count * around), 0).astype(np.float32) ** 2 for count in pulses]
    rests = _waves(frames, max(1, frames // (3 * SAMPLE_RATE)), chance)
    air = _wide(lambda: _coloured(chance, frames, 150, 900, 1.0))
    return as_samples(0.5 * air + np.stack((chirps[0] * gates[0] * rests, chirps[1] * gates[1] * (1 - rests))))


TEXTURES: Final[dict[str, Callable[[np.random.Generator, int], Samples]]] = {
    "rain": _rain,
    "vinyl": _vinyl,
    "wind": _wind,
    "sea": _sea,
    "fire": _fire,
    "night": _night,
}

"""What sound is here: arrays of float32 at one sample rate."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.local_gateway.composer.chance import seed_of

SAMPLE_RATE: Final = 44_100

Samples = NDArray[np.float32]  # (frames,) for one channel, (2, frames) for two; full scale is 1.0


def as_samples(values: ArrayLike) -> Samples:
    """Values of any kind as samples, without a copy where they are samples already."""
    return np.asarray(values, np.float32)


def noise_of(*names: object) -> np.random.Generator:
    """Noise that is the same in every process, named by what it's for."""
    return np.random.Generator(np.random.PCG64(seed_of(*names)))


def hertz_of(pitch: float) -> float:
    """The frequency of a MIDI pitch, equal temperament, A4 (69) at 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def seconds(frames: int) -> NDArray[np.float64]:
    """The time of each of `frames` samples, from 0. float64: a phase in float32 drifts audibly within a minute."""
    return np.arange(frames, dtype=np.float64) / SAMPLE_RATE


def at_level(sound: Samples, level: float = 0.1) -> Samples:
    """`sound` scaled so that the loudest tenth of a second has root mean square `level`; silence stays silent."""
    energy = (np.square(sound[0]) + np.square(sound[1])) / 2 if sound.ndim > 1 else np.square(sound)
    block = min(len(energy), SAMPLE_RATE // 10)
    whole = len(energy) // block * block
    loudest = float(np.sqrt(energy[:whole].reshape(-1, block).mean(axis=1).max()))
    return sound * np.float32(level / loudest) if loudest > 0 else sound


def fast_length(least: int) -> int:
    """The next length whose FFT is quick: a power of two, or three quarters of one."""
    power = 1 << (least - 1).bit_length()
    return power * 3 // 4 if power * 3 // 4 >= least else power

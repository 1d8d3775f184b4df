"""One cycle of a wave, read at any pitch: for sounds whose pitch moves (vibrato, glides) while they last."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.local_gateway.composer.sound import as_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.local_gateway.composer.sound import Samples

CYCLE = 4096
HIGHEST_HZ = 16_000.0
MOST_HARMONICS = 200

Formants = tuple[tuple[float, float, float], ...]  # (Hz, bandwidth in Hz, gain)


def harmonics_below(hertz: float, most: int = MOST_HARMONICS) -> NDArray[np.float64]:
    """The harmonics' numbers (1, 2, ...) that may sound at this pitch without folding back."""
    return np.arange(1, max(2, min(most, int(HIGHEST_HZ / hertz)) + 1), dtype=np.float64)


def body(hertz: NDArray[np.float64], formants: Formants, floor: float) -> NDArray[np.float64]:
    """The gain of a body with these resonances, at each frequency; `floor` is its gain between them."""
    gain = np.full_like(hertz, floor)
    for centre, width, height in formants:
        gain += height / (1.0 + ((hertz - centre) / (width / 2)) ** 2)
    return gain


def cycle_of(amplitudes: NDArray[np.float64], *, spread: bool = True) -> Samples:
    """One cycle with these harmonics, at root mean square 1.

    `spread` gives them phases that keep the wave's peaks low (Schroeder's), else all are sines.
    """
    order = np.arange(1, len(amplitudes) + 1)
    phases = -np.pi * order * (order - 1) / len(order) if spread else np.full(len(order), -np.pi / 2)
    spectrum = np.zeros(CYCLE // 2 + 1, np.complex64)
    spectrum[1 : len(order) + 1] = amplitudes * np.exp(1j * phases)
    cycle = np.fft.irfft(spectrum).astype(np.float32)
    return cycle / np.float32(np.sqrt(np.mean(np.square(cycle))) + 1e-12)


@lru_cache(maxsize=256)
def timbre(hertz: float, slope: float, formants: Formants, floor: float, rolloff_hz: float) -> Samples:
    """One cycle whose harmonics fall as k^-slope, through a body, and more steeply above `rolloff_hz`."""
    order = harmonics_below(hertz)
    at = order * hertz
    return cycle_of(order**-slope * body(at, formants, floor) / (1.0 + (at / rolloff_hz) ** 2))


@lru_cache(maxsize=256)
def pulse(hertz: float, duty: float) -> Samples:
    """A rectangular wave that is high for `duty` of its cycle, without what would fold back."""
    order = harmonics_below(hertz)
    return cycle_of(np.sin(np.pi * order * duty) / order, spread=False)


def read(cycle: Samples, phase: NDArray[np.float64]) -> Samples:
    """The wave at each `phase`, in cycles."""
    return as_samples(cycle[(phase * CYCLE).astype(np.int64) & (CYCLE - 1)])

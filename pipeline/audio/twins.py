"""Are two takes of a track nearly the same? Then one of them was money for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.audio.channels import middle
from pipeline.audio.decoding import decode
from pipeline.audio.loop_alignment import correlation

if TYPE_CHECKING:
    from pipeline.audio.sound import Samples, Sound

_TWINS_FROM: Final = 0.95
_COARSE_HZ: Final = 4_000
_LEAST_OVERLAP: Final = 0.5  # of the shorter one


def twin_sources(one: str, other: str) -> float | None:
    """By how much two source files correlate, if they are nearly the same. Raises AudioError."""
    return twin_correlation(decode(one), decode(other))


def twin_correlation(one: Sound, other: Sound) -> float | None:
    """By how much two takes correlate, over 0.95, at another level or a little later perhaps; None: they are no twins.

    Takes of different rates are none.
    """
    if one.sample_rate != other.sample_rate:
        return None
    alike = likeness(middle(one.samples), middle(other.samples), one.sample_rate)
    return alike if alike > _TWINS_FROM else None


def likeness(one: Samples, other: Samples, sample_rate: int) -> float:
    """The correlation of two signals where they match best; they must overlap by half of the shorter one."""
    thinning = max(1, sample_rate // _COARSE_HZ)
    coarse = _coarse_shift(_thinned(one, thinning), _thinned(other, thinning)) * thinning
    return max(_correlation_at(one, other, shift) for shift in range(coarse - thinning, coarse + thinning + 1))


def _thinned(signal: Samples, thinning: int) -> Samples:
    """The mean of each `thinning` samples: enough to see where two signals match."""
    pieces = max(1, len(signal) // thinning)
    means: Samples = signal[: pieces * thinning].reshape(pieces, -1).mean(axis=1)
    return means


def _coarse_shift(one: Samples, other: Samples) -> int:
    """How many samples later in `other` the same is, where they match best."""
    size = 1 << (len(one) + len(other) - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(other, size) * np.fft.rfft(one, size).conj(), size)
    shifts = np.arange(size)
    shifts[size // 2 :] -= size
    overlaps = np.minimum(len(one), len(other) - shifts) - np.maximum(0, -shifts)
    products[overlaps < _LEAST_OVERLAP * min(len(one), len(other))] = -np.inf
    return int(shifts[products.argmax()])


def _correlation_at(one: Samples, other: Samples, shift: int) -> float:
    first, second = one[max(0, -shift) :], other[max(0, shift) :]
    length = min(len(first), len(second))
    return correlation(first[:length], second[:length])

"""The end of a loop, moved to the very sample at which its music is where its start is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pipeline.audio.sound import Samples

_REACH_S: Final = 0.035
_COMPARED_S: Final = 1.0  # to either side


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the end belongs, in frames, and how alike both sides are there: their correlation, -1 to 1."""

    end: int
    correlation: float


def align(signal: Samples, start: int, end: int, sample_rate: int, doubt: int = 0) -> Alignment:
    """Move `end` to where the second before and after it is most like that around `start`.

    By up to 35 ms, or by `doubt` frames where that is more.
    """
    reach = max(round(_REACH_S * sample_rate), doubt)
    half = min(round(_COMPARED_S * sample_rate), start, len(signal) - end - reach - 1)
    if half < reach:
        return Alignment(end, 0.0)
    reach = min(reach, end - half)
    piece = signal[start - half : start + half]
    searched = signal[end - half - reach : end + half + reach]
    # Differences from sample to sample: without them the bass would decide, and its peak is a broad one.
    moved = int(_correlations(np.diff(piece), np.diff(searched)).argmax())
    matched = searched[moved : moved + 2 * half]
    return Alignment(end + moved - reach, correlation(piece, matched))


def correlation(one: Samples, other: Samples) -> float:
    """Of two stretches of the same length, -1 to 1; 0 where one is silent."""
    energy = dot(one, one) * dot(other, other)
    return dot(one, other) / energy**0.5 if energy > 0 else 0.0


def dot(one: Samples, other: Samples) -> float:
    """The sum of both signals' products, on this thread alone: a BLAS would wake others, and spin on them."""
    return float(np.einsum("f,f->", one, other))


def _correlations(piece: Samples, searched: Samples) -> Samples:
    """The correlation of `piece` with each stretch of `searched` that is as long as it."""
    size = 1 << (len(searched) - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(searched, size) * np.fft.rfft(piece, size).conj(), size)
    count = len(searched) - len(piece) + 1
    sums = np.concatenate([[0.0], np.cumsum(searched.astype(np.float64) ** 2)])
    energy = sums[len(piece) :] - sums[: -len(piece)]
    correlations: Samples = products[:count] / np.sqrt(np.maximum(energy, energy.max() * 1e-6 + 1e-30))
    return correlations

"""Additive synthesis: sums of decaying sinusoids, as one matrix product.

A decaying sinusoid is a power of one complex number, and z^(aB + b) = z^(aB) z^b: the powers at the starts of blocks
of B samples, times the powers within a block. Summing over partials is then a product of two small matrices, some
fifty times faster than one `sin` for each partial.

The product is taken in batches too small for BLAS to share out among threads: what threads there are must not decide
how sums are rounded, and the same note must have the same bits in every process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BLOCK = 256
BATCH = 1000  # rows times columns of a batch's left matrix
HIGHEST_HZ = 17_000.0
SIXTY_DB = 6.907755


def ring(hertz: ArrayLike, amplitudes: ArrayLike, decays_s: ArrayLike, phases: ArrayLike, frames: int) -> Samples:
    """Partials that all start at once and die away, each down 60 dB after its own `decays_s`.

    Partials above 17 kHz are left out: nothing can fold back.
    """
    heard = np.asarray(hertz, np.float64) < HIGHEST_HZ
    rate = (2j * np.pi * np.asarray(hertz) - SIXTY_DB / np.asarray(decays_s))[heard]
    first = (np.asarray(amplitudes) * np.exp(1j * np.asarray(phases)))[heard]
    starts = np.exp(np.outer(np.arange(-(-frames // BLOCK)) * (BLOCK / SAMPLE_RATE), rate)) * first
    within = np.exp(np.outer(rate, np.arange(BLOCK) / SAMPLE_RATE))
    left = np.concatenate((starts.real, -starts.imag), axis=1)
    right = np.concatenate((within.real, within.imag), axis=0).astype(np.float32)
    return (_batches(left) @ right).reshape(-1)[:frames]


def _batches(left: NDArray[np.float64]) -> Samples:
    blocks, columns = left.shape
    rows = max(1, BATCH // columns)
    padded = np.zeros((-(-blocks // rows) * rows, columns), np.float32)
    padded[:blocks] = left
    return padded.reshape(-1, rows, columns)

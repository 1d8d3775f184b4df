"""The last stage: one loudness for every piece, peaks rounded off below the ceiling, and sixteen bits."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGET_LUFS: Final = -16.0
CEILING: Final = 0.84  # -1.5 dBFS
KNEE: Final = 0.5  # below it nothing is touched
BLOCK: Final = 16_384
MOST_ROUNDED: Final = 0.002  # the share of samples that may pass the knee


def mastered(mix: Samples) -> NDArray[np.int16]:
    """`mix` (2, frames) at the target loudness, as (frames, 2); softer where peaks forbid it. Changes `mix`."""
    loudness = loudness_of(mix)
    if loudness is not None:
        mix *= np.float32(min(10 ** ((TARGET_LUFS - loudness) / 20), _headroom(mix)))
    pcm = np.empty((mix.shape[1], 2), np.int16)
    for start in range(0, mix.shape[1], 1 << 20):
        block = mix[:, start : start + (1 << 20)]
        pcm[start : start + (1 << 20)] = np.round(rounded(block).T * 32767.0).astype(np.int16)
    return pcm


def rounded(sound: Samples) -> Samples:
    """`sound` with everything above the knee bent, ever more gently, towards the ceiling."""
    size = np.abs(sound)
    over = np.maximum(size - KNEE, 0.0) / (CEILING - KNEE)
    return as_samples(np.sign(sound) * (np.minimum(size, KNEE) + (CEILING - KNEE) * np.tanh(over)))


def _headroom(mix: Samples) -> float:
    """The most gain that leaves all but a few samples below the knee, and those few not far above it."""
    spaced = np.abs(mix[:, :: max(1, mix.shape[1] // 200_000)]).max(axis=0)
    usual = float(np.sort(spaced)[int((1 - MOST_ROUNDED) * (len(spaced) - 1))])
    peak = max(float(mix.max()), -float(mix.min()))
    return min(1.15 * KNEE / max(usual, 1e-9), 2.2 * CEILING / max(peak, 1e-9))


def loudness_of(mix: Samples) -> float | None:
    """About the integrated loudness in LUFS (ITU-R BS.1770-4, in blocks of 0.37 s); None for silence."""
    frames = mix.shape[1]
    powers = []
    for start in range(0, frames, BLOCK):
        block = mix[:, start : start + BLOCK]
        spectrum = np.fft.rfft(block, BLOCK)
        energy = (np.square(spectrum.real) + np.square(spectrum.imag)) * _weighting()
        powers.append(float(energy.sum()) * 2 / BLOCK / block.shape[1])
    found = np.array(powers)
    loud = found[found > 10 ** ((-70 + 0.691) / 10)]
    if not len(loud):
        return None
    gated = loud[loud > loud.mean() * 0.1]
    return float(-0.691 + 10 * np.log10(gated.mean()))


@lru_cache(maxsize=1)
def _weighting() -> Samples:
    """The power response of K-weighting at each bin: its shelf and its high-pass, from their biquads at 48 kHz."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(BLOCK, 1 / SAMPLE_RATE) / 48_000)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return as_samples(np.abs(shelf * high) ** 2)

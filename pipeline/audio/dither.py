"""Samples as whole numbers of 16 or 24 bits.

16 bits are dithered: a triangle of one step either way (TPDF) turns rounding's distortion into a faint, even noise. It
comes from a fixed seed, by a generator whose raw stream numpy promises never to change: the same sound gives the same
bytes, everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pipeline.audio.sound import Samples

_SEED: Final = 20_250_101
_BLOCK_FRAMES: Final = 65_536
_STEPS_16: Final = 1 << 15
_STEPS_24: Final = 1 << 23


def as_16_bit(samples: Samples) -> npt.NDArray[np.int16]:
    """Dithered and clipped to 16 bits. Samples that all lie on 16-bit steps already stay as they are."""
    steps = np.empty(samples.shape, np.int16)
    noise = None if _on_grid(samples) else np.random.PCG64(_SEED)
    for start in range(0, len(samples), _BLOCK_FRAMES):
        block = samples[start : start + _BLOCK_FRAMES] * np.float32(_STEPS_16)
        if noise is not None:
            block += _triangle(noise, block.size).reshape(block.shape)
        steps[start : start + _BLOCK_FRAMES] = np.clip(np.rint(block), -_STEPS_16, _STEPS_16 - 1)
    return steps


def as_24_bit(samples: Samples) -> npt.NDArray[np.int32]:
    """Rounded and clipped to 24 bits, in the upper bits of 32."""
    steps = np.empty(samples.shape, np.int32)
    for start in range(0, len(samples), _BLOCK_FRAMES):
        block = samples[start : start + _BLOCK_FRAMES].astype(np.float64) * _STEPS_24
        steps[start : start + _BLOCK_FRAMES] = np.clip(np.rint(block), -_STEPS_24, _STEPS_24 - 1)
    return steps << 8


def clipped_frames(samples: Samples) -> int:
    """How many frames whole numbers can't hold: those with a sample over full scale."""
    if samples.min() >= -1.0 and samples.max() <= 1.0:
        return 0
    return int(np.count_nonzero((np.abs(samples) > 1.0).any(axis=1)))


def _on_grid(samples: Samples) -> bool:
    for start in range(0, len(samples), _BLOCK_FRAMES):
        block = samples[start : start + _BLOCK_FRAMES] * np.float32(_STEPS_16)
        if not np.array_equal(block, np.rint(block)):
            return False
    return True


def _triangle(noise: np.random.PCG64, count: int) -> Samples:
    """`count` values between -1 and 1: each the sum of two uniform ones, cut from 64 random bits two at a time."""
    words = noise.random_raw(-(-count // 2)).astype("<u8")
    uniform = words.view("<u2").astype(np.float32)
    triangle: Samples = (uniform[::2] + uniform[1::2] + 1)[:count] / np.float32(1 << 16) - 1
    return triangle

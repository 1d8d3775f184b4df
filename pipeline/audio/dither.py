"""Samples as whole numbers of 16 or 24 bits.

16 bits are dithered: a triangle of one step either way (TPDF) turns rounding's distortion into a faint, even noise. It
comes from a fixed seed, by a generator whose raw stream numpy promises never to change: the same sound gives the same
bytes, everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.audio.sound import Samples

Integer = TypeVar("Integer", np.int16, np.int32)

_SEED: Final = 20_250_101
_BLOCK_FRAMES: Final = 65_536
_STEPS_16: Final = 1 << 15
_STEPS_24: Final = 1 << 23


def as_16_bit(samples: Samples) -> npt.NDArray[np.int16]:
    """Dithered and clipped to 16 bits. Samples that all lie on 16-bit steps already stay as they are."""
    return _whole(blocks_of_16_bit(samples), samples, np.int16)


def blocks_of_16_bit(samples: Samples) -> Iterator[npt.NDArray[np.int16]]:
    """The same, a block at a time."""
    noise = None if _on_grid(samples) else np.random.PCG64(_SEED)
    for start in range(0, len(samples), _BLOCK_FRAMES):
        block = samples[start : start + _BLOCK_FRAMES] * np.float32(_STEPS_16)
        if noise is not None:
            block += _triangle(noise, block.size).reshape(block.shape)
        yield np.clip(np.rint(block), -_STEPS_16, _STEPS_16 - 1).astype(np.int16)


def as_24_bit(samples: Samples) -> npt.NDArray[np.int32]:
    """Rounded and clipped to 24 bits, in the upper bits of 32."""
    return _whole(blocks_of_24_bit(samples), samples, np.int32)


def blocks_of_24_bit(samples: Samples) -> Iterator[npt.NDArray[np.int32]]:
    """The same, a block at a time."""
    for start in range(0, len(samples), _BLOCK_FRAMES):
        block = samples[start : start + _BLOCK_FRAMES].astype(np.float64) * _STEPS_24
        yield np.clip(np.rint(block), -_STEPS_24, _STEPS_24 - 1).astype(np.int32) << 8


def _whole(blocks: Iterable[npt.NDArray[Integer]], samples: Samples, kind: type[Integer]) -> npt.NDArray[Integer]:
    whole = np.empty(samples.shape, kind)
    for number, block in enumerate(blocks):
        whole[number * _BLOCK_FRAMES :][: len(block)] = block
    return whole


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

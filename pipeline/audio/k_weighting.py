"""K-weighting: how loud a signal's power counts, by frequency (ITU-R BS.1770-4, Annex 1).

The standard's two biquads, exactly, but a block of frames at a time: a linear filter's next 64 values are a matrix
times the next 64 samples, plus another times the state it was left in ("lifting"). So numpy's matrix product does in
one call what sample by sample needs a loop for, at a third of what a Fourier transform costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import pi, tan
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.audio.sound import Sound

Powers: TypeAlias = npt.NDArray[np.float64]
Matrix: TypeAlias = npt.NDArray[np.float64]

#: A step of 20 ms: a tone of 400 ms is seen whole wherever it begins (EBU Tech 3341, case 13).
STEPS_A_SECOND: Final = 50

_STATES: Final = 4  # two of each biquad
_BLOCK: Final = 64  # frames that one product filters
_GROUP: Final = 16  # blocks whose states one product finds
# Rows that one product takes: a larger product is shared among threads, which spin, and steal from other workers.
_ROWS: Final = 32
_FRAMES_AT_ONCE: Final = _BLOCK * _GROUP * _GROUP  # of float64 and stereo: what the processor's second cache holds


def step_energies(sound: Sound) -> tuple[Powers, Powers]:
    """The K-weighted energy of each whole fiftieth of a second, summed over channels; and how many frames each has.

    Every channel counts as one: sound here is mono or stereo.
    """
    steps = int(sound.frames * STEPS_A_SECOND // sound.sample_rate)
    edges = np.round(np.arange(steps + 1) * sound.sample_rate / STEPS_A_SECOND).astype(np.int64)
    energies = np.zeros(steps + 1)  # the last takes what is left over
    for start, power in weighted_power(sound):
        first, last = np.searchsorted(edges, [start, start + len(power) - 1], side="right") - 1
        cuts = np.maximum(edges[first : last + 1] - start, 0)
        energies[first : last + 1] += np.add.reduceat(power, cuts)
    return energies[:steps], np.diff(edges).astype(np.float64)


def weighted_power(sound: Sound) -> Iterator[tuple[int, Powers]]:
    """The power of each K-weighted frame, summed over channels, in blocks, each with its first frame's number."""
    lifted = _lifted_filter(sound.sample_rate)
    state = np.zeros((sound.channels, _STATES))
    # The same memory for every block: fresh pages would cost as much as the filter.
    samples = np.zeros((sound.channels, _FRAMES_AT_ONCE))
    for start in range(0, sound.frames, _FRAMES_AT_ONCE):
        fresh = sound.samples[start : start + _FRAMES_AT_ONCE].T
        samples[:, : fresh.shape[1]] = fresh
        samples[:, fresh.shape[1] :] = 0
        weighted, state = lifted.weigh(samples, state)
        weighted = weighted[:, : fresh.shape[1]]
        yield start, np.einsum("cf,cf->f", weighted, weighted)


@dataclass(frozen=True, slots=True)
class _Filter:
    """A linear filter in state space: at states s, the input x gives the value s c + x d and the states s a + x b."""

    a: Matrix  # (states, states)
    b: Matrix  # (inputs, states)
    c: Matrix  # (states, values)
    d: Matrix  # (inputs, values)

    def then(self, after: _Filter) -> _Filter:
        """This filter, and `after` on its values."""
        return _Filter(
            np.block([[self.a, self.c @ after.b], [np.zeros((len(after.a), len(self.a))), after.a]]),
            np.hstack([self.b, self.d @ after.b]),
            np.vstack([self.c @ after.d, after.c]),
            self.d @ after.d,
        )

    def lifted(self, steps: int) -> _Filter:
        """The same filter, of which one input is `steps` inputs in a row, and so are its values."""
        whole = self
        for _ in range(steps - 1):
            whole = _Filter(
                whole.a @ self.a,
                np.vstack([whole.b @ self.a, self.b]),
                np.hstack([whole.c, whole.a @ self.c]),
                np.block(
                    [[whole.d, whole.b @ self.c], [np.zeros((len(self.d), whole.d.shape[1])), self.d]],
                ),
            )
        return whole


@dataclass(frozen=True, slots=True)
class _LiftedFilter:
    """K-weighting, `_BLOCK` frames at a time; and what finds each block's state before it, in two stages."""

    frames: _Filter
    blocks: _Filter  # the states before each block of a group, from what each block leaves
    groups: _Filter  # the states before each group, from what each group leaves

    def weigh(self, samples: Matrix, state: Matrix) -> tuple[Matrix, Matrix]:
        """(channels, _FRAMES_AT_ONCE) K-weighted, and the state after it."""
        channels = len(samples)
        blocks = samples.reshape(-1, _ROWS, _BLOCK)
        left = (blocks @ self.frames.b).reshape(channels, _GROUP, -1)
        left_by_groups = (left @ self.blocks.b).reshape(channels, -1)
        before_groups = (left_by_groups @ self.groups.d + state @ self.groups.c).reshape(channels, _GROUP, -1)
        before_blocks = (left @ self.blocks.d + before_groups @ self.blocks.c).reshape(-1, _ROWS, _STATES)
        weighted = blocks @ self.frames.d
        weighted += before_blocks @ self.frames.c
        return weighted.reshape(channels, -1), left_by_groups @ self.groups.b + state @ self.groups.a


@lru_cache(maxsize=4)
def _lifted_filter(sample_rate: int) -> _LiftedFilter:
    frames = _biquad(*_shelf(sample_rate)).then(_biquad(*_high_pass(sample_rate))).lifted(_BLOCK)
    blocks = _memory(frames).lifted(_GROUP)
    return _LiftedFilter(frames, blocks, _memory(blocks).lifted(_GROUP))


def _memory(of: _Filter) -> _Filter:
    """What carries the states of `of` on: its input is what a block leaves by itself, its value the state before it."""
    one, none = np.eye(_STATES), np.zeros((_STATES, _STATES))
    return _Filter(of.a, one, one, none)


def _biquad(numerator: tuple[float, ...], denominator: tuple[float, ...]) -> _Filter:
    """Transposed direct form II, a0 normalised to 1."""
    b0, b1, b2 = (one / denominator[0] for one in numerator)
    a1, a2 = (one / denominator[0] for one in denominator[1:])
    return _Filter(
        np.array([[-a1, -a2], [1.0, 0.0]]),
        np.array([[b1 - a1 * b0, b2 - a2 * b0]]),
        np.array([[1.0], [0.0]]),
        np.array([[b0]]),
    )


# The standard gives coefficients at 48 kHz only; these are the analogue filters behind them (as in libebur128), whose
# coefficients at 48 kHz are the standard's.
def _shelf(sample_rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The head's effect: +4 dB above 1.7 kHz."""
    k = tan(pi * 1681.974450955533 / sample_rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    numerator = (high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k)
    return numerator, (1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k)


def _high_pass(sample_rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The ear's deafness to the lowest: a high-pass at 38 Hz."""
    k = tan(pi * 38.13547087602444 / sample_rate)
    q = 0.5003270373238773
    norm = 1 + k / q + k * k
    return (1.0, -2.0, 1.0), (1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm)

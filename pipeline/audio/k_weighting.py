"""K-weighting: how loud a signal's power counts, by frequency (ITU-R BS.1770-4, Annex 1).

The standard's two biquads are applied as one frequency response, by overlap-save: the same to 0.0001 LU as filtering
sample by sample, in numpy alone.
"""

from __future__ import annotations

from functools import lru_cache
from math import pi, tan
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.audio.sound import Samples, Sound

Powers: TypeAlias = npt.NDArray[np.float64]
Response: TypeAlias = npt.NDArray[np.complex128]

#: A step of 20 ms: a tone of 400 ms is seen whole wherever it begins (EBU Tech 3341, case 13).
STEPS_A_SECOND: Final = 50

_HISTORY_S: Final = 0.05  # the filter's memory: what is left of it adds up to -83 dB
_SHORTEST_BLOCK: Final = 16_384  # of float64 and stereo: what the processor's second cache holds


def step_energies(sound: Sound) -> tuple[Powers, Powers]:
    """The K-weighted energy of each whole fiftieth of a second, summed over channels; and how many frames each has.

    Every channel counts as one: sound here is mono or stereo.
    """
    steps = int(sound.frames * STEPS_A_SECOND // sound.sample_rate)
    edges = np.round(np.arange(steps + 1) * sound.sample_rate / STEPS_A_SECOND).astype(np.int64)
    energies = np.zeros(steps + 1)  # the last takes what is left over
    for start, power in _weighted_power(sound):
        first, last = np.searchsorted(edges, [start, start + len(power) - 1], side="right") - 1
        cuts = np.maximum(edges[first : last + 1] - start, 0)
        energies[first : last + 1] += np.add.reduceat(power, cuts)
    return energies[:steps], np.diff(edges).astype(np.float64)


def _weighted_power(sound: Sound) -> Iterator[tuple[int, Powers]]:
    """The power of each K-weighted frame, summed over channels, in blocks, each with its first frame's number."""
    history = round(_HISTORY_S * sound.sample_rate)
    response = k_response(sound.sample_rate)
    size = 2 * (len(response) - 1)
    # The same memory for every block: fresh pages would cost as much as the transforms.
    block = np.zeros((sound.channels, size))
    spectrum = np.empty((sound.channels, len(response)), np.complex128)
    for start in range(0, sound.frames, size - history):
        _fill(block, sound.samples, start - history)
        np.fft.rfft(block, out=spectrum)
        np.multiply(spectrum, response, out=spectrum)
        weighted = np.fft.irfft(spectrum, size, out=block)
        fresh = weighted[:, history : history + sound.frames - start]
        yield start, np.einsum("cf,cf->f", fresh, fresh)


def _fill(block: Powers, samples: Samples, start: int) -> None:
    """The frames from `start` on into `block`, a row for each channel; silence where there are none."""
    before = max(0, -start)
    piece = samples[start + before : start + block.shape[1]]
    block[:, :before] = 0
    block[:, before : before + len(piece)] = piece.T
    block[:, before + len(piece) :] = 0


@lru_cache(maxsize=4)
def k_response(sample_rate: int) -> Response:
    """The frequency response of both filters in series, at the frequencies of a block's real FFT."""
    z = np.exp(-2j * pi * np.fft.rfftfreq(_block_frames(sample_rate)))
    response: Response = _biquad(z, *_shelf(sample_rate)) * _biquad(z, *_high_pass(sample_rate))
    return response


def _block_frames(sample_rate: int) -> int:
    """A power of two of which the filter's history is at most a quarter."""
    frames = _SHORTEST_BLOCK
    while frames < 4 * _HISTORY_S * sample_rate:
        frames *= 2
    return frames


def _biquad(z: Response, numerator: tuple[float, ...], denominator: tuple[float, ...]) -> Response:
    (b0, b1, b2), (a0, a1, a2) = numerator, denominator
    return (b0 + b1 * z + b2 * z**2) / (a0 + a1 * z + a2 * z**2)


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

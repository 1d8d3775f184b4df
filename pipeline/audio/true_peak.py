"""True peak: how high a signal rises between its samples (ITU-R BS.1770-4, Annex 2).

Six times oversampled by a 193-tap Kaiser-windowed sinc: the four times and 12 taps a phase that are usual read up to
1.6 dB too low where sound reaches up to half its sample rate, as hits of noise do. Most of a track is never
oversampled: a block that could not pass the highest peak so far, by the most that the filter can make of its samples
and of how they bend, is skipped.
"""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pipeline.audio.sound import Samples, Sound

#: How many frames share one peak where a whole sound's peaks are asked for.
CELL: Final = 16

_OVERSAMPLING: Final = 6
_TAPS: Final = 32  # of each phase; phase 0 is the sample itself
_HALF: Final = _TAPS // 2  # as long as a cell
_KAISER_BETA: Final = 6.0
_BLOCK: Final = 64
_BLOCKS_AT_ONCE: Final = 512  # few enough to stay in the processor's cache


def true_peak_dbtp(sound: Sound) -> float | None:
    """The highest true peak of any channel in dBTP. None for digital silence."""
    peak = max(_true_peak(channel) for channel in sound.samples.T)
    return 20 * log10(peak) if peak > 0 else None


def _phases() -> npt.NDArray[np.float64]:
    """(5, 32): the taps of the five points between two samples, the newest sample's first."""
    position = np.arange(_OVERSAMPLING * _TAPS + 1)
    sinc = np.sinc((position - position[-1] / 2) / _OVERSAMPLING)
    taps = sinc * np.kaiser(len(position), _KAISER_BETA)
    return np.stack([taps[phase:-1:_OVERSAMPLING] for phase in range(1, _OVERSAMPLING)])


def _most_by_bend(taps: npt.NDArray[np.float64]) -> tuple[float, float]:
    """(a, b): no point that `taps` give is over a times the highest sample and b times the sharpest bend around it.

    A bend is a second difference. `taps` are a straight line between the two middle samples, and a filter of bends.
    """
    total, moment = taps.sum(), taps @ np.arange(len(taps))
    later = moment - (_HALF - 1) * total
    bends = taps.copy()
    bends[_HALF - 1 : _HALF + 1] -= total - later, later
    return float(abs(total - later) + abs(later)), float(np.abs(np.cumsum(np.cumsum(bends))[:-2]).sum())


_PHASES: Final = _phases()
_ROUNDING: Final = 1.0001  # of single precision, so that bounds hold
_MOST_GAIN: Final = np.float32(np.abs(_PHASES).sum(axis=1).max() * _ROUNDING)  # 8.0 dB
_OF_SAMPLES, _OF_BENDS = (
    np.float32(max(each) * _ROUNDING) for each in zip((1.0, 0.0), *map(_most_by_bend, _PHASES), strict=True)
)
# Phases mirror each other, and the middle one itself. So sums and differences of the samples that lie as far from the
# middle serve two phases at once, and the middle one needs no differences.
_ONE_SIDE: Final = _PHASES[: _OVERSAMPLING // 2]
_OF_SUMS: Final = ((_ONE_SIDE + _ONE_SIDE[:, ::-1]) / 2)[:, :_HALF].astype(np.float32)
_OF_DIFFERENCES: Final = ((_ONE_SIDE - _ONE_SIDE[:, ::-1]) / 2)[:-1, :_HALF].astype(np.float32)


def cell_peaks(sound: Sound, above: float) -> Samples:
    """The true peak of each CELL frames, of all channels together, as linear values; 0 where none can pass `above`.

    A peak counts for the cell in which it lies; before the first sample and after the last one, for the nearest.
    """
    cells = -(-sound.frames // CELL)
    peaks = np.zeros(cells, np.float32)
    for channel in sound.samples.T:
        padded, reach, _ = _padded(channel, above)
        found = np.zeros((len(reach), _BLOCK // CELL), np.float32)
        blocks = np.flatnonzero(reach > above)
        for at in range(0, len(blocks), _BLOCKS_AT_ONCE):
            chosen = blocks[at : at + _BLOCKS_AT_ONCE]
            found[chosen] = _peaks_around(padded, chosen).reshape(-1, CELL, len(chosen)).max(axis=1).T
        in_cells = found.reshape(-1)  # of the newest samples that make them, half a filter later: one cell
        in_cells[1] = in_cells[:2].max()
        in_cells[cells] = in_cells[cells:].max()
        np.maximum(peaks, in_cells[1 : cells + 1], out=peaks)
    return peaks


def _true_peak(channel: Samples) -> float:
    """The highest absolute value on or between the samples of one channel, as a linear value."""
    padded, reach, highest = _padded(channel)
    candidates = np.flatnonzero(reach > highest)
    candidates = candidates[np.argsort(-reach[candidates], kind="stable")]
    for at in range(0, len(candidates), _BLOCKS_AT_ONCE):
        chosen = candidates[at : at + _BLOCKS_AT_ONCE]
        chosen = chosen[reach[chosen] > highest]
        if not len(chosen):
            break
        highest = max(highest, float(_peaks_around(padded, chosen).max()))
    return highest


def _padded(channel: Samples, above: float | None = None) -> tuple[Samples, Samples, float]:
    """A channel in whole blocks, one of silence first and the filter's run-out last; their reach; its highest sample.

    A block's reach is how high it might rise, by the most that the filter can make of it. It is not looked at closer
    where nothing can pass `above`; None: the highest sample.
    """
    blocks = -(-(len(channel) + _TAPS) // _BLOCK)
    padded = np.zeros((blocks + 1) * _BLOCK, np.float32)
    padded[_BLOCK : _BLOCK + len(channel)] = channel
    pieces = range(0, blocks + 1, _BLOCKS_AT_ONCE)
    heights = np.concatenate([_heights(padded, at) for at in pieces])
    highest = float(heights.max())
    around = np.maximum(heights[1:], heights[:-1])
    reach = around * _MOST_GAIN
    least = highest if above is None else above
    for at in pieces:
        own = slice(at, at + _BLOCKS_AT_ONCE)
        if len(reach[own]) and reach[own].max() > least:
            bends = _bends(padded, at)
            by_bends = around[own] * _OF_SAMPLES + np.maximum(bends[1:], bends[:-1])[: len(reach[own])] * _OF_BENDS
            np.minimum(reach[own], by_bends, out=reach[own])
    return padded, reach, highest


def _heights(padded: Samples, at: int) -> Samples:
    """The highest sample of each block from the one `at` on, as many as stay in the processor's cache."""
    piece = np.abs(padded[at * _BLOCK : (at + _BLOCKS_AT_ONCE) * _BLOCK])
    highest: Samples = np.maximum.reduceat(piece, np.arange(0, len(piece), _BLOCK))
    return highest


def _bends(padded: Samples, at: int) -> Samples:
    """The sharpest bend that ends in each block from the one `at` on, and in one block more."""
    piece = padded[max(0, at * _BLOCK - 2) : (at + 1 + _BLOCKS_AT_ONCE) * _BLOCK]
    steps = piece[1:] - piece[:-1]
    bends = np.subtract(steps[1:], steps[:-1])
    np.abs(bends, out=bends)
    # The very first block is silent: two bends less make no difference to it.
    starts = np.maximum(0, np.arange(0, len(piece), _BLOCK) - (0 if at else 2))
    sharpest: Samples = np.maximum.reduceat(bends, starts[starts < len(bends)])
    return sharpest


def _peaks_around(padded: Samples, blocks: npt.NDArray[np.int64]) -> Samples:
    """(_BLOCK, blocks): the highest absolute value from half a filter before each sample to the next one's place."""
    starts = (blocks + 1) * _BLOCK - (_TAPS - 1)
    windows = padded[np.arange(_BLOCK + _TAPS - 1)[:, np.newaxis] + starts]
    highest: Samples = np.abs(windows[_HALF - 1 : _HALF - 1 + _BLOCK])
    sums = np.zeros((len(_OF_SUMS), *highest.shape), np.float32)
    differences = np.zeros((len(_OF_DIFFERENCES), *highest.shape), np.float32)
    both, term = np.empty_like(highest), np.empty_like(highest)
    for age in range(_HALF):
        newest = _TAPS - 1 - age
        newer, older = windows[newest : newest + _BLOCK], windows[age : age + _BLOCK]
        np.add(newer, older, out=both)
        for point, taps in enumerate(_OF_SUMS):
            sums[point] += np.multiply(both, taps[age], out=term)
        np.subtract(newer, older, out=both)
        for point, taps in enumerate(_OF_DIFFERENCES):
            differences[point] += np.multiply(both, taps[age], out=term)
    np.abs(sums, out=sums)
    sums[:-1] += np.abs(differences, out=differences)  # the higher of |a + b| and |a - b|
    for points in sums:
        np.maximum(highest, points, out=highest)
    return highest

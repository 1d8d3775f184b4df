"""True peak: how high a signal rises between its samples (ITU-R BS.1770-4, Annex 2).

Four times oversampled by libebur128's 49-tap Hann-windowed sinc. Most of a track is never oversampled: a block whose
samples could not pass the highest peak so far, by the most that the filter can add to them, is skipped.
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

_OVERSAMPLING: Final = 4
_TAPS: Final = 12  # of each phase; phase 0 is the sample itself
_BLOCK: Final = 64
_BLOCKS_AT_ONCE: Final = 512  # few enough to stay in the processor's cache


def true_peak_dbtp(sound: Sound) -> float | None:
    """The highest true peak of any channel in dBTP. None for digital silence."""
    peak = max(_true_peak(channel) for channel in sound.samples.T)
    return 20 * log10(peak) if peak > 0 else None


def _phases() -> Samples:
    """(3, 12): the taps of the three points between two samples, the newest sample's first."""
    position = np.arange(_OVERSAMPLING * _TAPS + 1)
    sinc = np.sinc((position - position[-1] / 2) / _OVERSAMPLING)
    taps = sinc * (0.5 - 0.5 * np.cos(2 * np.pi * position / position[-1]))
    return np.stack([taps[phase::_OVERSAMPLING] for phase in range(1, _OVERSAMPLING)]).astype(np.float32)


_PHASES: Final = _phases()
_MOST_GAIN: Final = float(np.abs(_PHASES).sum(axis=1).max())  # 5.4 dB


def cell_peaks(sound: Sound, above: float) -> Samples:
    """The true peak of each CELL frames, of all channels together, as linear values; 0 where none can pass `above`.

    A peak counts for the cell in which the last sample that makes it lies: it may rise up to 11 frames before. So there
    is at least a cell more than the sound has.
    """
    peaks = np.zeros(0, np.float32)
    for channel in sound.samples.T:
        padded, reach, _ = _padded(channel)
        found = np.zeros((len(reach), _BLOCK // CELL), np.float32)
        blocks = np.flatnonzero(reach > above)
        for at in range(0, len(blocks), _BLOCKS_AT_ONCE):
            chosen = blocks[at : at + _BLOCKS_AT_ONCE]
            found[chosen] = _peaks_around(padded, chosen).reshape(-1, CELL, len(chosen)).max(axis=1).T
        peaks = np.maximum(peaks, found.reshape(-1)) if len(peaks) else found.reshape(-1)
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


def _padded(channel: Samples) -> tuple[Samples, Samples, float]:
    """A channel in whole blocks, one of silence first and the filter's run-out last; their reach; its highest sample.

    A block's reach is how high it might rise, by the most that the filter can add to its samples.
    """
    blocks = -(-(len(channel) + _TAPS) // _BLOCK)
    padded = np.zeros((blocks + 1) * _BLOCK, np.float32)
    padded[_BLOCK : _BLOCK + len(channel)] = channel
    sample_peaks = np.concatenate([_block_peaks(piece) for piece in np.split(padded, _cuts(len(padded)))])
    reach = np.maximum(sample_peaks[1:], sample_peaks[:-1]) * np.float32(_MOST_GAIN)
    return padded, reach, float(sample_peaks.max())


def _cuts(samples: int) -> range:
    """Where to cut so many samples, so that a piece stays in the processor's cache."""
    return range(_BLOCK * _BLOCKS_AT_ONCE, samples, _BLOCK * _BLOCKS_AT_ONCE)


def _block_peaks(padded: Samples) -> Samples:
    peaks: Samples = np.maximum.reduceat(np.abs(padded), np.arange(0, len(padded), _BLOCK))
    return peaks


def _peaks_around(padded: Samples, blocks: npt.NDArray[np.int64]) -> Samples:
    """(_BLOCK, blocks): the highest absolute value at each sample and at the points that end with it."""
    starts = (blocks + 1) * _BLOCK - (_TAPS - 1)
    windows = padded[np.arange(_BLOCK + _TAPS - 1)[:, np.newaxis] + starts]
    highest: Samples = np.abs(windows[_TAPS - 1 :])
    between, term = np.empty_like(highest), np.empty_like(highest)
    for taps in _PHASES:
        between[:] = 0
        for age, tap in enumerate(taps):
            newest = _TAPS - 1 - age
            between += np.multiply(windows[newest : newest + _BLOCK], tap, out=term)
        np.maximum(highest, np.abs(between, out=between), out=highest)
    return highest

"""True peak: how high a signal rises between its samples (ITU-R BS.1770-4, Annex 2).

Four times oversampled by libebur128's 49-tap Hann-windowed sinc. Most of a track is never oversampled: a block whose
samples could not pass the highest peak so far, by the most that the filter can add to them, is skipped.
"""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pipeline.audio.sound import Samples, Sound

_OVERSAMPLING: Final = 4
_TAPS: Final = 12  # of each phase; phase 0 is the sample itself
_BLOCK: Final = 64
_BLOCKS_AT_ONCE: Final = 512  # few enough to stay in the processor's cache


def true_peak_dbtp(sound: Sound) -> float | None:
    """The highest true peak of any channel in dBTP. None for digital silence."""
    peak = max(_true_peak(np.ascontiguousarray(channel)) for channel in sound.samples.T)
    return 20 * log10(peak) if peak > 0 else None


def _phases() -> Samples:
    """(3, 12): the taps of the three points between two samples, the newest sample's first."""
    position = np.arange(_OVERSAMPLING * _TAPS + 1)
    sinc = np.sinc((position - position[-1] / 2) / _OVERSAMPLING)
    taps = sinc * (0.5 - 0.5 * np.cos(2 * np.pi * position / position[-1]))
    return np.stack([taps[phase::_OVERSAMPLING] for phase in range(1, _OVERSAMPLING)]).astype(np.float32)


_PHASES: Final = _phases()
_MOST_GAIN: Final = float(np.abs(_PHASES).sum(axis=1).max())  # 5.4 dB


def _true_peak(channel: Samples) -> float:
    """The highest absolute value on or between the samples of one channel, as a linear value."""
    blocks = -(-(len(channel) + _TAPS) // _BLOCK)
    padded = np.zeros((blocks + 1) * _BLOCK, np.float32)  # a block of silence first, and the filter's run-out last
    padded[_BLOCK : _BLOCK + len(channel)] = channel
    sample_peaks = np.abs(padded).reshape(-1, _BLOCK).max(axis=1)
    reach = np.maximum(sample_peaks[1:], sample_peaks[:-1]) * _MOST_GAIN
    highest = float(sample_peaks.max())
    candidates = np.argsort(-reach, kind="stable")
    for at in range(0, len(candidates), _BLOCKS_AT_ONCE):
        chosen = candidates[at : at + _BLOCKS_AT_ONCE]
        chosen = chosen[reach[chosen] > highest]
        if not len(chosen):
            break
        highest = max(highest, _peak_between(padded, chosen))
    return highest


def _peak_between(padded: Samples, blocks: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """The highest absolute value between the samples of `blocks`, each with the samples before it."""
    starts = (blocks + 1) * _BLOCK - (_TAPS - 1)
    windows = padded[starts[:, np.newaxis] + np.arange(_BLOCK + _TAPS - 1)]
    highest = 0.0
    for taps in _PHASES:
        between = np.zeros((len(blocks), _BLOCK), np.float32)
        for age, tap in enumerate(taps):
            newest = _TAPS - 1 - age
            between += tap * windows[:, newest : newest + _BLOCK]
        highest = max(highest, float(np.abs(between).max()))
    return highest

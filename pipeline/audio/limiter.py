"""The look-ahead limiter: peaks that would pass a ceiling are turned down for as short as can be, and nothing else is.

The gain falls within the 5 ms before a peak, along half a cosine, and rises again by 60 dB a second. It is decided on a
grid of 16 frames from their true peaks (ITU-R BS.1770-4, Annex 2), and is the same for all channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline.audio.sound import Sound
from pipeline.audio.true_peak import CELL, cell_peaks

if TYPE_CHECKING:
    from pipeline.audio.sound import Samples

Decibels: TypeAlias = npt.NDArray[np.float64]

#: How far below its ceiling it holds peaks: a gain that moves within the peak filter's reach lets them stray by less.
MARGIN_DB: Final = 0.02

_LOOK_AHEAD_S: Final = 0.005
_RELEASE_DB_A_SECOND: Final = 60.0


@dataclass(frozen=True, slots=True)
class Limited:
    """A sound under its ceiling, and the most that was taken off its peaks, in dB."""

    sound: Sound
    most_db: float


def limit(sound: Sound, gain_db: float, ceiling_dbtp: float, loop_start: int | None = None) -> Limited:
    """`sound` made `gain_db` louder, with no true peak over `ceiling_dbtp`.

    `loop_start`: the frame to which its end leads back, if it does; the gain is then even over that seam too.
    """
    highest = 10 ** ((ceiling_dbtp - MARGIN_DB - gain_db) / 20)
    needed = _needed_db(sound, highest)
    if not needed.any():
        return Limited(sound.with_gain(gain_db), 0.0)
    taken = _curve(needed, sound.sample_rate, None if loop_start is None else loop_start // CELL)
    gains = _per_frame(10 ** ((gain_db - taken) / 20), sound.frames, loop_start)
    return Limited(Sound(sound.samples * gains[:, np.newaxis], sound.sample_rate), float(taken.max()))


def _needed_db(sound: Sound, highest: float) -> Decibels:
    """For each cell of `sound`, how much must be taken off for no peak to pass `highest`, a linear value."""
    peaks = cell_peaks(sound, highest).astype(np.float64)
    needed = 20 * np.log10(np.maximum(peaks, highest) / highest)
    # The samples that make a peak lie in its own cell and in the one before.
    needed[:-1] = np.maximum(needed[:-1], needed[1:])
    within: Decibels = needed[: -(-sound.frames // CELL)]
    return within


def _curve(needed: Decibels, sample_rate: int, loop_start: int | None) -> Decibels:
    """What is taken off each cell: at least what it needs, rising into peaks and falling after them."""
    if loop_start is None:
        return _attacked(_released(needed, sample_rate), sample_rate)
    cells = len(needed)
    twice = _released(np.concatenate([needed, needed[loop_start:]]), sample_rate)
    again = np.concatenate([twice[:loop_start], np.maximum(twice[loop_start:cells], twice[cells:])])
    return _attacked(np.concatenate([again, again[loop_start:]]), sample_rate)[:cells]


def _released(needed: Decibels, sample_rate: int) -> Decibels:
    """No cell lower than what the ones before it have come down to."""
    fall = np.arange(len(needed)) * (_RELEASE_DB_A_SECOND * CELL / sample_rate)
    released: Decibels = np.maximum(np.maximum.accumulate(needed + fall) - fall, needed)
    return released


def _attacked(needed: Decibels, sample_rate: int) -> Decibels:
    """No cell lower than what the way down to the ones after it asks."""
    ahead = max(1, int(_LOOK_AHEAD_S * sample_rate / CELL))
    attacked = needed.copy()
    for cells in range(1, min(ahead, len(needed))):
        share = 0.5 + 0.5 * np.cos(np.pi * cells / ahead)
        np.maximum(attacked[:-cells], needed[cells:] * share, out=attacked[:-cells])
    return attacked


def _per_frame(gains: Decibels, frames: int, loop_start: int | None) -> Samples:
    """Gains of cells as gains of frames: straight from edge to edge, where both neighbours' lower one holds."""
    around = np.concatenate([gains[:1], gains, gains[-1:]])
    edges = np.minimum(around[:-1], around[1:])
    if loop_start is not None:
        edges = _joined(edges, loop_start)
    rise = np.diff(edges)
    per_frame = np.repeat(edges[:-1].astype(np.float32), CELL)[:frames]
    last = (len(gains) - 1) * CELL  # the last cell may be short, and ends where its edge is
    moving = np.flatnonzero(rise[:-1])[:, np.newaxis]  # most of a track's gain stands still
    frame = np.arange(CELL)
    per_frame[moving * CELL + frame] = edges[moving] + rise[moving] * (frame / CELL)
    per_frame[last:] = edges[-2] + rise[-1] * np.arange(frames - last) / (frames - last)
    return per_frame


def _joined(edges: Decibels, loop_start: int) -> Decibels:
    """`edges` of which the last is the gain at the frame `loop_start`; only lowered for it."""
    joined = edges.copy()
    cell, within = divmod(loop_start, CELL)
    around = slice(cell, cell + 2)
    joined[around] = np.minimum(joined[around], edges[-1])
    joined[-1] = joined[cell] + (joined[cell + 1] - joined[cell]) * within / CELL
    return joined

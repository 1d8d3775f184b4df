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
_CELLS_AT_ONCE: Final = 1_024


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
    edges = _edges(10 ** ((gain_db - taken) / 20), loop_start)
    return Limited(Sound(_turned(sound.samples, edges, 10 ** (gain_db / 20)), sound.sample_rate), float(taken.max()))


def _needed_db(sound: Sound, highest: float) -> Decibels:
    """For each cell of `sound`, how much must be taken off for no peak to pass `highest`, a linear value."""
    peaks = cell_peaks(sound, highest).astype(np.float64)
    own = 20 * np.log10(np.maximum(peaks, highest) / highest)
    # The samples that make a peak reach into the cells on either side of its own.
    needed: Decibels = own.copy()
    np.maximum(needed[:-1], own[1:], out=needed[:-1])
    np.maximum(needed[1:], own[:-1], out=needed[1:])
    return needed


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


def _edges(gains: Decibels, loop_start: int | None) -> Decibels:
    """Gains of cells as gains at the edges between them, where both neighbours' lower one holds."""
    around = np.concatenate([gains[:1], gains, gains[-1:]])
    edges: Decibels = np.minimum(around[:-1], around[1:])
    return edges if loop_start is None else _joined(edges, loop_start)


def _turned(samples: Samples, edges: Decibels, gain: float) -> Samples:
    """`samples` under gains that go straight from edge to edge; the last cell may be short, and ends where it does.

    `gain`: that of all that is not limited, a linear value.
    """
    turned: Samples = np.multiply(samples, np.float32(gain), order="C")
    limited = np.flatnonzero(np.minimum(edges[:-1], edges[1:]) != gain)
    whole, within = len(edges) - 2, np.arange(CELL) / CELL
    in_cells, out_cells = (each[: whole * CELL].reshape(whole, CELL, samples.shape[1]) for each in (samples, turned))
    for first in range(0, len(limited), _CELLS_AT_ONCE):
        cells = limited[first : first + _CELLS_AT_ONCE]
        cells = cells[cells < whole]
        starts, ends = edges[cells, np.newaxis], edges[cells + 1, np.newaxis]
        gains = (starts + (ends - starts) * within).astype(np.float32)
        out_cells[cells] = in_cells[cells] * gains[:, :, np.newaxis]
    last = samples[whole * CELL :]
    gains = edges[-2] + (edges[-1] - edges[-2]) * np.arange(len(last)) / len(last)
    turned[whole * CELL :] = last * gains.astype(np.float32)[:, np.newaxis]
    return turned


def _joined(edges: Decibels, loop_start: int) -> Decibels:
    """`edges` of which the last is the gain at the frame `loop_start`; only lowered for it."""
    joined = edges.copy()
    cell, within = divmod(loop_start, CELL)
    around = slice(cell, cell + 2)
    joined[around] = np.minimum(joined[around], edges[-1])
    joined[-1] = joined[cell] + (joined[cell + 1] - joined[cell]) * within / CELL
    return joined

"""A sound is drawn: the outline of its samples, column by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipeline.audio.waveform import COLUMNS, FULL_SCALE, LoudnessCurve, Waveform

if TYPE_CHECKING:
    from pipeline.audio.sound import Sound


def draw(sound: Sound, loudness: LoudnessCurve) -> Waveform:
    """What is drawn of `sound`, whose loudness over time is known already.

    A sound with fewer frames than a drawing has columns gets a column a frame.
    """
    columns = min(COLUMNS, sound.frames)
    if columns == 0:
        return Waveform(b"", b"", loudness)
    edges = np.linspace(0, sound.frames, columns + 1).astype(np.int64)[:-1]
    sizes = np.diff(np.append(edges, sound.frames))
    peaks = np.zeros(columns, np.float32)
    energies = np.zeros(columns, np.float64)
    for channel in sound.samples.T:
        np.maximum(peaks, np.maximum.reduceat(channel, edges), out=peaks)
        np.maximum(peaks, -np.minimum.reduceat(channel, edges), out=peaks)
        energies += np.add.reduceat(np.square(channel), edges, dtype=np.float64)
    bodies = np.sqrt(energies / (sizes * sound.channels))
    return Waveform(_heights(peaks), _heights(bodies), loudness)


def _heights(values: npt.NDArray[np.floating]) -> bytes:
    """As bytes, full scale and above at FULL_SCALE."""
    heights: bytes = np.clip(np.ceil(values * FULL_SCALE), 0, FULL_SCALE).astype(np.uint8).tobytes()
    return heights

"""What is drawn of a delivered file: its outline and its loudness over time, in a few hundred bytes.

No numpy here: the report reads these.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Final

#: How many columns a drawing has. A phone shows fewer pixels, a desktop's table about twice as many.
COLUMNS: Final = 240
FULL_SCALE: Final = 255  # of a column's height
_QUIETEST_LUFS: Final = -70.0
_LOUDNESS_STEP_LU: Final = 0.3
_PACKING: Final = 1  # of the layout below
_HEADER: Final = struct.Struct("<B3H3d")  # packing; columns of peaks, bodies, levels; window, head, tail in seconds


@dataclass(frozen=True, slots=True)
class LoudnessCurve:
    """Loudness over time: one byte a column, see `lufs_of`; empty where it is too short for any.

    `window_s`: what each value is measured over, around its column's middle (EBU Tech 3341: 3 s short-term, 400 ms
    momentary).
    """

    levels: bytes = b""
    window_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Waveform:
    """A file as it is drawn. `peaks`: each column's highest sample, `bodies`: its RMS; FULL_SCALE is full scale.

    `trimmed_s`: what was cut off its source before it begins, and after it ends, in seconds.
    """

    peaks: bytes
    bodies: bytes
    loudness: LoudnessCurve = LoudnessCurve()
    trimmed_s: tuple[float, float] = (0.0, 0.0)


def level_of(lufs: float) -> int:
    """The byte that stands for a loudness: 0 for less than -70 LUFS, and 0.3 LU a step above that."""
    return min(255, max(0, round((lufs - _QUIETEST_LUFS) / _LOUDNESS_STEP_LU)))


def lufs_of(level: int) -> float | None:
    """The loudness that a byte stands for, within 0.15 LU; None below -70 LUFS."""
    return None if level == 0 else _QUIETEST_LUFS + level * _LOUDNESS_STEP_LU


def packed(waveform: Waveform) -> bytes:
    """`waveform` as it is kept: a header, then its three rows of bytes."""
    curve = waveform.loudness
    sizes = (len(waveform.peaks), len(waveform.bodies), len(curve.levels))
    header = _HEADER.pack(_PACKING, *sizes, curve.window_s, *waveform.trimmed_s)
    return header + waveform.peaks + waveform.bodies + curve.levels


def unpacked(content: bytes) -> Waveform | None:
    """The waveform that was kept so; None for anything else, which is then drawn anew."""
    try:
        packing, peaks, bodies, levels, window_s, head_s, tail_s = _HEADER.unpack_from(content)
    except struct.error:
        return None
    rows = content[_HEADER.size :]
    figures = (window_s, head_s, tail_s)
    if packing != _PACKING or len(rows) != peaks + bodies + levels or not all(map(math.isfinite, figures)):
        return None
    curve = LoudnessCurve(rows[peaks + bodies :], window_s)
    return Waveform(rows[:peaks], rows[peaks : peaks + bodies], curve, (head_s, tail_s))

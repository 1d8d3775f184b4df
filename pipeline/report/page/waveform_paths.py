"""A waveform as SVG paths: the outline and the body as the upper half of a mirrored shape, loudness as a line.

Whole units and relative steps: a track's three paths take some 2 KB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pipeline.audio.waveform import FULL_SCALE, lufs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.audio.waveform import Waveform

HALF: Final = 40  # units above the middle line
HEIGHT: Final = 2 * HALF
_LOUDEST_LUFS: Final = 0.0  # at the top
_QUIETEST_LUFS: Final = -48.0  # at the bottom
_CURVE_STEP: Final = 3  # columns a point of the loudness line
#: By a column's byte. Bent a little, so that music at -16 LUFS fills its box; what is there at all is seen.
_HEIGHTS: Final = tuple(math.ceil(HALF * (row / FULL_SCALE) ** 0.7) for row in range(FULL_SCALE + 1))


@dataclass(frozen=True, slots=True)
class WaveformPaths:
    """`width`: columns, the unit of x. Peaks and bodies are the upper half; the lower one is their mirror."""

    width: int
    peaks: str
    bodies: str
    loudness: str  # empty where there is no curve


def paths_of(waveform: Waveform) -> WaveformPaths:
    """The paths of `waveform`, in a box of `width` by HEIGHT units."""
    return WaveformPaths(
        width=max(1, len(waveform.peaks)),
        peaks=_half(waveform.peaks),
        bodies=_half(waveform.bodies),
        loudness=_line(waveform.loudness.levels),
    )


def loudness_y(lufs: float) -> int:
    """Where a loudness lies in the box, in units from its top."""
    share = (_LOUDEST_LUFS - lufs) / (_LOUDEST_LUFS - _QUIETEST_LUFS)
    return round(min(1.0, max(0.0, share)) * HEIGHT)


def _half(rows: bytes) -> str:
    """From the middle line's left end over each column to its right end, and closed."""
    if not rows:
        return ""
    heights = [_HEIGHTS[row] for row in rows]
    steps = (_step(before - after) for before, after in pairwise([*heights, heights[-1]]))
    return f"M0 {HALF}v{-heights[0]}l{' '.join(steps)}V{HALF}z"


def _step(fall: int) -> str:
    return f"1 {fall}" if fall >= 0 else f"1{fall}"


def _line(levels: bytes) -> str:
    """A line through every third column, broken where it is too quiet for a loudness."""
    parts: list[str] = []
    last: int | None = None
    for x in _places(len(levels)):
        lufs = lufs_of(levels[x])
        if lufs is None:
            last = None
            continue
        y = loudness_y(lufs)
        parts.append(f"M{x} {y}" if last is None else _onward(y - last))
        last = y
    return "".join(parts)


def _onward(step: int) -> str:
    return f"l{_CURVE_STEP} {step}" if step >= 0 else f"l{_CURVE_STEP}{step}"


def _places(columns: int) -> Sequence[int]:
    return range(_CURVE_STEP // 2, columns, _CURVE_STEP)

"""Loudness: integrated with its two gates, momentary, short-term, and its range.

ITU-R BS.1770-4 Annex 1, EBU Tech 3341 and Tech 3342. Below 400 ms there is no gated loudness, below 3 s no short-term
value: those are "no measurement", not a very low one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.audio.k_weighting import STEPS_A_SECOND, Powers, step_energies
from pipeline.audio.waveform import COLUMNS, LoudnessCurve, level_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.audio.sound import Sound

_TENTH: Final = STEPS_A_SECOND // 10
_MOMENTARY_TENTHS: Final = 4  # 400 ms, overlapping by three quarters
_SHORT_TERM_TENTHS: Final = 30  # 3 s
_ABSOLUTE_GATE_LUFS: Final = -70.0
_RELATIVE_GATE_LU: Final = -10.0
_RANGE_GATE_LU: Final = -20.0
_RANGE_QUANTILES: Final = (0.10, 0.95)
_SHORT_TERM_CURVE_S: Final = 10.0  # below this length a curve of 3 s windows would be a line


@dataclass(frozen=True, slots=True)
class LoudnessReading:
    """In LUFS and LU. None: too short, or nothing above the gate at -70 LUFS."""

    lufs: float | None
    max_momentary_lufs: float | None
    max_short_term_lufs: float | None
    range_lu: float | None
    curve: LoudnessCurve = field(default_factory=LoudnessCurve)


def read_loudness(sound: Sound) -> LoudnessReading:
    """Every loudness figure of `sound`."""
    energies, frames = step_energies(sound)
    tenths = _in_tenths(energies) / _in_tenths(frames)
    gated_blocks = _sliding_means(tenths, _MOMENTARY_TENTHS)
    momentary = _sliding_means(energies / frames, _MOMENTARY_TENTHS * _TENTH)
    short_term = _sliding_means(tenths, _SHORT_TERM_TENTHS)
    return LoudnessReading(
        lufs=_integrated(gated_blocks),
        max_momentary_lufs=_loudest(momentary),
        max_short_term_lufs=_loudest(short_term),
        range_lu=_range(short_term),
        curve=_curve(gated_blocks, short_term, sound.duration_s),
    )


def momentary_powers(sound: Sound) -> Powers:
    """The K-weighted power of each 400 ms of `sound`, one every 100 ms: what the gates decide over."""
    energies, frames = step_energies(sound)
    return _sliding_means(_in_tenths(energies) / _in_tenths(frames), _MOMENTARY_TENTHS)


def joint_loudness(blocks: Iterable[Powers]) -> float | None:
    """The integrated loudness of several sounds as if they were one, in LUFS: both gates over all of their blocks.

    `blocks`: the `momentary_powers` of each. None: nothing in them is above the gate at -70 LUFS.
    """
    return _integrated(np.concatenate([np.empty(0), *blocks]))


def _in_tenths(steps: Powers) -> Powers:
    """The sums over whole tenths of a second."""
    whole = len(steps) // _TENTH * _TENTH
    sums: Powers = steps[:whole].reshape(-1, _TENTH).sum(axis=1)
    return sums


def _sliding_means(powers: Powers, length: int) -> Powers:
    """The mean of each `length` powers in a row; empty where there are fewer."""
    if len(powers) < length:
        return np.empty(0)
    means: Powers = np.lib.stride_tricks.sliding_window_view(powers, length).mean(axis=1)
    return means


def _integrated(blocks: Powers) -> float | None:
    """The mean of the blocks above both gates: -70 LUFS, and 10 LU below the mean of those above that."""
    gated = _gated(blocks, _RELATIVE_GATE_LU)
    return _lufs(float(gated.mean())) if len(gated) else None


def _range(short_term: Powers) -> float | None:
    """EBU Tech 3342: from the 10th to the 95th percentile of what is above the gates, the relative one at -20 LU."""
    gated = np.sort(_gated(short_term, _RANGE_GATE_LU))
    if not len(gated):
        return None
    low, high = (_lufs(float(gated[round((len(gated) - 1) * quantile)])) for quantile in _RANGE_QUANTILES)
    return high - low


def _curve(momentary: Powers, short_term: Powers, duration_s: float) -> LoudnessCurve:
    """Loudness over time, as it is drawn: what is measured around the middle of each column."""
    long = duration_s >= _SHORT_TERM_CURVE_S
    powers, tenths = (short_term, _SHORT_TERM_TENTHS) if long else (momentary, _MOMENTARY_TENTHS)
    if not len(powers):
        return LoudnessCurve()
    middles = (np.arange(COLUMNS) + 0.5) / COLUMNS * duration_s * 10 - tenths / 2
    nearest = np.clip(np.round(middles), 0, len(powers) - 1).astype(np.int64)
    places, columns = np.unique(nearest, return_inverse=True)  # of a short sound many columns have the same
    levels = [level_of(_lufs(power)) if power > 0 else 0 for power in powers[places].tolist()]
    return LoudnessCurve(np.array(levels, np.uint8)[columns].tobytes(), tenths / 10)


def _gated(powers: Powers, relative_gate_lu: float) -> Powers:
    above = powers[powers > _power(_ABSOLUTE_GATE_LUFS)]
    if not len(above):
        return above
    loud: Powers = above[above > above.mean() * 10 ** (relative_gate_lu / 10)]
    return loud


def _loudest(powers: Powers) -> float | None:
    audible = powers[powers > _power(_ABSOLUTE_GATE_LUFS)]
    return _lufs(float(audible.max())) if len(audible) else None


def _lufs(power: float) -> float:
    return -0.691 + 10 * log10(power)


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))

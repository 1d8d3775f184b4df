"""How much louder or quieter: decided from what was measured, before encoding and again after it.

Gain is linear. Where peaks are in the way of the target, peaks win: the asset stays quieter than it should be, and
says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, inf
from typing import TYPE_CHECKING, Final

from pipeline.audio.gates import is_silent
from pipeline.audio.tasks import Warning as AssetWarning

if TYPE_CHECKING:
    from pipeline.audio.measurement import Measurement
    from pipeline.audio.settings import Loudness

#: What is too short for a loudness is levelled by its true peak.
PEAK_ALONE_DBTP: Final = -6.0
#: How far from what was intended an encoded file may end, in LU, before it is encoded again.
MOST_MISSED_LU: Final = 0.2
_PEAKS: Final = "peaks"
_LOUDEST: Final = "its loudest 3 seconds"
# A second encoding strays in its own way, the more the further the first one did: so much lower, and it seldom takes a
# third.
_SAFETY_DB: Final = 0.05
_SAFETY_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Level:
    """A gain, and what the file should measure with it."""

    gain_db: float
    lufs: float | None = None  # None: its loudness was not what decided
    held_by: str | None = None  # what kept it from its target
    headroom_db: float = 0.0  # what encoding may add to peaks


def choose_level(measured: Measurement, loudness: Loudness, headroom_db: float) -> Level:
    """The gain for a sound that measured so: `headroom_db` is left below the ceiling where peaks decide."""
    if loudness.target_lufs is None or measured.true_peak_dbtp is None or is_silent(measured):
        return Level(0.0)
    if measured.lufs is None:
        ceiling = min(PEAK_ALONE_DBTP, loudness.true_peak_dbtp - headroom_db)
        return Level(_rounded_down(ceiling - measured.true_peak_dbtp))
    wanted = loudness.target_lufs - measured.lufs
    gain, held_by = min(
        (wanted, None),
        _peak_bound(measured.true_peak_dbtp, wanted, loudness, headroom_db),
        _short_term_bound(measured, wanted, loudness),
        key=lambda bound: bound[0],
    )
    gain = _rounded_down(gain)
    return Level(gain, measured.lufs + gain, held_by, headroom_db)


def corrected(level: Level, delivered: Measurement, loudness: Loudness, most_gain_db: float) -> Level:
    """A better level for a file that was encoded at `level` and measured so; `level` itself where it need not change.

    Peaks come first: what they hold down is not lifted again. `most_gain_db`: above it the encoder's input would clip.
    """
    if loudness.target_lufs is None:
        return level
    excess, what = _excess_db(delivered, loudness)
    if excess > 0:
        gain = _rounded_down(level.gain_db - excess * (1 + _SAFETY_SHARE) - _SAFETY_DB)
        return replace(level, gain_db=gain, held_by=level.held_by or what)
    if level.lufs is None or delivered.lufs is None or level.held_by is not None:
        return level
    missed = level.lufs - delivered.lufs
    if abs(missed) <= MOST_MISSED_LU:
        return level
    room = max(0.0, min(-excess - level.headroom_db, most_gain_db - level.gain_db))
    return replace(level, gain_db=_rounded_down(level.gain_db + min(missed, room)))


def level_warnings(delivered: Measurement, level: Level, loudness: Loudness) -> tuple[AssetWarning, ...]:
    """What somebody should know about how loud a delivered file has become."""
    target = loudness.target_lufs
    if target is None:
        return ()
    warnings = []
    if level.lufs is None and not is_silent(delivered):
        peak = min(PEAK_ALONE_DBTP, loudness.true_peak_dbtp)
        text = f"too short for a loudness: levelled by its true peak, at {peak:g} dBTP"
        warnings.append(AssetWarning("levelled_by_peak", text))
    elif level.lufs is not None and delivered.lufs is not None:
        missed = target - delivered.lufs
        if missed > MOST_MISSED_LU:
            text = f"{missed:.1f} LU short of {target:g}: {level.held_by or _PEAKS}"
            warnings.append(AssetWarning("loudness_short", text))
    excess, what = _excess_db(delivered, loudness)
    if excess > 0:
        text = f"{what} {excess:.2f} dB over the ceiling after encoding: a higher bitrate or quality strays less"
        warnings.append(AssetWarning("over_ceiling", text))
    return tuple(warnings)


def _peak_bound(peak_dbtp: float, wanted_db: float, loudness: Loudness, headroom_db: float) -> tuple[float, str | None]:
    if peak_dbtp + wanted_db <= loudness.true_peak_dbtp:
        return wanted_db, None
    return loudness.true_peak_dbtp - headroom_db - peak_dbtp, _PEAKS


def _short_term_bound(measured: Measurement, wanted_db: float, loudness: Loudness) -> tuple[float, str | None]:
    limit, loudest = loudness.max_short_term_lufs, measured.max_short_term_lufs
    if limit is None or loudest is None or loudest + wanted_db <= limit:
        return wanted_db, None
    return limit - _SAFETY_DB - loudest, _LOUDEST


def _excess_db(delivered: Measurement, loudness: Loudness) -> tuple[float, str]:
    """How far the file is over the nearer of its ceilings, and which that is; negative: the room that is left."""
    ceilings = (
        (delivered.true_peak_dbtp, loudness.true_peak_dbtp, _PEAKS),
        (delivered.max_short_term_lufs, loudness.max_short_term_lufs, _LOUDEST),
    )
    excesses = [(has - most, what) for has, most, what in ceilings if has is not None and most is not None]
    return max(excesses, default=(-inf, _PEAKS))


def _rounded_down(gain_db: float) -> float:
    """In thousandths, so that the last bits of a measurement don't reach the file's bytes."""
    return floor(gain_db * 1000) / 1000

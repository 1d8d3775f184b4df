"""How much louder or quieter: decided from what was measured, before encoding and again after it.

Gain is linear, but for what the limiter may take off peaks. Where that is not enough for the target, peaks win: the
asset stays quieter than it should be, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, inf
from typing import TYPE_CHECKING, Final

from pipeline.audio.gates import is_silent
from pipeline.audio.limiter import MARGIN_DB

if TYPE_CHECKING:
    from pipeline.audio.measurement import Measurement
    from pipeline.audio.settings import Loudness

#: What is too short for a loudness is levelled by its true peak.
PEAK_ALONE_DBTP: Final = -6.0
#: How far from its target an encoded file may end, in LU, before it is encoded again.
MOST_MISSED_LU: Final = 0.2
#: What kept a sound from its target.
PEAKS: Final = "peaks"
LOUDEST: Final = "its loudest 3 seconds"

_FULL_SCALE_DBTP: Final = 0.0
_LAST_BITS: Final = 1e-6
# A second encoding strays in its own way, the more the further the first one did: so much lower, and it seldom takes a
# third.
_SAFETY_DB: Final = 0.05
_SAFETY_SHARE: Final = 0.15
# What is held down is encoded once more only for so much.
_LEAST_LIFT_DB: Final = 0.2


@dataclass(frozen=True, slots=True)
class Aim:
    """What a sound should measure before it is encoded, so that its file measures what was asked."""

    lufs: float | None  # None: too short for a loudness, levelled by its peak or by its group's gain
    ceiling_dbtp: float
    short_term_lufs: float | None = None  # at most
    limit_db: float = 0.0  # what may be taken off peaks to stay below the ceiling
    gain_db: float | None = None  # of its group, where it is too short for a loudness of its own


@dataclass(frozen=True, slots=True)
class Level:
    """The gain that an aim comes to for one sound."""

    gain_db: float
    held_by: str | None = None  # what keeps it from the aim's loudness


def in_group(loudness: Loudness, measured: Measurement, gain_db: float | None) -> Loudness:
    """`loudness` with the target that a group's gain comes to for a sound that measured so."""
    if gain_db is None or loudness.target_lufs is None or measured.lufs is None:
        return loudness
    return replace(loudness, target_lufs=measured.lufs + gain_db)


def first_aim(
    measured: Measurement, loudness: Loudness, headroom_db: float, gain_db: float | None = None
) -> Aim | None:
    """What to aim for with a sound that measured so. None: leave it as it is.

    `headroom_db`, what encoding may add to peaks, is left below the ceiling where peaks decide. `gain_db`: its group's.
    """
    if loudness.target_lufs is None or measured.true_peak_dbtp is None or is_silent(measured):
        return None
    ceiling = loudness.true_peak_dbtp
    limit_db = max(0.0, loudness.limit_db - MARGIN_DB)
    if measured.lufs is None and gain_db is not None:
        return Aim(None, ceiling - headroom_db, limit_db=limit_db, gain_db=gain_db)
    if measured.lufs is None:
        return Aim(None, min(PEAK_ALONE_DBTP, ceiling - headroom_db))
    if measured.true_peak_dbtp + loudness.target_lufs - measured.lufs > ceiling:
        ceiling -= headroom_db
    most = loudness.max_short_term_lufs
    return Aim(
        lufs=loudness.target_lufs,
        ceiling_dbtp=ceiling,
        short_term_lufs=None if most is None else most - _SAFETY_DB,
        limit_db=limit_db,
    )


def level_for(aim: Aim, measured: Measurement) -> Level:
    """The gain towards `aim`, as far as peaks and the loudest three seconds allow."""
    if measured.true_peak_dbtp is None:
        return Level(0.0)
    room = room_db(aim, measured)
    if aim.lufs is None or measured.lufs is None:
        return at_most(room, room if aim.gain_db is None else aim.gain_db)
    return at_most(room, *louder_by(aim, measured.lufs, measured.max_short_term_lufs))


def louder_by(aim: Aim, lufs: float | None, max_short_term_lufs: float | None) -> tuple[float, str | None]:
    """How much louder a sound must become for `aim`, in LU, and what holds it below that if anything does."""
    if aim.lufs is None or lufs is None:
        return 0.0, None
    bounds: list[tuple[float, str | None]] = [(aim.lufs - lufs, None)]
    if aim.short_term_lufs is not None and max_short_term_lufs is not None:
        bounds.append((aim.short_term_lufs - max_short_term_lufs, LOUDEST))
    return min(bounds, key=lambda bound: bound[0])


def room_db(aim: Aim, measured: Measurement) -> float:
    """How far a sound that measured so may be turned up: to the ceiling, and by what may be limited."""
    return aim.ceiling_dbtp + aim.limit_db - (measured.true_peak_dbtp or 0.0)


def at_most(room: float, gain_db: float, held_by: str | None = None) -> Level:
    """The level at `gain_db`, at which `held_by` holds it, or below it where peaks leave no more `room`, in dB."""
    return Level(_rounded_down(min(gain_db, room)), PEAKS if room < gain_db else held_by)


def next_aim(
    aim: Aim | None,
    level: Level,
    *,
    delivered: Measurement,
    measured: Measurement,
    loudness: Loudness,
    headroom_db: float,
) -> Aim | None:
    """A better aim than the one whose file measured `delivered`; `aim` itself where no other is worth an encoding.

    `level`: what `aim` came to. `measured`: the sound before its gain. A bound that the file passes is lowered, and
    one that keeps it from its target is lifted where the file leaves room below it. A ceiling that does not is only
    raised over what the file has shown to be safe by `headroom_db`.
    """
    if aim is None:
        return None
    peak_over, loudest_over = ceiling_excesses(delivered, loudness)
    missed = _missed_lu(delivered, loudness)
    held_over = {PEAKS: peak_over, LOUDEST: loudest_over}.get(level.held_by or "")
    if max(peak_over, loudest_over) <= 0 and (
        abs(missed) <= MOST_MISSED_LU or (held_over is not None and _moved_by(held_over) < _LEAST_LIFT_DB)
    ):
        return aim
    peak = min((measured.true_peak_dbtp or 0.0) + level.gain_db, aim.ceiling_dbtp)
    if peak_over > 0 or level.held_by == PEAKS:
        ceiling = min(_FULL_SCALE_DBTP, peak + _moved_by(peak_over))
    else:
        strayed = (delivered.true_peak_dbtp or 0.0) - peak
        ceiling = min(_FULL_SCALE_DBTP, max(peak, loudness.true_peak_dbtp - headroom_db - strayed))
    most = aim.short_term_lufs
    if most is not None and (loudest_over > 0 or level.held_by == LOUDEST):
        most += _moved_by(loudest_over)
    lufs = aim.lufs if aim.lufs is None or level.held_by is not None else aim.lufs + missed
    return replace(aim, lufs=lufs, ceiling_dbtp=ceiling, short_term_lufs=most)


def shortcomings(delivered: Measurement, loudness: Loudness) -> tuple[float, float]:
    """How far a file is from what was asked, the less the better: over its ceilings before off its loudness."""
    return max(0.0, *ceiling_excesses(delivered, loudness)), abs(_missed_lu(delivered, loudness))


def ceiling_excesses(delivered: Measurement, loudness: Loudness) -> tuple[float, float]:
    """How far a file is over its ceilings, in dB and LU: of peaks, and of the loudest three seconds. Negative: room."""
    peak, loudest, most = delivered.true_peak_dbtp, delivered.max_short_term_lufs, loudness.max_short_term_lufs
    return (
        -inf if peak is None else peak - loudness.true_peak_dbtp,
        -inf if loudest is None or most is None else loudest - most,
    )


def _missed_lu(delivered: Measurement, loudness: Loudness) -> float:
    """How far a file is below its target; negative: above it. 0 where it has no loudness."""
    if delivered.lufs is None or loudness.target_lufs is None:
        return 0.0
    return loudness.target_lufs - delivered.lufs


def _moved_by(excess_db: float) -> float:
    """How far to move a bound that a file is so far over, or below where that is negative."""
    if excess_db > 0:
        return -excess_db * (1 + _SAFETY_SHARE) - _SAFETY_DB
    return max(0.0, -excess_db * (1 - _SAFETY_SHARE) - _SAFETY_DB)


def _rounded_down(gain_db: float) -> float:
    """In thousandths, so that the last bits of a measurement don't reach the file's bytes.

    A group's gain comes in thousandths already, and stays what it is.
    """
    return floor(gain_db * 1000 + _LAST_BITS) / 1000

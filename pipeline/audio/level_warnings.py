"""What somebody should know about how loud a delivered file has become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.audio.gates import is_silent
from pipeline.audio.levelling import LOUDEST, MOST_MISSED_LU, PEAK_ALONE_DBTP, PEAKS, ceiling_excesses
from pipeline.audio.tasks import Warning as AssetWarning

if TYPE_CHECKING:
    from pipeline.audio.levelling import Aim, Level
    from pipeline.audio.measurement import Measurement
    from pipeline.audio.settings import Loudness

#: What the limiter may take off peaks without a word; the figure is recorded in any case.
MOST_UNSAID_DB: Final = 1.0


def level_warnings(
    delivered: Measurement, aim: Aim | None, level: Level, limited_db: float, loudness: Loudness
) -> tuple[AssetWarning, ...]:
    """The warnings for a file that measured so. Without an aim there is nothing to fall short of."""
    if aim is None:
        return ()
    return (
        *_by_peak(aim, delivered, level, loudness),
        *_short(delivered, level, loudness),
        *_limited(limited_db),
        *_over(delivered, loudness),
    )


def _by_peak(aim: Aim, delivered: Measurement, level: Level, loudness: Loudness) -> list[AssetWarning]:
    if aim.lufs is not None or is_silent(delivered):
        return []
    if aim.gain_db is not None:
        missed = aim.gain_db - level.gain_db
        text = f"too short for a loudness, and {missed:.1f} dB short of its group's gain: peaks"
        return [AssetWarning("loudness_short", text)] if missed > MOST_MISSED_LU else []
    peak = min(PEAK_ALONE_DBTP, loudness.true_peak_dbtp)
    text = f"too short for a loudness: levelled by its true peak, at {peak:g} dBTP"
    return [AssetWarning("levelled_by_peak", text)]


def _short(delivered: Measurement, level: Level, loudness: Loudness) -> list[AssetWarning]:
    target = loudness.target_lufs
    if target is None or delivered.lufs is None or target - delivered.lufs <= MOST_MISSED_LU:
        return []
    text = f"{target - delivered.lufs:.1f} LU short of {target:.4g}: {level.held_by or PEAKS}"
    return [AssetWarning("loudness_short", text)]


def _limited(limited_db: float) -> list[AssetWarning]:
    if limited_db <= MOST_UNSAID_DB:
        return []
    return [AssetWarning("limited", f"up to {limited_db:.1f} dB taken off its peaks")]


def _over(delivered: Measurement, loudness: Loudness) -> list[AssetWarning]:
    peak_over, loudest_over = ceiling_excesses(delivered, loudness)
    excess, what = max((peak_over, PEAKS), (loudest_over, LOUDEST))
    if excess <= 0:
        return []
    text = f"{what} {excess:.2f} dB over the ceiling after encoding: a higher bitrate or quality strays less"
    return [AssetWarning("over_ceiling", text)]

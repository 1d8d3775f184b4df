"""A sound is brought to its aim: the gain, the limiter, and more gain for what the limiter took."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.audio.levelling import Aim, Level, level_for
from pipeline.audio.limiter import limit
from pipeline.audio.loudness import read_loudness

if TYPE_CHECKING:
    from pipeline.audio.measurement import Measurement
    from pipeline.audio.sound import Sound

_MOST_ROUNDS: Final = 4
_NEAR_ENOUGH_LU: Final = 0.02
_STEEPEST: Final = 4.0  # dB of gain for 1 LU


@dataclass(frozen=True, slots=True)
class Master:
    """A sound as it goes into an encoder, the level it is at, and the most that was taken off its peaks, in dB."""

    sound: Sound
    level: Level
    limited_db: float = 0.0


def master(sound: Sound, measured: Measurement, aim: Aim | None, loop_start: int | None = None) -> Master:
    """`sound`, which measured so, at its aim or as near as that allows. Without an aim: as it is.

    `loop_start`: the frame to which its end leads back, if it does.
    """
    if aim is None:
        return Master(sound, Level(0.0))
    higher, steepness = aim, 1.0  # what limiting takes off the loudness is aimed for in addition
    made = _at(sound, measured, higher, loop_start)
    missed = _missed_lu(made, aim)
    for _ in range(_MOST_ROUNDS - 1):
        if missed <= _NEAR_ENOUGH_LU:
            break
        step = missed * steepness
        higher = replace(higher, lufs=(higher.lufs or 0.0) + step)
        made = _at(sound, measured, higher, loop_start)
        before, missed = missed, _missed_lu(made, aim)
        steepness = min(_STEEPEST, step / max(before - missed, step / _STEEPEST))
    return made


def _at(sound: Sound, measured: Measurement, aim: Aim, loop_start: int | None) -> Master:
    level = level_for(aim, measured)
    peak = (measured.true_peak_dbtp or 0.0) + level.gain_db
    if peak <= aim.ceiling_dbtp or aim.limit_db == 0:
        return Master(sound.with_gain(level.gain_db), level)
    limited = limit(sound, level.gain_db, aim.ceiling_dbtp, loop_start)
    return Master(limited.sound, level, limited.most_db)


def _missed_lu(made: Master, aim: Aim) -> float:
    """How much quieter than its aim it has become by limiting, if more gain may still mend that."""
    if made.limited_db == 0 or made.level.held_by is not None or aim.lufs is None:
        return 0.0
    return aim.lufs - (read_loudness(made.sound).lufs or aim.lufs)

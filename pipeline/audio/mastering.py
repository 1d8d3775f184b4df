"""A sound is brought to its aim: the gain, the limiter, and more gain for what the limiter took off its loudness."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.audio.levelling import PEAKS, Aim, Level, at_most, level_for, louder_by, room_db
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
    made = _at(sound, measured, aim, level_for(aim, measured), loop_start)
    if made.limited_db == 0 or aim.lufs is None:
        return made
    room, steepness = room_db(aim, measured), 1.0
    missed, held_by = _missed(made, aim)  # what limiting takes off the loudness: no bound but peaks has seen it yet
    for _ in range(_MOST_ROUNDS - 1):
        level = at_most(room, made.level.gain_db + missed * steepness, held_by)
        step = level.gain_db - made.level.gain_db
        if abs(missed) <= _NEAR_ENOUGH_LU or step == 0:
            break
        made = _at(sound, measured, aim, level, loop_start)
        before, (missed, held_by) = missed, _missed(made, aim)
        steepness = min(_STEEPEST, 1 / max((before - missed) / step, 1 / _STEEPEST))
    held_by = PEAKS if missed > _NEAR_ENOUGH_LU else held_by
    return replace(made, level=replace(made.level, held_by=held_by))


def _at(sound: Sound, measured: Measurement, aim: Aim, level: Level, loop_start: int | None) -> Master:
    peak = (measured.true_peak_dbtp or 0.0) + level.gain_db
    if peak <= aim.ceiling_dbtp or aim.limit_db == 0:
        return Master(sound.with_gain(level.gain_db), level)
    limited = limit(sound, level.gain_db, aim.ceiling_dbtp, loop_start)
    return Master(limited.sound, level, limited.most_db)


def _missed(made: Master, aim: Aim) -> tuple[float, str | None]:
    """How much louder it may still become after limiting, in LU, and what holds it there."""
    loudness = read_loudness(made.sound)
    return louder_by(aim, loudness.lufs, loudness.max_short_term_lufs)

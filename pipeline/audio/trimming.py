"""Quiet ends are cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.audio.sound import Sound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.audio.settings import Trim

_BLOCK_FRAMES: Final = 65_536


def trimmed(sound: Sound, trim: Trim | None) -> tuple[Sound, int]:
    """`sound` without what lies below the threshold before its first and after its last louder sample.

    With it the frame that it begins with now. A little is kept at both ends. Where nothing is louder, nothing is cut:
    whether silence is a fault is the gates' question.
    """
    if trim is None:
        return sound, 0
    threshold = 10 ** (trim.threshold_dbfs / 20)
    starts = range(0, sound.frames, _BLOCK_FRAMES)
    first = _first(_audible(sound, start, threshold)[:1] for start in starts)
    last = _first(_audible(sound, start, threshold)[-1:] for start in reversed(starts))
    if first is None or last is None:
        return sound, 0
    start = max(0, first - round(trim.keep_head_s * sound.sample_rate))
    end = last + 1 + round(trim.keep_tail_s * sound.sample_rate)
    return Sound(sound.samples[start:end], sound.sample_rate), start


def _audible(sound: Sound, start: int, threshold: float) -> list[int]:
    """The frames over `threshold` in the block that begins with the frame `start`."""
    block = sound.samples[start : start + _BLOCK_FRAMES]
    frames: list[int] = (np.flatnonzero((np.abs(block) > threshold).any(axis=1)) + start).tolist()
    return frames


def _first(found: Iterable[list[int]]) -> int | None:
    return next((frames[0] for frames in found if frames), None)

"""Quiet ends are cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.audio.sound import Sound

if TYPE_CHECKING:
    from pipeline.audio.settings import Trim


def trimmed(sound: Sound, trim: Trim | None) -> Sound:
    """`sound` without what lies below the threshold before its first and after its last louder sample.

    A little is kept at both ends. Where nothing is louder, nothing is cut: whether silence is a fault is the gates'
    question.
    """
    if trim is None:
        return sound
    threshold = 10 ** (trim.threshold_dbfs / 20)
    audible = np.flatnonzero((np.abs(sound.samples) > threshold).any(axis=1))
    if not len(audible):
        return sound
    start = max(0, int(audible[0]) - round(trim.keep_head_s * sound.sample_rate))
    end = int(audible[-1]) + 1 + round(trim.keep_tail_s * sound.sample_rate)
    return Sound(sound.samples[start:end], sound.sample_rate)

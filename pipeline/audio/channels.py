"""Channels: everything becomes mono or stereo."""

from __future__ import annotations

from math import sqrt
from typing import Final

import numpy as np

from pipeline.audio.sound import Samples, Sound

STEREO: Final = 2
_DOWN: Final = sqrt(0.5)

# ITU-R BS.775, for channels in WAVE's order. (left, right) of each; the low-frequency channel is left out, as there.
_LEFT, _RIGHT, _CENTRE, _LOW = (1.0, 0.0), (0.0, 1.0), (_DOWN, _DOWN), (0.0, 0.0)
_LEFT_BEHIND, _RIGHT_BEHIND, _BEHIND = (_DOWN, 0.0), (0.0, _DOWN), (0.5, 0.5)
_FOLDS: Final = {
    3: (_LEFT, _RIGHT, _CENTRE),
    4: (_LEFT, _RIGHT, _LEFT_BEHIND, _RIGHT_BEHIND),
    5: (_LEFT, _RIGHT, _CENTRE, _LEFT_BEHIND, _RIGHT_BEHIND),
    6: (_LEFT, _RIGHT, _CENTRE, _LOW, _LEFT_BEHIND, _RIGHT_BEHIND),
    7: (_LEFT, _RIGHT, _CENTRE, _LOW, _BEHIND, _LEFT_BEHIND, _RIGHT_BEHIND),
    8: (_LEFT, _RIGHT, _CENTRE, _LOW, _LEFT_BEHIND, _RIGHT_BEHIND, _LEFT_BEHIND, _RIGHT_BEHIND),
}


def folded_to_stereo(samples: Samples) -> Samples:
    """`samples` of up to eight channels as (frames, 1 or 2)."""
    channels = samples.shape[1]
    if channels <= STEREO:
        return samples
    folded: Samples = np.einsum("fc,cs->fs", samples, np.array(_FOLDS[channels], np.float32))
    return folded


def middle(samples: Samples) -> Samples:
    """(frames,): the mean of all channels, to look at."""
    mean: Samples = np.einsum("fc->f", samples)  # four times as fast as numpy's mean
    mean /= np.float32(samples.shape[1])
    return mean


def with_channels(sound: Sound, channels: int | None) -> Sound:
    """`sound` in mono (the mean of left and right) or stereo (mono twice). None: as it is."""
    if channels is None or channels == sound.channels:
        return sound
    if channels == 1:
        return Sound(sound.samples.mean(axis=1, keepdims=True), sound.sample_rate)
    return Sound(np.repeat(sound.samples, STEREO, axis=1), sound.sample_rate)

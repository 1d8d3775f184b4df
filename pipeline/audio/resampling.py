"""Another sample rate, without aliases: soxr at its high quality."""

from __future__ import annotations

import numpy as np

from pipeline.audio.sound import Sound


def resampled(sound: Sound, sample_rate: int | None) -> Sound:
    """`sound` at `sample_rate` Hz, as long as before to the nearest frame, and never empty. None: as it is."""
    if sample_rate is None or sample_rate == sound.sample_rate:
        return sound
    import soxr  # noqa: PLC0415 - most tracks keep their rate

    samples = soxr.resample(sound.samples, sound.sample_rate, sample_rate, quality="HQ")
    frames = max(1, round(sound.frames * sample_rate / sound.sample_rate))
    missing = max(0, frames - len(samples))
    return Sound(np.pad(samples, ((0, missing), (0, 0)))[:frames], sample_rate)

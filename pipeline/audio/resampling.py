"""Another sample rate, without aliases: soxr at its high quality."""

from __future__ import annotations

from math import gcd

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
    padded = np.pad(samples, ((0, missing), (0, 0))) if missing else samples
    return Sound(padded[:frames], sample_rate)


def resampled_loop(sound: Sound, sample_rate: int, start: int) -> tuple[Sound, int]:
    """`sound`, whose end leads back to the frame `start`, at `sample_rate` Hz; and where it leads back to then.

    Both ends are resampled with what is played next to them, not next to silence.
    """
    if sample_rate == sound.sample_rate:
        return sound, start
    unit = sound.sample_rate // gcd(sound.sample_rate, sample_rate)
    context = unit * -(-sound.sample_rate // (20 * unit))  # 50 ms, and whole frames at both rates
    after = np.take(sound.samples[start:], np.arange(context), axis=0, mode="wrap")
    before = np.take(sound.samples, np.arange(-context, 0), axis=0, mode="wrap") if start == 0 else np.zeros_like(after)
    longer = resampled(Sound(np.concatenate([before, sound.samples, after]), sound.sample_rate), sample_rate)
    first = context * sample_rate // sound.sample_rate
    frames = max(1, round(sound.frames * sample_rate / sound.sample_rate))
    new_start = min(round(start * sample_rate / sound.sample_rate), frames - 1)
    return Sound(longer.samples[first : first + frames], sample_rate), new_start

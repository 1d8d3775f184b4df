"""Fades: equal-power, sample by sample."""

from __future__ import annotations

import numpy as np

from pipeline.audio.sound import Samples, Sound
from pipeline.audio.tasks import Warning as AssetWarning


def faded(sound: Sound, fade_in_s: float, fade_out_s: float) -> Sound:
    """`sound` rising from silence over `fade_in_s` and falling to it over `fade_out_s`, each at most all of it."""
    head = min(round(fade_in_s * sound.sample_rate), sound.frames)
    tail = min(round(fade_out_s * sound.sample_rate), sound.frames)
    if not head and not tail:
        return sound
    samples = sound.samples.copy()
    samples[:head] *= _rise(head)
    samples[sound.frames - tail :] *= _rise(tail)[::-1]
    return Sound(samples, sound.sample_rate)


def fade_warnings(sound: Sound, fade_in_s: float, fade_out_s: float) -> tuple[AssetWarning, ...]:
    """What to say of fades that `sound` is too short for."""
    fades = [(name, asked) for name, asked in (("fade_in", fade_in_s), ("fade_out", fade_out_s)) if asked]
    if sum(asked for _, asked in fades) <= sound.duration_s:
        return ()
    has = f"it is {sound.duration_s:.4g} s long"
    long = [f"{name} of {asked:g} s" for name, asked in fades if asked > sound.duration_s]
    if long:
        return (AssetWarning("fade_shortened", f"{has}, and its {' and '.join(long)} can be no longer than that"),)
    text = " and ".join(f"{name} of {asked:g} s" for name, asked in fades)
    return (AssetWarning("fades_overlap", f"{has}, and its {text} overlap: it is never at its full level"),)


def _rise(frames: int) -> Samples:
    """A quarter of a sine: gains whose square, with its mirror's, sums to about one. (frames, 1)."""
    quarter = np.arange(frames) * (np.pi / 2 / max(frames, 1))
    rise: Samples = np.sin(quarter).astype(np.float32)[:, np.newaxis]
    return rise

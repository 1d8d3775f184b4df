"""Envelopes and tone: what every instrument does to its raw sound."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples, fast_length, noise_of, seconds


def frames_of(duration_s: float) -> int:
    return max(1, round(duration_s * SAMPLE_RATE))


@lru_cache(maxsize=64)
def _rise(frames: int) -> Samples:
    """From 0 to 1 along half a cosine: no corner that clicks."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(frames) + 0.5) / frames)).astype(np.float32)


def held(frames: int, attack_s: float, release_s: float) -> Samples:
    """The envelope of a sound that lasts while it is held: in over the attack, out over the release after `frames`."""
    attack, release = min(frames_of(attack_s), frames), frames_of(release_s)
    envelope = np.ones(frames + release, np.float32)
    envelope[:attack] = _rise(attack)
    envelope[frames:] = _rise(release)[::-1]
    return envelope


def struck(frames: int, decay_s: float, attack_s: float = 0.002) -> Samples:
    """The envelope of a sound that dies away by itself: down 60 dB after `decay_s`."""
    envelope = np.exp(-6.908 / decay_s * seconds(frames)).astype(np.float32)
    attack = min(frames_of(attack_s), frames)
    envelope[:attack] *= _rise(attack)
    end = min(frames_of(0.01), frames)
    envelope[-end:] *= _rise(end)[::-1]
    return envelope


def damped(sound: Samples, frames: int, release_s: float) -> Samples:
    """`sound` with a damper laid on it after `frames`, silent `release_s` later. Changes `sound` in place."""
    end = min(sound.shape[-1], frames + frames_of(release_s))
    fall = _rise(max(1, end - frames))[::-1]
    sound[..., frames:end] *= fall[: max(0, end - frames)] ** 2
    return sound[..., :end]


def filtered(sound: Samples, low_hz: float, high_hz: float, steepness: float = 2.0) -> Samples:
    """`sound` between two corner frequencies, 6 dB an octave for each unit of `steepness`; zero phase."""
    frames = sound.shape[-1]
    size = fast_length(frames)
    spectrum = np.fft.rfft(sound, size)
    spectrum *= band(size, low_hz, high_hz, steepness)
    return as_samples(np.fft.irfft(spectrum, size)[..., :frames])


@lru_cache(maxsize=64)
def band(frames: int, low_hz: float, high_hz: float, steepness: float) -> Samples:
    """The gain of each bin of an FFT over `frames` samples for a band with soft edges."""
    octaves = np.log(np.maximum(as_samples(np.fft.rfftfreq(frames, 1 / SAMPLE_RATE)), 1e-2))
    slope = np.float32(2 * steepness)
    above = np.exp(slope * (octaves - np.float32(np.log(high_hz))))
    below = np.exp(np.minimum(slope * (np.float32(np.log(low_hz)) - octaves), 80.0))
    return as_samples(1.0 / np.sqrt((1.0 + np.minimum(above, 1e30)) * (1.0 + below)))


def pitched(low: float, high: float, pitch: int, bottom: int = 36, top: int = 96) -> float:
    """A setting that goes from `low` at the bottom of the keyboard to `high` at its top."""
    share = min(1.0, max(0.0, (pitch - bottom) / (top - bottom)))
    return low + (high - low) * share


def hiss(chance: np.random.Generator, frames: int, low_hz: float, high_hz: float) -> Samples:
    """`frames` of one band of noise at root mean square 1, cut from an endless band of it."""
    endless = _endless(low_hz, high_hz)
    start = int(chance.integers(len(endless)))
    return np.tile(np.roll(endless, -start), -(-frames // len(endless)))[:frames]


@lru_cache(maxsize=24)
def _endless(low_hz: float, high_hz: float) -> Samples:
    chance = noise_of("hiss", low_hz, high_hz)
    noise = filtered(chance.standard_normal(1 << 16, dtype=np.float32), low_hz, high_hz)
    return noise / np.float32(np.sqrt(np.mean(np.square(noise))))

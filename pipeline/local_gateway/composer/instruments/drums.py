"""Single drums and cymbals: sweeping sines, ringing skins, and noise. Each function here builds a drum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from pipeline.local_gateway.composer.instruments.partials import ring
from pipeline.local_gateway.composer.instruments.shaping import filtered, frames_of, struck
from pipeline.local_gateway.composer.instruments.strike import Strike
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples, seconds

Drum = Callable[[Strike], Samples]

SKIN_MODES: Final = np.array([1.59, 2.14, 2.65])  # of an ideal round membrane
SWEEP_S: Final = 0.028
CLOUD: Final = 36  # partials of a cymbal: enough that none is heard alone
ROOM: Final = 2048  # samples


def skin(hertz: float, decay_s: float, *, sweep: float = 1.5, slap: float = 0.2, slap_hz: float = 3500.0) -> Drum:
    """A drum: a tone that starts `sweep` times higher and falls to `hertz`, its overtones, and the stick's slap."""

    def drum(strike: Strike) -> Samples:
        frames = frames_of(decay_s)
        time = seconds(frames)
        falling = hertz * (time + (sweep - 1.0) * SWEEP_S * (1 - np.exp(-time / SWEEP_S)))
        tone = as_samples(np.sin(2 * np.pi * falling)) * struck(frames, decay_s, 0.001)
        decays = np.array([0.4, 0.3, 0.22]) * decay_s
        modes = ring(SKIN_MODES * hertz, (0.28, 0.16, 0.1), decays, np.full(3, -np.pi / 2), frames)
        stick = _burst(strike, frames, (60.0, slap_hz), 0.05)
        return tone + as_samples(modes * (0.4 + 0.5 * strike.velocity)) + as_samples(slap * stick)

    return drum


def noise(low_hz: float, high_hz: float, decay_s: float, *, length_s: float = 0.0) -> Drum:
    """A burst of one band of noise that dies away."""

    def drum(strike: Strike) -> Samples:
        return _burst(strike, frames_of(length_s or decay_s), (low_hz, high_hz), decay_s)

    return drum


def metal(decay_s: float, low_hz: float, high_hz: float, *, ringing: float = 0.4) -> Drum:
    """A cymbal: noise over a cloud of partials that fit no scale."""

    def drum(strike: Strike) -> Samples:
        frames = frames_of(decay_s)
        chance = strike.noise()
        at = low_hz * (high_hz / low_hz) ** chance.random(CLOUD)
        decays = decay_s * (0.4 + 0.6 * chance.random(CLOUD))
        cloud = ring(at, np.full(CLOUD, 0.22), decays, chance.random(CLOUD) * 6, frames)
        hiss = _burst(strike, frames, (low_hz, high_hz), decay_s * 0.7)
        return (as_samples(cloud * ringing) + hiss) * struck(frames, decay_s, 0.0008)

    return drum


def snare(
    hertz: float, *, body: float = 0.9, wires: float = 0.7, wires_s: float = 0.2, wires_hz: float = 8000.0
) -> Drum:
    """A skin with wires under it."""

    def drum(strike: Strike) -> Samples:
        frames = frames_of(max(0.18, wires_s))
        head = ring(
            np.array([1.0, 1.48, 1.9]) * hertz, (1.0, 0.6, 0.3), (0.16, 0.12, 0.09), np.full(3, -np.pi / 2), frames
        )
        rattle = _burst(strike, frames, (1200.0, wires_hz), wires_s)
        crack = _burst(strike, frames, (2500.0, 9000.0), 0.025)
        return as_samples(body * head + wires * (rattle + 0.8 * crack)) * struck(frames, 30.0, 0.0005)

    return drum


def claps(strike: Strike) -> Samples:
    """Several hands, not quite together."""
    frames = frames_of(0.28)
    hands = as_samples(0.8 * _burst(strike, frames, (900.0, 4500.0), 0.16))
    for delay_s, level in ((0.009, 0.7), (0.019, 0.8), (0.028, 0.9)):
        later = frames_of(delay_s)
        hands[later:] += as_samples(level * _burst(strike, frames, (800.0, 4000.0), 0.03))[: frames - later]
    return hands


def shaken(low_hz: float, length_s: float) -> Drum:
    """Beads in a shaker or the jingles of a tambourine: noise that swells before it falls."""

    def drum(strike: Strike) -> Samples:
        frames = frames_of(length_s)
        hiss = filtered(strike.noise().standard_normal(frames, dtype=np.float32), low_hz, 12_000.0, 2.0)
        swell = np.minimum(np.arange(frames, dtype=np.float32) / frames_of(0.018), 1.0)
        return as_samples(hiss * swell) * struck(frames, length_s * 0.8)

    return drum


def wood(hertz: float, decay_s: float) -> Drum:
    """A block, stick or rim: two short partials."""

    def drum(_: Strike) -> Samples:
        frames = frames_of(decay_s + 0.02)
        return ring((hertz, 2.57 * hertz), (1.0, 0.5), (decay_s, 0.5 * decay_s), np.full(2, -np.pi / 2), frames)

    return drum


def stepped_noise(every: int, decay_s: float) -> Drum:
    """A console's noise channel: a random level held for `every` samples."""

    def drum(strike: Strike) -> Samples:
        frames = frames_of(decay_s)
        levels = strike.noise().integers(0, 2, frames // every + 1) * 2.0 - 1.0
        return as_samples(np.repeat(levels, every)[:frames]) * struck(frames, decay_s, 0.0005)

    return drum


def swell(strike: Strike) -> Samples:
    """A cymbal brought up from nothing with soft mallets, over as long as it's held."""
    frames = max(strike.frames, SAMPLE_RATE // 2)
    hiss = filtered(strike.noise().standard_normal(frames, dtype=np.float32), 500.0, 9000.0, 1.0)
    rise = (np.arange(frames, dtype=np.float32) / frames) ** 2.5
    end = SAMPLE_RATE // 12
    rise[-end:] *= np.linspace(1, 0, end, dtype=np.float32)
    return as_samples(hiss * rise)


def together(*drums: tuple[Drum, float]) -> Drum:
    """Drums struck at once, each at its own level."""

    def drum(strike: Strike) -> Samples:
        sounds = [as_samples(level * each(strike)) for each, level in drums]
        whole = np.zeros(max(len(sound) for sound in sounds), np.float32)
        for sound in sounds:
            whole[: len(sound)] += sound
        return whole

    return drum


def through(drum: Drum, low_hz: float, high_hz: float) -> Drum:
    """A drum as it comes off an old tape: within a band."""

    def taped(strike: Strike) -> Samples:
        padded = np.pad(drum(strike), (0, ROOM))  # for what the filter lets ring
        return filtered(padded, low_hz, high_hz) * struck(len(padded), 60.0, 0.0)

    return taped


def driven(drum: Drum, gain: float) -> Drum:
    """A drum turned up until it's round."""
    return lambda strike: as_samples(np.tanh(gain * drum(strike)))


def _burst(strike: Strike, frames: int, between_hz: tuple[float, float], decay_s: float) -> Samples:
    """Noise of one band at root mean square 1 before it dies away, louder when hit harder."""
    hiss = filtered(strike.noise().standard_normal(frames, dtype=np.float32), *between_hz, 2.0)
    level = (0.5 + 0.6 * strike.velocity) / (float(np.sqrt(np.mean(np.square(hiss)))) + 1e-9)
    return as_samples(hiss * level) * struck(frames, decay_s, 0.0005)

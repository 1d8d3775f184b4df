"""Bowed and blown solo instruments: one wave of the pitch's own, brighter as it grows louder, with vibrato and breath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.local_gateway.composer.instruments.shaping import frames_of, held, hiss
from pipeline.local_gateway.composer.instruments.strike import Strike
from pipeline.local_gateway.composer.instruments.wavetable import Formants, read, timbre
from pipeline.local_gateway.composer.sound import Samples, at_level, hertz_of, seconds


@dataclass(frozen=True, slots=True)
class Solo:
    """What tells one bowed or blown instrument from another."""

    slope: float  # how fast harmonics fall: 1 is a saw, 3 almost a sine
    formants: Formants
    floor: float  # the body's gain between its resonances
    dull_hz: float  # where the tone rolls off when soft
    bright_hz: float  # and when loud
    attack_s: float
    release_s: float
    vibrato_cents: float
    vibrato_hz: float = 5.3
    vibrato_after_s: float = 0.25
    breath: float = 0.0  # noise beside the tone
    breath_hz: tuple[float, float] = (1500.0, 7000.0)
    scoop_cents: float = 0.0  # how far below its pitch a note begins


SOLOS: Final[dict[str, Solo]] = {
    "violin": Solo(
        1.05, ((290, 120, 1.0), (460, 160, 1.2), (1100, 500, 0.8), (2600, 1200, 0.7)), 0.35, 1800, 5200, 0.07, 0.12,
        22, 5.6, 0.18, 0.012, (2500, 9000), 14,
    ),
    "cello": Solo(
        1.1, ((110, 60, 0.9), (220, 120, 1.0), (600, 300, 0.8), (1500, 900, 0.5)), 0.4, 1100, 3600, 0.09, 0.16,
        18, 5.1, 0.22, 0.012, (1500, 6000), 10,
    ),
    "fiddle": Solo(
        0.95, ((290, 120, 1.0), (520, 200, 1.1), (1300, 600, 0.9), (3000, 1500, 0.8)), 0.4, 2400, 6000, 0.035, 0.08,
        10, 5.8, 0.3, 0.02, (2500, 9000), 20,
    ),
    "flute": Solo(
        2.4, ((800, 700, 0.7), (1600, 900, 0.5)), 0.6, 1600, 4200, 0.06, 0.1, 14, 5.0, 0.3, 0.055, (1200, 6500), 8,
    ),
    "whistle": Solo(2.8, ((1500, 1000, 0.5),), 0.6, 2500, 5200, 0.03, 0.06, 8, 5.4, 0.35, 0.06, (2500, 9000), 12),
    "clarinet": Solo(1.5, ((1500, 900, 0.6),), 0.5, 1300, 3400, 0.05, 0.09, 4, 4.8, 0.4, 0.015, (1500, 5000), 4),
    "oboe": Solo(
        0.8, ((1150, 350, 1.6), (2900, 800, 0.9)), 0.28, 2400, 4600, 0.05, 0.08, 10, 5.2, 0.25, 0.01, (2000, 6000), 6,
    ),
    "sax": Solo(
        1.0, ((500, 300, 1.0), (1300, 500, 1.1), (2500, 900, 0.7)), 0.35, 1400, 4200, 0.05, 0.1,
        18, 5.0, 0.3, 0.04, (1500, 6000), 35,
    ),
    "trumpet": Solo(0.7, ((1200, 700, 1.0), (2200, 1400, 0.7)), 0.4, 1100, 5600, 0.04, 0.09, 8, 5.2, 0.4, 0.008,
                    (1500, 5000), 22),
    "muted trumpet": Solo(0.5, ((1900, 700, 1.6), (3400, 900, 0.8)), 0.12, 2200, 5000, 0.04, 0.08, 12, 5.3, 0.3,
                          0.02, (2000, 6000), 18),
    "horn": Solo(1.3, ((420, 300, 1.1), (900, 500, 0.5)), 0.4, 700, 2600, 0.08, 0.16, 4, 4.8, 0.5, 0.006,
                 (600, 2500), 16),
    "tuba": Solo(1.4, ((200, 160, 1.0), (500, 300, 0.5)), 0.4, 450, 1500, 0.06, 0.14, 0, 5.0, 1.0, 0.006,
                 (400, 1800), 10),
    "accordion": Solo(0.75, ((900, 600, 0.8), (2400, 1200, 0.6)), 0.5, 2600, 5200, 0.05, 0.07, 0, 5.0, 1.0, 0.006,
                      (1500, 5000), 0),
    "harmonica": Solo(0.7, ((1000, 400, 1.2), (2300, 900, 0.8)), 0.3, 2400, 5000, 0.05, 0.08, 16, 5.4, 0.2, 0.02,
                      (1800, 6000), 24),
    "bagpipe": Solo(0.5, ((900, 500, 1.0), (2000, 900, 0.9)), 0.4, 3500, 6000, 0.03, 0.05, 0, 5.0, 1.0, 0.01,
                    (2000, 6000), 0),
}  # fmt: skip

ODD_ONLY: Final = frozenset({"clarinet"})
TWO_REEDS_CENTS: Final[dict[str, float]] = {"accordion": 9.0, "harmonica": 4.0}


def play(strike: Strike) -> Samples:
    """The instrument named by the strike, alone: (frames,)."""
    solo = SOLOS[strike.instrument]
    envelope = held(strike.frames, solo.attack_s * (1.35 - 0.6 * strike.velocity), solo.release_s)
    time = seconds(len(envelope))
    loudness = _swell(strike, envelope, time)
    hertz = hertz_of(strike.pitch)
    phase = hertz * time + _bend(solo, strike, time, hertz)
    tone = _tone(solo, strike, hertz, phase, loudness)
    detune = TWO_REEDS_CENTS.get(strike.instrument)
    if detune:
        tone = tone + _tone(solo, strike, hertz, phase * 2.0 ** (detune / 1200.0), loudness)
    return at_level((tone + _breath(solo, strike, len(envelope))) * envelope * (0.55 + 0.45 * loudness))


def _swell(strike: Strike, envelope: Samples, time: NDArray[np.float64]) -> Samples:
    """How hard it's played through the note: long ones grow a little, then ease."""
    length = max(strike.frames, 1) / 44_100
    arch = np.sin(np.pi * np.minimum(time / length, 1.0) ** 0.7) if length > 0.6 else np.full(len(time), 0.5)
    return (envelope * (strike.velocity * (0.8 + 0.3 * arch))).astype(np.float32)


def _bend(solo: Solo, strike: Strike, time: NDArray[np.float64], hertz: float) -> NDArray[np.float64]:
    """Vibrato that sets in late, and the scoop at the note's start, as cycles ahead of the steady phase."""
    rate = solo.vibrato_hz * (1.0 + 0.03 * (strike.variant % 3 - 1))
    onset = np.clip((time - solo.vibrato_after_s) / 0.3, 0.0, 1.0)
    swing = solo.vibrato_cents * (0.6 + 0.5 * strike.velocity) * np.log(2) / 1200.0
    vibrato = onset * swing * hertz / (2 * np.pi * rate) * np.sin(2 * np.pi * rate * time)
    scoop = solo.scoop_cents * np.log(2) / 1200.0 * hertz * 0.03 * np.exp(-time / 0.03)
    return vibrato + scoop


def _tone(solo: Solo, strike: Strike, hertz: float, phase: NDArray[np.float64], loudness: Samples) -> Samples:
    dull = timbre(hertz, solo.slope + 0.35, solo.formants, solo.floor, max(1.2 * solo.dull_hz, 1.5 * hertz))
    bright = timbre(hertz, solo.slope, solo.formants, solo.floor, max(1.35 * solo.bright_hz, 2.5 * hertz))
    if strike.instrument in ODD_ONLY:  # half a cycle later, upside down: even harmonics cancel
        dull, bright = _mostly_odd(dull), _mostly_odd(bright)
    soft = read(dull, phase)
    return soft + np.minimum(loudness, 1.0) * (read(bright, phase) - soft)


def _mostly_odd(cycle: Samples) -> Samples:
    return cycle - np.float32(0.85) * np.roll(cycle, len(cycle) // 2)


def _breath(solo: Solo, strike: Strike, frames: int) -> Samples:
    """Air or bow: a steady hiss with a puff at the start."""
    air = hiss(strike.noise(), frames, *solo.breath_hz)
    puff = 1.0 + 2.0 * np.exp(-np.arange(frames, dtype=np.float32) / frames_of(0.04))
    return air * puff * np.float32(solo.breath)

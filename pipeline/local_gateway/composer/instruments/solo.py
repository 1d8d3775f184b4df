"""Bowed and blown solo instruments: a wave for each pitch, brighter as it grows louder, with vibrato and breath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.shaping import frames_of, held, hiss
from pipeline.local_gateway.composer.instruments.wavetable import Formants, read, timbre
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples, at_level, hertz_of, seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.local_gateway.composer.instruments.strike import Strike


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
        slope=1.05, formants=((290, 120, 1.0), (460, 160, 1.2), (1100, 500, 0.8), (2600, 1200, 0.7)), floor=0.35,
        dull_hz=1800, bright_hz=5200, attack_s=0.07, release_s=0.12, vibrato_cents=22, vibrato_hz=5.6,
        vibrato_after_s=0.18, breath=0.012, breath_hz=(2500, 9000), scoop_cents=14,
    ),
    "cello": Solo(
        slope=1.1, formants=((110, 60, 0.9), (220, 120, 1.0), (600, 300, 0.8), (1500, 900, 0.5)), floor=0.4,
        dull_hz=1100, bright_hz=3600, attack_s=0.09, release_s=0.16, vibrato_cents=18, vibrato_hz=5.1,
        vibrato_after_s=0.22, breath=0.012, breath_hz=(1500, 6000), scoop_cents=10,
    ),
    "fiddle": Solo(
        slope=0.95, formants=((290, 120, 1.0), (520, 200, 1.1), (1300, 600, 0.9), (3000, 1500, 0.8)), floor=0.4,
        dull_hz=2400, bright_hz=6000, attack_s=0.035, release_s=0.08, vibrato_cents=10, vibrato_hz=5.8,
        vibrato_after_s=0.3, breath=0.02, breath_hz=(2500, 9000), scoop_cents=20,
    ),
    "flute": Solo(
        slope=2.4, formants=((800, 700, 0.7), (1600, 900, 0.5)), floor=0.6, dull_hz=1600, bright_hz=4200,
        attack_s=0.06, release_s=0.1, vibrato_cents=14, vibrato_hz=5.0, vibrato_after_s=0.3, breath=0.055,
        breath_hz=(1200, 6500), scoop_cents=8,
    ),
    "whistle": Solo(
        slope=2.8, formants=((1500, 1000, 0.5),), floor=0.6, dull_hz=2500, bright_hz=5200, attack_s=0.03,
        release_s=0.06, vibrato_cents=8, vibrato_hz=5.4, vibrato_after_s=0.35, breath=0.06, breath_hz=(2500, 9000),
        scoop_cents=12,
    ),
    "clarinet": Solo(
        slope=1.5, formants=((1500, 900, 0.6),), floor=0.5, dull_hz=1300, bright_hz=3400, attack_s=0.05,
        release_s=0.09, vibrato_cents=4, vibrato_hz=4.8, vibrato_after_s=0.4, breath=0.015, breath_hz=(1500, 5000),
        scoop_cents=4,
    ),
    "oboe": Solo(
        slope=0.8, formants=((1150, 350, 1.6), (2900, 800, 0.9)), floor=0.28, dull_hz=2400, bright_hz=4600,
        attack_s=0.05, release_s=0.08, vibrato_cents=10, vibrato_hz=5.2, breath=0.01, breath_hz=(2000, 6000),
        scoop_cents=6,
    ),
    "sax": Solo(
        slope=1.0, formants=((500, 300, 1.0), (1300, 500, 1.1), (2500, 900, 0.7)), floor=0.35, dull_hz=1400,
        bright_hz=4200, attack_s=0.05, release_s=0.1, vibrato_cents=18, vibrato_hz=5.0, vibrato_after_s=0.3,
        breath=0.04, breath_hz=(1500, 6000), scoop_cents=35,
    ),
    "trumpet": Solo(
        slope=0.7, formants=((1200, 700, 1.0), (2200, 1400, 0.7)), floor=0.4, dull_hz=1100, bright_hz=5600,
        attack_s=0.04, release_s=0.09, vibrato_cents=8, vibrato_hz=5.2, vibrato_after_s=0.4, breath=0.008,
        breath_hz=(1500, 5000), scoop_cents=22,
    ),
    "muted trumpet": Solo(
        slope=0.5, formants=((1900, 700, 1.6), (3400, 900, 0.8)), floor=0.12, dull_hz=2200, bright_hz=5000,
        attack_s=0.04, release_s=0.08, vibrato_cents=12, vibrato_after_s=0.3, breath=0.02, breath_hz=(2000, 6000),
        scoop_cents=18,
    ),
    "horn": Solo(
        slope=1.3, formants=((420, 300, 1.1), (900, 500, 0.5)), floor=0.4, dull_hz=700, bright_hz=2600,
        attack_s=0.08, release_s=0.16, vibrato_cents=4, vibrato_hz=4.8, vibrato_after_s=0.5, breath=0.006,
        breath_hz=(600, 2500), scoop_cents=16,
    ),
    "tuba": Solo(
        slope=1.4, formants=((200, 160, 1.0), (500, 300, 0.5)), floor=0.4, dull_hz=450, bright_hz=1500,
        attack_s=0.06, release_s=0.14, vibrato_cents=0, vibrato_hz=5.0, vibrato_after_s=1.0, breath=0.006,
        breath_hz=(400, 1800), scoop_cents=10,
    ),
    "accordion": Solo(
        slope=0.75, formants=((900, 600, 0.8), (2400, 1200, 0.6)), floor=0.5, dull_hz=2600, bright_hz=5200,
        attack_s=0.05, release_s=0.07, vibrato_cents=0, vibrato_hz=5.0, vibrato_after_s=1.0, breath=0.006,
        breath_hz=(1500, 5000),
    ),
    "harmonica": Solo(
        slope=0.7, formants=((1000, 400, 1.2), (2300, 900, 0.8)), floor=0.3, dull_hz=2400, bright_hz=5000,
        attack_s=0.05, release_s=0.08, vibrato_cents=16, vibrato_hz=5.4, vibrato_after_s=0.2, breath=0.02,
        breath_hz=(1800, 6000), scoop_cents=24,
    ),
    "bagpipe": Solo(
        slope=0.5, formants=((900, 500, 1.0), (2000, 900, 0.9)), floor=0.4, dull_hz=3500, bright_hz=6000,
        attack_s=0.03, release_s=0.05, vibrato_cents=0, vibrato_hz=5.0, vibrato_after_s=1.0, breath=0.01,
        breath_hz=(2000, 6000),
    ),
}  # fmt: skip

LONG_S: Final = 0.6  # notes longer than this swell
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
    length = max(strike.frames, 1) / SAMPLE_RATE
    arch = np.sin(np.pi * np.minimum(time / length, 1.0) ** 0.7) if length > LONG_S else np.full(len(time), 0.5)
    return as_samples(envelope * (strike.velocity * (0.8 + 0.3 * arch)))


def _bend(solo: Solo, strike: Strike, time: NDArray[np.float64], hertz: float) -> NDArray[np.float64]:
    """Vibrato that sets in late, and the scoop at the note's start, as cycles ahead of the steady phase."""
    rate = solo.vibrato_hz * (1.0 + 0.03 * (strike.variant % 3 - 1))
    onset = np.clip((time - solo.vibrato_after_s) / 0.3, 0.0, 1.0)
    swing = solo.vibrato_cents * (0.6 + 0.5 * strike.velocity) * np.log(2) / 1200.0
    vibrato = onset * swing * hertz / (2 * np.pi * rate) * np.sin(2 * np.pi * rate * time)
    scoop = solo.scoop_cents * np.log(2) / 1200.0 * hertz * 0.03 * np.exp(-time / 0.03)
    return np.asarray(vibrato + scoop)


def _tone(solo: Solo, strike: Strike, hertz: float, phase: NDArray[np.float64], loudness: Samples) -> Samples:
    dull = timbre(hertz, solo.slope + 0.35, solo.formants, solo.floor, max(1.2 * solo.dull_hz, 1.5 * hertz))
    bright = timbre(hertz, solo.slope, solo.formants, solo.floor, max(1.35 * solo.bright_hz, 2.5 * hertz))
    if strike.instrument in ODD_ONLY:  # half a cycle later, upside down: even harmonics cancel
        dull, bright = _mostly_odd(dull), _mostly_odd(bright)
    soft = read(dull, phase)
    return as_samples(soft + np.minimum(loudness, 1.0) * (read(bright, phase) - soft))


def _mostly_odd(cycle: Samples) -> Samples:
    return cycle - np.float32(0.85) * np.roll(cycle, len(cycle) // 2)


def _breath(solo: Solo, strike: Strike, frames: int) -> Samples:
    """Air or bow: a steady hiss with a puff at the start."""
    air = hiss(strike.noise(), frames, *solo.breath_hz)
    puff = 1.0 + 2.0 * np.exp(-np.arange(frames, dtype=np.float32) / frames_of(0.04))
    return as_samples(air * puff * solo.breath)

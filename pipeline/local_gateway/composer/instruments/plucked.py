"""Plucked strings: Karplus and Strong's string in closed form.

Their string is a burst of noise going round a delay of one period through a gentle low-pass. That loop keeps exactly
the harmonics of the period, and takes from each, every time round, what the low-pass takes there: so it is a sum of
harmonics with the burst's amplitudes and the loop's decays, which `partials.ring` makes at any pitch, in tune (a delay
in whole samples is not), without a loop over samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.local_gateway.composer.instruments.partials import SIXTY_DB, ring
from pipeline.local_gateway.composer.instruments.shaping import damped, filtered, frames_of, pitched, struck
from pipeline.local_gateway.composer.instruments.strike import Strike
from pipeline.local_gateway.composer.instruments.wavetable import Formants, body
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, at_level, hertz_of


@dataclass(frozen=True, slots=True)
class String:
    """What tells one plucked string from another."""

    ring_s: float  # how long the lowest harmonic rings at the bottom of the keyboard
    ring_top_s: float  # and at its top
    loss: float  # how much faster high harmonics die, by the square of kHz
    pluck_at: float  # where along the string, 0 to 0.5
    soft_hz: float  # how bright when plucked softly
    hard_hz: float  # and hard
    formants: Formants
    floor: float
    release_s: float
    thump: float = 0.1  # the body's own knock
    roughness: float = 0.5  # 0: an even burst; 1: as uneven as noise
    harmonics: int = 40


GUITAR_BODY: Final[Formants] = ((105, 40, 1.2), (210, 70, 1.0), (420, 160, 0.6), (2300, 1500, 0.4))
SMALL_BODY: Final[Formants] = ((390, 120, 1.2), (700, 250, 0.8), (2400, 1400, 0.5))
STRINGS: Final[dict[str, String]] = {
    "harp": String(6.0, 1.6, 0.7, 0.42, 1400, 4200, ((250, 200, 0.6),), 0.8, 0.9, 0.05, 0.15, 32),
    "guitar": String(4.5, 1.2, 1.1, 0.17, 1500, 5200, GUITAR_BODY, 0.55, 0.12, 0.16, 0.4),
    "nylon guitar": String(3.5, 0.9, 1.9, 0.24, 1000, 3200, GUITAR_BODY, 0.6, 0.1, 0.2, 0.3, 30),
    "clean guitar": String(5.0, 1.6, 0.8, 0.13, 1500, 4500, ((2500, 2000, 0.5),), 0.8, 0.1, 0.04, 0.2),
    "muted guitar": String(0.5, 0.25, 2.2, 0.12, 1400, 3800, ((500, 400, 0.5),), 0.8, 0.06, 0.1, 0.3, 30),
    "ukulele": String(1.7, 0.7, 1.5, 0.28, 1700, 4800, SMALL_BODY, 0.55, 0.1, 0.22, 0.3, 30),
    "banjo": String(1.2, 0.5, 1.0, 0.09, 2600, 7500, ((700, 300, 1.3), (2800, 1500, 0.9)), 0.4, 0.08, 0.2, 0.4),
    "mandolin": String(1.7, 0.7, 1.0, 0.12, 2600, 6500, SMALL_BODY, 0.5, 0.08, 0.14, 0.4),
    "lute": String(2.6, 0.9, 1.4, 0.2, 1500, 4200, ((180, 80, 1.0), (520, 250, 0.8)), 0.55, 0.12, 0.14, 0.35),
    "koto": String(2.8, 0.9, 1.0, 0.08, 2000, 6000, ((350, 200, 0.8), (1800, 900, 0.6)), 0.5, 0.3, 0.12, 0.4),
    "sitar": String(3.5, 1.4, 0.3, 0.05, 2800, 7000, ((1200, 700, 1.2), (2800, 1200, 1.0)), 0.35, 0.4, 0.1, 0.6, 60),
    "pizzicato": String(0.75, 0.3, 1.9, 0.22, 1100, 3200, ((280, 150, 1.0), (480, 250, 0.9)), 0.6, 0.12, 0.2, 0.3, 28),
    "harpsichord": String(3.0, 1.1, 0.45, 0.1, 5200, 6500, ((400, 300, 0.5),), 0.8, 0.09, 0.1, 0.35, 60),
    "electric bass": String(5.0, 1.6, 2.6, 0.14, 700, 2400, ((90, 90, 0.6),), 0.9, 0.07, 0.03, 0.15, 26),
    "upright bass": String(2.6, 0.8, 4.5, 0.2, 480, 1300, ((95, 60, 1.0), (190, 100, 0.6)), 0.7, 0.1, 0.14, 0.2, 22),
    "slap bass": String(2.6, 1.0, 1.2, 0.06, 1500, 5200, ((90, 90, 0.6), (2200, 1500, 0.5)), 0.8, 0.06, 0.1, 0.3, 36),
}  # fmt: skip


def play(strike: Strike) -> Samples:
    """The string named by the strike: (frames,)."""
    string = STRINGS[strike.instrument]
    ringing = pitched(string.ring_s, string.ring_top_s, strike.pitch, 30, 88)
    frames = min(strike.frames + frames_of(string.release_s), frames_of(0.9 * ringing + 0.05))
    sound = vibrate(string, strike, ringing, frames) + _thump(string, strike, frames)
    sound *= struck(frames, 60.0, 0.0015)
    return at_level(damped(sound, strike.frames, string.release_s))


def vibrate(string: String, strike: Strike, ringing_s: float, frames: int) -> Samples:
    """The string alone, without damper or body knock."""
    hertz = hertz_of(strike.pitch)
    order = np.arange(1, max(3, min(string.harmonics, int(12_000 / hertz))) + 1)
    at = order * hertz
    decays = SIXTY_DB / (SIXTY_DB / ringing_s + string.loss * (at / 1000.0) ** 2 * 2.2)
    phases = strike.noise().random(len(order)) * 2 * np.pi
    return ring(at, _burst(string, strike, order, at), decays, phases, frames)


def _burst(string: String, strike: Strike, order: NDArray[np.int64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """How strongly the pluck drives each harmonic: uneven as noise, none where the plectrum sits, softer when gentle."""
    uneven = np.exp(string.roughness * (strike.noise().standard_normal(len(order)) * 0.7))
    place = 0.06 + np.abs(np.sin(np.pi * order * string.pluck_at))
    bright = 1.4 * (string.soft_hz + (string.hard_hz - string.soft_hz) * strike.velocity**1.3) + 0.5 * at[0]
    strength = uneven * place / order**0.8 / (1 + (at / bright) ** 2)
    return np.asarray(strength * body(at, string.formants, string.floor))


def _thump(string: String, strike: Strike, frames: int) -> Samples:
    length = min(frames, SAMPLE_RATE // 12)
    sound = np.zeros(frames, np.float32)
    knock = filtered(strike.noise().standard_normal(length, dtype=np.float32), 90.0, 500.0)
    sound[:length] = knock * struck(length, 0.07, 0.001) * np.float32(string.thump * strike.velocity)
    return sound

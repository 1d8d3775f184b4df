"""Plucked strings: Karplus and Strong's string in closed form.

Their string is a burst of noise going round a delay of one period through a gentle low-pass. That loop keeps exactly
the harmonics of the period, and takes from each, every time round, what the low-pass takes there: so it is a sum of
harmonics with the burst's amplitudes and the loop's decays, which `partials.ring` makes at any pitch, in tune (a delay
in whole samples is not), without a loop over samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.partials import SIXTY_DB, ring
from pipeline.local_gateway.composer.instruments.shaping import damped, filtered, frames_of, pitched, struck
from pipeline.local_gateway.composer.instruments.wavetable import Formants, body
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples, at_level, hertz_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.local_gateway.composer.instruments.strike import Strike


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


NAIL: Final = 0.5  # its scratch, beside the body's knock
GUITAR_BODY: Final[Formants] = ((105, 40, 1.2), (210, 70, 1.0), (420, 160, 0.6), (2300, 1500, 0.4))
SMALL_BODY: Final[Formants] = ((390, 120, 1.2), (700, 250, 0.8), (2400, 1400, 0.5))
STRINGS: Final[dict[str, String]] = {
    "harp": String(
        ring_s=6.0, ring_top_s=1.6, loss=0.7, pluck_at=0.42, soft_hz=1400, hard_hz=4200, formants=((250, 200, 0.6),),
        floor=0.8, release_s=0.9, thump=0.05, roughness=0.15, harmonics=32,
    ),
    "guitar": String(
        ring_s=4.5, ring_top_s=1.2, loss=1.1, pluck_at=0.17, soft_hz=1500, hard_hz=5200, formants=GUITAR_BODY,
        floor=0.55, release_s=0.12, thump=0.16, roughness=0.4,
    ),
    "nylon guitar": String(
        ring_s=3.5, ring_top_s=0.9, loss=1.9, pluck_at=0.24, soft_hz=1000, hard_hz=3200, formants=GUITAR_BODY,
        floor=0.6, release_s=0.1, thump=0.2, roughness=0.3, harmonics=30,
    ),
    "clean guitar": String(
        ring_s=5.0, ring_top_s=1.6, loss=0.8, pluck_at=0.13, soft_hz=1500, hard_hz=4500,
        formants=((2500, 2000, 0.5),), floor=0.8, release_s=0.1, thump=0.04, roughness=0.2,
    ),
    "muted guitar": String(
        ring_s=0.5, ring_top_s=0.25, loss=2.2, pluck_at=0.12, soft_hz=1400, hard_hz=3800,
        formants=((500, 400, 0.5),), floor=0.8, release_s=0.06, roughness=0.3, harmonics=30,
    ),
    "ukulele": String(
        ring_s=1.7, ring_top_s=0.7, loss=1.5, pluck_at=0.28, soft_hz=1700, hard_hz=4800, formants=SMALL_BODY,
        floor=0.55, release_s=0.1, thump=0.22, roughness=0.3, harmonics=30,
    ),
    "banjo": String(
        ring_s=1.2, ring_top_s=0.5, loss=1.0, pluck_at=0.09, soft_hz=2600, hard_hz=7500,
        formants=((700, 300, 1.3), (2800, 1500, 0.9)), floor=0.4, release_s=0.08, thump=0.2, roughness=0.4,
    ),
    "mandolin": String(
        ring_s=1.7, ring_top_s=0.7, loss=1.0, pluck_at=0.12, soft_hz=2600, hard_hz=6500, formants=SMALL_BODY,
        floor=0.5, release_s=0.08, thump=0.14, roughness=0.4,
    ),
    "lute": String(
        ring_s=2.6, ring_top_s=0.9, loss=1.4, pluck_at=0.2, soft_hz=1500, hard_hz=4200,
        formants=((180, 80, 1.0), (520, 250, 0.8)), floor=0.55, release_s=0.12, thump=0.14, roughness=0.35,
    ),
    "koto": String(
        ring_s=2.8, ring_top_s=0.9, loss=1.0, pluck_at=0.08, soft_hz=2000, hard_hz=6000,
        formants=((350, 200, 0.8), (1800, 900, 0.6)), floor=0.5, release_s=0.3, thump=0.12, roughness=0.4,
    ),
    "sitar": String(
        ring_s=3.5, ring_top_s=1.4, loss=0.3, pluck_at=0.05, soft_hz=2800, hard_hz=7000,
        formants=((1200, 700, 1.2), (2800, 1200, 1.0)), floor=0.35, release_s=0.4, roughness=0.6, harmonics=60,
    ),
    "pizzicato": String(
        ring_s=0.75, ring_top_s=0.3, loss=1.9, pluck_at=0.22, soft_hz=1100, hard_hz=3200,
        formants=((280, 150, 1.0), (480, 250, 0.9)), floor=0.6, release_s=0.12, thump=0.2, roughness=0.3,
        harmonics=28,
    ),
    "harpsichord": String(
        ring_s=3.0, ring_top_s=1.1, loss=0.45, pluck_at=0.1, soft_hz=5200, hard_hz=6500, formants=((400, 300, 0.5),),
        floor=0.8, release_s=0.09, roughness=0.35, harmonics=60,
    ),
    "electric bass": String(
        ring_s=5.0, ring_top_s=1.6, loss=2.6, pluck_at=0.14, soft_hz=700, hard_hz=2400, formants=((90, 90, 0.6),),
        floor=0.9, release_s=0.07, thump=0.03, roughness=0.15, harmonics=26,
    ),
    "upright bass": String(
        ring_s=2.6, ring_top_s=0.8, loss=4.5, pluck_at=0.2, soft_hz=480, hard_hz=1300,
        formants=((95, 60, 1.0), (190, 100, 0.6)), floor=0.7, release_s=0.1, thump=0.14, roughness=0.2, harmonics=22,
    ),
    "slap bass": String(
        ring_s=2.6, ring_top_s=1.0, loss=1.2, pluck_at=0.06, soft_hz=1500, hard_hz=5200,
        formants=((90, 90, 0.6), (2200, 1500, 0.5)), floor=0.8, release_s=0.06, roughness=0.3, harmonics=36,
    ),
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
    at = np.asarray(order * hertz, np.float64)
    decays = SIXTY_DB / (SIXTY_DB / ringing_s + string.loss * (at / 1000.0) ** 2 * 2.2)
    phases = strike.noise().random(len(order)) * 2 * np.pi
    return ring(at, _burst(string, strike, order, at), decays, phases, frames)


def _burst(string: String, strike: Strike, order: NDArray[np.int64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """How strongly the pluck drives each harmonic: uneven as noise, none where the finger sits, softer when gentle."""
    uneven = np.exp(string.roughness * (strike.noise().standard_normal(len(order)) * 0.7))
    place = 0.06 + np.abs(np.sin(np.pi * order * string.pluck_at))
    bright = 1.7 * (string.soft_hz + (string.hard_hz - string.soft_hz) * strike.velocity**1.3) + 0.5 * at[0]
    strength = uneven * place / order**0.8 / (1 + (at / bright) ** 2)
    return np.asarray(strength * body(at, string.formants, string.floor))


def _thump(string: String, strike: Strike, frames: int) -> Samples:
    """The knock of the body and the scratch of the nail."""
    length = min(frames, SAMPLE_RATE // 12)
    sound = np.zeros(frames, np.float32)
    noise = strike.noise().standard_normal(length, dtype=np.float32)
    knock = filtered(noise, 90.0, 500.0) * struck(length, 0.07, 0.001)
    nail = filtered(noise, 2500.0, 9000.0) * struck(length, 0.02, 0.0005)
    sound[:length] = as_samples((knock + NAIL * nail) * string.thump * strike.velocity)
    return sound

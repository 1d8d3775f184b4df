"""Many players at once: each harmonic is a narrow band of noise, as Nasca's PADsynth makes it, in one inverse FFT.

What comes out is a long cycle without a seam. Read from two places it is wide stereo, for the two are unrelated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.local_gateway.composer.chance import seed_of
from pipeline.local_gateway.composer.instruments.shaping import held, hiss, struck
from pipeline.local_gateway.composer.instruments.strike import Strike
from pipeline.local_gateway.composer.instruments.wavetable import Formants, body, harmonics_below
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples, at_level, hertz_of

LENGTH: Final = 1 << 17  # 3 s: long enough that nobody hears it come round
DULL, PLAIN, BRIGHT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Section:
    """What tells one body of players from another."""

    slope: float
    formants: Formants
    floor: float
    rolloff_hz: float
    width_cents: float  # how far the players disagree
    attack_s: float
    release_s: float
    short: bool = False  # bowed or tongued once and let go
    octave: float = 0.0  # how much of the octave above


STRINGS: Final[Formants] = ((290, 150, 0.8), (480, 250, 1.0), (1100, 600, 0.7), (2400, 1400, 0.6))
SECTIONS: Final[dict[str, Section]] = {
    "strings": Section(1.15, STRINGS, 0.4, 3200, 26, 0.22, 0.4),
    "violins": Section(1.05, STRINGS, 0.4, 4200, 24, 0.1, 0.25),
    "cellos": Section(1.2, ((130, 90, 0.8), (240, 140, 1.0), (650, 400, 0.7)), 0.45, 2200, 22, 0.14, 0.3),
    "spiccato": Section(1.0, STRINGS, 0.45, 3800, 24, 0.01, 0.1, short=True),
    "horns": Section(1.25, ((420, 300, 1.1), (900, 500, 0.6)), 0.4, 2200, 12, 0.09, 0.25),
    "brass": Section(0.85, ((600, 400, 0.8), (1300, 800, 0.9)), 0.4, 3600, 13, 0.05, 0.18),
    "choir": Section(1.35, ((640, 140, 2.2), (1080, 160, 1.5), (2700, 400, 0.7), (3300, 500, 0.4)), 0.12, 4200,
                     32, 0.25, 0.5),
    "oohs": Section(1.6, ((340, 120, 2.0), (800, 160, 0.9), (2400, 400, 0.2)), 0.12, 3000, 30, 0.2, 0.4),
    "warm pad": Section(1.3, (), 1.0, 1500, 24, 0.5, 1.0),
    "glass pad": Section(1.9, ((2500, 2500, 0.5),), 0.8, 6000, 18, 0.7, 1.4, octave=0.5),
    "synth pad": Section(1.0, (), 1.0, 2600, 28, 0.18, 0.5),
    "supersaw": Section(0.95, (), 1.0, 6500, 30, 0.01, 0.12),
    "organ": Section(1.9, ((1200, 1600, 0.5),), 0.8, 4200, 6, 0.02, 0.08, octave=0.7),
    "drone": Section(1.5, ((220, 200, 0.8), (700, 500, 0.4)), 0.6, 1200, 30, 1.2, 1.8),
}  # fmt: skip


def play(strike: Strike) -> Samples:
    """The players named by the strike: (2, frames)."""
    section = SECTIONS[strike.instrument]
    envelope = _envelope(section, strike)
    cycle = _cycle(strike.instrument, strike.pitch, _brightness(strike.velocity))
    start = int(strike.noise().integers(LENGTH))
    sound = np.stack((_from(cycle, start, len(envelope)), _from(cycle, start + LENGTH // 2, len(envelope))))
    sound = _narrowed(sound) * envelope
    return at_level(sound + _bite(strike, len(envelope)) if section.short else sound)


def _bite(strike: Strike, frames: int) -> Samples:
    """Bows that grip the string: a short scratch at the start."""
    scratch = hiss(strike.noise(), frames, 900.0, 5500.0)
    return as_samples(scratch * struck(frames, 0.07, 0.002) * (0.5 + 0.6 * strike.velocity))


def _envelope(section: Section, strike: Strike) -> Samples:
    if not section.short:
        return held(strike.frames, section.attack_s * (1.4 - 0.7 * strike.velocity), section.release_s)
    return struck(min(strike.frames, SAMPLE_RATE // 4) + SAMPLE_RATE // 8, 0.45, section.attack_s)


def _brightness(velocity: float) -> int:
    return DULL if velocity < 0.45 else PLAIN if velocity < 0.75 else BRIGHT  # noqa: PLR2004 - soft, plain, loud


def _from(cycle: Samples, start: int, frames: int) -> Samples:
    """`frames` of the endless cycle, beginning at `start`."""
    turns = np.tile(np.roll(cycle, -start), -(-frames // LENGTH))
    return turns[:frames]


def _narrowed(sound: Samples) -> Samples:
    """A quarter of each side in the other: wide, but not two separate rooms."""
    return sound + np.float32(0.33) * sound[::-1]


@lru_cache(maxsize=96)
def _cycle(name: str, pitch: int, brightness: int) -> Samples:
    section = SECTIONS[name]
    hertz = hertz_of(pitch)
    order = harmonics_below(hertz, 60)
    at = order * hertz
    rolloff = max(section.rolloff_hz * (0.8, 1.4, 2.2)[brightness], 1.6 * hertz)
    gain = order**-section.slope * body(at, section.formants, section.floor) / (1.0 + (at / rolloff) ** 2)
    if section.octave:
        gain[1::2] *= 1.0 + section.octave
    spectrum = _bands(at, gain, section.width_cents) * _phases()
    cycle = np.fft.irfft(spectrum, LENGTH).astype(np.float32, copy=False)
    return cycle / np.float32(np.sqrt(np.mean(np.square(cycle))) + 1e-12)


def _bands(at: NDArray[np.float64], gain: NDArray[np.float64], width_cents: float) -> Samples:
    """The magnitude of each bin: one bell curve of equal energy for each harmonic, wider the higher it lies."""
    bins = np.zeros(LENGTH // 2 + 1, np.float32)
    for hertz, height in zip(at, gain, strict=True):
        centre = hertz * LENGTH / SAMPLE_RATE
        spread = max(0.7, centre * (2.0 ** (width_cents / 1200.0) - 1.0) * 0.5)
        low, high = max(1, int(centre - 3 * spread)), min(len(bins) - 1, int(centre + 3 * spread) + 1)
        around = np.arange(low, high + 1)
        bins[low : high + 1] += height / np.sqrt(spread) * np.exp(-0.5 * ((around - centre) / spread) ** 2)
    return bins


@lru_cache(maxsize=1)
def _phases() -> NDArray[np.complex64]:
    chance = np.random.Generator(np.random.PCG64(seed_of("the players' phases") & ((1 << 64) - 1)))
    return np.exp(2j * np.pi * chance.random(LENGTH // 2 + 1)).astype(np.complex64)

"""Many players at once: each harmonic is a narrow band of noise, as Nasca's PADsynth makes it, in one inverse FFT.

What comes out is a long cycle without a seam. Read from two places it is wide stereo, for the two are unrelated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.shaping import held, hiss, struck
from pipeline.local_gateway.composer.instruments.wavetable import Formants, body, harmonics_below
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples, at_level, hertz_of, noise_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.local_gateway.composer.instruments.strike import Strike

LENGTH: Final = 1 << 17  # 3 s: long enough that nobody hears it come round
DULL, PLAIN, BRIGHT = 0, 1, 2
PLAIN_FROM, BRIGHT_FROM = 0.45, 0.75  # velocities


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
    "strings": Section(
        slope=1.15, formants=STRINGS, floor=0.4, rolloff_hz=3200, width_cents=26, attack_s=0.22, release_s=0.4,
    ),
    "violins": Section(
        slope=1.05, formants=STRINGS, floor=0.4, rolloff_hz=4200, width_cents=24, attack_s=0.1, release_s=0.25,
    ),
    "cellos": Section(
        slope=1.2, formants=((130, 90, 0.8), (240, 140, 1.0), (650, 400, 0.7)), floor=0.45, rolloff_hz=2200,
        width_cents=22, attack_s=0.14, release_s=0.3,
    ),
    "spiccato": Section(
        slope=1.0, formants=STRINGS, floor=0.45, rolloff_hz=3800, width_cents=24, attack_s=0.01, release_s=0.1,
        short=True,
    ),
    "horns": Section(
        slope=1.25, formants=((420, 300, 1.1), (900, 500, 0.6)), floor=0.4, rolloff_hz=2200, width_cents=12,
        attack_s=0.09, release_s=0.25,
    ),
    "brass": Section(
        slope=0.85, formants=((600, 400, 0.8), (1300, 800, 0.9)), floor=0.4, rolloff_hz=3600, width_cents=13,
        attack_s=0.05, release_s=0.18,
    ),
    "choir": Section(
        slope=1.35, formants=((640, 140, 2.2), (1080, 160, 1.5), (2700, 400, 0.7), (3300, 500, 0.4)), floor=0.12,
        rolloff_hz=4200, width_cents=32, attack_s=0.25, release_s=0.5,
    ),
    "oohs": Section(
        slope=1.6, formants=((340, 120, 2.0), (800, 160, 0.9), (2400, 400, 0.2)), floor=0.12, rolloff_hz=3000,
        width_cents=30, attack_s=0.2, release_s=0.4,
    ),
    "warm pad": Section(
        slope=1.3, formants=(), floor=1.0, rolloff_hz=1500, width_cents=24, attack_s=0.5, release_s=1.0,
    ),
    "glass pad": Section(
        slope=1.9, formants=((2500, 2500, 0.5),), floor=0.8, rolloff_hz=6000, width_cents=18, attack_s=0.7,
        release_s=1.4, octave=0.5,
    ),
    "synth pad": Section(
        slope=1.0, formants=(), floor=1.0, rolloff_hz=2600, width_cents=28, attack_s=0.18, release_s=0.5,
    ),
    "supersaw": Section(
        slope=0.95, formants=(), floor=1.0, rolloff_hz=6500, width_cents=30, attack_s=0.01, release_s=0.12,
    ),
    "organ": Section(
        slope=1.9, formants=((1200, 1600, 0.5),), floor=0.8, rolloff_hz=4200, width_cents=6, attack_s=0.02,
        release_s=0.08, octave=0.7,
    ),
    "drone": Section(
        slope=1.5, formants=((220, 200, 0.8), (700, 500, 0.4)), floor=0.6, rolloff_hz=1200, width_cents=30,
        attack_s=1.2, release_s=1.8,
    ),
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
    return DULL if velocity < PLAIN_FROM else PLAIN if velocity < BRIGHT_FROM else BRIGHT


def _from(cycle: Samples, start: int, frames: int) -> Samples:
    """`frames` of the endless cycle, beginning at `start`."""
    start %= LENGTH
    turns = -(-(start + frames) // LENGTH)
    return (np.tile(cycle, turns) if turns > 1 else cycle)[start : start + frames]


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
    chance = noise_of("the players' phases")
    return np.asarray(np.exp(2j * np.pi * chance.random(LENGTH // 2 + 1)), np.complex64)

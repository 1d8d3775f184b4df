"""A singing voice: vowels by formants, a breath of the consonant before them. It sings syllables, not words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.shaping import frames_of, held, hiss, struck
from pipeline.local_gateway.composer.instruments.wavetable import Formants, read, timbre
from pipeline.local_gateway.composer.sound import Samples, at_level, hertz_of, seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.local_gateway.composer.instruments.strike import Strike

# An alto's formants: Csound's manual, appendix of formant values, rounded.
VOWELS: Final[dict[str, Formants]] = {
    "a": ((800, 90, 1.0), (1150, 100, 0.65), (2800, 180, 0.30), (3500, 220, 0.22)),
    "e": ((450, 80, 1.0), (1800, 120, 0.42), (2700, 180, 0.30), (3400, 220, 0.20)),
    "i": ((340, 70, 1.0), (2100, 120, 0.38), (2800, 180, 0.30), (3500, 220, 0.20)),
    "o": ((470, 80, 1.0), (820, 90, 0.55), (2700, 180, 0.18), (3400, 220, 0.12)),
    "u": ((330, 70, 1.0), (700, 80, 0.32), (2600, 180, 0.12), (3400, 220, 0.08)),
}
DIPHTHONGS: Final[dict[str, str]] = {"ai": "i", "ei": "i", "ou": "u", "au": "u", "oi": "i"}
ONSET_S: Final = 0.07  # how long before the beat a syllable's consonant begins: the vowel falls on the beat
NOISE_HZ: Final[dict[str, tuple[float, float]]] = {
    "s": (4500.0, 11_000.0), "sh": (2200.0, 6500.0), "f": (1500.0, 9000.0), "t": (2500.0, 9000.0),
    "k": (1200.0, 4500.0), "p": (300.0, 2500.0),
}  # fmt: skip
VIBRATO_HZ: Final = 5.4


def play(strike: Strike) -> Samples:
    """A syllable, sung by two who agree almost: (2, frames). The colour is `consonant-vowel`, as `s-ai`."""
    consonant, _, vowel = strike.colour.partition("-")
    voiced = [_sung(strike, consonant, vowel or "a", side) for side in (0, 1)]
    sound = np.stack((voiced[0] + 0.4 * voiced[1], voiced[1] + 0.4 * voiced[0]))
    sound = at_level(sound.astype(np.float32))
    return sound + _consonant(strike, consonant, sound.shape[1])


def _sung(strike: Strike, consonant: str, vowel: str, side: int) -> Samples:
    envelope = _opening(consonant, held(strike.frames, 0.05, 0.09))
    time = seconds(len(envelope))
    hertz = hertz_of(strike.pitch) * 2.0 ** ((6.0 * side - 3.0) / 1200.0)
    phase = hertz * time + _vibrato(time, hertz, side) + hertz * 0.0012 * np.exp(-time / 0.05)
    first, last = vowel[0], DIPHTHONGS.get(vowel, vowel[0])
    tone = read(_table(hertz, first), phase)
    if last != first:
        turning = np.clip(time / max(time[-1], 0.2) * 2.2 - 1.1, 0, 1).astype(np.float32)
        tone = tone + turning * (read(_table(hertz, last), phase) - tone)
    breath = hiss(strike.noise(), len(envelope), 1800, 6500) * np.float32(0.02)
    return (tone + breath) * envelope


def _table(hertz: float, vowel: str) -> Samples:
    """High notes raise the first formant to their pitch, as singers do."""
    (low, width, gain), *others = VOWELS[vowel]
    return timbre(round(hertz, 2), 1.1, ((max(low, 1.05 * hertz), width, gain), *others), 0.04, 6000)


def _vibrato(time: NDArray[np.float64], hertz: float, side: int) -> NDArray[np.float64]:
    rate = VIBRATO_HZ * (1.0 + 0.06 * side)
    depth = 26 * np.log(2) / 1200.0 * hertz / (2 * np.pi * rate)
    return np.asarray(depth * np.clip((time - 0.22) / 0.35, 0, 1) * np.sin(2 * np.pi * rate * time + side))


def _opening(consonant: str, envelope: Samples) -> Samples:
    """How the vowel comes out of its consonant: hummed under m and n, stopped by p, t, k."""
    onset = min(frames_of(ONSET_S), len(envelope))
    closed = {"m": 0.35, "l": 0.5, "b": 0.12, "": 0.6}.get(consonant, 0.0)
    gate = np.ones(len(envelope), np.float32)
    gate[:onset] = closed
    rise = min(frames_of(0.03), len(envelope) - onset)
    gate[onset : onset + rise] = np.linspace(closed, 1.0, rise, dtype=np.float32)
    return envelope * gate


def _consonant(strike: Strike, consonant: str, frames: int) -> Samples:
    between = NOISE_HZ.get(consonant)
    sound = np.zeros(frames, np.float32)
    if between is None:
        return sound
    length = min(frames, frames_of(ONSET_S + 0.02))
    breath = hiss(strike.noise(), length, *between)
    stopped = consonant in {"t", "k", "p"}
    shape = np.roll(struck(length, 0.03), length - frames_of(0.045)) if stopped else held(length, 0.03, 0.001)[:length]
    sound[:length] = at_level(breath * shape, 0.005 if stopped else 0.013)
    return sound

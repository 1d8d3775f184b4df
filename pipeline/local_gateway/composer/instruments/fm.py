"""Frequency modulation: electric pianos, glassy keys and basses from two sines each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.shaping import damped, frames_of, held, pitched, struck
from pipeline.local_gateway.composer.sound import Samples, as_samples, at_level, hertz_of, seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.local_gateway.composer.instruments.strike import Strike


@dataclass(frozen=True, slots=True)
class Operator:
    """A carrier and what modulates it, both as multiples of the note's frequency."""

    carrier: float
    modulator: float
    index: float  # at full velocity
    index_decay_s: float
    level: float
    decay_s: float  # 0: as long as it's held


@dataclass(frozen=True, slots=True)
class Patch:
    operators: tuple[Operator, ...]
    release_s: float = 0.12
    tremolo_hz: float = 0.0  # from side to side


PATCHES: Final[dict[str, Patch]] = {
    "electric piano": Patch(
        (Operator(1, 1, 1.5, 1.6, 1.0, 5.0), Operator(1, 14, 0.75, 0.3, 0.4, 3.0)), 0.18, tremolo_hz=4.3
    ),
    "glass keys": Patch((Operator(1, 3.5, 1.6, 0.9, 0.8, 4.0), Operator(2, 7, 0.8, 0.4, 0.3, 2.0)), 0.5),
    "fm bells": Patch((Operator(1, 3.5, 3.0, 2.2, 0.8, 5.0), Operator(2, 1.4, 0.6, 0.6, 0.2, 2.5)), 1.2),
    "fm bass": Patch((Operator(1, 1, 2.8, 0.25, 1.0, 0.0), Operator(1, 3, 0.8, 0.08, 0.4, 0.6)), 0.06),
    "clavinet": Patch((Operator(1, 3, 2.6, 0.5, 0.8, 1.6), Operator(1, 1, 1.6, 0.3, 0.6, 1.2)), 0.05),
}


def play(strike: Strike) -> Samples:
    """The patch named by the strike: (2, frames) with tremolo, else (frames,)."""
    patch = PATCHES[strike.instrument]
    longest = max(operator.decay_s or strike.frames for operator in patch.operators)
    frames = min(strike.frames + frames_of(patch.release_s), frames_of(min(longest, 8.0)))
    time = seconds(frames)
    sound = np.zeros(frames, np.float32)
    for operator in patch.operators:
        sound += _sounding(operator, strike, time)
    envelope = held(strike.frames, 0.003, patch.release_s)[:frames]
    sound = at_level(damped(sound * envelope, frames - frames_of(0.01), 0.01))
    return _swaying(sound, time, patch.tremolo_hz) if patch.tremolo_hz else sound


def _sounding(operator: Operator, strike: Strike, time: NDArray[np.float64]) -> Samples:
    hertz = hertz_of(strike.pitch)
    index = operator.index * (0.25 + 0.85 * strike.velocity) * pitched(1.2, 0.45, strike.pitch)
    depth = np.full(len(time), index, np.float32)
    if operator.index_decay_s:
        depth *= np.exp(-3.0 / operator.index_decay_s * time).astype(np.float32)
    modulator = _sine(operator.modulator * hertz * time) * depth
    wave = _sine(operator.carrier * hertz * time, modulator)
    fading = struck(len(time), operator.decay_s * pitched(1.3, 0.5, strike.pitch)) if operator.decay_s else 1.0
    return as_samples(wave * fading * operator.level)


def _sine(cycles: NDArray[np.float64], shift: Samples | float = 0.0) -> Samples:
    """The sine of a phase in cycles, moved by `shift` radians; whole cycles are dropped before precision is."""
    return as_samples(np.sin(as_samples(cycles - np.floor(cycles)) * np.float32(2 * np.pi) + shift))


def _swaying(sound: Samples, time: NDArray[np.float64], rate_hz: float) -> Samples:
    sway = 0.25 * np.sin(2 * np.pi * rate_hz * time).astype(np.float32)
    return np.stack((sound * (1 + sway), sound * (1 - sway)))

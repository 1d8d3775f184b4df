"""Electric guitars through an amplifier: strings summed, driven hard, and heard through a loudspeaker's narrow band."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.plucked import STRINGS, String, vibrate
from pipeline.local_gateway.composer.instruments.shaping import damped, filtered, frames_of, struck
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, as_samples, at_level, hertz_of, seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.local_gateway.composer.instruments.strike import Strike

STEEL: Final[String] = replace(STRINGS["clean guitar"], ring_s=7.0, ring_top_s=3.5, loss=0.35, hard_hz=6000)
CABINET_HZ: Final = (85.0, 4200.0)
POWER_CHORD: Final = (0, 7, 12)
BENT_HZ: Final = 1200.0  # higher notes are not bent
SLACK: Final = 600  # samples of string beyond the note, for bends to reach into
MUTED_S: Final = 0.16


def play_power(strike: Strike) -> Samples:
    """A fifth and an octave on the low strings, overdriven twice and heard left and right: (2, frames).

    Colour `mute`: the heel of the hand lies on the strings.
    """
    return np.stack([_driven_chord(strike, take) for take in (0, 1)])


def _driven_chord(strike: Strike, take: int) -> Samples:
    muted = strike.colour == "mute"
    frames = min(strike.frames + frames_of(0.06), frames_of(MUTED_S * 2 if muted else 5.0))
    string = replace(STEEL, ring_s=0.5, ring_top_s=0.4, loss=2.0) if muted else STEEL
    strings = np.zeros(frames, np.float32)
    for tone in POWER_CHORD:
        note = replace(strike, pitch=strike.pitch + tone, variant=7 * strike.variant + 3 * take)
        strings += vibrate(string, note, string.ring_s, frames)
    driven = np.tanh(at_level(strings) * np.float32(22.0 + 14.0 * strike.velocity))
    sound = filtered(driven, *CABINET_HZ, steepness=3.0) * struck(frames, 30.0, 0.003)
    return at_level(damped(sound, min(strike.frames, frames), 0.06))


def play_lead(strike: Strike) -> Samples:
    """One singing overdriven string with a bend into the note and a vibrato: (frames,)."""
    frames = strike.frames + frames_of(0.1)
    string = vibrate(STEEL, strike, 6.0, frames + SLACK)
    bent = np.interp(_bending(strike, frames), np.arange(frames + SLACK), string)
    driven = as_samples(np.tanh(at_level(as_samples(bent)) * 30.0))
    return at_level(damped(filtered(driven, 150.0, 4600.0, 2.5) * struck(frames, 40.0, 0.004), strike.frames, 0.1))


def _bending(strike: Strike, frames: int) -> NDArray[np.float64]:
    """Which moment of the straight string, in samples, is heard at each sample."""
    time = seconds(frames)
    vibrato = np.clip((time - 0.25) / 0.3, 0, 1) * np.sin(2 * np.pi * 5.5 * time) * 0.0018 / 5.5
    bend = 0.0016 * np.exp(-time / 0.06) if hertz_of(strike.pitch) < BENT_HZ else 0.0  # ahead at first: flat till then
    return np.clip((time + vibrato + bend) * SAMPLE_RATE, 0, frames + SLACK - 1)

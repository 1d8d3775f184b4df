"""Electric guitars through an amplifier: strings summed, driven hard, and heard through a loudspeaker's narrow band."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from pipeline.local_gateway.composer.instruments.plucked import STRINGS, String, vibrate
from pipeline.local_gateway.composer.instruments.shaping import damped, filtered, frames_of, struck
from pipeline.local_gateway.composer.instruments.strike import Strike
from pipeline.local_gateway.composer.sound import Samples, at_level, hertz_of, seconds

STEEL: Final[String] = replace(STRINGS["clean guitar"], ring_s=7.0, ring_top_s=3.5, loss=0.35, hard_hz=6000)
CABINET_HZ: Final = (85.0, 4200.0)
POWER_CHORD: Final = (0, 7, 12)
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
    time = seconds(frames)
    hertz = hertz_of(strike.pitch)
    string = vibrate(STEEL, strike, 6.0, frames + 600)
    vibrato = np.clip((time - 0.25) / 0.3, 0, 1) * np.sin(2 * np.pi * 5.5 * time) * 0.0018 / 5.5
    bend = 0.0016 * np.exp(-time / 0.035) if hertz < 1200 else 0.0  # noqa: PLR2004 - high notes are not bent
    heard_at = np.clip((time + vibrato - bend + 0.0016) * 44_100, 0, frames + 598)
    bent = np.interp(heard_at, np.arange(frames + 600), string).astype(np.float32)
    driven = np.tanh(at_level(bent) * np.float32(30.0))
    return at_level(damped(filtered(driven, 150.0, 4600.0, 2.5) * struck(frames, 40.0, 0.004), strike.frames, 0.1))

"""Subtractive and chip synthesisers: waves without aliases, a filter that opens and closes, a few voices detuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.shaping import frames_of, held, struck
from pipeline.local_gateway.composer.instruments.wavetable import pulse, read, timbre
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, at_level, hertz_of, seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.local_gateway.composer.instruments.strike import Strike


@dataclass(frozen=True, slots=True)
class Synth:
    """Saws through a low-pass: `closed_hz` is where the filter rests, `open_hz` where its envelope takes it."""

    closed_hz: float
    open_hz: float
    filter_decay_s: float
    voices_cents: tuple[float, ...]
    attack_s: float
    release_s: float
    decay_s: float = 0.0  # 0: as long as it's held
    sub: float = 0.0  # a sine an octave below
    vibrato_cents: float = 0.0
    slope: float = 1.0


SYNTHS: Final[dict[str, Synth]] = {
    "synth lead": Synth(
        closed_hz=1800, open_hz=7000, filter_decay_s=0.6, voices_cents=(-7, 0, 8), attack_s=0.008, release_s=0.18,
        vibrato_cents=12,
    ),
    "soft lead": Synth(
        closed_hz=900, open_hz=2600, filter_decay_s=0.8, voices_cents=(-4, 4), attack_s=0.03, release_s=0.2,
        vibrato_cents=10, slope=1.4,
    ),
    "synth pluck": Synth(
        closed_hz=700, open_hz=7500, filter_decay_s=0.16, voices_cents=(-6, 6), attack_s=0.002, release_s=0.15,
        decay_s=0.8,
    ),
    "synth brass": Synth(
        closed_hz=900, open_hz=5200, filter_decay_s=0.7, voices_cents=(-8, 0, 8), attack_s=0.04, release_s=0.2,
    ),
    "synth bass": Synth(
        closed_hz=260, open_hz=2400, filter_decay_s=0.18, voices_cents=(-4, 4), attack_s=0.003, release_s=0.05,
        sub=0.7,
    ),
    "reese bass": Synth(
        closed_hz=400, open_hz=900, filter_decay_s=0.9, voices_cents=(-16, 0, 15), attack_s=0.006, release_s=0.06,
        sub=0.9,
    ),
    "rave stab": Synth(
        closed_hz=1200, open_hz=8000, filter_decay_s=0.25, voices_cents=(-12, 0, 12), attack_s=0.002, release_s=0.12,
        decay_s=0.9,
    ),
}  # fmt: skip
PULSES: Final[dict[str, float]] = {"pulse lead": 0.25, "pulse thin": 0.125}  # how long of a cycle it is high
SUB_SLIDE_S: Final = 0.035


def play(strike: Strike) -> Samples:
    """The synthesiser named by the strike: (frames,), or (2, frames) where its voices spread."""
    synth = SYNTHS[strike.instrument]
    envelope = _envelope(strike, synth.attack_s, synth.release_s, synth.decay_s)
    time = seconds(len(envelope))
    hertz = hertz_of(strike.pitch)
    cycles = hertz * time + _vibrato(synth.vibrato_cents, hertz, time)
    openness = np.exp(-3.0 * time / synth.filter_decay_s).astype(np.float32) * np.float32(0.3 + 0.7 * strike.velocity)
    voices = [_saw(synth, hertz, cycles * 2.0 ** (cents / 1200.0) + 0.37 * k, openness)
              for k, cents in enumerate(synth.voices_cents)]  # fmt: skip
    if synth.sub:
        low = np.float32(synth.sub) * np.sin(2 * np.pi * (cycles * 0.5 % 1.0)).astype(np.float32)
        return at_level((sum(voices, low * len(voices))) * envelope)
    return at_level(np.stack(_spread(voices)) * envelope)


def _saw(synth: Synth, hertz: float, cycles: NDArray[np.float64], openness: Samples) -> Samples:
    dull = timbre(hertz, synth.slope, (), 1.0, max(synth.closed_hz, 1.2 * hertz))
    bright = timbre(hertz, synth.slope, (), 1.0, max(synth.open_hz, 2.0 * hertz))
    closed = read(dull, cycles)
    return closed + openness * (read(bright, cycles) - closed)


def _spread(voices: list[Samples]) -> tuple[Samples, Samples]:
    """The lowest voice to the left, the highest to the right, the rest between."""
    middle = sum(voices[1:-1], np.zeros_like(voices[0]))
    first, last = voices[0], voices[-1]
    return first + middle + np.float32(0.35) * last, last + middle + np.float32(0.35) * first


def _envelope(strike: Strike, attack_s: float, release_s: float, decay_s: float) -> Samples:
    envelope = held(strike.frames, attack_s, release_s)
    return envelope * struck(len(envelope), decay_s, attack_s) if decay_s else envelope


def _vibrato(cents: float, hertz: float, time: NDArray[np.float64]) -> NDArray[np.float64]:
    depth = cents * np.log(2) / 1200.0 * hertz / (2 * np.pi * 5.4)
    return np.asarray(depth * np.clip((time - 0.25) / 0.4, 0, 1) * np.sin(2 * np.pi * 5.4 * time))


def play_pulse(strike: Strike) -> Samples:
    """A game console's rectangular wave, its loudness in fifteen steps: (frames,)."""
    envelope = held(strike.frames, 0.001, 0.012)
    time = seconds(len(envelope))
    hertz = hertz_of(strike.pitch)
    wave = read(pulse(hertz, PULSES[strike.instrument]), hertz * time + _vibrato(14, hertz, time))
    steps = np.floor(15 * np.maximum(np.exp(-time * 2.2), 0.35)) / 15
    return at_level(wave * envelope * steps.astype(np.float32))


def play_triangle(strike: Strike) -> Samples:
    """A game console's triangle, in its sixteen stairs: (frames,)."""
    envelope = held(strike.frames, 0.001, 0.01)
    position = hertz_of(strike.pitch) * seconds(len(envelope)) % 1.0
    stairs = np.floor(np.abs(2 * position - 1) * 15.999) / 7.5 - 1.0
    return at_level(stairs.astype(np.float32) * envelope)


def play_sub(strike: Strike) -> Samples:
    """A deep sine that begins with a slide, rounded by saturation, and dies away slowly: (frames,)."""
    envelope = held(strike.frames, 0.003, 0.06)
    time = seconds(len(envelope))
    slide = 0.9 * SUB_SLIDE_S * (1 - np.exp(-time / SUB_SLIDE_S))
    wave = np.sin(2 * np.pi * hertz_of(strike.pitch) * (time + slide)).astype(np.float32)
    return at_level(np.tanh(1.8 * wave) * envelope * struck(len(envelope), 4.0, 0.003))


def play_arpeggio(strike: Strike) -> Samples:
    """A chord as a console plays it: root, third and fifth in turn, fifty times a second: (frames,).

    The colour names the steps above the pitch, as `0-4-7`.
    """
    envelope = held(strike.frames, 0.001, 0.012)
    tones = [int(step) for step in (strike.colour or "0").split("-")]
    turn = frames_of(0.02)
    which = (np.arange(len(envelope)) // turn) % len(tones)
    hertz = np.array([hertz_of(strike.pitch + tone) for tone in tones])[which]
    cycles = np.cumsum(hertz) / SAMPLE_RATE
    return at_level(read(pulse(hertz_of(strike.pitch + max(tones)), 0.25), cycles) * envelope)

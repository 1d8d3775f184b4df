"""Struck instruments by additive synthesis: piano, bells, bars. Each partial dies away at its own pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.partials import ring
from pipeline.local_gateway.composer.instruments.shaping import damped, filtered, frames_of, pitched, struck
from pipeline.local_gateway.composer.sound import SAMPLE_RATE, Samples, at_level, hertz_of, seconds

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.instruments.strike import Strike


@dataclass(frozen=True, slots=True)
class Bar:
    """A bell, bar or tongue: its partials, and what strikes it."""

    ratios: tuple[float, ...]
    amplitudes: tuple[float, ...]
    decays_s: tuple[float, ...]  # at middle C; half as long two octaves higher
    knock: float = 0.0  # noise of the stick
    knock_hz: tuple[float, float] = (800.0, 5000.0)
    tremolo_hz: float = 0.0
    damper_s: float = 0.0  # 0: rings on however short it's held


BARS: Final[dict[str, Bar]] = {
    "glockenspiel": Bar(
        ratios=(1, 2.76, 5.4, 8.9), amplitudes=(1, 0.45, 0.28, 0.14), decays_s=(3.2, 1.4, 0.7, 0.3), knock=0.1,
        knock_hz=(3000, 12000),
    ),
    "bells": Bar(
        ratios=(0.5, 1, 1.5, 2, 2.5, 3.0, 4.0, 5.33), amplitudes=(0.25, 1, 0.12, 0.6, 0.15, 0.3, 0.2, 0.1),
        decays_s=(7, 6, 3.5, 3.5, 2.2, 2.0, 1.2, 0.8), knock=0.04, knock_hz=(2000, 9000),
    ),
    "celesta": Bar(
        ratios=(1, 2, 4, 6.1), amplitudes=(1, 0.3, 0.22, 0.06), decays_s=(2.6, 1.4, 0.5, 0.2), knock=0.05,
        knock_hz=(1500, 7000),
    ),
    "music box": Bar(
        ratios=(1, 2, 3.0, 5.2, 6.3), amplitudes=(1, 0.28, 0.22, 0.12, 0.06), decays_s=(2.4, 1.5, 0.9, 0.35, 0.2),
        knock=0.05, knock_hz=(2500, 10000),
    ),
    "vibraphone": Bar(
        ratios=(1, 4, 9.9), amplitudes=(1, 0.22, 0.06), decays_s=(4.5, 1.4, 0.3), knock=0.03, knock_hz=(800, 4000),
        tremolo_hz=5.2, damper_s=0.3,
    ),
    "marimba": Bar(
        ratios=(1, 3.93, 9.3), amplitudes=(1, 0.3, 0.1), decays_s=(1.1, 0.35, 0.12), knock=0.1, knock_hz=(400, 3000),
    ),
    "xylophone": Bar(
        ratios=(1, 3, 6.1, 9.8), amplitudes=(1, 0.5, 0.25, 0.1), decays_s=(0.7, 0.35, 0.18, 0.1), knock=0.12,
        knock_hz=(1200, 8000),
    ),
    "kalimba": Bar(
        ratios=(1, 2, 5.4, 8.2), amplitudes=(1, 0.12, 0.2, 0.06), decays_s=(1.5, 0.9, 0.22, 0.1), knock=0.12,
        knock_hz=(500, 3000),
    ),
    "steel drum": Bar(
        ratios=(1, 2, 3.01, 4.02, 5.1), amplitudes=(1, 0.75, 0.35, 0.25, 0.12), decays_s=(1.3, 1.0, 0.6, 0.4, 0.3),
        knock=0.08, knock_hz=(800, 5000),
    ),
    "timpani": Bar(
        ratios=(1, 1.5, 1.98, 2.44, 2.9), amplitudes=(1, 0.75, 0.4, 0.25, 0.15), decays_s=(2.2, 1.6, 1.1, 0.8, 0.5),
        knock=0.5, knock_hz=(40, 900),
    ),
    "toy piano": Bar(
        ratios=(1, 2.8, 5.0, 7.4), amplitudes=(1, 0.5, 0.2, 0.1), decays_s=(1.2, 0.5, 0.25, 0.15), knock=0.15,
        knock_hz=(1500, 8000),
    ),
}  # fmt: skip


def play_bar(strike: Strike) -> Samples:
    """The bell or bar named by the strike: (frames,)."""
    bar = BARS[strike.instrument]
    hertz = hertz_of(strike.pitch)
    shorter = 2.0 ** ((60 - strike.pitch) / 24.0)
    decays = np.array(bar.decays_s) * max(0.35, min(2.0, shorter))
    hardness = 0.5 + 0.7 * strike.velocity
    weights = np.array(bar.amplitudes) * hardness ** np.arange(len(bar.ratios))
    frames = frames_of(min(4.0, 0.85 * float(decays.max())))
    sound = ring(np.array(bar.ratios) * hertz, weights, decays, np.full(len(decays), -np.pi / 2), frames)
    sound = sound + _knock(strike, frames, bar.knock, bar.knock_hz)
    if bar.tremolo_hz:
        sound *= (1.0 - 0.22 * (1 + np.sin(2 * np.pi * bar.tremolo_hz * seconds(frames)))).astype(np.float32)
    sound *= struck(frames, 60.0, 0.0015)
    if bar.damper_s:
        sound = damped(sound, max(strike.frames, frames_of(0.15)), bar.damper_s)
    return at_level(sound)


def play_piano(strike: Strike) -> Samples:
    """A piano's string pair under a felt hammer: (frames,). Stiff strings, a fast and a slow decay, a soft knock."""
    hertz = hertz_of(strike.pitch)
    count = int(min(26, max(3, 12_000 / hertz)))
    order = np.arange(1, count + 1)
    stiffness = 0.00012 * 2.0 ** ((strike.pitch - 48) / 14.0)
    at = order * hertz * np.sqrt(1 + stiffness * order**2)
    hammer = np.exp(-at / (700.0 + 3600.0 * strike.velocity**1.5 + 0.8 * hertz))
    weights = hammer * (0.35 + np.abs(np.sin(np.pi * order / 7.3))) / order**0.35
    decays = pitched(11.0, 2.2, strike.pitch, 30, 96) / (1 + 0.22 * (order - 1))
    frames = min(strike.frames + frames_of(0.25), frames_of(min(7.0, float(decays[0]))))
    phases = strike.noise().random(2 * count) * 0.6 - np.pi / 2
    sound = ring(
        np.concatenate((at, at * 1.0004)),
        np.concatenate((weights * 0.72, weights * 0.28)),
        np.concatenate((decays * 0.35, decays)),
        phases,
        frames,
    )
    sound = sound + _knock(strike, frames, 0.11, (60.0, 900.0))
    sound *= struck(frames, 90.0, 0.0025)
    return at_level(damped(sound, strike.frames, 0.25))


def _knock(strike: Strike, frames: int, level: float, between_hz: tuple[float, float]) -> Samples:
    """The stick or hammer itself: a few hundredths of a second of noise."""
    length = min(frames, SAMPLE_RATE // 16)
    sound = np.zeros(frames, np.float32)
    burst = filtered(strike.noise().standard_normal(length, dtype=np.float32), *between_hz)
    sound[:length] = burst * struck(length, 0.05, 0.001) * np.float32(level * (0.4 + strike.velocity))
    return sound

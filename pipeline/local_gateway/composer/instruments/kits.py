"""Drum kits: which drum sounds how, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.local_gateway.composer.instruments.drums import (
    Drum,
    claps,
    driven,
    metal,
    noise,
    shaken,
    skin,
    snare,
    stepped_noise,
    swell,
    through,
    together,
    wood,
)
from pipeline.local_gateway.composer.sound import Samples, as_samples

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.instruments.strike import Strike

# Peak of each drum at full velocity, and its place from -1 (left) to 1 (right), as the listener sees the kit.
LEVELS: Final[dict[str, tuple[float, float]]] = {
    "kick": (0.72, 0.0), "snare": (0.55, 0.06), "ghost": (0.16, 0.06), "clap": (0.42, -0.08), "rim": (0.34, -0.2),
    "hat": (0.17, 0.36), "pedal": (0.12, 0.36), "open": (0.2, 0.36), "ride": (0.2, -0.4),
    "crash": (0.4, -0.5), "swell": (0.22, 0.3), "high": (0.5, 0.3), "mid": (0.52, 0.0), "low": (0.58, -0.34),
    "shaker": (0.15, 0.5), "tambourine": (0.2, -0.5), "conga": (0.4, -0.35), "cajon": (0.55, 0.0),
    "slap": (0.4, 0.05), "cowbell": (0.25, 0.3), "taiko": (0.68, -0.12), "ka": (0.35, 0.25), "stomp": (0.7, 0.0),
    "snap": (0.3, 0.15),
}  # fmt: skip

COMMON: Final[dict[str, Drum]] = {
    "kick": skin(54, 0.34, sweep=3.2, slap=0.3),
    "snare": snare(195, body=1.0, wires=0.8, wires_s=0.24),
    "ghost": snare(205, body=0.6, wires=0.5, wires_s=0.1),
    "clap": claps,
    "rim": wood(1700, 0.035),
    "snap": together((noise(1800, 5000, 0.07), 1.0), (noise(900, 2500, 0.03), 1.0)),
    "hat": metal(0.085, 5200, 12_500),
    "pedal": metal(0.05, 4200, 10_000),
    "open": metal(0.42, 4600, 12_000),
    "ride": together((metal(1.1, 900, 8500, ringing=0.8), 1.0), (wood(3100, 0.3), 0.5)),
    "crash": metal(2.4, 420, 9500),
    "swell": swell,
    "high": skin(180, 0.4, slap_hz=4000),
    "mid": skin(130, 0.5),
    "low": skin(88, 0.6, slap_hz=3000),
    "shaker": shaken(5200, 0.11),
    "tambourine": shaken(6500, 0.22),
    "conga": skin(190, 0.32, sweep=1.15, slap=0.25, slap_hz=2500),
    "cajon": skin(82, 0.26, sweep=1.4, slap=0.35, slap_hz=1500),
    "slap": snare(240, body=0.5, wires=0.5, wires_s=0.12, wires_hz=6000),
    "cowbell": wood(560, 0.22),
    "stomp": skin(48, 0.7, sweep=1.8, slap=0.4, slap_hz=900),
    "taiko": skin(68, 1.0, sweep=1.6, slap=0.4, slap_hz=1800),
    "ka": wood(720, 0.06),
}
LOFI: Final[dict[str, Drum]] = {
    "kick": through(skin(52, 0.3, sweep=2.2, slap=0.15, slap_hz=900), 30, 1500),
    "snare": through(snare(170, wires=0.6, wires_s=0.16), 100, 4200),
    "ghost": through(snare(180, body=0.6, wires=0.4, wires_s=0.08), 100, 3500),
    "hat": through(metal(0.06, 4000, 8500), 2500, 7000),
    "open": through(metal(0.3, 3500, 8000), 2500, 6500),
}
MACHINE: Final[dict[str, Drum]] = {
    "kick": driven(skin(49, 0.42, sweep=4.5, slap=0.12, slap_hz=6000), 1.6),
    "snare": snare(185, body=0.8, wires=0.9, wires_hz=10_000),
    "ghost": snare(185, body=0.4, wires=0.6, wires_s=0.07),
    "hat": metal(0.06, 6500, 14_000, ringing=0.2),
    "open": metal(0.26, 6000, 13_500, ringing=0.2),
}
EIGHTIES: Final[dict[str, Drum]] = MACHINE | {
    "kick": skin(55, 0.3, sweep=3.5, slap=0.25, slap_hz=4500),
    # a big room behind the snare, cut off at once
    "snare": together((snare(175, wires_s=0.3), 1.0), (noise(300, 5500, 1.2, length_s=0.3), 0.35)),
    "high": skin(210, 0.45, sweep=2.2, slap=0.1, slap_hz=3000),
    "mid": skin(150, 0.5, sweep=2.2, slap=0.1, slap_hz=2500),
    "low": skin(100, 0.6, sweep=2.2, slap=0.1, slap_hz=2500),
}
CHIP: Final[dict[str, Drum]] = {
    "kick": skin(60, 0.12, sweep=4.0, slap=0.0),
    "snare": stepped_noise(5, 0.14),
    "ghost": stepped_noise(4, 0.05),
    "clap": stepped_noise(3, 0.1),
    "hat": stepped_noise(1, 0.03),
    "open": stepped_noise(1, 0.12),
    "crash": stepped_noise(3, 0.7),
    "high": stepped_noise(9, 0.09),
    "mid": stepped_noise(14, 0.11),
    "low": stepped_noise(22, 0.14),
}
JAZZ: Final[dict[str, Drum]] = {
    "kick": skin(66, 0.3, sweep=1.4, slap=0.15, slap_hz=1800),
    "snare": snare(215, body=0.8, wires=0.5, wires_s=0.17, wires_hz=6500),
    "ghost": snare(220, body=0.4, wires=0.35, wires_s=0.08, wires_hz=6000),
}
ORCHESTRA: Final[dict[str, Drum]] = {
    "kick": skin(48, 0.8, slap=0.15, slap_hz=700),
    "snare": snare(225, body=0.6, wires_hz=7500),
    "ghost": snare(225, body=0.35, wires=0.5, wires_s=0.1, wires_hz=7000),
    "low": skin(74, 0.9, slap=0.25, slap_hz=1600),
    "mid": skin(105, 0.7, sweep=1.4, slap=0.25, slap_hz=2200),
    "high": skin(150, 0.5, sweep=1.3, slap=0.25, slap_hz=3000),
    "crash": metal(3.2, 320, 8500),
}
KITS: Final[dict[str, dict[str, Drum]]] = {
    "kit rock": COMMON,
    "kit lofi": COMMON | LOFI,
    "kit machine": COMMON | MACHINE,
    "kit eighties": COMMON | EIGHTIES,
    "kit chip": COMMON | CHIP,
    "kit jazz": COMMON | JAZZ,
    "kit orchestra": COMMON | ORCHESTRA,
    "kit hands": COMMON | JAZZ,
}


def play(strike: Strike) -> Samples:
    """The drum named by the strike's colour, in the kit named by its instrument: (2, frames), in its place."""
    sound = KITS[strike.instrument][strike.colour](strike)
    level, place = LEVELS[strike.colour]
    sound = as_samples(sound * (level / (float(np.abs(sound).max()) + 1e-9)))
    angle = (place + 1.0) * np.pi / 4
    return np.stack((as_samples(sound * np.cos(angle)), as_samples(sound * np.sin(angle))))

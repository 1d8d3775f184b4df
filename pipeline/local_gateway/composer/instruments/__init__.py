"""The instruments: a strike goes in, its sound comes out.

Pitched instruments are delivered at one loudness (`sound.at_level`), drums at their place in a kit; how loud each
stands in a piece is the arrangement's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pipeline.local_gateway.composer.instruments import (
    electric,
    ensemble,
    fm,
    kits,
    plucked,
    solo,
    struck,
    synths,
    textures,
    voice,
)
from pipeline.local_gateway.composer.instruments.strike import Strike
from pipeline.local_gateway.composer.sound import Samples

__all__ = ["PLAYERS", "Strike"]

Player = Callable[[Strike], Samples]

PLAYERS: Final[dict[str, Player]] = {
    **dict.fromkeys(solo.SOLOS, solo.play),
    **dict.fromkeys(ensemble.SECTIONS, ensemble.play),
    **dict.fromkeys(struck.BARS, struck.play_bar),
    **dict.fromkeys(fm.PATCHES, fm.play),
    **dict.fromkeys(plucked.STRINGS, plucked.play),
    **dict.fromkeys(synths.SYNTHS, synths.play),
    **dict.fromkeys(synths.PULSES, synths.play_pulse),
    **dict.fromkeys(kits.KITS, kits.play),
    **dict.fromkeys(textures.TEXTURES, textures.play),
    "piano": struck.play_piano,
    "power guitar": electric.play_power,
    "lead guitar": electric.play_lead,
    "triangle bass": synths.play_triangle,
    "pulse arpeggio": synths.play_arpeggio,
    "sub bass": synths.play_sub,
    "voice": voice.play,
}

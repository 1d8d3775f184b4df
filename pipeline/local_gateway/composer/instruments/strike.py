"""One note as an instrument is asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.local_gateway.composer.sound import noise_of

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Strike:
    """What decides a note's sound. Equal strikes sound equal, so a piece renders each of them once."""

    instrument: str
    pitch: int  # MIDI
    frames: int  # how long it is held
    velocity: float  # 0 to 1
    colour: str = ""  # the drum of a kit, the syllable of a voice
    variant: int = 0  # the same note played again is never quite the same

    def noise(self) -> np.random.Generator:
        """Noise of this note's own: the same in every process."""
        return noise_of(self.instrument, self.pitch, self.colour, self.variant)

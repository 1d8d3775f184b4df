"""Sound in memory: samples and the rate they were taken at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """`samples`: (frames, channels) float32, full scale at 1.0, not clipped. `sample_rate` in Hz."""

    samples: Samples
    sample_rate: int

    @property
    def frames(self) -> int:
        return len(self.samples)

    @property
    def channels(self) -> int:
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        return self.frames / self.sample_rate

    def with_gain(self, gain_db: float) -> Sound:
        """The same sound, `gain_db` louder."""
        return Sound(self.samples * np.float32(10 ** (gain_db / 20)), self.sample_rate)

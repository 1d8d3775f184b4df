"""Is the seam of a loop heard? The jump from its end to its start, against what the loop itself does everywhere else.

Three figures, each as a percentile of the loop's own: spectral flux (a click, a cut note), the step between two samples
(a tick), and the step of level between 20 ms and the next 20 (a bump).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.audio.channels import middle
from pipeline.audio.spectra import FLUX_HOP, FLUX_WINDOW, flux

if TYPE_CHECKING:
    import numpy.typing as npt

    from pipeline.audio.sound import Samples, Sound

MOST_FLUX: Final = 98.5
MOST_STEP: Final = 99.5

_BLOCK_FRAMES: Final = 65_536
_LEVEL_S: Final = 0.02
_FAINT: Final = 1e-4  # -80 dBFS: steps between levels below it are none


@dataclass(frozen=True, slots=True)
class Seam:
    """Percentiles, 0 to 100: how much of the loop jumps less than its seam does."""

    flux: float
    sample_step: float
    level_step: float

    @property
    def is_heard(self) -> bool:
        """Does it stand out?"""
        return self.flux > MOST_FLUX or max(self.sample_step, self.level_step) > MOST_STEP

    def __str__(self) -> str:
        return f"flux {self.flux:.1f}, sample step {self.sample_step:.1f}, level step {self.level_step:.1f}"


def seam_of(sound: Sound, start: int, end: int) -> Seam:
    """The seam from the frame before `end` back to `start`. Silence has none that could be heard."""
    loop = sound.samples[start:end]
    return Seam(_flux(middle(loop)), _sample_step(loop), _level_step(loop, sound.sample_rate))


def _flux(loop: Samples) -> float:
    """The highest flux from a window to the next where either reaches over the seam."""
    around = np.take(loop, np.arange(-FLUX_WINDOW - FLUX_HOP, FLUX_WINDOW), mode="wrap")
    return _percentile(flux(loop), float(flux(around)[1:].max()))


def _sample_step(loop: Samples) -> float:
    value, smaller = np.abs(loop[0] - loop[-1]).max(), 0
    for start in range(0, len(loop) - 1, _BLOCK_FRAMES):
        block = loop[start : start + _BLOCK_FRAMES + 1]
        steps = np.zeros(len(block) - 1, np.float32)
        for channel in block.T:
            np.maximum(steps, np.abs(np.diff(channel)), out=steps)
        smaller += int(np.count_nonzero(steps < value))
    return 100.0 * smaller / max(1, len(loop) - 1)


def _level_step(loop: Samples, sample_rate: int) -> float:
    """The step of level over the seam, among those at every half window."""
    half = max(1, round(_LEVEL_S * sample_rate) // 2)
    pieces = len(loop) // half
    if pieces < 4:  # noqa: PLR2004 - two windows of two halves
        return 0.0
    power = np.einsum("fc,fc->f", loop, loop)
    power /= loop.shape[1]
    halves = power[: pieces * half].reshape(pieces, half).mean(axis=1)
    levels = _decibels((halves[:-1] + halves[1:]) / 2)
    before, after = _decibels(np.array([power[-2 * half :].mean(), power[: 2 * half].mean()]))
    return _percentile(np.abs(levels[2:] - levels[:-2]), abs(float(after - before)))


def _decibels(power: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    decibels: npt.NDArray[np.floating] = 10 * np.log10(np.maximum(power, _FAINT**2))
    return decibels


def _percentile(own: npt.NDArray[np.floating], value: float) -> float:
    return 100.0 * float(np.count_nonzero(own < value)) / max(1, len(own))

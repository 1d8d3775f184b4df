"""How long the jobs of a simulated run take: one distribution, and one time for each job by its index."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Shape = Literal["sigma 0.25", "sigma 0.5", "sigma 1.0", "bimodal"]

#: Of the lognormal; of each of the two where there are two.
_SIGMAS: Final = {"sigma 0.25": 0.25, "sigma 0.5": 0.5, "sigma 1.0": 1.0, "bimodal": 0.15}
#: Half of the bimodal jobs take about half of the mean, half of them about one and a half.
_BIMODAL_SHARES: Final = (0.5, 1.5)
_STAGES: Final = 8  # of times that drift


@dataclass(frozen=True)
class JobTimes:
    """Job times whose mean is `mean_s`. With `drift` the first jobs have that mean, and the last `drift` times it."""

    shape: Shape
    mean_s: float
    drift: float = 1.0

    def drawn(self, jobs: int, seed: int) -> Floats:
        """A time for each of `jobs` by its index: from the same chances, whatever the shape, the mean and the drift."""
        chances = np.random.default_rng(seed)
        normal = chances.standard_normal(jobs)
        is_long = chances.random(jobs) < 0.5
        sigma = _SIGMAS[self.shape]
        times = self.mean_s * np.exp(sigma * normal - sigma * sigma / 2)
        if self.shape == "bimodal":
            times *= np.where(is_long, _BIMODAL_SHARES[1], _BIMODAL_SHARES[0])
        return times * np.linspace(1.0, self.drift, jobs)

    def stages(self) -> list[JobTimes]:
        """The distribution in equal parts of a run, one after the other; one where it stays the same."""
        if self.drift == 1.0:
            return [self]
        factors = np.linspace(1.0, self.drift, 2 * _STAGES + 1)[1::2]
        return [replace(self, mean_s=self.mean_s * float(factor), drift=1.0) for factor in factors]

    @property
    def overall_mean_s(self) -> float:
        return self.mean_s * (1 + self.drift) / 2

    def survival(self, ages: Floats) -> Floats:
        """The chance that a job takes longer than each of `ages`, in seconds, before any drift."""
        shares = _BIMODAL_SHARES if self.shape == "bimodal" else (1.0,)
        parts = [_survival(ages, share * self.mean_s, _SIGMAS[self.shape]) for share in shares]
        return np.mean(parts, axis=0)


def _survival(ages: Floats, mean_s: float, sigma: float) -> Floats:
    """Of a lognormal with that mean."""
    with np.errstate(divide="ignore"):
        deviations = (np.log(ages / mean_s) + sigma * sigma / 2) / (sigma * math.sqrt(2))
    return np.array([math.erfc(deviation) / 2 for deviation in deviations])

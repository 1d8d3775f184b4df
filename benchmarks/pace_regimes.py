"""What the pace is measured in: how many requests a minute, how many jobs in flight, how long they take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pace_times import JobTimes

if TYPE_CHECKING:
    from pace_times import Shape

SHAPES: Final[tuple[Shape, ...]] = ("sigma 0.25", "sigma 1.0", "bimodal")
DRIFT: Final = 2.0
FAULTS: Final = 0.02


@dataclass(frozen=True)
class Regime:
    """What a run meets. `faults`: the share of its requests that fail."""

    requests_per_minute: int
    concurrency: int
    times: JobTimes
    jobs: int
    faults: float = 0.0

    @property
    def limits(self) -> str:
        """Its row, whatever the jobs' times are shaped like: `600/64/30`."""
        return f"{self.requests_per_minute}/{self.concurrency}/{self.times.mean_s:g}"

    @property
    def group(self) -> str:
        """Its table."""
        if self.faults:
            return f"{self.times.shape}, {self.faults:.0%} faults"
        return f"{self.times.shape}, drifting" if self.times.drift != 1.0 else self.times.shape

    def __str__(self) -> str:
        return f"{self.limits} {self.group}"

    @property
    def burst(self) -> int:
        """Requests in any 10 s: twice the rate."""
        return max(1, self.requests_per_minute // 3)


def _rows(shape: Shape) -> list[Regime]:
    """The eight rows of the table."""
    limits = [(600, 8, 10), (600, 8, 60), (600, 64, 10), (600, 64, 30), (600, 64, 60), (600, 256, 60)]
    usual = [Regime(rpm, slots, JobTimes(shape, mean_s), 1000) for rpm, slots, mean_s in limits]
    free = Regime(10, 4, JobTimes(shape, 30), 100)
    enterprise = Regime(30_000, 2000, JobTimes(shape, 30), 10_000)
    return [free, *usual, enterprise]


ROWS: Final = tuple(regime for shape in SHAPES for regime in _rows(shape))
_HARDER: Final = tuple(row for row in _rows("sigma 0.25") if row.limits in ("600/64/30", "600/8/10", "600/256/60"))
DRIFTING: Final = tuple(replace(row, times=replace(row.times, drift=DRIFT)) for row in _HARDER)
FAULTY: Final = tuple(replace(row, faults=FAULTS) for row in _HARDER)
REGIMES: Final = (*ROWS, *DRIFTING, *FAULTY)

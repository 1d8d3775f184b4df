"""How far off the time left is that a terminal shows: whole runs on virtual time, job times lognormal (sigma 0.25).

Exits 1 where an estimate made after a third of a run, or later, is off by more than a fifth of the run's length.
`python benchmarks/time_left.py [RUNS]`: that many runs of each regime, 3 where it is not said.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in ("tests", "tests/runner")]

from regimes import Regime, errors, worst

SHARES = (1 / 3, 1 / 2, 2 / 3)
ALLOWED = 0.2
REGIMES = (
    Regime(10, 4, 30.0, 100),
    Regime(600, 8, 10.0, 1000),
    Regime(600, 8, 60.0, 1000),
    Regime(600, 64, 10.0, 1000),
    Regime(600, 64, 30.0, 1000),
    Regime(600, 64, 60.0, 1000),
    Regime(600, 256, 60.0, 1000),
    Regime(600, 64, 10.0, 1000, finishing_s=1.5),
)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"error of the estimated length, of the whole length: mean and worst of {runs} runs\n")
    print(f"{'regime':58}{'length':>8}{'1/3':>16}{'1/2':>16}{'2/3':>16}")
    bad = False
    for regime in REGIMES:
        lengths, found = [], []
        for seed in range(runs):
            length_s, told = regime.told(seed)
            lengths.append(length_s)
            found.append(errors(length_s, told, SHARES))
        columns = list(zip(*found, strict=True))
        bad |= any(worst(column) > ALLOWED for column in columns)
        name = f"{regime}" + ("" if regime.finishing_s == 0.4 else f", {regime.finishing_s:g} s to finish")
        cells = "".join(f"{_mean(column):>8}{worst(column):>8.1%}" for column in columns)
        print(f"{name:58}{statistics.fmean(lengths):>6,.0f} s{cells}", flush=True)
    if bad:
        sys.exit(f"an estimate was off by more than {ALLOWED:.0%}, or was not made")


def _mean(column: tuple[float | None, ...]) -> str:
    said = [abs(error) for error in column if error is not None]
    return f"{statistics.fmean(said):.1%}" if said else "-"


if __name__ == "__main__":
    main()

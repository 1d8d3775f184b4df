"""Many nights, or one again: `python tests/simulation/soak.py --seeds 10000`, or `--seed 137`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from nights import Broken, Tally, simulate  # noqa: E402 - found by the line above


def told(seed: int) -> Tally | str:
    """What a seed went through, or how it broke."""
    try:
        return simulate(seed)
    except Broken as broken:
        return str(broken)


def main() -> None:
    """Tell the seeds that were asked for, and sum up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="one seed, with its traceback")
    parser.add_argument("--seeds", type=int, default=300, help="so many of them")
    parser.add_argument("--start", type=int, default=0, help="from this one on")
    options = parser.parse_args()
    if options.seed is not None:
        print(simulate(options.seed))
        return
    began, sum_of_all, broken = time.perf_counter(), Tally(), []
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for one in workers.map(told, range(options.start, options.start + options.seeds), chunksize=10):
            if isinstance(one, Tally):
                sum_of_all.add(one)
            else:
                broken.append(one)
                print(one, end="\n\n")
    seconds = time.perf_counter() - began
    print(f"{sum_of_all.seeds} nights held, {len(broken)} broke; {sum_of_all.lives} lives in {seconds:.0f} s")
    for title, counts in (("deaths", sum_of_all.deaths), ("faults", sum_of_all.faults)):
        print(f"{title}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()

"""How soon runs are over, and with how many requests: ours beside what a user would run instead, and beside the bounds.

Whole runs on virtual time against the local gateway, which is the same for everybody: its limit, its 304s, and the
jobs' times by their index. A player's figures are means over SEEDS sets of such times, and over a fifth of them where
there are 10,000 jobs, which vary less and take longer. Exits 1 where a claim is missed, and names it.

`python benchmarks/pace.py [--seeds N] [--regimes WORDS] [--players NAMES]`: the regimes that contain one of the words
(`600/64`, `bimodal`: between commas), and the players of those names.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from claims import exit_status, told
from pace_bound import bound
from pace_claims import claims_of
from pace_figures import LEGEND, Figures, table
from pace_players import OURS, PLAYERS, play
from pace_regimes import REGIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pace_bound import Bound
    from pace_players import Outcome
    from pace_regimes import Regime

    Task = tuple[Regime, str, int]  # a regime, a player or the bounds, a seed

_BOUNDS: Final = "bounds"
_MANY_JOBS: Final = 10_000
_SEEDS_SHARE: Final = 5


def main() -> None:
    options = _options()
    regimes = [one for one in REGIMES if any(word in str(one) for word in options.regimes.split(","))]
    players = [name for name in PLAYERS if name in options.players.split(",")]
    if not regimes or not players:
        names = "\n  ".join(map(str, REGIMES))
        sys.exit(f"nothing to play; players: {', '.join(PLAYERS)}; regimes:\n  {names}")
    began = time.monotonic()
    figures = played(regimes, players, options.seeds)
    print(LEGEND)
    for group, members in groupby(regimes, key=lambda regime: regime.group):
        print(f"{group}\n")
        told(table(figures[regime] for regime in members))
    status = exit_status(claims_of(list(figures.values())))
    print(f"\n{time.monotonic() - began:,.0f} s")
    sys.exit(status)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--regimes", default="")
    parser.add_argument("--players", default=",".join(PLAYERS))
    return parser.parse_args()


def played(regimes: Sequence[Regime], players: Sequence[str], seeds: int) -> dict[Regime, Figures]:
    """All runs, on all cores, the longest first."""
    tasks = [
        (regime, player, seed)
        for regime in sorted(regimes, key=lambda regime: -regime.jobs)
        for player in (*sorted(players, key=lambda name: not name.startswith(OURS)), _BOUNDS)
        for seed in range(seeds if regime.jobs < _MANY_JOBS else max(1, seeds // _SEEDS_SHARE))
    ]
    figures = {regime: Figures(regime, outcomes={player: {} for player in players}) for regime in regimes}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(_task, task): task for task in tasks}
        for count, done in enumerate(as_completed(running), 1):
            regime, player, seed = running[done]
            found = figures[regime].bounds if player == _BOUNDS else figures[regime].outcomes[player]
            found[seed] = done.result()
            print(f"\r{count:,} of {len(tasks):,} runs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return figures


def _task(task: Task) -> Bound | Outcome:
    regime, player, seed = task
    if player == _BOUNDS:
        return bound(regime, regime.times.drawn(regime.jobs, seed))
    return play(regime, player, seed)


if __name__ == "__main__":
    main()

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
from concurrent.futures import ProcessPoolExecutor
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
    from collections.abc import Iterator, Sequence

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
    print(LEGEND)
    every = []
    for group, figures in played(regimes, players, options.seeds):
        print(f"{group}\n", flush=True)
        told(table(figures))
        every += figures
    status = exit_status(claims_of(every), missed_only=True)
    print(f"\n{time.monotonic() - began:,.0f} s")
    sys.exit(status)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--regimes", default="")
    parser.add_argument("--players", default=",".join(PLAYERS))
    return parser.parse_args()


def played(regimes: Sequence[Regime], players: Sequence[str], seeds: int) -> Iterator[tuple[str, list[Figures]]]:
    """Group after group, each as soon as all of its runs have been played; on all cores, the longest first."""
    groups = {name: list(members) for name, members in groupby(regimes, key=lambda regime: regime.group)}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        running = {
            pool.submit(_task, task): task for members in groups.values() for task in _tasks(members, players, seeds)
        }
        for name, members in groups.items():
            figures = {regime: Figures(regime, outcomes={player: {} for player in players}) for regime in members}
            for done in [future for future, (regime, *_) in running.items() if regime in figures]:
                regime, player, seed = running[done]
                found = figures[regime].bounds if player == _BOUNDS else figures[regime].outcomes[player]
                found[seed] = done.result()
                left = sum(not future.done() for future in running)
                print(f"\r{left:,} of {len(running):,} runs are left ", end="", file=sys.stderr, flush=True)
            print(file=sys.stderr)
            yield name, list(figures.values())


def _tasks(regimes: Sequence[Regime], players: Sequence[str], seeds: int) -> list[Task]:
    return [
        (regime, player, seed)
        for regime in sorted(regimes, key=lambda regime: -regime.jobs)
        for player in (*sorted(players, key=lambda name: not name.startswith(OURS)), _BOUNDS)
        for seed in range(seeds if regime.jobs < _MANY_JOBS else max(1, seeds // _SEEDS_SHARE))
    ]


def _task(task: Task) -> Bound | Outcome:
    regime, player, seed = task
    if player == _BOUNDS:
        return bound(regime, regime.times.drawn(regime.jobs, seed))
    return play(regime, player, seed)


if __name__ == "__main__":
    main()

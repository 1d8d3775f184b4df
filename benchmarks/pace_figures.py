"""What the runs of a regime come to: means over the sets of job times, and their table."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pace_bound import Bound
    from pace_players import Outcome
    from pace_regimes import Regime

_HEAD: Final = ("", "seconds", "/ oracle", "/ bound", "requests", "429s", "later", "CPU ms", "crashes")
LEGEND: Final = """\
/ oracle, / bound: the makespan over the oracle's and over the informed bound, for the same jobs (pace_bound.py)
requests: a job, to the API's host; 429s: of these, in %, and later: of those after the first minute
CPU ms: a job, without the gateway's; crashes: of the official client, a run
"""


@dataclass
class Figures:
    """A regime's bounds by seed, and its outcomes by player and seed."""

    regime: Regime
    bounds: dict[int, Bound] = field(default_factory=dict)
    outcomes: dict[str, dict[int, Outcome]] = field(default_factory=dict)

    def mean(self, player: str, figure: Callable[[Outcome], float]) -> float:
        return fmean(figure(outcome) for outcome in self.outcomes[player].values())

    def over_oracle(self, player: str) -> float:
        return self._over(player, lambda bound: bound.oracle_s)

    def over_bound(self, player: str) -> float:
        return self._over(player, lambda bound: bound.informed_s)

    def of_bounds(self, figure: Callable[[Bound], float]) -> float:
        return fmean(figure(bound) for bound in self.bounds.values())

    def _over(self, player: str, least_s: Callable[[Bound], float]) -> float:
        return fmean(outcome.makespan_s / least_s(self.bounds[seed]) for seed, outcome in self.outcomes[player].items())


def table(regimes: Iterable[Figures]) -> Sequence[Sequence[str]]:
    """A row for each player in each of `regimes`, under those of the bounds."""
    rows: list[Sequence[str]] = [_HEAD]
    for figures in regimes:
        regime = figures.regime
        requests = figures.of_bounds(lambda bound: bound.requests)
        rows += [
            [f"{regime.limits}, {regime.jobs:,} jobs", *[""] * 8],
            _bound_row(figures, "oracle", lambda bound: bound.oracle_s, "2.00"),
            _bound_row(figures, "floor", lambda bound: bound.floor_s, ""),
            _bound_row(figures, "informed", lambda bound: bound.informed_s, f"{requests:.2f}"),
            *(_row(figures, player) for player in figures.outcomes),
        ]
    return rows


def _bound_row(figures: Figures, name: str, seconds: Callable[[Bound], float], requests: str) -> Sequence[str]:
    over_oracle = figures.of_bounds(lambda bound: seconds(bound) / bound.oracle_s)
    over_bound = figures.of_bounds(lambda bound: seconds(bound) / bound.informed_s)
    cells = [f"{figures.of_bounds(seconds):,.0f}", f"{over_oracle:.3f}", f"{over_bound:.3f}", requests]
    return [f"  {name}", *cells, *[""] * 4]


def _row(figures: Figures, player: str) -> Sequence[str]:
    crashes = figures.mean(player, lambda outcome: outcome.crashes)
    return [
        f"  {player}",
        f"{figures.mean(player, lambda outcome: outcome.makespan_s):,.0f}",
        f"{figures.over_oracle(player):.3f}",
        f"{figures.over_bound(player):.3f}",
        f"{figures.mean(player, lambda outcome: outcome.requests):.2f}",
        f"{100 * figures.mean(player, lambda outcome: outcome.refused):.2f}",
        f"{100 * figures.mean(player, lambda outcome: outcome.refused_later):.2f}",
        f"{figures.mean(player, lambda outcome: outcome.cpu_ms):.1f}",
        f"{crashes:,.0f}" if crashes else "",
    ]

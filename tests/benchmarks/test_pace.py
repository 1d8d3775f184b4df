"""The benchmark of our pace plays everybody against one and the same gateway."""

from __future__ import annotations

from dataclasses import replace

import pytest
from claims import Claim
from pace_bound import bound
from pace_claims import claims_of
from pace_figures import Figures, table
from pace_players import LEARNT, OURS, PLAYERS, WEBHOOKS, play
from pace_regimes import Regime
from pace_times import JobTimes

FEW = Regime(600, 4, JobTimes("sigma 0.25", 5.0), 20)


def test_all_players_play_the_same_jobs() -> None:
    """20 of them: each is done, by nobody sooner than by who knows when, and what came of it stands in the table."""
    figures = Figures(FEW, {0: bound(FEW, FEW.times.drawn(20, 0))})
    figures.outcomes = {player: {0: play(FEW, player, 0)} for player in PLAYERS}
    assert all(figures.over_oracle(player) >= 1 for player in PLAYERS)
    assert [player for player in PLAYERS if figures.mean(player, lambda one: one.crashes)] == ["official"]
    assert sum(outcome.counts.unchanged for runs in figures.outcomes.values() for outcome in runs.values()) > 0
    rows = table([figures])
    assert [row[0].strip() for row in rows[2:]] == ["oracle", "floor", "informed", *PLAYERS]
    assert {claim.what.split(": ")[1].split(",")[0].split()[0] for claim in claims_of([figures])} == {
        OURS,
        LEARNT,
        WEBHOOKS,
    }


def test_faults_meet_everybody() -> None:
    """A fifth of the requests here; the jobs are had all the same."""
    outcome = play(replace(FEW, faults=0.2), "fixed-3s", 0)
    assert outcome.counts.faults > 5


@pytest.mark.parametrize(("figure", "said"), [(1.0401, "MISSED by 0.000"), (1.04, "1.040 (at most 1.04)")])
def test_a_claim_says_by_how_much_it_is_missed(figure: float, said: str) -> None:
    """To as many digits as it is asked for."""
    assert said in str(Claim("ours", figure, 1.04, digits=3))

"""What is claimed of our pace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from claims import Claim
from pace_bound import steady
from pace_players import LEARNT, OURS, PEERS, WEBHOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pace_figures import Figures

_LEARNT_MOST: Final = 1.04  # over the informed bound, at sigma 0.25, after LEARNT_JOBS jobs of an earlier run
_FIRST_MOST: Final = 1.06  # from the first job on
_HARD_MOST: Final = 1.08  # where times spread widely, are bimodal or drift
_PEERS_MOST: Final = 1.01
_REQUESTS_MOST: Final = 1.10  # over the bound's, where requests bind
_REFUSED_MOST: Final = 0.1  # in % of requests, once the limit is known
_WEBHOOKS_MOST: Final = 1.03  # over the oracle's


def claims_of(figures: Sequence[Figures]) -> list[Claim]:
    """All that can be said of the players that have played."""
    return [claim for one in figures for player in (OURS, LEARNT, WEBHOOKS) for claim in _claims(one, player)]


def _claims(figures: Figures, player: str) -> Iterator[Claim]:
    regime = figures.regime
    if player not in figures.outcomes:
        return
    who = f"{regime}: {player}"
    peers = [figures.over_oracle(peer) for peer in PEERS if peer in figures.outcomes]
    if peers:
        yield Claim(f"{who} over the best peer", figures.over_oracle(player) / min(peers), _PEERS_MOST, digits=3)
    refused = 100 * figures.mean(player, lambda outcome: outcome.refused_later)
    yield Claim(f"{who}, % of requests refused once the limit is known", refused, _REFUSED_MOST, digits=3)
    if player == WEBHOOKS:
        yield Claim(f"{who} over the oracle", figures.over_oracle(player), _WEBHOOKS_MOST, digits=3)
        return
    if regime.faults:
        return  # the bounds know of none
    is_easy = regime.times.shape == "sigma 0.25" and regime.times.drift == 1.0
    most = _HARD_MOST if not is_easy else _LEARNT_MOST if player == LEARNT else _FIRST_MOST
    yield Claim(f"{who} over the informed bound", figures.over_bound(player), most, digits=3)
    if steady(regime).is_bound_by_requests:
        requests = figures.mean(player, lambda outcome: outcome.requests)
        least = figures.of_bounds(lambda bound: bound.requests)
        yield Claim(f"{who}, requests a job over the bound's", requests / least, _REQUESTS_MOST, digits=3)

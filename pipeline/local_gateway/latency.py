"""How long a job takes, and how long a piece gets: drawn from the request itself, so that it is the same each time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from functools import partial
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipeline.local_gateway.composition import CompositionRequest
    from pipeline.local_gateway.options import GatewayOptions

#: How long the job of a piece takes from submit to completed, in seconds, without the composing itself.
Latency = Callable[["CompositionRequest"], float]

_STANDARD_NORMAL: Final = NormalDist()
_OWN_LENGTH_SHARES: Final = (0.75, 1.25)


def drawn_latency(options: GatewayOptions) -> Latency:
    """The times that `options` tell of: a piece meets the same one each time it is asked for."""
    return partial(_drawn, options)


def _drawn(options: GatewayOptions, piece: CompositionRequest) -> float:
    return latency_s(options.latency_s, options.sigma, f"{options.seed}/{piece.digest}")


def latency_s(mean_s: float, sigma: float, words: str) -> float:
    """A lognormal time whose mean is `mean_s`: always the same for the same words."""
    if sigma == 0:
        return mean_s
    return mean_s * math.exp(sigma * _STANDARD_NORMAL.inv_cdf(_chance(words)) - sigma * sigma / 2)


def own_length_s(asked_s: float, words: str) -> float:
    """The length that a model chooses which was asked for `asked_s`: a quarter more or less, in whole hundredths."""
    least, most = _OWN_LENGTH_SHARES
    return round(asked_s * (least + (most - least) * _chance(words)), 2)


def _chance(words: str) -> float:
    """A number between 0 and 1, neither of them."""
    return (int.from_bytes(hashlib.sha256(words.encode()).digest()[:6], "big") + 0.5) / 2**48

"""What a request costs, in seconds of slot: nothing where the limit leaves room, much where it binds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.pace.schedule import best_schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.pace.schedule import Schedule

#: A policy is hardly worse for a price that is so much too high or low: the least of its cost is flat.
_PRECISION: Final = 1.15
_STRIDE: Final = 1.5
_FIRST_GUESS_S: Final = 1.0
_CHEAPEST_S: Final = 1e-3
_DEAREST_S: Final = 1e5


@dataclass(frozen=True, slots=True)
class Supply:
    """What there is to be used up: slots, and requests a second (None: as many as one likes).

    `submits`: how many requests it takes to fill a slot again; 0 where nothing waits for one.
    """

    slots: float
    requests_per_s: float | None
    submits: float = 1.0

    def fits(self, slot_s: float, polls: float) -> bool:
        """Do slots limit jobs that take so long and so many polls, rather than requests?"""
        if self.requests_per_s is None:
            return True
        return (self.submits + polls) / self.requests_per_s <= slot_s / self.slots


@dataclass(frozen=True, slots=True)
class Kind:
    """Jobs that are alike: their share of all, and for each age of the grid the chance that one takes longer."""

    share: float
    survival: Sequence[float]


@dataclass(frozen=True, slots=True)
class Prices:
    """A request's price, and the schedule of each kind of job at it."""

    price_s: float
    schedules: tuple[Schedule, ...]


def priced(kinds: Sequence[Kind], supply: Supply, gap_s: float, before_s: float = 0.0, least_s: float = 0.0) -> Prices:
    """The least price at which slots, and not requests, are what jobs wait for.

    At a lower one polls would take the requests that submits need; at a higher one slots would be held for nothing.
    `before_s`: the price until now, near which it is looked for first; `least_s`: none below it is asked for.
    """

    def at(price_s: float) -> Prices:
        return Prices(price_s, tuple(best_schedule(kind.survival, price_s, gap_s) for kind in kinds))

    def fits(found: Prices) -> bool:
        pairs = list(zip(kinds, found.schedules, strict=True))
        slot_s = sum(kind.share * schedule.slot_s for kind, schedule in pairs)
        return supply.fits(slot_s, sum(kind.share * schedule.polls for kind, schedule in pairs))

    free = at(least_s)
    if fits(free):
        return free
    best = at(max(before_s, least_s, _CHEAPEST_S) if before_s else _FIRST_GUESS_S)
    low = best.price_s
    if fits(best):
        while low > _CHEAPEST_S:
            low /= _STRIDE
            lower = at(low)
            if not fits(lower):
                break
            best = lower
    else:
        while not fits(best) and best.price_s < _DEAREST_S:
            low, best = best.price_s, at(best.price_s * _STRIDE)
    while best.price_s > low * _PRECISION:
        middle = at(math.sqrt(low * best.price_s))
        if fits(middle):
            best = middle
        else:
            low = middle.price_s
    return best

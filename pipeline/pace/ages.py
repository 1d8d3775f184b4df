"""The ages at which a job's chances are known: a grid that is as fine, in proportion, for a second as for an hour."""

from __future__ import annotations

import math
from typing import Final

_FIRST_S: Final = 0.05
_LAST_S: Final = 4 * 3600.0
#: From one age to the next, as a logarithm. Measured: with steps of 1 % no policy becomes better by half a hundredth.
STEP: Final = math.log(1.03)

#: In seconds since a job's submit: 0, then each 3 % more than the one before.
AGES: Final[tuple[float, ...]] = (
    0.0,
    *(_FIRST_S * math.exp(STEP * number) for number in range(math.ceil(math.log(_LAST_S / _FIRST_S) / STEP) + 1)),
)
LAST: Final = len(AGES) - 1


def at_or_before(age_s: float) -> int:
    """Where the last age of the grid stands that is not beyond `age_s`."""
    if age_s < _FIRST_S:
        return 0
    return min(LAST, 1 + int(math.log(age_s / _FIRST_S) / STEP + 1e-9))


def at_or_after(age_s: float) -> int:
    """Where the first age of the grid stands that is not before `age_s`; the last one for what is beyond all."""
    place = at_or_before(age_s)
    return place if AGES[place] >= age_s - 1e-9 else min(LAST, place + 1)

"""Money as the gateway's answers write it."""

from __future__ import annotations

from typing import Final

_MICRO_A_CENT: Final = 10_000


def cents(microusd: int) -> int | float:
    """The cents of an amount in micro-dollars: a whole number where it is one."""
    whole, rest = divmod(microusd, _MICRO_A_CENT)
    return microusd / _MICRO_A_CENT if rest else whole

"""Money inside the house: integer micro-dollars, read from and written as decimal dollars.

A dollar is 1,000,000 micro-dollars. What is estimated or computed is rounded up, so that a sum of parts is never less
than what it stands for.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

MICRO = 1_000_000


class Basis(StrEnum):
    """How an amount is known."""

    USAGE = "usage"  # the gateway said so
    COMPUTED = "computed"  # seconds received x price: the gateway said nothing
    ESTIMATED = "estimated"  # seconds asked x price: nothing has come back yet


def seconds_cost(duration_s: float, price_usd_per_s: Decimal) -> int:
    """What `duration_s` seconds of audio cost at `price_usd_per_s`, in micro-dollars, rounded up."""
    return rounded_up(Decimal(str(duration_s)) * price_usd_per_s * MICRO)


def budget_from_usd(usd: Decimal) -> int:
    """Micro-dollars of a budget in dollars, rounded down: it is never more than what somebody wrote."""
    return int((usd * MICRO).to_integral_value(rounding=ROUND_FLOOR))


def from_cents(cents: Decimal) -> int:
    """Micro-dollars of an amount in cents, which may be a fraction (1.5), rounded up."""
    return rounded_up(cents * (MICRO // 100))


def rounded_up(amount: Decimal) -> int:
    return int(amount.to_integral_value(rounding=ROUND_CEILING))


def as_usd(microusd: int) -> float:
    """The dollars of `microusd` as a JSON number: at most six decimals, exact in its shortest spelling."""
    return microusd / MICRO


def dollars(microusd: int) -> str:
    """`microusd` for people: `$0.0300`. Four decimals, six where four would hide something."""
    decimals = 4 if microusd % 100 == 0 else 6
    sign = "-" if microusd < 0 else ""
    return f"{sign}${abs(microusd) / MICRO:,.{decimals}f}"

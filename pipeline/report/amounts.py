"""What jobs add up to: money by what is known about it, takes, and seconds of audio. Sums that never overlap."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal
from operator import add, attrgetter
from typing import TYPE_CHECKING, Final

from pipeline.jobs import FRUITLESS, Commitment, State
from pipeline.money import Basis, as_usd, rounded_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.jobs import Job

_MAY_HAVE_COST: Final = frozenset({State.UNKNOWN, State.EXPIRED})


@dataclass(frozen=True, slots=True)
class Amounts:
    """Sums over purchases, in micro-dollars. `cash` is exact, and rounded up only where it is shown."""

    takes: int = 0
    placeholder_takes: int = 0  # of them from the local gateway
    estimated: int = 0  # seconds asked x price, whatever became of it
    reserved: int = 0  # of what is asked for and not billed yet
    billed: int = 0
    computed: int = 0  # of `billed`: seconds received x price, since the gateway said nothing
    possible_duplicate: int = 0
    cash: Decimal = Decimal(0)  # `billed` with the top-up fee
    audio_s: Decimal = Decimal(0)  # seconds received
    stored_takes: int = 0  # of `takes` those that came from a team's store: somebody else has paid for them
    stored: int = 0  # what they cost there

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(*map(add, _sums(self), _sums(other)))

    @property
    def committed(self) -> int:
        """What counts against a budget, in micro-dollars."""
        return Commitment(self.reserved, self.possible_duplicate, self.billed).total

    @property
    def cash_microusd(self) -> int:
        return rounded_up(self.cash)

    def document(self) -> dict[str, int | float]:
        """The sums as JSON has them, in dollars."""
        return {
            "takes": self.takes,
            "placeholder_takes": self.placeholder_takes,
            "estimated_usd": as_usd(self.estimated),
            "reserved_usd": as_usd(self.reserved),
            "billed_usd": as_usd(self.billed),
            "computed_usd": as_usd(self.computed),
            "cash_usd": as_usd(self.cash_microusd),
            "possible_duplicate_usd": as_usd(self.possible_duplicate),
            "audio_seconds": round(float(self.audio_s), 3),
            "stored_takes": self.stored_takes,
            "stored_usd": as_usd(self.stored),
        }


_sums: Final = attrgetter(*(item.name for item in fields(Amounts)))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tracks became what. None: nobody has counted them."""

    generated: int | None = 0
    finished: int | None = 0
    kept: int | None = 0
    failed: int | None = 0
    skipped: int | None = 0

    def __add__(self, other: Counts) -> Counts:
        pairs = ((getattr(self, item.name), getattr(other, item.name)) for item in fields(Counts))
        return Counts(*(None if one is None or two is None else one + two for one, two in pairs))

    def document(self) -> dict[str, int | None]:
        return {item.name: getattr(self, item.name) for item in fields(Counts)}


@dataclass(frozen=True, slots=True)
class Totals:
    """A report's sums. `seconds` are the process's; None where nobody has measured."""

    counts: Counts = field(default_factory=Counts)
    amounts: Amounts = field(default_factory=Amounts)
    saved: int | None = 0  # what the kept tracks' takes would cost anew, in micro-dollars
    seconds: float | None = None

    def document(self) -> dict[str, int | float | None]:
        """The totals as JSON has them, in dollars and seconds."""
        return {
            **self.counts.document(),
            **self.amounts.document(),
            "saved_usd": None if self.saved is None else as_usd(self.saved),
            "seconds": None if self.seconds is None else round(self.seconds, 3),
        }


def total(amounts: Iterable[Amounts]) -> Amounts:
    return sum(amounts, Amounts())


def amounts_of(jobs: Sequence[Job], topup_fee: Decimal) -> Amounts:
    """What one purchase's jobs add up to: usually one; a failed one is followed by another. None: nothing."""
    if not jobs:
        return Amounts()
    bound = sum((job.commitment for job in jobs), Commitment())
    is_stored = jobs[-1].bought_by is not None
    return Amounts(
        takes=1,
        placeholder_takes=int(jobs[-1].intent.kind == "local"),
        estimated=0 if is_stored else jobs[-1].intent.estimate_microusd,
        reserved=bound.reserved,
        billed=bound.billed,
        computed=sum(job.cost_microusd or 0 for job in jobs if job.cost_basis is Basis.COMPUTED),
        possible_duplicate=bound.unknown,
        cash=bound.billed * (1 + topup_fee),
        audio_s=sum((Decimal(str(job.seconds_got)) for job in jobs if job.seconds_got is not None), Decimal(0)),
        stored_takes=int(is_stored),
        stored=sum(job.bought_microusd or 0 for job in jobs),
    )


def cost_of(jobs: Sequence[Job]) -> tuple[int | None, Basis | None]:
    """What one purchase costs in micro-dollars, and how that is known. (None, None): it is not known."""
    billed = [job for job in jobs if job.cost_microusd is not None]
    if billed:
        computed = any(job.cost_basis is not Basis.USAGE for job in billed)
        return sum(job.cost_microusd or 0 for job in billed), Basis.COMPUTED if computed else Basis.USAGE
    if not jobs or jobs[-1].state in _MAY_HAVE_COST:
        return None, None
    if jobs[-1].state in FRUITLESS:
        return 0, Basis.COMPUTED  # no second was received
    return jobs[-1].intent.estimate_microusd, Basis.ESTIMATED

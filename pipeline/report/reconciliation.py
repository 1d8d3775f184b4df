"""The ledger's charges of a month beside what the gateway says was spent in it, by cost tag, and what may explain more.

The ledger counts a charge when its bill became known, the gateway a job when it completed: that lies somewhere between
the job's first sending and its bill, so around the end of a month the two may count it in different months.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from pipeline.jobs import State
from pipeline.money import Basis
from pipeline.report.text import month_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.jobs import Kind
    from pipeline.report.books import Entry

_GOES_ON: Final = frozenset({State.ACCEPTED, State.COMPLETED})
_NO_END: Final = "9999-12"


@dataclass(frozen=True, slots=True)
class Booked:
    """The ledger's side of one cost tag in one month, in micro-dollars."""

    charges: int = 0
    billed: int = 0
    computed: int = 0  # of `billed`: the gateway had named no price
    reserved: int = 0  # asked for by then, its bill not known: the gateway may have counted it
    possible_duplicate: int = 0
    near_month_end: int = 0  # billed in one month and asked for in an earlier one, one of them this

    def __add__(self, other: Booked) -> Booked:
        return Booked(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(Booked)))


@dataclass(frozen=True, slots=True)
class TagLine:
    """Both sides of one cost tag. `gateway` None: it names no such tag. All in micro-dollars."""

    tag: str
    ledger: Booked
    gateway: int | None

    @property
    def difference(self) -> int:
        """What the gateway counts beyond the ledger."""
        return (self.gateway or 0) - self.ledger.billed

    @property
    def agrees(self) -> bool:
        """Are both the same? Each bill was rounded up to a micro-dollar: so much a charge is no difference."""
        return abs(self.difference) <= self.ledger.charges


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A month's books beside the gateway's, a line for each cost tag, in the tags' order."""

    month: str  # YYYY-MM, UTC
    gateway: str  # its address
    kind: Kind
    lines: tuple[TagLine, ...]
    elsewhere: tuple[str, ...] = ()  # other gateways that the ledger has charges of in this month

    @property
    def agrees(self) -> bool:
        return all(line.agrees for line in self.lines)

    @property
    def total(self) -> TagLine:
        """All lines as one."""
        booked = sum((line.ledger for line in self.lines), Booked())
        return TagLine("", booked, sum(line.gateway or 0 for line in self.lines))


def reconciled(entries: Iterable[Entry], spent: Mapping[str, int], month: str) -> tuple[TagLine, ...]:
    """The lines of `month` for entries of one gateway. `spent`: tag -> what the gateway says, in micro-dollars.

    A tag that only one side has is there too, unless it is the ledger's and nothing of it may have been charged.
    """
    booked: defaultdict[str, Booked] = defaultdict(Booked)
    for entry in entries:
        side = _booked(entry, month)
        if side != Booked():
            booked[entry.job.intent.cost_tag] += side
    tags = sorted({*booked, *spent})
    return tuple(TagLine(tag, booked.get(tag, Booked()), spent.get(tag)) for tag in tags)


def charged_in(entries: Iterable[Entry], month: str) -> Sequence[Entry]:
    """The entries whose bill became known in `month`."""
    return [entry for entry in entries if entry.charge is not None and month_of(entry.charge.charged_at) == month]


def _booked(entry: Entry, month: str) -> Booked:
    """What one entry has to do with `month`."""
    first, last = _months(entry)
    if not first <= month <= last:
        return Booked()
    bound, charge = entry.job.commitment, entry.charge
    amount = 0 if charge is None or last != month else charge.amount_microusd
    return Booked(
        charges=int(charge is not None and last == month),
        billed=amount,
        computed=amount if charge is not None and charge.basis is Basis.COMPUTED else 0,
        reserved=bound.reserved,
        possible_duplicate=bound.unknown,
        near_month_end=charge.amount_microusd if charge is not None and first != last else 0,
    )


def _months(entry: Entry) -> tuple[str, str]:
    """The first and the last month in which the gateway may have charged for it."""
    job = entry.job
    first = month_of(job.intended_at)
    if entry.charge is not None:
        return first, month_of(entry.charge.charged_at)
    if job.state in _GOES_ON:
        return first, _NO_END
    return first, month_of(job.ended_at or job.sent_at)

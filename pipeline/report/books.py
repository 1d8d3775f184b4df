"""The books as values: what a ledger holds for a bookkeeper, by manifest and month, and what it sums up to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.jobs import Commitment
from pipeline.money import Basis
from pipeline.report.text import month_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipeline.jobs import Job
    from pipeline.ledger.records import Charge, Run


@dataclass(frozen=True, slots=True)
class Entry:
    """One job, and the bill that came for it; None: there is none, or not yet."""

    job: Job
    charge: Charge | None = None

    @property
    def month(self) -> str:
        """The one month (YYYY-MM, UTC) it belongs to: when its bill became known, else when it was asked for."""
        return month_of(self.job.intended_at if self.charge is None else self.charge.charged_at)


@dataclass(frozen=True, slots=True)
class Sums:
    """What entries add up to, in micro-dollars. `billed`, `reserved` and `possible_duplicate` never overlap."""

    jobs: int = 0
    takes: int = 0  # one that was asked for again after it had failed is one take
    placeholder_takes: int = 0  # of them from a local gateway
    billed: int = 0
    computed: int = 0  # of `billed`: the gateway named no price
    reserved: int = 0  # asked for, not billed yet
    possible_duplicate: int = 0


@dataclass(frozen=True)
class Books:
    """Runs and entries, in the order in which they were opened and asked for."""

    runs: tuple[Run, ...] = ()
    entries: tuple[Entry, ...] = ()

    def only(self, manifests: Collection[str] = (), month: str | None = None) -> Books:
        """The part that is about these manifests (none: all of them), and belongs to `month` (YYYY-MM, UTC).

        A run belongs to the month that it was opened in, and to those of its entries.
        """
        entries = tuple(
            entry
            for entry in self.entries
            if (not manifests or entry.job.intent.manifest in manifests) and month in (None, entry.month)
        )
        used = {entry.job.run for entry in entries}
        runs = tuple(
            run
            for run in self.runs
            if run.id in used
            or ((not manifests or run.manifest in manifests) and month in (None, month_of(run.opened_at)))
        )
        return Books(runs, entries)

    @cached_property
    def sums(self) -> Sums:
        """What all entries add up to."""
        bound = [entry.job.commitment for entry in self.entries]
        total = Commitment(*(sum(getattr(one, word) for one in bound) for word in ("reserved", "unknown", "billed")))
        charges = [entry.charge for entry in self.entries if entry.charge is not None]
        takes = {entry.job.key: entry.job.intent.kind for entry in self.entries}
        return Sums(
            jobs=len(self.entries),
            takes=len(takes),
            placeholder_takes=sum(kind == "local" for kind in takes.values()),
            billed=total.billed,
            computed=sum(charge.amount_microusd for charge in charges if charge.basis is Basis.COMPUTED),
            reserved=total.reserved,
            possible_duplicate=total.unknown,
        )

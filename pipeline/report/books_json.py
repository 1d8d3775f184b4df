"""`pipeline ledger --json`: the books for machines. Scripts read it: keys are added, never renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.money import as_usd
from pipeline.report.text import one_line_or_none
from pipeline.times import timestamp

if TYPE_CHECKING:
    from pipeline.ledger.records import Charge, Run
    from pipeline.report.books import Books, Entry, Sums

BOOKS_VERSION: Final = 1


def books_document(books: Books) -> dict[str, Any]:
    """Runs, takes and charges. Amounts are numbers in dollars, times ISO 8601 in UTC; what nobody knows is null.

    A take's row is one job: a take that was asked for again after it had failed has several. What was sent is left out.
    """
    return {
        "version": BOOKS_VERSION,
        "ok": True,
        "exit": 0,
        "error": None,
        "runs": [_run(run) for run in books.runs],
        "takes": [_take(entry) for entry in books.entries],
        "charges": [_charge(charge) for charge in _in_order(books)],
        "totals": _totals(books.sums),
    }


def _in_order(books: Books) -> list[Charge]:
    """The charges as they became known, as the export has them."""
    charges = (entry.charge for entry in books.entries if entry.charge is not None)
    return sorted(charges, key=lambda charge: charge.id)


def _run(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "manifest": run.manifest,
        "kind": run.kind,
        "opened_at": timestamp(run.opened_at),
        "closed_at": _moment(run.closed_at),
    }


def _take(entry: Entry) -> dict[str, Any]:
    job, intent, bound = entry.job, entry.job.intent, entry.job.commitment
    return {
        "job": job.row,
        "run": job.run,
        "manifest": intent.manifest,
        "track": intent.track,
        "take": job.key.take,
        "regeneration": job.key.regeneration,
        "kind": intent.kind,
        "origin": intent.origin,
        "model": intent.model,
        "status": job.state.value,
        "seconds_asked": intent.seconds_asked,
        "seconds_got": seconds_got(entry),
        "estimated_usd": as_usd(intent.estimate_microusd),
        "reserved_usd": as_usd(bound.reserved),
        "billed_usd": as_usd(bound.billed),
        "cost_basis": None if job.cost_basis is None else job.cost_basis.value,
        "possible_duplicate_usd": as_usd(bound.unknown),
        "bought_by": one_line_or_none(job.bought_by),
        "bought_usd": None if job.bought_microusd is None else as_usd(job.bought_microusd),
        "sends": job.sends,
        "job_id": job.job_id,
        "cost_tag": intent.cost_tag,
        "asked_at": timestamp(job.intended_at),
        "sent_at": timestamp(job.sent_at),
        "accepted_at": _moment(job.accepted_at),
        "ended_at": _moment(job.ended_at),
        "collected_at": _moment(job.collected_at),
        "source": job.source,
        "error": one_line_or_none(job.error),
    }


def _charge(charge: Charge) -> dict[str, Any]:
    return {
        "charge": charge.id,
        "job": charge.job,
        "charged_at": timestamp(charge.charged_at),
        "billed_usd": as_usd(charge.amount_microusd),
        "cost_basis": charge.basis.value,
    }


def _totals(sums: Sums) -> dict[str, int | float]:
    return {
        "jobs": sums.jobs,
        "takes": sums.takes,
        "placeholder_takes": sums.placeholder_takes,
        "billed_usd": as_usd(sums.billed),
        "computed_usd": as_usd(sums.computed),
        "reserved_usd": as_usd(sums.reserved),
        "possible_duplicate_usd": as_usd(sums.possible_duplicate),
    }


def seconds_got(entry: Entry) -> float | None:
    """Seconds received, as documents have them."""
    return None if entry.job.seconds_got is None else round(entry.job.seconds_got, 3)


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else timestamp(seconds)

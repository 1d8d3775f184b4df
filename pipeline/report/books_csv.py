"""`pipeline ledger export`: one line a charge, so that the column `billed_usd` sums up to what the reports say.

What is not billed stands in a column of its own, so that nobody adds it by accident.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.money import Basis, as_usd
from pipeline.report.books_json import seconds_got
from pipeline.report.cost_csv import csv_lines
from pipeline.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.report.books import Books, Entry

COLUMNS: Final = (
    "date",
    "entry",
    "billed_usd",
    "unbilled_usd",
    "cost_basis",
    "kind",
    "manifest",
    "track",
    "take",
    "regeneration",
    "model",
    "seconds_asked",
    "seconds_got",
    "status",
    "job_id",
    "cost_tag",
    "run",
    "origin",
)

#: How an export begins, whatever is in it.
CSV_HEAD: Final = b"".join(csv_lines(COLUMNS, ()))


def books_csv(books: Books, *, unbilled: bool = False) -> bytes:
    """The charges as CSV (RFC 4180, UTF-8), in the order in which they became known.

    `unbilled`: also what is reserved and what may have been charged twice, below them.
    """
    charged = sorted((entry.charge.id, entry) for entry in books.entries if entry.charge is not None)
    rows = [_charge(entry) for _, entry in charged]
    if unbilled:
        rows += _unbilled(books, "reserved")
        rows += _unbilled(books, "possible_duplicate")
    return b"".join(csv_lines(COLUMNS, rows))


def _charge(entry: Entry) -> dict[str, Any]:
    charge = entry.charge
    assert charge is not None  # noqa: S101 - only what was billed comes here
    return _whose(entry) | {
        "date": timestamp(charge.charged_at),
        "entry": "charge",
        "billed_usd": as_usd(charge.amount_microusd),
        "cost_basis": charge.basis.value,
    }


def _unbilled(books: Books, word: str) -> Iterator[dict[str, Any]]:
    """What is reserved (`reserved`), or may have been charged beside that (`possible_duplicate`), where it is any."""
    for entry in books.entries:
        bound = entry.job.commitment
        amount = bound.reserved if word == "reserved" else bound.unknown
        if amount:
            yield _whose(entry) | {
                "date": timestamp(entry.job.intended_at),
                "entry": word,
                "unbilled_usd": as_usd(amount),
                "cost_basis": Basis.ESTIMATED.value,
            }


def _whose(entry: Entry) -> dict[str, Any]:
    job, intent = entry.job, entry.job.intent
    return dict.fromkeys(COLUMNS) | {
        "kind": intent.kind,
        "manifest": intent.manifest,
        "track": intent.track,
        "take": job.key.take,
        "regeneration": job.key.regeneration,
        "model": intent.model,
        "seconds_asked": intent.seconds_asked,
        "seconds_got": seconds_got(entry),
        "status": job.state.value,
        "job_id": job.job_id,
        "cost_tag": intent.cost_tag,
        "run": job.run,
        "origin": intent.origin,
    }

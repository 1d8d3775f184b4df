"""The books are read: what the ledger of a state folder holds, for whoever lists, exports or compares it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import check_charges, connect_to_read, readable_errors
from pipeline.report.books import Books, Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.jobs import Job
    from pipeline.ledger.records import Charge


def read_books(ledger: Path) -> Books | None:
    """All that the ledger at this path held at one moment; None where there is none yet. Raises LedgerError.

    It is only read, and nothing is made beside it, whether or not a run is writing meanwhile.
    """
    connection = connect_to_read(ledger)
    if connection is None:
        return None
    with closing(connection), readable_errors(ledger):
        connection.execute("BEGIN")  # so that all of it is of one moment
        check_charges(connection, ledger)
        opened = Ledger(connection)
        return Books(tuple(opened.all_runs()), tuple(_entries(opened.all_jobs(), opened.all_charges())))


def _entries(jobs: Sequence[Job], charges: Sequence[Charge]) -> Iterator[Entry]:
    """Each job with its bill."""
    bills = {charge.job: charge for charge in charges}
    return (Entry(job, bills.get(job.row)) for job in jobs)

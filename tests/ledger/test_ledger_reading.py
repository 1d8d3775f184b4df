"""The books are read: whole, of one moment, and without a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from test_ledger_books import intent

from pipeline.bookkeeping import read_books
from pipeline.jobs import State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.records import Charge
from pipeline.ledger.schema import VERSION
from pipeline.ledger.store import LedgerError, connect
from pipeline.money import Basis
from pipeline.report.books import Books

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path):
    """A ledger with a job that is billed, one that is not, and one that failed; it stays open for writing."""
    opened = Ledger(connect(path, durable=False))
    opened.open_run("game", "real", 1.0)
    for number in (1, 2, 3):
        job = opened.intend(1, intent(number), 2.0)
        opened.accept(job.row, f"job_{number}", 3.0, replay_proven=False)
    opened.complete(1, 4.0, 40_000, Basis.USAGE)
    opened.fail(3, State.FAILED, "silence", 5.0)
    yield opened
    opened.close()


def trace(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_charges_are_read_back_as_they_were_booked(ledger: Ledger) -> None:
    """In their order, with when they became known and on what basis."""
    ledger.complete(2, 6.0, None, None)
    ledger.settle(2, 35_000, Basis.COMPUTED, 7.0)
    assert ledger.all_charges() == [Charge(1, 1, 4.0, 40_000, Basis.USAGE), Charge(2, 2, 7.0, 35_000, Basis.COMPUTED)]


def test_the_books_have_every_job_with_its_bill(path: Path, ledger: Ledger) -> None:
    """Whatever became of it."""
    books = read_books(path)
    assert [entry.job.state for entry in books.entries] == [State.COMPLETED, State.ACCEPTED, State.FAILED]
    assert [entry.charge and entry.charge.amount_microusd for entry in books.entries] == [40_000, None, None]
    assert [(run.manifest, run.kind, run.closed_at) for run in books.runs] == [("game", "real", None)]


def test_reading_leaves_no_trace_once_nobody_writes(path: Path, ledger: Ledger) -> None:
    """Not even beside the ledger."""
    ledger.close()
    before = trace(path.parent)
    assert len(read_books(path).entries) == 3
    assert trace(path.parent) == before


def test_reading_beside_a_run_changes_nothing_and_holds_nothing(path: Path, ledger: Ledger) -> None:
    """The run goes on writing, and the next reader sees what it wrote."""
    read_books(path)
    ledger.complete(2, 6.0, 30_000, Basis.USAGE)
    assert read_books(path).sums.billed == 70_000


def test_where_nothing_was_bought_there_are_no_books(path: Path) -> None:
    """And none are made."""
    assert read_books(path) is None
    assert trace(path.parent) == {}


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("UPDATE charges SET basis = 'guessed'", "damaged"),
        ("UPDATE jobs SET state = 'lost' WHERE job = 2", "damaged"),
        ("UPDATE charges SET amount_microusd = 1", "damaged"),
        ("DELETE FROM charges", "damaged"),
        ("INSERT INTO charges SELECT 2, job, charged_at, amount_microusd, basis FROM charges", "damaged"),
        ("DROP TABLE charges", "can't be used"),
        (f"PRAGMA user_version = {VERSION + 1}", "newer version"),
        ("PRAGMA application_id = 7", "another program's"),
    ],
)
def test_books_that_no_run_of_ours_wrote_are_refused(path: Path, ledger: Ledger, spoil: str, sentence: str) -> None:
    """A sum over them would be wrong: the bills of the jobs and the charges have to be the same."""
    ledger.connection.execute(spoil)
    ledger.close()
    with pytest.raises(LedgerError, match=sentence):
        read_books(path)


def test_books_hold_no_more_than_they_are_asked_for(path: Path, ledger: Ledger) -> None:
    """By manifest and by month; nothing given means everything."""
    books = read_books(path)
    assert books.only() == books
    assert books.only(["adverts"]) == Books()
    assert books.only(["adverts", "game"], "1970-01") == books
    assert books.only([], "1970-02") == Books()

"""A ledger of any version becomes one of this version with every row kept, or stays what it was."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger import store
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.schema import MIGRATIONS, VERSION
from pipeline.ledger.store import LedgerError, connect, connect_to_read

FROZEN = Path(__file__).with_name("version-1.sql")
TABLES = ("runs", "asks", "grants", "jobs", "charges", "sources", "assets")
#: What a next version may want: a new column, and a table made anew that others refer to, as SQLite has it done.
NEXT = """
ALTER TABLE jobs ADD COLUMN remark TEXT;
CREATE TABLE new_runs (
    run INTEGER PRIMARY KEY,
    manifest TEXT NOT NULL,
    kind TEXT NOT NULL,  -- a comment; with a semicolon
    opened_at REAL NOT NULL,
    closed_at REAL,
    budget_microusd INTEGER
) STRICT;
INSERT INTO new_runs (run, manifest, kind, opened_at, closed_at) SELECT * FROM runs;
DROP TABLE runs;
ALTER TABLE new_runs RENAME TO runs;
CREATE UNIQUE INDEX one_open_run ON runs (manifest, kind) WHERE closed_at IS NULL;
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The frozen ledger of version 1."""
    found = tmp_path / "ledger.sqlite3"
    with closing(sqlite3.connect(found)) as ledger:
        ledger.executescript(FROZEN.read_text())
    return found


@pytest.fixture
def todays(path: Path) -> Path:
    """The frozen ledger, brought to this version."""
    connect(path).close()
    return path


def rows(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def everything(path: Path) -> dict[str, list[dict[str, Any]]]:
    with closing(sqlite3.connect(path)) as ledger:
        return {table: rows(ledger, table) for table in TABLES}


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as ledger:
        return int(ledger.execute("PRAGMA user_version").fetchone()[0])


def tables_of(connection: sqlite3.Connection) -> dict[str, str]:
    """Each table's and index's definition, however it is laid out."""
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: " ".join(sql.split()) for name, sql in found}


def add_next_version(monkeypatch: pytest.MonkeyPatch, script: str = NEXT) -> None:
    monkeypatch.setattr(store, "MIGRATIONS", (*MIGRATIONS, script))
    monkeypatch.setattr(store, "VERSION", VERSION + 1)


def test_a_ledger_of_version_1_is_brought_here_with_every_row(path: Path) -> None:
    """Each table has rows in the frozen one, and each row is still there with each of its values."""
    before = everything(path)
    assert all(before.values())
    connect(path).close()
    after = everything(path)
    assert version(path) == VERSION
    for table in TABLES:
        assert len(after[table]) == len(before[table])
        assert all(old.items() <= new.items() for old, new in zip(before[table], after[table], strict=True)), table


def test_what_was_brought_here_is_what_a_new_ledger_is(path: Path, tmp_path: Path) -> None:
    """The same tables and indexes, whichever way they came: no version that is out there is edited in place."""
    with closing(connect(path)) as brought, closing(connect(tmp_path / "new.sqlite3")) as new:
        assert tables_of(brought) == tables_of(new)


def test_version_1_is_what_the_first_migration_makes(path: Path) -> None:
    """A change of its text that people's ledgers never saw is caught here, comments aside."""
    with closing(sqlite3.connect(path)) as frozen, closing(sqlite3.connect(":memory:")) as made:
        made.executescript(MIGRATIONS[0])
        assert tables_of(made) == tables_of(frozen)


def test_the_next_version_is_reached_from_version_1(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that others refer to can be made anew; references are kept, and enforced again afterwards."""
    before = everything(path)
    add_next_version(monkeypatch)
    with closing(connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert len(rows(connection, "runs")) == len(before["runs"])
        new = dict.fromkeys(("unfinished_at", "bought_by", "bought_microusd", "remark"))
        assert rows(connection, "jobs") == [job | new for job in before["jobs"]]
        assert len(Ledger(connection).all_jobs()) == len(before["jobs"])


def test_an_older_ledger_is_read_as_it_would_be_of_this_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan changes nothing: the file stays what it is, and nothing is made beside it."""
    add_next_version(monkeypatch)
    content, jobs = path.read_bytes(), everything(path)["jobs"]
    connection = connect_to_read(path)
    assert connection is not None
    with closing(connection):
        assert [job["remark"] for job in rows(connection, "jobs")] == [None] * len(jobs)
        assert len(Ledger(connection).all_jobs()) == len(jobs)
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("DELETE FROM charges")
    assert (path.read_bytes(), list(path.parent.iterdir())) == (content, [path])


def test_an_older_ledger_that_could_not_be_brought_here_is_not_read_either(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence is the one that a run would end with."""
    add_next_version(monkeypatch, "DELETE FROM runs;")
    with pytest.raises(LedgerError, match="damaged"):
        connect_to_read(path)


def test_a_migration_that_would_lose_a_reference_is_undone(todays: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs without their run are no ledger."""
    before = everything(todays)
    add_next_version(monkeypatch, "DELETE FROM runs;")
    with pytest.raises(LedgerError, match="damaged"):
        connect(todays)
    assert (version(todays), everything(todays)) == (VERSION, before)


STATEMENTS = len(list(store._statements(NEXT)))


@pytest.mark.parametrize("done", range(STATEMENTS + 1))
def test_a_migration_that_fails_between_two_statements_leaves_the_version_before(
    todays: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    """Whole, and the next start takes the step again."""
    before = everything(todays)
    statements = list(store._statements(NEXT))
    add_next_version(monkeypatch, "".join([*statements[:done], "SELECT * FROM nowhere;", *statements[done:]]))
    with pytest.raises(LedgerError, match="no such table: nowhere"):
        connect(todays)
    assert (version(todays), everything(todays)) == (VERSION, before)
    add_next_version(monkeypatch)
    connect(todays).close()
    assert version(todays) == VERSION + 1


KILLED = """\
import os, signal, sys
from pathlib import Path
from pipeline.ledger import store
statements = store._statements
def until_killed(script):
    for number, statement in enumerate(statements(script)):
        if number == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield statement
store._statements = until_killed
store.MIGRATIONS = (*store.MIGRATIONS, sys.argv[3])
store.VERSION += 1
store.connect(Path(sys.argv[1]))
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("done", [1, STATEMENTS - 1])
def test_a_migration_that_is_killed_leaves_the_version_before(
    todays: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    """By the real signal; what the process had written is taken back when the ledger is next opened."""
    before = everything(todays)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(todays), str(done), NEXT], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (version(todays), everything(todays)) == (VERSION, before)
    add_next_version(monkeypatch)
    connect(todays).close()
    assert version(todays) == VERSION + 1

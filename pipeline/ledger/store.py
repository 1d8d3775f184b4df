"""The SQLite file: made, opened, checked, brought up to date."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from pipeline.files import reason, remedy, sync_folder
from pipeline.ledger.log import is_whole
from pipeline.ledger.records import Nonsense
from pipeline.ledger.schema import APPLICATION_ID, MIGRATIONS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BUSY_TIMEOUT_MS: Final = 10_000
_DAMAGED: Final = (
    "the ledger is damaged; keep it, and restore a copy or name another folder with --state "
    "(what the output folder proves is kept all the same)"
)


_CHARGES_DIFFER: Final = """
SELECT (SELECT COUNT(*) FROM charges) <> (SELECT COUNT(*) FROM jobs WHERE cost_microusd IS NOT NULL) OR EXISTS (
    SELECT job, cost_microusd, cost_basis FROM jobs WHERE cost_microusd IS NOT NULL
    EXCEPT SELECT job, amount_microusd, basis FROM charges
)
"""
_FULL: Final = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
_NO_TEXT: Final = "Could not decode to UTF-8"  # Python's own words, without a code of SQLite's


class LedgerError(Exception):
    """The ledger can't be read or written. Its text is one sentence for the person who runs the program."""


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say about the ledger at `path` into a LedgerError that says what to do."""
    try:
        yield
    except Nonsense as error:
        raise LedgerError(f"{path}: {_DAMAGED}") from error
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path}: {_advice(error)}") from error
    except OSError as error:
        raise LedgerError(
            f"{path}: the ledger can't be used ({reason(error)}); {remedy(error)}, and run again"
        ) from error


def _advice(error: sqlite3.DatabaseError) -> str:
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(_FULL):
        return "the disk is full, so nothing more can be bought safely; make room and run again"
    if name.startswith("SQLITE_IOERR"):
        return f"the disk failed ({error}), so nothing more can be bought safely; see to it and run again"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return (
            "the ledger can't be opened or written there; "
            "make it and its folder readable and writable, or name another folder with --state"
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or str(error).startswith(_NO_TEXT):
        return _DAMAGED
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program holds the ledger; close it and run again"
    return f"the ledger can't be used ({error}); keep it, and name another folder with --state"


def connect(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """Open the ledger at `path` for writing, making it or bringing it to this version where needed.

    Its pages are checked first: a run buys on the word of its ledger. Measured: 0.03 s for 10,000 jobs (56 MB), 0.4 s
    for 100,000; reading those for the report takes 4 s.
    `durable` False leaves out every fsync: for simulations only. Raises LedgerError.
    """
    with readable_errors(path):
        if not _is_there(path):
            _make(path, durable=durable)
        connection = _open(path, durable=durable)
        try:
            version = _checked_version(connection, path)
            _check_pages(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
            _migrate(connection, path, version)
            check_charges(connection, path)
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection | None:
    """Open the ledger at `path` only to read it; None where there is none yet. Raises LedgerError.

    One of an older version is read as this version would have it, and stays what it is.
    """
    with readable_errors(path):
        if not _is_there(path):
            return None
        connection = _open_to_read(path)
        try:
            version = _checked_version(connection, path)
            if version < VERSION:
                connection = _brought_here(connection, path, version)
        except BaseException:
            connection.close()
            raise
    return connection


def _brought_here(connection: sqlite3.Connection, path: Path, version: int) -> sqlite3.Connection:
    """A copy in memory, of this version; `connection` is closed."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        with closing(connection):
            connection.backup(memory)
        _migrate(memory, path, version)
        memory.execute("PRAGMA query_only = ON")
    except BaseException:
        memory.close()
        raise
    return memory


def _is_there(path: Path) -> bool:
    """Is there a ledger? Raises LedgerError for what is none, or no longer whole: it is never made anew over that."""
    if not os.path.lexists(path):
        return False
    # Through a link, two state folders could have one ledger and two locks.
    if path.is_symlink() or not path.is_file():
        raise LedgerError(
            f"{path}: this is a link, a folder or a device, and no ledger; "
            "move it away, or name another folder with --state"
        )
    # One appears under its name only once it has its tables, so that an empty file is what is left of one.
    if path.stat().st_size == 0 or not is_whole(log_of(path)):
        raise LedgerError(f"{path}: {_DAMAGED}")
    return True


def log_of(path: Path) -> Path:
    """SQLite's write-ahead log of the ledger at `path`: what was committed and is not in the file itself yet."""
    return path.with_name(f"{path.name}-wal")


def _make(path: Path, *, durable: bool) -> None:
    """Make an empty ledger: whole, on disk and of this version before it has its name."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        _remove(fresh)
        with closing(_open(fresh, durable=durable)) as connection:
            _migrate(connection, path, 0)
        fresh.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            _remove(fresh)
        raise


def _remove(fresh: Path) -> None:
    """What a killed start left half made, its journal first: that one would be played back into the next."""
    fresh.with_name(f"{fresh.name}-journal").unlink(missing_ok=True)
    fresh.unlink(missing_ok=True)


def _open(path: Path, *, durable: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
    return connection


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Read-only: nothing is made beside the ledger, and a killed run's log is not tidied up.

    Whoever writes has a log beside it; without one nobody does, and the file is read as it stands.
    """
    mode = "mode=ro" if log_of(path).exists() else "immutable=1"
    address = f"{path.absolute().as_uri()}?{mode}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    return connection


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if application != APPLICATION_ID or version < 1:
        raise LedgerError(f"{path}: this is another program's database; name another folder with --state")
    if not _is_whole_pages(connection, path):
        raise LedgerError(f"{path}: {_DAMAGED}")
    if version > VERSION:
        raise LedgerError(
            f"{path}: the ledger is from a newer version of this program (its format is {version}, "
            f"this program knows {VERSION}); install that version, or name another folder with --state"
        )
    return version


def _is_whole_pages(connection: sqlite3.Connection, path: Path) -> bool:
    """Is the file's last page all there? SQLite takes zeros for what it lacks; with a log, that page may lie in it."""
    log = log_of(path)
    if log.exists() and log.stat().st_size:
        return True
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return bool(path.stat().st_size % size == 0)


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise LedgerError(f"{path}: {_DAMAGED}")


def check_charges(connection: sqlite3.Connection, path: Path) -> None:
    """Each bill stands twice: as a job's cost, and as a charge. Raises LedgerError where they differ: which is true?

    For whoever buys and whoever tells amounts; a plan needs no charges. One statement, so that both are of one moment.
    Measured: 0.03 s for 10,000 jobs, 0.2 s for 100,000.
    """
    (differ,) = connection.execute(_CHARGES_DIFFER).fetchone()
    if differ:
        raise LedgerError(f"{path}: {_DAMAGED}")


def _migrate(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Bring a ledger of `version` to this one, each step in one transaction: a kill leaves either version whole.

    Foreign keys are checked at the end of each step, and not before: a table may be made anew under its own name.
    """
    for number in range(version, VERSION):
        connection.execute("BEGIN IMMEDIATE")
        for statement in _statements(MIGRATIONS[number]):
            connection.execute(statement)
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise LedgerError(f"{path}: {_DAMAGED}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    """The statements of `script`, one by one: SQLite's own way to run a script would commit before it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement

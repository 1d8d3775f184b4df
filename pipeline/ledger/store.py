"""The SQLite file: opened, migrated, read, and changed in transactions."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pipeline.ledger.schema import APPLICATION_ID, MIGRATIONS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BUSY_TIMEOUT_MS: Final = 10_000
_DAMAGED: Final = (
    "the ledger is damaged; keep it, and restore a copy or name another folder with --state "
    "(what the output folder proves is kept all the same)"
)


class LedgerError(Exception):
    """The ledger can't be read or written. Its text is one sentence for the person who runs the program."""


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into a LedgerError that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path}: {_advice(error)}") from error


@contextmanager
def readable_values(path: Path) -> Iterator[None]:
    """As `readable_errors`, and values that no ledger of ours has are damage too."""
    with readable_errors(path):
        try:
            yield
        except (ValueError, TypeError, KeyError) as error:
            raise LedgerError(f"{path}: {_DAMAGED}") from error


def _advice(error: sqlite3.DatabaseError) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith("SQLITE_FULL"):
        return "the disk is full, so nothing more can be bought safely; make room and run again"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return "the ledger can't be written there; make the state folder writable, or name another with --state"
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return _DAMAGED
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program holds the ledger; close it and run again"
    return f"the ledger can't be used ({error})"


def connect(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """Open the ledger at `path` for writing, making it or bringing it to this version where needed.

    `durable` False leaves out every fsync: for simulations only. Raises LedgerError.
    """
    with readable_errors(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
            _bring_up_to_date(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection | None:
    """Open the ledger at `path` only to read it; None where there is none yet. Raises LedgerError."""
    if not path.exists():
        return None
    with readable_errors(path):
        connection = _open_to_read(path)
        try:
            version = _checked_version(connection, path)
            if version == 0:
                connection.close()
                return None
            if version < VERSION:
                raise LedgerError(f"{path}: the ledger is from an older version; `pipeline run` brings it up to date")
        except BaseException:
            connection.close()
            raise
    return connection


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Read-only: nothing is made beside the ledger, and a killed run's log is not tidied up.

    Whoever writes has a log beside it; without one nobody does, and the file is read as it stands.
    """
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    address = f"{path.absolute().as_uri()}?{mode}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    return connection


def _checked_version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if version and application != APPLICATION_ID:
        raise LedgerError(f"{path}: this is another program's database; name another folder with --state")
    if version > VERSION:
        raise LedgerError(
            f"{path}: the ledger is from a newer version of this program (its format is {version}, "
            f"this program knows {VERSION}); install that version, or name another folder with --state"
        )
    return version


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    version = _checked_version(connection, path)
    for number in range(version, VERSION):
        # One script a version, in one transaction: a kill leaves either version whole.
        connection.executescript(
            f"BEGIN IMMEDIATE;{MIGRATIONS[number]}"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number + 1}; COMMIT;"
        )

"""How the ledger is written: in transactions, many at once where many wait, as durable as each has to be.

Measured: with an fsync for each, one connection makes some 480 commits a second and every one of them stalls whoever
waits in line; in groups it makes tens of thousands. So whoever comes first commits for all that are waiting, in a
thread, and what arrives meanwhile is the next group.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio
import anyio.to_thread

from pipeline.files import identity
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import LedgerError, connect, readable_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class LedgerWriter(Protocol):
    """Runs a change of the ledger in a transaction and gives what it gave.

    `durable`: it is on disk before this returns, for what could not be asked of the gateway again (an intent, a job
    id). Without it a power failure may take the last of it back; a kill never does.
    """

    async def write(self, change: Callable[[Ledger], T], *, durable: bool = False) -> T: ...

    def close(self) -> None: ...


class InlineWriter:
    """Writes where it is called, each change a transaction of its own: for virtual time, where a thread is an age."""

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self._books = _Books(path, durable=durable)

    async def write(self, change: Callable[[Ledger], T], *, durable: bool = False) -> T:  # noqa: ARG002 - as safe as it was opened
        waiting = _Waiting(change)
        _commit(self._books, [waiting])
        return waiting.result()  # type: ignore[no-any-return]

    def close(self) -> None:
        self._books.ledger.close()


class GroupCommitWriter:
    """Writes in a thread, all that waits in one commit."""

    def __init__(self, path: Path) -> None:
        self._books = _Books(path)
        self._waiting: list[_Waiting] = []
        self._turn = anyio.Lock()
        self._limiter: anyio.CapacityLimiter | None = None

    async def write(self, change: Callable[[Ledger], T], *, durable: bool = False) -> T:
        waiting = _Waiting(change, durable=durable)
        self._waiting.append(waiting)
        # Shielded: a change that was handed over is written, whoever stops waiting for it.
        with anyio.CancelScope(shield=True):
            async with self._turn:
                if not waiting.done:
                    group, self._waiting = self._waiting, []
                    await self._in_thread(group)
        return waiting.result()  # type: ignore[no-any-return]

    async def _in_thread(self, group: list[_Waiting]) -> None:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(1)  # never behind other rooms' threads
        level = "FULL" if any(waiting.durable for waiting in group) else "NORMAL"
        await anyio.to_thread.run_sync(_commit, self._books, group, level, limiter=self._limiter)

    def close(self) -> None:
        self._books.ledger.close()


class _Books:
    """The ledger as one writer has it open."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self.ledger = Ledger(connect(path, durable=durable))
        self._file = identity(path)

    def check_standing(self) -> None:
        """What is written to a file that was removed is gone with this process. Raises LedgerError."""
        with suppress(OSError):
            if identity(self.path) == self._file:
                return
        raise LedgerError(
            f"{self.path}: the ledger was moved, removed or replaced during the run, so nothing more can be bought "
            "safely; put it back, and run again"
        )


@dataclass(eq=False)
class _Waiting:
    """A change, and what became of it."""

    change: Callable[[Ledger], Any]
    durable: bool = False
    done: bool = False
    value: Any = None
    error: Exception | None = None

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


def _commit(books: _Books, group: list[_Waiting], level: str | None = None) -> None:
    """One transaction for `group`, as durable as `level` of SQLite's `synchronous` makes it; None: as it is set.

    A change that raises is undone alone. A ledger that fails, at a change or at the commit, fails them all.
    """
    connection = books.ledger.connection
    try:
        with readable_errors(books.path):
            books.check_standing()
            if level is not None:
                connection.execute(f"PRAGMA synchronous = {level}")
            connection.execute("BEGIN IMMEDIATE")
            for waiting in group:
                _apply(books, waiting)
            connection.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - handed to everyone who waits
        with suppress(sqlite3.Error):  # a full disk may have rolled everything back already
            connection.execute("ROLLBACK")
        books.ledger.distrusted = error
        for waiting in group:
            waiting.error = waiting.error or error
    finally:
        for waiting in group:
            waiting.done = True


def _apply(books: _Books, waiting: _Waiting) -> None:
    connection = books.ledger.connection
    connection.execute("SAVEPOINT change")
    try:
        with readable_errors(books.path):
            waiting.value = waiting.change(books.ledger)
    except LedgerError:
        raise
    except Exception as error:  # noqa: BLE001 - raised again where the change was asked for
        waiting.error = error
        connection.execute("ROLLBACK TO change")
    connection.execute("RELEASE change")

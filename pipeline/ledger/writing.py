"""How the ledger is written: in transactions, many at once where many wait, as durable as each has to be.

Measured: with an fsync for each, one connection makes some 480 commits a second and every one of them stalls whoever
waits in line; in groups it makes tens of thousands. So whoever comes first commits for all that are waiting, in a
thread, and what arrives meanwhile is the next group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio
import anyio.to_thread

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect, readable_errors

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
        self._path = path
        self._ledger = Ledger(connect(path, durable=durable))

    async def write(self, change: Callable[[Ledger], T], *, durable: bool = False) -> T:  # noqa: ARG002 - as safe as it was opened
        waiting = _Waiting(change)
        _commit(self._ledger, self._path, [waiting])
        return waiting.result()  # type: ignore[no-any-return]

    def close(self) -> None:
        self._ledger.close()


class GroupCommitWriter:
    """Writes in a thread, all that waits in one commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ledger = Ledger(connect(path))
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
        await anyio.to_thread.run_sync(
            _commit_as_durably_as_asked, self._ledger, self._path, group, limiter=self._limiter
        )

    def close(self) -> None:
        self._ledger.close()


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


def _commit_as_durably_as_asked(ledger: Ledger, path: Path, group: list[_Waiting]) -> None:
    level = "FULL" if any(waiting.durable for waiting in group) else "NORMAL"
    ledger.connection.execute(f"PRAGMA synchronous = {level}")
    _commit(ledger, path, group)


def _commit(ledger: Ledger, path: Path, group: list[_Waiting]) -> None:
    """One transaction for `group`. A change that raises is undone alone; a commit that fails fails them all."""
    connection = ledger.connection
    try:
        with readable_errors(path):
            connection.execute("BEGIN IMMEDIATE")
            for waiting in group:
                _apply(ledger, waiting)
            connection.execute("COMMIT")
    except Exception as error:  # noqa: BLE001 - handed to everyone who waits
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        for waiting in group:
            waiting.error = waiting.error or error
    for waiting in group:
        waiting.done = True


def _apply(ledger: Ledger, waiting: _Waiting) -> None:
    ledger.connection.execute("SAVEPOINT change")
    try:
        waiting.value = waiting.change(ledger)
    except Exception as error:  # noqa: BLE001 - raised again where the change was asked for
        waiting.error = error
        if ledger.connection.in_transaction:  # a full disk may have rolled everything back already
            ledger.connection.execute("ROLLBACK TO change")
    ledger.connection.execute("RELEASE change")

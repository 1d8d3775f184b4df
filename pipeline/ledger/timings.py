"""The ledger's sentences about time: when a process began with a run, how long jobs took, when tracks were finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.jobs import State
from pipeline.ledger.records import Finishing, JobSpan

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


class Timings:
    """When what happened in a run. Nothing is decided by it; the report shows it."""

    connection: sqlite3.Connection

    def note_start(self, run: int, now: float) -> None:
        """A process begins with `run`, or goes on with it."""
        self.connection.execute("INSERT INTO starts VALUES (?, ?)", (run, now))

    def note_finishings(self, run: int, finishings: Iterable[Finishing]) -> None:
        self.connection.executemany(
            "INSERT INTO finishings VALUES (?, ?, ?, ?)",
            [(run, one.track, one.began_at, one.ended_at) for one in finishings],
        )

    def starts_of(self, run: int) -> list[float]:
        """When a process began or went on with `run`, in order."""
        rows = self.connection.execute("SELECT started_at FROM starts WHERE run = ? ORDER BY started_at", (run,))
        return [float(at) for (at,) in rows]

    def finishings_of(self, run: int) -> list[Finishing]:
        """The tracks that were finished in `run`, in order."""
        wanted = "SELECT track, began_at, ended_at FROM finishings WHERE run = ? ORDER BY began_at, track"
        return [Finishing(*row) for row in self.connection.execute(wanted, (run,))]

    def job_spans(self, origin: str, most: int) -> list[JobSpan]:
        """Of the latest jobs that completed at `origin`, at most so many, between which ages: oldest first."""
        wanted = (
            "SELECT model, seconds_asked, MAX(0, COALESCE(unfinished_at, accepted_at) - accepted_at), "
            "ended_at - accepted_at FROM jobs WHERE origin = ? AND state IN (?, ?) "
            "AND ended_at > accepted_at ORDER BY job DESC LIMIT ?"
        )
        rows = self.connection.execute(wanted, (origin, State.COMPLETED, State.COLLECTED, most)).fetchall()
        return [JobSpan(*row) for row in reversed(rows)]

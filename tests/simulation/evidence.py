"""What there is to look at: the ledger, the gateway's own books, and the files."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.jobs import Commitment, Job, State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read
from pipeline.workspace import LEDGER_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mortality import MortalWriter

    from pipeline.jobs import PurchaseKey
    from pipeline.local_gateway.gateway import LocalGateway
    from pipeline.local_gateway.jobs import Job as GatewayJob

T = TypeVar("T")


class Evidence:
    """One seed's folders and gateway, as anybody would find them."""

    def __init__(self, output: Path, state: Path, gateway: LocalGateway) -> None:
        self.output = output
        self.state = state
        self.gateway = gateway
        self._writer: MortalWriter | None = None
        self._jobs: list[Job] | None = None  # as they stand between two lives

    @property
    def writer(self) -> MortalWriter | None:
        """Of the life that is being lived; nobody else writes."""
        return self._writer

    @writer.setter
    def writer(self, writer: MortalWriter | None) -> None:
        self._writer, self._jobs = writer, None

    # --- the ledger -------------------------------------------------------------------------------------------------

    def jobs(self) -> list[Job]:
        jobs = self._jobs or self._read(lambda ledger: ledger.all_jobs()) or []
        if self._writer is None:
            self._jobs = jobs
        return jobs

    def bound(self) -> Commitment:
        """What all jobs bind together."""
        return sum((job.commitment for job in self.jobs()), Commitment())

    def by_purchase(self) -> Iterator[tuple[PurchaseKey, list[Job]]]:
        jobs = self.jobs()
        for key in dict.fromkeys(job.key for job in jobs):
            yield key, [job for job in jobs if job.key == key]

    def takes_of(self, fingerprint: str) -> list[int]:
        """Of which takes there is a source here."""
        jobs = [job for job in self.jobs() if job.key.fingerprint == fingerprint and job.state is State.COLLECTED]
        here = {path.stem for path in self.sources()}
        latest = {job.key.take: job for job in sorted(jobs, key=lambda job: job.key.regeneration)}
        return sorted(take for take, job in latest.items() if job.source in here)

    def rows(self, sql: str) -> list[Any]:
        return self._read(lambda ledger: ledger.connection.execute(sql).fetchall()) or []

    def runs(self, *, closed: bool) -> int:
        return len(self.rows(f"SELECT run FROM runs WHERE closed_at IS {'NOT ' if closed else ''}NULL"))

    def _read(self, question: Callable[[Ledger], T]) -> T | None:
        """By the living writer's own connection where there is one; None where there is no ledger yet."""
        if self.writer is not None:
            return question(self.writer.ledger)
        connection = connect_to_read(self.state / LEDGER_NAME)
        if connection is None:
            return None
        with closing(connection):
            return question(Ledger(connection))

    # --- the gateway ------------------------------------------------------------------------------------------------

    def made(self) -> list[GatewayJob]:
        """Every job that the gateway ever made."""
        return list(self.gateway.books.jobs)

    @property
    def charged_microusd(self) -> int:
        return self.gateway.books.charged_microusd

    # --- files ------------------------------------------------------------------------------------------------------

    def delivered(self) -> Iterator[Path]:
        """What stands in the output folder under a final name."""
        return (path for path in self.output.rglob("*") if path.is_file() and not path.name.startswith("."))

    def sources(self) -> Iterator[Path]:
        return (self.state / "sources").glob("??/*")

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Everything that was delivered, and when it was written."""
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in self.delivered()}

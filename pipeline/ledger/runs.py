"""The ledger's sentences about runs: how they open and close, what their plans asked for, what was granted in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.ledger.records import Run

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from pipeline.jobs import Kind, PurchaseKey


class Runs:
    """The runs of a ledger. What writes belongs inside a transaction, as all of the ledger's sentences do."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def open_run(self, manifest: str, kind: Kind, now: float) -> Run:
        """The open run of `manifest`, or a new one."""
        found = self.find_open_run(manifest, kind)
        if found is not None:
            return found
        self.connection.execute("INSERT INTO runs (manifest, kind, opened_at) VALUES (?, ?, ?)", (manifest, kind, now))
        opened = self.find_open_run(manifest, kind)
        assert opened is not None  # noqa: S101 - inserted one line above, in the same transaction
        return opened

    def find_open_run(self, manifest: str, kind: Kind) -> Run | None:
        row = self.connection.execute(
            "SELECT * FROM runs WHERE manifest = ? AND kind = ? AND closed_at IS NULL", (manifest, kind)
        ).fetchone()
        return None if row is None else Run(*row)

    def last_run(self, manifest: str, kind: Kind | None = None) -> Run | None:
        """The run of `manifest` that was opened last, open or closed."""
        row = self.connection.execute(
            "SELECT * FROM runs WHERE manifest = ? AND (?2 IS NULL OR kind = ?2) ORDER BY run DESC LIMIT 1",
            (manifest, kind),
        ).fetchone()
        return None if row is None else Run(*row)

    def all_runs(self) -> list[Run]:
        return [Run(*row) for row in self.connection.execute("SELECT * FROM runs ORDER BY run")]

    def since(self) -> float | None:
        """When the first run was opened: what `to date` begins with."""
        (first,) = self.connection.execute("SELECT MIN(opened_at) FROM runs").fetchone()
        return None if first is None else float(first)

    def close_run(self, run: int, now: float) -> None:
        self.connection.execute("UPDATE runs SET closed_at = ? WHERE run = ? AND closed_at IS NULL", (now, run))

    def ask(self, run: int, estimates: Mapping[PurchaseKey, int]) -> None:
        """Add what a start's plan asks for to what `run` has been asked for; of two estimates the larger stays."""
        self.connection.executemany(
            "INSERT INTO asks VALUES (?, ?, ?, ?, ?) ON CONFLICT (run, fingerprint, take, regeneration) "
            "DO UPDATE SET estimate_microusd = MAX(estimate_microusd, excluded.estimate_microusd)",
            [(run, *key, estimate) for key, estimate in estimates.items()],
        )

    def has_unsent_asks(self, run: int) -> bool:
        """Was something asked of `run` that nothing was ever sent for?"""
        (unsent,) = self.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM asks WHERE run = ? AND NOT EXISTS (SELECT 1 FROM jobs "
            "WHERE jobs.fingerprint = asks.fingerprint AND jobs.take = asks.take "
            "AND jobs.regeneration = asks.regeneration))",
            (run,),
        ).fetchone()
        return bool(unsent)

    def asked_microusd(self, run: int) -> int:
        (total,) = self.connection.execute(
            "SELECT COALESCE(SUM(estimate_microusd), 0) FROM asks WHERE run = ?", (run,)
        ).fetchone()
        return int(total)

    def grant(self, run: int, keys: Iterable[PurchaseKey]) -> None:
        """Write down that these takes may be paid for again, once in this run."""
        self.connection.executemany("INSERT OR IGNORE INTO grants VALUES (?, ?, ?, ?)", [(run, *key) for key in keys])

    def fulfil(self, run: int, keys: Iterable[PurchaseKey]) -> None:
        """These were granted, bought and told of: the same words are a new wish from now on, though the run is open."""
        self.connection.executemany(
            "DELETE FROM grants WHERE run = ? AND fingerprint = ? AND take = ? AND regeneration = ?",
            [(run, *key) for key in keys],
        )

    def grants(self, run: int) -> dict[tuple[str, int], int]:
        """(fingerprint, take) -> the regeneration that was granted to it in `run`."""
        rows = self.connection.execute("SELECT fingerprint, take, regeneration FROM grants WHERE run = ?", (run,))
        return {(fingerprint, take): regeneration for fingerprint, take, regeneration in rows}

"""The ledger's sentences: what may be written down about runs, jobs, sources and assets, and what can be read back.

Every method that writes belongs inside a transaction of a writer (`pipeline.ledger.writing`), which decides how durable
it has to be. Every change of a job's state passes `check_transition`.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import astuple, fields, replace
from operator import attrgetter
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from pipeline.jobs import Intent, Job, PurchaseKey, State, check_transition
from pipeline.ledger.drawings import Drawings
from pipeline.ledger.lookups import questions
from pipeline.ledger.records import Charge, Nonsense, Source
from pipeline.ledger.runs import Runs
from pipeline.ledger.timings import Timings
from pipeline.money import Basis

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Container, Iterable, Iterator, Mapping

    from pipeline.ledger.records import Bought

_INTENT_COLUMNS = tuple(item.name for item in fields(Intent) if item.name != "key")
_JOB_COLUMNS = tuple(item.name for item in fields(Job) if item.name not in ("row", "run", "intent"))
_ANOTHER_MACHINE: Final = "another machine was about to ask for it, and ended before anybody knew what became of it"
_said = attrgetter(*_INTENT_COLUMNS)
_SELECT_JOB = f"SELECT job, run, fingerprint, take, regeneration, {', '.join(_INTENT_COLUMNS + _JOB_COLUMNS)} FROM jobs"  # noqa: S608 - the columns are this file's own


class Ledger(Runs, Drawings, Timings):
    """What was asked, what it cost, where it is."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.distrusted: Exception | None = None  # why nothing more may be asked for on this ledger's word

    def close(self) -> None:
        self.connection.close()

    # --- jobs -------------------------------------------------------------------------------------------------------

    def jobs_of(self, run: int) -> list[Job]:
        """The jobs on the books of `run`."""
        return list(self._jobs("WHERE run = ? ORDER BY job", (run,)))

    def job(self, row: int) -> Job:
        found = next(self._jobs("WHERE job = ?", (row,)), None)
        if found is None:
            raise Nonsense(f"job {row} is gone")
        return found

    def each_job(self) -> Iterator[Job]:
        """Every job that was ever asked for, oldest first, read as it is wanted."""
        return self._jobs("ORDER BY job", ())

    def all_jobs(self) -> list[Job]:
        return list(self.each_job())

    def uncollected(self) -> list[Job]:
        """Every job that has an id and may still bring audio: it runs, or waits to be fetched."""
        return list(self._jobs("WHERE state IN (?, ?) ORDER BY job", (State.ACCEPTED, State.COMPLETED)))

    def jobs_for(self, fingerprints: Iterable[str]) -> list[Job]:
        """Every job that was ever asked for under these paid fingerprints, oldest first."""
        found: list[Job] = []
        for marks, some in questions(fingerprints):
            found += self._jobs(f"WHERE fingerprint IN ({marks})", some)
        return sorted(found, key=lambda job: job.row)

    def jobs_of_track(self, manifest: str, track: str) -> list[Job]:
        """Every job that was ever asked for on behalf of this track, oldest first."""
        return list(self._jobs("WHERE manifest = ? AND track = ? ORDER BY job", (manifest, track)))

    def _jobs(self, clause: str, parameters: Iterable[object]) -> Iterator[Job]:
        for row in self.connection.execute(f"{_SELECT_JOB} {clause}", tuple(parameters)):
            yield _job_from_row(row)

    def latest_job(self, key: PurchaseKey) -> Job | None:
        """The last job that was asked for under `key`."""
        clause = "WHERE fingerprint = ? AND take = ? AND regeneration = ? ORDER BY job DESC LIMIT 1"
        return next(self._jobs(clause, key), None)

    def intend(self, run: int, intent: Intent, now: float) -> Job:
        """Write down a job that is about to be asked for. Durable before its POST leaves (Money 1)."""
        self._check_trust()
        columns = ("run", "fingerprint", "take", "regeneration", *_INTENT_COLUMNS)
        columns += ("state", "intended_at", "sent_at", "sends", "unproven_sends")
        values = (run, *intent.key, *_said(intent), State.INTENDED, now, now, 1, 0)
        cursor = self.connection.execute(
            f"INSERT INTO jobs ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",  # noqa: S608 - as above
            values,
        )
        return self.job(int(cursor.lastrowid or 0))

    def resend(self, row: int, run: int, now: float) -> Job:
        """Write down that a job is about to be asked for again under its own key, on the books of `run`."""
        self._check_trust()
        job = self.job(row)
        return self._move(job, State.INTENDED, run=run, sent_at=now, sends=job.sends + 1)

    def lose_answer(self, row: int, error: str) -> Job:
        """Its POST left and nothing shows what came of it: that sending counts until a replay is proven."""
        job = self.job(row)
        return self._move(job, State.UNKNOWN, unproven_sends=job.unproven_sends + 1, error=error)

    def doubt_intents(self) -> None:
        """Before a start: whatever an earlier process wrote down and got no answer for is unknown, and counts so."""
        for job in list(self._jobs("WHERE state = ?", (State.INTENDED,))):
            self.lose_answer(job.row, "the program ended before the gateway answered")

    def refuse(self, row: int, error: str, now: float) -> Job:
        """The gateway surely made no job of the last sending.

        Where an earlier sending is unproven, the job stays unknown: that one may still have been taken.
        """
        job = self.job(row)
        if job.unproven_sends:
            return self._move(job, State.UNKNOWN, error=error)
        return self._move(job, State.REFUSED, error=error, ended_at=now)

    def holder(self, job_id: str, origin: str, but: int) -> Job | None:
        """The job at `origin` that has this id already, other than the one in row `but`."""
        return next(self._jobs("WHERE job_id = ? AND origin = ? AND job <> ? LIMIT 1", (job_id, origin, but)), None)

    def accept(self, row: int, job_id: str, now: float, *, replay_proven: bool) -> Job:
        """It has a job id. Durable before anything else happens to it (Money 1)."""
        job = self.job(row)
        unproven = 0 if replay_proven else job.unproven_sends
        return self._move(job, State.ACCEPTED, job_id=job_id, accepted_at=now, unproven_sends=unproven, error=None)

    def complete(
        self, row: int, now: float, cost_microusd: int | None, basis: Basis | None, unfinished_at: float | None = None
    ) -> Job:
        """The gateway has finished it: the reservation is replaced by the bill, where the bill is known.

        `unfinished_at`: the poll before, in the same process, that found it unfinished.
        """
        job = self._move(self.job(row), State.COMPLETED, ended_at=now, unfinished_at=unfinished_at)
        return job if cost_microusd is None or basis is None else self.settle(row, cost_microusd, basis, now)

    def settle(self, row: int, cost_microusd: int, basis: Basis, now: float) -> Job:
        """Replace the reservation of a completed job by its bill, once."""
        job = self.job(row)
        if job.cost_microusd is not None:
            return job
        self.connection.execute(
            "INSERT INTO charges (job, charged_at, amount_microusd, basis) VALUES (?, ?, ?, ?)",
            (row, now, cost_microusd, basis),
        )
        return self._update(job, cost_microusd=cost_microusd, cost_basis=basis)

    def all_charges(self) -> list[Charge]:
        """Every bill, in the order in which they became known."""
        rows = self.connection.execute(
            "SELECT charge, job, charged_at, amount_microusd, basis FROM charges ORDER BY charge"
        )
        with _understood():
            return [Charge(number, job, at, amount, Basis(basis)) for number, job, at, amount, basis in rows]

    def fail(self, row: int, state: State, error: str, now: float) -> Job:
        """It ended without audio: `state` is failed, cancelled or expired."""
        return self._move(self.job(row), state, error=error, ended_at=now)

    def collect(self, row: int, source: Source) -> Job:
        """Its audio is in the state folder, whole and decoded once."""
        self.connection.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(source))
        return self._move(
            self.job(row),
            State.COLLECTED,
            source=source.sha256,
            seconds_got=source.duration_s,
            collected_at=source.stored_at,
            error=None,
        )

    # --- what a team shares -----------------------------------------------------------------------------------------

    def holder_name(self) -> str:
        """What this ledger is called in claims: no other has the name, but for a copy of its file."""
        (name,) = self.connection.execute("SELECT id FROM identity").fetchone()
        return str(name)

    def job_with(self, idempotency_key: str) -> Job | None:
        """The job that was, or is to be, asked for under this key."""
        return next(self._jobs("WHERE idempotency_key = ?", (idempotency_key,)), None)

    def adopt(self, run: int, intent: Intent, bought: Bought, source: Source) -> Job:
        """Another machine has paid for it, and its source came from the store: it is on these books, and costs nothing.

        Where this ledger had begun to ask for that very job, it is that one.
        """
        job = self.job_with(intent.idempotency_key)
        if job is None:
            job = self._update(self.intend(run, intent, bought.at), sends=0)
        if job.state in (State.UNKNOWN, State.REFUSED):
            job = self._move(job, State.INTENDED)
        if job.state is State.INTENDED:
            job = self.accept(job.row, bought.job_id, bought.at, replay_proven=True)
        if job.state is State.ACCEPTED:
            job = self.complete(job.row, bought.at, 0, bought.basis)
            job = self._update(job, bought_by=bought.by, bought_microusd=bought.cost_microusd)
        self.collect(job.row, source)
        return self._update(self.job(job.row), collected_at=bought.at)

    def take_over(self, run: int, intent: Intent, intended_at: float, job_id: str | None, accepted_at: float) -> Job:
        """Go on with what a machine that is no more has asked for, under its key; `job_id` None: if it did."""
        job = self.job_with(intent.idempotency_key) or self.intend(run, intent, intended_at)
        if job_id is None:
            return self.lose_answer(job.row, _ANOTHER_MACHINE) if job.state is State.INTENDED else job
        if job.state in (State.UNKNOWN, State.REFUSED):
            job = self._move(job, State.INTENDED)
        return self.accept(job.row, job_id, accepted_at, replay_proven=True) if job.state is State.INTENDED else job

    def note_shared(self, row: int, store: str, now: float) -> None:
        """Its source and its record are in that store."""
        self.connection.execute("INSERT OR REPLACE INTO shared VALUES (?, ?, ?)", (store, row, now))

    def shared_with(self, store: str) -> frozenset[int]:
        """The rows of the jobs that are known to be in that store."""
        return frozenset(row for (row,) in self.connection.execute("SELECT job FROM shared WHERE store = ?", (store,)))

    # --- what may be asked again ------------------------------------------------------------------------------------

    def note(self, row: int, error: str) -> Job:
        """Remember why a job is not done yet, without moving it."""
        return self._update(self.job(row), error=error)

    def _check_trust(self) -> None:
        """Once the ledger has failed, nothing more leaves; what has left is still written down where that goes."""
        if self.distrusted is not None:
            raise self.distrusted

    def _move(self, job: Job, state: State, **changes: object) -> Job:
        check_transition(job.state, state)
        return self._update(job, state=state, **changes)

    def _update(self, job: Job, **changes: Any) -> Job:
        assignments = ", ".join(f"{column} = ?" for column in changes)
        self.connection.execute(
            f"UPDATE jobs SET {assignments} WHERE job = ?",  # noqa: S608 - the columns are this file's own
            (*changes.values(), job.row),
        )
        return replace(job, **changes)

    # --- sources and assets -----------------------------------------------------------------------------------------

    def sources(self, hashes: Iterable[str]) -> dict[str, Source]:
        found: dict[str, Source] = {}
        for marks, some in questions(hashes):
            rows = self.connection.execute(f"SELECT * FROM sources WHERE sha256 IN ({marks})", some)  # noqa: S608 - marks
            found |= {row[0]: Source(*row) for row in rows}
        return found

    def all_sources(self) -> list[Source]:
        return [Source(*row) for row in self.connection.execute("SELECT * FROM sources ORDER BY sha256")]

    def mark_pruned(self, hashes: Iterable[str], now: float) -> None:
        """Write down that these sources are removed from disk on purpose. Before they are: a kill is then no riddle."""
        self.connection.executemany(
            "UPDATE sources SET pruned_at = ? WHERE sha256 = ?", [(now, sha256) for sha256 in hashes]
        )

    def add_assets(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Keep rows of the index from the moment their files stand, so that a kill before the index is no loss."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO assets VALUES (?, ?, ?, ?, ?)", [_asset_columns(row) for row in rows]
        )

    def record_assets(self, manifest: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Keep the index's rows of `manifest` as they stand in the output folder."""
        self.connection.execute("DELETE FROM assets WHERE manifest = ?", (manifest,))
        self.connection.executemany(
            "INSERT INTO assets VALUES (?, ?, ?, ?, ?)",
            (_asset_columns(row) for row in rows),
        )

    def forget_assets(self, at: Iterable[tuple[str, str]]) -> None:
        """Drop the rows at these (manifest, path): their files are gone."""
        self.connection.executemany("DELETE FROM assets WHERE manifest = ? AND path = ?", list(at))

    def asset_rows(self, beside: Container[tuple[str, str]] = ()) -> list[dict[str, Any]]:
        """The index's rows as they were last recorded, of every manifest; but for those `beside`: (manifest, path)."""
        known = self.connection.execute("SELECT manifest, path FROM assets ORDER BY manifest, path").fetchall()
        one = "SELECT row FROM assets WHERE manifest = ? AND path = ?"
        with _understood():
            rows = (self.connection.execute(one, at).fetchone() for at in known if at not in beside)
            return [dict(json.loads(row)) for (row,) in rows]

    def asset_rows_of(self, manifest: str, track: str) -> list[dict[str, Any]]:
        """A track's rows of the index, as they were last recorded."""
        wanted = "SELECT row FROM assets WHERE manifest = ? AND track = ? ORDER BY path"
        with _understood():
            return [dict(json.loads(row)) for (row,) in self.connection.execute(wanted, (manifest, track))]


def _asset_columns(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    return (row["manifest"], row["path"], row["name"], row["sha256"], json.dumps(row, sort_keys=True))


@contextmanager
def _understood() -> Iterator[None]:
    """Turn what can't be made sense of into Nonsense."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise Nonsense(str(error)) from error


_JOB_BEGINS = 5 + len(_INTENT_COLUMNS)
_STATE = _JOB_BEGINS + _JOB_COLUMNS.index("state")
_BASIS = _JOB_BEGINS + _JOB_COLUMNS.index("cost_basis")


def _job_from_row(row: tuple[Any, ...]) -> Job:
    number, run, *key = row[:5]
    manifest, track, kind, origin, model, *asked = row[5:_JOB_BEGINS]
    with _understood():
        # One text for what thousands of jobs have in common.
        intent = Intent(PurchaseKey(*key), intern(manifest), track, kind, intern(origin), intern(model), *asked)
        state = State(row[_STATE])
        basis = None if row[_BASIS] is None else Basis(row[_BASIS])
    rest = (*row[_STATE + 1 : _BASIS], basis, *row[_BASIS + 1 :])
    return Job(number, run, intent, state, *rest)

"""The ledger's books: what is written, what is refused, what survives."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import anyio
import pytest

from pipeline.jobs import Commitment, IllegalTransition, Intent, Job, PurchaseKey, State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.records import Source
from pipeline.ledger.schema import MIGRATIONS, VERSION
from pipeline.ledger.store import LedgerError, connect, connect_to_read
from pipeline.ledger.writing import GroupCommitWriter, InlineWriter
from pipeline.money import Basis

if TYPE_CHECKING:
    from pathlib import Path

ESTIMATE = 30_000


def intent(number: int = 1, *, fingerprint: str = "f", regeneration: int = 0, manifest: str = "game") -> Intent:
    return Intent(
        key=PurchaseKey(fingerprint, number, regeneration),
        manifest=manifest,
        track="menu",
        kind="real",
        origin="https://gateway",
        model="maker/model",
        seconds_asked=30.0,
        estimate_microusd=ESTIMATE,
        body=b'{"prompt": "x"}',
        cost_tag="game/menu",
        idempotency_key=f"{fingerprint}-{number}-{regeneration}",
        request_id="r",
    )


@pytest.fixture
def ledger(tmp_path: Path):
    """A ledger with one open run."""
    opened = Ledger(connect(tmp_path / "ledger.sqlite3", durable=False))
    opened.open_run("game", "real", 1.0)
    yield opened
    opened.close()


def accepted(ledger: Ledger, number: int = 1) -> Job:
    job = ledger.intend(1, intent(number), 2.0)
    return ledger.accept(job.row, f"job_{number}", 3.0, replay_proven=False)


def source(name: str = "aa") -> Source:
    return Source(name, "wav", 100, 30.0, 44_100, 2, 9.0)


def test_a_job_keeps_every_word_of_its_intent(ledger: Ledger) -> None:
    """What was asked is read back exactly, so that it can be asked again byte for byte."""
    job = ledger.intend(1, intent(), 2.0)
    assert ledger.job(job.row).intent == intent()
    assert (job.state, job.sends, job.unproven_sends) == (State.INTENDED, 1, 0)


@pytest.mark.parametrize(
    ("path", "commitment"),
    [
        ([], Commitment(reserved=ESTIMATE)),
        (["refuse"], Commitment()),
        (["lose"], Commitment(unknown=ESTIMATE)),
        (["lose", "resend"], Commitment(reserved=ESTIMATE, unknown=ESTIMATE)),
        (["lose", "resend", "lose"], Commitment(unknown=2 * ESTIMATE)),
        (["lose", "resend", "refuse"], Commitment(unknown=ESTIMATE)),
        (["lose", "resend", "accept"], Commitment(reserved=ESTIMATE, unknown=ESTIMATE)),
        (["lose", "resend", "accept-replayed"], Commitment(reserved=ESTIMATE)),
        (["accept"], Commitment(reserved=ESTIMATE)),
        (["accept", "fail"], Commitment()),
        (["accept", "expire"], Commitment(unknown=ESTIMATE)),
        (["accept", "complete"], Commitment(billed=40_000)),
        (["accept", "complete-unbilled"], Commitment(reserved=ESTIMATE)),
        (["accept", "complete-unbilled", "settle"], Commitment(billed=35_000)),
        (["accept", "complete", "collect"], Commitment(billed=40_000)),
        (["accept", "complete", "expire"], Commitment(billed=40_000)),
    ],
    ids=lambda value: "-".join(value) or "intended" if isinstance(value, list) else "",
)
def test_what_a_job_binds_of_a_budget_follows_from_its_state(ledger: Ledger, path: list[str], commitment) -> None:
    """Reserved, unknown and billed never overlap, and nothing that may have been charged is forgotten."""
    row = ledger.intend(1, intent(), 2.0).row
    steps = {
        "refuse": lambda: ledger.refuse(row, "no", 3.0),
        "lose": lambda: ledger.lose_answer(row, "lost"),
        "resend": lambda: ledger.resend(row, 1, 4.0),
        "accept": lambda: ledger.accept(row, "job_1", 5.0, replay_proven=False),
        "accept-replayed": lambda: ledger.accept(row, "job_1", 5.0, replay_proven=True),
        "fail": lambda: ledger.fail(row, State.FAILED, "silence", 6.0),
        "expire": lambda: ledger.fail(row, State.EXPIRED, "gone", 6.0),
        "complete": lambda: ledger.complete(row, 6.0, 40_000, Basis.USAGE),
        "complete-unbilled": lambda: ledger.complete(row, 6.0, None, None),
        "settle": lambda: ledger.settle(row, 35_000, Basis.COMPUTED, 7.0),
        "collect": lambda: ledger.collect(row, source()),
    }
    for step in path:
        steps[step]()
    assert ledger.job(row).commitment == commitment


@pytest.mark.parametrize("state", list(State))
def test_a_job_without_an_id_can_never_be_completed(ledger: Ledger, state: State) -> None:
    """Only an accepted job completes: any other way there is a defect, and it is raised as one."""
    job = ledger.intend(1, intent(), 2.0)
    ledger.connection.execute("UPDATE jobs SET state = ? WHERE job = ?", (state, job.row))
    if state is State.ACCEPTED:
        assert ledger.complete(job.row, 3.0, None, None).state is State.COMPLETED
    else:
        with pytest.raises(IllegalTransition):
            ledger.complete(job.row, 3.0, None, None)


def test_a_bill_is_written_once(ledger: Ledger) -> None:
    """Settling a settled job changes neither the job nor the list of charges."""
    job = accepted(ledger)
    ledger.complete(job.row, 4.0, 40_000, Basis.USAGE)
    ledger.settle(job.row, 99_000, Basis.COMPUTED, 5.0)
    assert ledger.job(job.row).cost_microusd == 40_000
    assert ledger.connection.execute("SELECT amount_microusd FROM charges").fetchall() == [(40_000,)]


def test_one_manifest_has_one_open_run_of_each_kind(ledger: Ledger) -> None:
    """Opening again continues; a local run stands beside a real one; a closed one is followed by another."""
    first = ledger.find_open_run("game", "real")
    assert ledger.open_run("game", "real", 5.0) == first
    assert ledger.open_run("game", "local", 5.0) != first
    ledger.close_run(first.id, 6.0)
    assert ledger.open_run("game", "real", 7.0).id != first.id


def test_asks_and_grants_are_remembered_once_a_run(ledger: Ledger) -> None:
    """What the same start asks for twice counts once; a grant keeps its number."""
    key = PurchaseKey("f", 1, 1)
    for _ in range(2):
        ledger.ask(1, {key: 5_000, PurchaseKey("f", 2, 0): 7_000})
        ledger.grant(1, [key])
    ledger.grant(1, [PurchaseKey("f", 1, 2)])
    assert ledger.asked_microusd(1) == 12_000
    assert ledger.grants(1) == {("f", 1): 1}
    assert ledger.has_unsent_asks(1)


def test_of_two_estimates_of_one_ask_the_larger_stays(ledger: Ledger) -> None:
    """A price that was corrected upwards while the run is open is asked for; one that was lowered changes nothing."""
    key = PurchaseKey("f", 1, 0)
    for estimate in (5_000, 9_000, 2_000):
        ledger.ask(1, {key: estimate})
    assert ledger.asked_microusd(1) == 9_000


def test_jobs_are_found_by_what_they_paid_for(ledger: Ledger) -> None:
    """However many fingerprints are asked about at once."""
    for number in range(1, 5):
        ledger.intend(1, intent(number, fingerprint=f"f{number}"), 2.0)
    wanted = ["f2", "f4", *(f"none{number}" for number in range(2_000))]
    assert [job.key.fingerprint for job in ledger.jobs_for(wanted)] == ["f2", "f4"]


def test_a_source_that_was_lost_may_be_collected_again(ledger: Ledger) -> None:
    """A second download of the same job changes no bill."""
    job = accepted(ledger)
    ledger.complete(job.row, 4.0, 40_000, Basis.USAGE)
    ledger.collect(job.row, source("aa"))
    again = ledger.collect(job.row, source("bb"))
    assert (again.source, again.cost_microusd) == ("bb", 40_000)
    assert set(ledger.sources(["aa", "bb"])) == {"aa", "bb"}


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_reader_finds_nothing_where_there_is_no_ledger_and_makes_none(tmp_path: Path) -> None:
    """A plan on a fresh clone leaves no trace."""
    assert connect_to_read(tmp_path / "ledger.sqlite3") is None
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_from_a_newer_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """Neither read nor written: a newer program may know states that this one would break."""
    path = tmp_path / "ledger.sqlite3"
    connection = connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    for opening in (connect, connect_to_read):
        with pytest.raises(LedgerError, match="newer version of this program"):
            opening(path)


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 100, b"x" * 4096])
def test_a_damaged_ledger_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    """It is kept as it is, and the sentence says what to do."""
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="damaged"):
        connect(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """A state folder named by mistake loses nothing."""
    path = tmp_path / "ledger.sqlite3"
    other = sqlite3.connect(path)
    other.executescript("CREATE TABLE notes (text); PRAGMA user_version = 1;")
    other.close()
    with pytest.raises(LedgerError, match="another program's"):
        connect(path)


def test_every_version_is_reached_from_an_empty_file(tmp_path: Path) -> None:
    """The version in the file is the number of migrations that made it."""
    connection = connect(tmp_path / "ledger.sqlite3")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()


# --- writing --------------------------------------------------------------------------------------------------------


class _Watched:
    """A connection that remembers how durable each commit was, and into which tables it inserted."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._written: list[str] = []
        self.commits: list[tuple[int, list[str]]] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, sentence: str, *parameters: object) -> sqlite3.Cursor:
        if sentence == "COMMIT":
            (level,) = self._connection.execute("PRAGMA synchronous").fetchone()
            self.commits.append((level, self._written))
            self._written = []
        if sentence.startswith("INSERT INTO"):
            self._written.append(sentence.partition(" INTO ")[2].partition(" ")[0])
        return self._connection.execute(sentence, *parameters)

    def executemany(self, sentence: str, rows: list) -> sqlite3.Cursor:
        self._written.append(sentence.partition(" INTO ")[2].partition(" ")[0])
        return self._connection.executemany(sentence, rows)


class TestGroupCommit:
    """The writer that shares its commits, on a real loop: it has a thread."""

    @pytest.fixture
    def anyio_backend(self) -> tuple[str, dict]:
        return "asyncio", {}

    @pytest.fixture
    def writer(self, tmp_path: Path):
        opened = GroupCommitWriter(tmp_path / "ledger.sqlite3")
        yield opened
        opened.close()

    @pytest.mark.anyio
    async def test_what_many_write_at_once_is_all_written(self, writer: GroupCommitWriter) -> None:
        """Each of 200 writers gets its own answer back."""
        run = await writer.write(lambda ledger: ledger.open_run("game", "real", 1.0))
        rows: list[int] = []

        async def write(number: int) -> None:
            job = await writer.write(lambda ledger: ledger.intend(run.id, intent(number), 2.0), durable=True)
            assert job.key.take == number
            rows.append(job.row)

        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(write, number)
        assert len(set(rows)) == 200

    @pytest.mark.anyio
    async def test_a_change_that_fails_is_undone_alone(self, writer: GroupCommitWriter) -> None:
        """Its neighbours in the same commit stand, and it is raised where it was asked for."""
        run = await writer.write(lambda ledger: ledger.open_run("game", "real", 1.0))
        failed: list[Exception] = []

        async def write(number: int) -> None:
            def change(ledger: Ledger) -> None:
                job = ledger.intend(run.id, intent(number), 2.0)
                if number % 2:
                    ledger.complete(job.row, 3.0, None, None)

            try:
                await writer.write(change)
            except IllegalTransition as error:
                failed.append(error)

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(write, number)
        jobs = await writer.write(lambda ledger: ledger.all_jobs())
        assert len(failed) == 10
        assert sorted(job.key.take for job in jobs) == list(range(0, 20, 2))

    @pytest.mark.anyio
    async def test_a_durable_change_is_fsynced_and_others_are_not(self, writer: GroupCommitWriter) -> None:
        """`PRAGMA synchronous` on the writing connection: 2 (FULL) for an intent, 1 (NORMAL) for the rest."""

        def level(ledger: Ledger) -> int:
            return ledger.connection.execute("PRAGMA synchronous").fetchone()[0]

        assert await writer.write(level, durable=True) == 2
        assert await writer.write(level) == 1

    @pytest.mark.anyio
    async def test_an_intent_is_synced_whoever_it_shares_its_commit_with(self, writer: GroupCommitWriter) -> None:
        """`PRAGMA synchronous` is read at each COMMIT: FULL where one in the group is an intent, first or last."""
        run = await writer.write(lambda ledger: ledger.open_run("game", "real", 1.0))
        watched = _Watched(writer._books.ledger.connection)
        writer._books.ledger.connection = watched

        async def write(number: int) -> None:
            if number % 7 == 3:
                await writer.write(lambda ledger: ledger.intend(run.id, intent(number), 2.0), durable=True)
            else:
                await writer.write(lambda ledger: ledger.ask(run.id, {PurchaseKey("f", number, 0): 1}))

        await write(1)
        async with anyio.create_task_group() as tasks:
            for number in range(2, 100):
                tasks.start_soon(write, number)
        await write(100)
        intents = [(level, written) for level, written in watched.commits if "jobs" in written]
        assert sum(written.count("jobs") for _, written in intents) == 14
        assert {level for level, _ in intents} == {2}
        assert any("asks" in written for _, written in intents), "no group was mixed"
        assert watched.commits[0] == watched.commits[-1] == (1, ["asks"])

    @pytest.mark.anyio
    async def test_a_cancelled_writer_has_still_written(self, writer: GroupCommitWriter) -> None:
        """A change that was handed over is on the books, whoever stopped waiting."""
        with anyio.CancelScope() as scope:
            scope.cancel()
            await writer.write(lambda ledger: ledger.open_run("game", "real", 1.0))
        assert await writer.write(lambda ledger: ledger.find_open_run("game", "real")) is not None


@pytest.mark.anyio
async def test_the_inline_writer_keeps_the_same_promises(tmp_path: Path) -> None:
    """On virtual time nothing waits, and a failed change leaves nothing behind."""
    writer = InlineWriter(tmp_path / "ledger.sqlite3")
    run = await writer.write(lambda ledger: ledger.open_run("game", "real", 1.0))

    def change(ledger: Ledger) -> None:
        job = ledger.intend(run.id, intent(), 2.0)
        ledger.complete(job.row, 3.0, None, None)

    with pytest.raises(IllegalTransition):
        await writer.write(change)
    assert await writer.write(lambda ledger: ledger.all_jobs()) == []
    writer.close()


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    """A process that ends without closing anything leaves a ledger that the next one reads whole."""
    path = tmp_path / "ledger.sqlite3"
    program = (
        "import os, sys; from pathlib import Path\n"
        "from pipeline.ledger.ledger import Ledger; from pipeline.ledger.store import connect\n"
        "ledger = Ledger(connect(Path(sys.argv[1])))\n"
        "ledger.open_run('game', 'real', 1.0)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    ledger = Ledger(connect(path))
    assert ledger.find_open_run("game", "real") is not None
    ledger.close()

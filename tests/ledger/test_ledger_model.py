"""The ledger against an independent model of it: whatever is done in whatever order, both say the same.

The model is a second reading of docs/money.md. It shares no rule with the program: what a move leads to, what each
state binds and what is charged are written down here once more.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from test_ledger_books import intent, source

from pipeline.jobs import IllegalTransition, PurchaseKey, State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect
from pipeline.money import Basis

if TYPE_CHECKING:
    from collections.abc import Callable

ESTIMATE = 30_000
MOST_JOBS = 4  # so that each gets far
#: From where each move may be made.
FROM = {
    "resend": {"unknown", "refused"},
    "lose": {"intended"},
    "refuse": {"intended"},
    "accept": {"intended"},
    "complete": {"accepted"},
    "fail": {"accepted"},
    "expire": {"accepted", "completed", "collected"},
    "collect": {"completed", "collected"},
}


@dataclass
class ModelJob:
    """A job as the model has it."""

    key: tuple[str, int, int]
    run: int
    state: str = "intended"
    sends: int = 1
    may_be_double: int = 0  # sendings of which nobody knows, beside the one that counts
    bill: int | None = None
    job_id: str | None = None
    source: str | None = None

    def binds(self) -> tuple[int, int, int]:
        """Reserved, unknown, billed."""
        double = self.may_be_double * ESTIMATE
        if self.bill is not None:
            return 0, double, self.bill
        match self.state:
            case "intended" | "accepted" | "completed" | "collected":
                return ESTIMATE, double, 0
            case "expired":
                return 0, double + ESTIMATE, 0
            case _:
                return 0, double, 0


@dataclass
class ModelRun:
    """A run as the model has it."""

    name: tuple[str, str]
    is_open: bool = True
    asked: dict[tuple[str, int, int], int] = field(default_factory=dict)
    granted: dict[tuple[str, int], int] = field(default_factory=dict)


class LedgerMachine(RuleBasedStateMachine):
    """Does to a ledger and to the model whatever hypothesis thinks of, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.sqlite3"
        self.ledger = Ledger(connect(self.path, durable=False))
        self.runs: dict[int, ModelRun] = {}
        self.jobs: dict[int, ModelJob] = {}
        self.charges: list[tuple[int, int]] = []
        self.open_run("game", "real")

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    # --- runs -------------------------------------------------------------------------------------------------------

    @rule(manifest=st.sampled_from(["game", "adverts"]), kind=st.sampled_from(["real", "local"]))
    def open_run(self, manifest: str, kind: str) -> None:
        found = [number for number, run in self.runs.items() if run.is_open and run.name == (manifest, kind)]
        opened = self.ledger.open_run(manifest, kind, 1.0)
        assert (opened.manifest, opened.kind, opened.closed_at) == (manifest, kind, None)
        if found:
            assert [opened.id] == found
        else:
            assert opened.id not in self.runs
            self.runs[opened.id] = ModelRun((manifest, kind))

    @rule(pick=st.integers(0))
    def close_run(self, pick: int) -> None:
        number = self.a_run(pick)
        self.ledger.close_run(number, 9.0)
        self.runs[number].is_open = False

    @rule(pick=st.integers(0), take=st.integers(1, 2), estimate=st.integers(1, 50_000))
    def ask(self, pick: int, take: int, estimate: int) -> None:
        number, key = self.a_run(pick), PurchaseKey("f", take, 0)
        self.ledger.ask(number, {key: estimate})
        self.runs[number].asked[key] = max(estimate, self.runs[number].asked.get(key, 0))

    @rule(pick=st.integers(0), take=st.integers(1, 2), regeneration=st.integers(1, 3))
    def grant(self, pick: int, take: int, regeneration: int) -> None:
        number = self.a_run(pick)
        self.ledger.grant(number, [PurchaseKey("f", take, regeneration)])
        self.runs[number].granted.setdefault(("f", take), regeneration)

    @rule(pick=st.integers(0), take=st.integers(1, 2), regeneration=st.integers(1, 3))
    def fulfil(self, pick: int, take: int, regeneration: int) -> None:
        number = self.a_run(pick)
        self.ledger.fulfil(number, [PurchaseKey("f", take, regeneration)])
        if self.runs[number].granted.get(("f", take)) == regeneration:
            del self.runs[number].granted["f", take]

    # --- jobs -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.jobs) < MOST_JOBS)
    @rule(pick=st.integers(0), take=st.integers(1, 3))
    def intend(self, pick: int, take: int) -> None:
        run, regeneration = self.a_run(pick), len(self.jobs)  # a key of its own
        job = self.ledger.intend(run, intent(take, regeneration=regeneration), 2.0)
        assert job.row not in self.jobs
        self.jobs[job.row] = ModelJob(("f", take, regeneration), run)

    @precondition(lambda self: self.movable("resend"))
    @rule(pick=st.integers(0), to=st.integers(0))
    def resend(self, pick: int, to: int) -> None:
        run = self.a_run(to)

        def moved(job: ModelJob) -> None:
            job.state, job.run, job.sends = "intended", run, job.sends + 1

        self.move("resend", pick, lambda row: self.ledger.resend(row, run, 3.0), moved)

    @precondition(lambda self: self.movable("lose"))
    @rule(pick=st.integers(0))
    def lose_answer(self, pick: int) -> None:
        self.move("lose", pick, lambda row: self.ledger.lose_answer(row, "lost"), lost)

    @rule()
    def doubt_intents(self) -> None:
        self.ledger.doubt_intents()
        for job in self.jobs.values():
            if job.state == "intended":
                lost(job)

    @precondition(lambda self: self.movable("refuse"))
    @rule(pick=st.integers(0))
    def refuse(self, pick: int) -> None:
        def moved(job: ModelJob) -> None:
            job.state = "unknown" if job.may_be_double else "refused"

        self.move("refuse", pick, lambda row: self.ledger.refuse(row, "no", 4.0), moved)

    @precondition(lambda self: self.movable("accept"))
    @rule(pick=st.integers(0), proven=st.booleans())
    def accept(self, pick: int, *, proven: bool) -> None:
        def moved(job: ModelJob) -> None:
            job.state, job.job_id = "accepted", f"job_{job.key[2]}"
            if proven:
                job.may_be_double = 0

        def moving(row: int) -> object:
            return self.ledger.accept(row, f"job_{self.jobs[row].key[2]}", 5.0, replay_proven=proven)

        self.move("accept", pick, moving, moved)

    @precondition(lambda self: self.movable("complete"))
    @rule(pick=st.integers(0), bill=st.none() | st.integers(0, 60_000))
    def complete(self, pick: int, bill: int | None) -> None:
        def moved(job: ModelJob) -> None:
            job.state = "completed"
            if bill is not None:
                self.charge(job, bill)

        basis = None if bill is None else Basis.USAGE
        self.move("complete", pick, lambda row: self.ledger.complete(row, 6.0, bill, basis), moved)

    @precondition(lambda self: any(job.state in ("completed", "collected") for job in self.jobs.values()))
    @rule(pick=st.integers(0), bill=st.integers(0, 60_000))
    def settle(self, pick: int, bill: int) -> None:
        rows = [row for row, job in self.jobs.items() if job.state in ("completed", "collected")]
        row = rows[pick % len(rows)]
        self.ledger.settle(row, bill, Basis.COMPUTED, 7.0)
        if self.jobs[row].bill is None:
            self.charge(self.jobs[row], bill)

    @precondition(lambda self: self.movable("fail"))
    @rule(pick=st.integers(0), state=st.sampled_from([State.FAILED, State.CANCELLED]))
    def fail(self, pick: int, state: State) -> None:
        def moved(job: ModelJob) -> None:
            job.state = str(state)

        self.move("fail", pick, lambda row: self.ledger.fail(row, state, "silence", 8.0), moved)

    @precondition(lambda self: self.movable("expire"))
    @rule(pick=st.integers(0))
    def expire(self, pick: int) -> None:
        def moved(job: ModelJob) -> None:
            job.state = "expired"

        self.move("expire", pick, lambda row: self.ledger.fail(row, State.EXPIRED, "gone", 8.0), moved)

    @precondition(lambda self: self.movable("collect"))
    @rule(pick=st.integers(0), sound=st.sampled_from(["aa", "bb"]))
    def collect(self, pick: int, sound: str) -> None:
        def moved(job: ModelJob) -> None:
            job.state, job.source = "collected", sound

        self.move("collect", pick, lambda row: self.ledger.collect(row, source(sound)), moved)

    @precondition(lambda self: self.jobs)
    @rule(pick=st.integers(0))
    def no_other_move_is_made(self, pick: int) -> None:
        """Every move that the model does not know from a job's state is a defect, raised and undone."""
        row = list(self.jobs)[pick % len(self.jobs)]
        moves = {
            "resend": lambda: self.ledger.resend(row, 1, 3.0),
            "lose": lambda: self.ledger.lose_answer(row, "lost"),
            "refuse": lambda: self.ledger.refuse(row, "no", 4.0),
            "accept": lambda: self.ledger.accept(row, "job_x", 5.0, replay_proven=True),
            "complete": lambda: self.ledger.complete(row, 6.0, 1, Basis.USAGE),
            "fail": lambda: self.ledger.fail(row, State.FAILED, "silence", 8.0),
            "expire": lambda: self.ledger.fail(row, State.EXPIRED, "gone", 8.0),
            "collect": lambda: self.ledger.collect(row, source("cc")),
        }
        for name in set(FROM) - {name for name, states in FROM.items() if self.jobs[row].state in states}:
            self.ledger.connection.execute("BEGIN")
            with pytest.raises(IllegalTransition):
                moves[name]()
            self.ledger.connection.execute("ROLLBACK")

    # --- the file ---------------------------------------------------------------------------------------------------

    @rule()
    def close_and_open_again(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(connect(self.path, durable=False))

    # --- what both say ----------------------------------------------------------------------------------------------

    @invariant()
    def the_jobs_are_the_models(self) -> None:
        found = self.ledger.all_jobs()
        assert [job.row for job in found] == list(self.jobs)
        for job in found:
            model = self.jobs[job.row]
            bound = job.commitment
            assert (job.key, job.run, str(job.state)) == (model.key, model.run, model.state)
            assert (job.sends, job.job_id, job.source) == (model.sends, model.job_id, model.source)
            assert (bound.reserved, bound.unknown, bound.billed) == model.binds()
            assert self.ledger.latest_job(job.key) == job

    @invariant()
    def the_lists_are_the_models(self) -> None:
        charges = self.ledger.connection.execute("SELECT job, amount_microusd FROM charges ORDER BY charge")
        assert charges.fetchall() == self.charges
        waiting = [row for row, job in self.jobs.items() if job.state in ("accepted", "completed")]
        assert [job.row for job in self.ledger.uncollected()] == waiting

    @invariant()
    def the_runs_are_the_models(self) -> None:
        sent = {job.key for job in self.jobs.values()}
        for number, run in self.runs.items():
            assert self.ledger.asked_microusd(number) == sum(run.asked.values())
            assert self.ledger.grants(number) == run.granted
            assert self.ledger.has_unsent_asks(number) == any(key not in sent for key in run.asked)
            assert [job.row for job in self.ledger.jobs_of(number)] == [
                row for row, job in self.jobs.items() if job.run == number
            ]
            found = self.ledger.find_open_run(*run.name)
            assert (found is not None and found.id == number) == run.is_open

    # ----------------------------------------------------------------------------------------------------------------

    def a_run(self, pick: int) -> int:
        return list(self.runs)[pick % len(self.runs)]

    def charge(self, job: ModelJob, bill: int) -> None:
        job.bill = bill
        (row,) = (row for row, one in self.jobs.items() if one is job)
        self.charges.append((row, bill))

    def movable(self, name: str) -> list[int]:
        return [row for row, job in self.jobs.items() if job.state in FROM[name]]

    def move(self, name: str, pick: int, moving: Callable[[int], object], moved: Callable[[ModelJob], None]) -> None:
        """Make a move of one of the jobs that it may be made of: in the ledger, and in the model."""
        rows = self.movable(name)
        row = rows[pick % len(rows)]
        moving(row)
        moved(self.jobs[row])


def lost(job: ModelJob) -> None:
    job.state, job.may_be_double = "unknown", job.may_be_double + 1


class TestLedgerModel(LedgerMachine.TestCase):
    """Any order of anything. A failure prints the steps that lead to it, and how to take them again."""

    settings = settings(
        max_examples=40, stateful_step_count=40, deadline=None, print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )  # fmt: skip

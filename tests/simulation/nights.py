"""A seed's story told: lives one after the other on one road to one gateway, and what must be true all along.

The runner, the client, the planning, the ledger and the files are the real ones; time is virtual; the audio is canned.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import anyio
from canned_finisher import CannedFinisher, source_of
from mortality import Dead, Mortal, MortalWriter, living
from roads import Road
from scenarios import PRICE_USD, AtSignal, Life, Scenario, scenario_of
from virtual_time import virtual_backend

from pipeline.clock import EventLoopClock
from pipeline.entry import make_plan, run
from pipeline.gateway_choice import GatewayChoice
from pipeline.jobs import Commitment, State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.fates import Fate, JobError
from pipeline.local_gateway.faults.rules import FaultPlan, Rule
from pipeline.local_gateway.options import GatewayOptions
from pipeline.manifest import parse_manifest
from pipeline.planning.takes import RESEND_WITHIN_S
from pipeline.runner.control import Control
from pipeline.runner.events import Event, TakeFailed
from pipeline.runner.results import EXIT_MONEY, EXIT_TRACKS, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.jobs import Job
    from pipeline.local_gateway.jobs import Job as GatewayJob
    from pipeline.runner.results import RunResult

_SUBMIT: Final = frozenset({"submit"})
_FATES: Final = FaultPlan(
    (
        Rule("a job that fails", _SUBMIT, rate=0.12, fate=Fate(error=JobError())),
        Rule("a job that never ends", _SUBMIT, rate=0.05, fate=Fate(endless=True)),
        Rule("a job that vanishes", _SUBMIT, rate=0.08, fate=Fate(vanishes_after_s=3.0, latency_s=100.0)),
        Rule("a job longer than asked", _SUBMIT, rate=0.15, fate=Fate(length_factor=1.5)),
    )
)
_MOST_QUIET_LIVES: Final = 6
_BETWEEN_QUIET_LIVES_S: Final = 60.0
_MONITORED_INTERVAL_S: Final = 3.0  # the manifest's own, by default
_STOPPED_WITHIN_S: Final = 3.0


class Broken(AssertionError):
    """A promise was not kept. Its text says which, and how the seed is told again."""


@dataclass
class Tally:
    """What a seed, or many, went through."""

    seeds: int = 0
    lives: int = 0
    deaths: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count `other` too."""
        self.seeds += other.seeds
        self.lives += other.lives
        self.deaths += other.deaths
        self.faults += other.faults
        self.requests += other.requests


def simulate(seed: int) -> Tally:
    """Tell the story of `seed`. Raises Broken where a promise is not kept."""
    scenario = scenario_of(seed)
    backend, options = virtual_backend(scenario.backend)
    with tempfile.TemporaryDirectory() as folder:
        night = Night(scenario, Path(folder))
        try:
            anyio.run(night.tell, backend=backend, backend_options=dict(options))
        except Exception as error:
            raise Broken(
                f"seed {seed}: {error}\n{scenario}\ntell it again: python tests/simulation/soak.py --seed {seed}"
            ) from error
    return night.tally


class Night:
    """One seed: its gateway, its two folders, and its lives."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.tally = Tally(seeds=1)
        self._folder = folder
        self._output, self._state = folder / "output", folder / "state"
        self._manifest = parse_manifest(scenario.manifest, folder / "night.yaml")
        self._clock = EventLoopClock()
        options = GatewayOptions(
            latency_s=scenario.latency_s,
            seed=scenario.seed,
            rpm=scenario.rpm,
            idempotency=scenario.idempotency,
            usage_figures=scenario.usage_figures,
            media_base_url="http://127.0.0.1:81",
        )
        faults = FaultPlan(_FATES.rules, scenario.seed) if scenario.fates else None
        self._app = create_app(options, clock=self._clock, composer=CannedComposer(), state=None, faults=faults)
        self._road = Road(
            self._app,
            Random(f"road {scenario.seed}"),
            scenario.fault_rate,
            on_submit=self._check_budget,
            on_job=self._check_slots,
            on_poll=self._check_id,
            on_cancelled_submit=self._check_grace,
        )
        self._writer: MortalWriter | None = None
        self._control: Control | None = None  # of the life that is being lived
        self._broken: list[str] = []
        self._given_up: set[str] = set()  # the prompts of takes that this life has given up

    # --- the story --------------------------------------------------------------------------------------------------

    async def tell(self) -> None:
        """Lives that go wrong, then quiet ones until the run is closed; then it may do nothing more."""
        for life in self.scenario.lives:
            await self._live(life)
        await self._come_to_rest()
        if self.scenario.regenerate:
            await self._regenerate()
            await self._come_to_rest()
        await self._repeat()
        self._check_books()
        self.tally.faults += self._road.fired + self._app.state.gateway.books.faults
        self.tally.requests += self._road.requests

    async def _come_to_rest(self) -> None:
        """Nothing goes wrong any more: the run is closed within a few lives."""
        self._road.fault_rate = 0.0
        for _ in range(_MOST_QUIET_LIVES):
            result = await self._live(Life(None, _BETWEEN_QUIET_LIVES_S))
            assert result is not None
            if not self._open_runs() and not self._unfinished(result):
                self._check_result(result)
                return
            if result.exit == EXIT_MONEY:  # the budget: what it holds back is stated, and the run stays open
                self._check_result(result)
                return
        self._check_result(result)
        self._must(not self._open_runs(), "the run is not closed, though nothing goes wrong any more")

    async def _regenerate(self) -> None:
        """The same words until their run is closed."""
        self._road.fault_rate = self.scenario.fault_rate
        closed = self._closed_runs()
        for life in (*self.scenario.regenerate, Life(None, 0.0)):
            await self._live(life, regenerate=("**",))
            if self._closed_runs() > closed:
                return

    async def _repeat(self) -> None:
        """A closed run that is repeated submits nothing and rewrites nothing."""
        if self._open_runs() or any(job.state is not State.COLLECTED for job in self._latest_jobs()):
            return
        submits, before = self._road.requests["submit"], self._snapshot()
        result = await self._live(Life(None, 0.0))
        assert result is not None
        if all(track.status == "kept" for track in result.tracks):
            self._must(self._snapshot() == before, "a run with nothing to do rewrote something")
        self._must(self._road.requests["submit"] == submits, "a closed run submitted something when it was repeated")

    # --- one life ---------------------------------------------------------------------------------------------------

    async def _live(self, life: Life, regenerate: tuple[str, ...] = ()) -> RunResult | None:
        """One process from its start to its end; None where it died."""
        self.tally.lives += 1
        mortal, control = Mortal(life.end, self.tally.deaths), Control()
        self._given_up = set(self._unasked())
        self._control = control
        self._road.begin_life(mortal)
        result: RunResult | None = None
        began = anyio.current_time()
        with living(mortal, self._folder, self._broken.append):
            try:
                result = await self._run(mortal, control, life, regenerate)
            except BaseExceptionGroup as group:
                _, others = group.split(Dead)
                if others is not None:
                    raise others from None
            except Dead:
                pass
        self._writer = None
        if self._broken:
            raise Broken(self._broken[0])
        self._check_files()
        self._check_charges()
        if result is not None and isinstance(life.end, AtSignal) and control.interrupted:
            ended_s = anyio.current_time() - began - life.end.after_s
            self._must(ended_s <= _STOPPED_WITHIN_S, f"an interrupted run took {ended_s:.1f} s to end")
            self._must(result.exit == life.end.exit, f"an interrupted run gave exit status {result.exit}")
        if result is not None and result.exit in (0, EXIT_TRACKS, EXIT_MONEY):
            self._check_nothing_paid_is_left(result)
        await anyio.sleep(life.then_s)
        return result

    async def _run(self, mortal: Mortal, control: Control, life: Life, regenerate: tuple[str, ...]) -> RunResult | None:
        plan = make_plan(
            self._manifest,
            output=self._output,
            state=self._state,
            gateway=GatewayChoice("real", "http://127.0.0.1", "sk-aig-night"),
            regenerate=regenerate,
            clock=self._clock,
        )
        results: list[RunResult] = []
        async with anyio.create_task_group() as tasks:
            if isinstance(life.end, AtSignal):
                tasks.start_soon(self._interrupt, life.end, mortal, control)
            results.append(
                await run(
                    plan,
                    transport=self._road,
                    finisher=CannedFinisher(mortal),
                    clock=self._clock,
                    ledger=partial(self._open_writer, mortal),
                    control=control,
                    observer=self._observe,
                )
            )
            tasks.cancel_scope.cancel()
        return results[0] if results else None

    def _observe(self, event: Event) -> None:
        if isinstance(event, TakeFailed):
            self._given_up |= {track.prompt or "" for track in self._manifest.tracks if track.name == event.track}

    def _unasked(self) -> Iterator[str]:
        """The prompts of unknown takes that nobody asks for again: they were told not to, or it is too late."""
        for job in self._jobs():
            late = self._clock.now() - job.intended_at > RESEND_WITHIN_S
            if job.state in (State.UNKNOWN, State.INTENDED) and (late or not self.scenario.resend_unknown):
                yield json.loads(job.intent.body)["prompt"]

    def _open_writer(self, mortal: Mortal, path: Path) -> MortalWriter:
        self._writer = MortalWriter(path, mortal)
        return self._writer

    async def _interrupt(self, end: AtSignal, mortal: Mortal, control: Control) -> None:
        await anyio.sleep(end.after_s)
        control.interrupt(Stop(end.exit, "interrupted"))
        if end.again:
            await anyio.sleep(0.5)
            mortal.die("at a second signal")

    # --- what must be true all along --------------------------------------------------------------------------------

    def _must(self, kept: bool, otherwise: str) -> None:
        """What is not kept inside of the program's own calls might be taken for an error there: it is remembered."""
        if not kept:
            self._broken.append(otherwise)
            raise Broken(otherwise)

    def _check_budget(self) -> None:
        """A submit leaves: its intent is on the books, and all that is bound is within the budget."""
        assert self._writer is not None
        ledger = self._writer.ledger
        run = ledger.find_open_run("night", "real")
        self._must(run is not None, "a submit left without an open run")
        assert run is not None
        bound = sum((job.commitment for job in ledger.jobs_of(run.id)), Commitment()).total
        budget = self.scenario.budget_usd
        limit = 2 * ledger.asked_microusd(run.id) if budget is None else round(budget * 1_000_000)
        self._must(bound <= limit, f"{bound} micro-dollars were bound of {limit} when a submit left")
        intended = sum(job.state is State.INTENDED for job in ledger.jobs_of(run.id))
        self._must(intended > 0, "a submit left without an intent on the books")

    def _check_id(self, job_id: str) -> None:
        """A poll leaves: the job's id is on the books."""
        assert self._writer is not None
        known = self._writer.ledger.connection.execute("SELECT 1 FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        self._must(known is not None, f"job {job_id} was asked about before its id was on the books")

    def _check_grace(self) -> None:
        """Somebody stopped waiting for a POST's answer: only an interrupt may do that."""
        is_interrupted = self._control is not None and self._control.interrupted
        self._must(is_interrupted, "a POST that had left was cancelled, and nobody had interrupted the run")

    def _check_slots(self, made: str) -> None:
        """The gateway may have made a job, under the key `made`: never more in flight than asked, of those we can know.

        A job that nobody here knows of, overdue, or given up holds no slot.
        """
        now, known = self._clock.now(), self._known_ids()
        known |= {next(job.id for job in reversed(self._gateway_jobs()) if job.idempotency_key == made)}
        in_flight = [
            job
            for job in self._app.state.gateway.unfinished
            if now - job.created_at < self.scenario.job_timeout_s and (job.id in known or self._is_sought(job))
        ]
        limit = self.scenario.concurrency
        self._must(len(in_flight) <= limit, f"{len(in_flight)} jobs in flight, {limit} allowed")

    def _known_ids(self) -> set[str]:
        assert self._writer is not None
        return {job_id for (job_id,) in self._writer.ledger.connection.execute("SELECT job_id FROM jobs")}

    def _is_sought(self, job: GatewayJob) -> bool:
        """Is it unknown, and asked for again under its key, which finds it?"""
        return self.scenario.idempotency and job.piece.prompt not in self._given_up

    def _check_files(self) -> None:
        """Everything under a final name is whole."""
        for path in self._files():
            content = path.read_bytes()
            if path.suffix == ".wav":
                self._must(source_of(content) is not None, f"{path.name} is not whole")
            elif path.suffix == ".json":
                json.loads(content)
        for path in (self._state / "sources").glob("??/*"):
            content = path.read_bytes()
            declared = int.from_bytes(content[4:8], "little") + 8
            self._must(declared == len(content), f"the source {path.name} is not whole")

    def _check_charges(self) -> None:
        """What the gateway charged is never more than what we say it may have."""
        bound = sum((job.commitment for job in self._jobs()), Commitment())
        charged = self._app.state.gateway.books.charged_microusd
        open_intents = sum(
            job.intent.estimate_microusd for job in self._jobs() if job.state in (State.INTENDED, State.ACCEPTED)
        )
        longer = sum(
            max(0, job.charged_microusd - round(job.asked_s * PRICE_USD * 1e6)) for job in self._gateway_jobs()
        )
        said = bound.total + (longer if open_intents or bound.unknown or bound.reserved else 0)
        self._must(charged <= said, f"the gateway charged {charged} micro-dollars, the books know of {said}")

    def _check_nothing_paid_is_left(self, result: RunResult) -> None:
        """A process that came to its end has fetched what is paid for, or says why not."""
        stated = {take.job.row for manifest in result.manifests for track in manifest.tracks for take in track.takes
                  if take.job is not None and take.error}  # fmt: skip
        stated |= {take.job.row for manifest in result.manifests for take in manifest.strays
                   if take.job is not None and take.error}  # fmt: skip
        for job in self._jobs():
            if job.state in (State.ACCEPTED, State.COMPLETED):
                self._must(
                    job.row in stated, f"job {job.job_id} is {job.state}, and the run ended without a word of it"
                )
            if job.state is State.ACCEPTED:
                overdue = self._clock.now() - (job.accepted_at or 0.0) >= self.scenario.job_timeout_s
                self._must(overdue, f"job {job.job_id} was left before its time was over")

    # --- what must be true in the end -------------------------------------------------------------------------------

    def _check_result(self, result: RunResult) -> None:
        """Every track is an asset, or a stated failure."""
        for track in result.tracks:
            paths = [self._output / path for path in track.plan.track.asset_paths]
            name = track.plan.track.name
            if track.status in ("generated", "finished", "kept"):
                self._must(
                    all(path.is_file() for path in paths), f"{name} is {track.status}, but its asset is not there"
                )
                self._check_provenance(track.plan.track.prompt, paths[0])
            else:
                self._must(track.status in ("failed", "planned") and bool(track.error), f"{name}: {track.status}")
                held = track.status == "failed" or result.exit == EXIT_MONEY
                self._must(held, f"{name} is held back for no reason: {track.error}")
        shortest = self._road.shortest_poll_gap_s
        self._must(shortest >= _MONITORED_INTERVAL_S - 1e-6, f"two polls of a job within {shortest:.2f} s")

    def _check_provenance(self, prompt: str | None, asset: Path) -> None:
        """It was made of what was generated for its prompt."""
        source = source_of(asset.read_bytes())
        makers = {job.job_id for job in self._jobs() if job.source == source}
        prompts = {job.piece.prompt for job in self._gateway_jobs() if job.id in makers}
        self._must(prompt in prompts, f"{asset.name} was made of {prompts or 'nothing'}, not of {prompt!r}")

    def _check_books(self) -> None:
        """At the gateway's own books: no job that nobody asked for, no cent unseen."""
        jobs, gateway_jobs = self._jobs(), self._gateway_jobs()
        for key, own in _by_purchase(jobs):
            keys = {job.intent.idempotency_key for job in own}
            made = [job for job in gateway_jobs if job.idempotency_key in keys]
            fruitless = sum(job.state in (State.FAILED, State.CANCELLED, State.EXPIRED) for job in own)
            unproven = 0 if self.scenario.idempotency else sum(self._unproven(job) for job in own)
            text = f"{len(made)} jobs were made for take {key.take} of {own[0].intent.track}, "
            text += f"after {fruitless} that brought nothing and {unproven} unproven answers"
            self._must(len(made) <= 1 + fruitless + unproven, text)
            self._must(key.regeneration <= bool(self.scenario.regenerate), f"regenerated {key.regeneration} times")
        bodies = {(job.intent.idempotency_key, job.intent.body) for job in jobs}
        self._must(len(bodies) == len({key for key, _ in bodies}), "a key stands for two bodies")
        self._check_sums(jobs)

    def _unproven(self, job: Job) -> int:
        """Sendings that may each have made a job: without an answer, or with one that was not written down."""
        sendings = self._road.sendings[job.intent.idempotency_key]
        written = 1 if job.job_id is not None else 0
        return sendings.nothing + max(0, sendings.ids - written)

    def _was_answered(self, job: Job) -> bool:
        """Did each intent of it leave, and bring home an answer that proves something?"""
        sendings = self._road.sendings[job.intent.idempotency_key]
        return not self._unproven(job) and sendings.all == job.sends

    def _check_sums(self, jobs: list[Job]) -> None:
        bound = sum((job.commitment for job in jobs), Commitment())
        charged = self._app.state.gateway.books.charged_microusd
        self._check_charges()
        every_answer_arrived = all(
            self._was_answered(job) and job.state in (State.COLLECTED, State.FAILED, State.REFUSED) for job in jobs
        )
        if every_answer_arrived or not (bound.unknown or bound.reserved):
            self._must(
                (bound.billed, bound.unknown) == (charged, 0),
                f"every answer arrived, but {bound} is not the {charged} micro-dollars that were charged",
            )
        charges = sum(amount for (amount,) in self._ledger_rows("SELECT amount_microusd FROM charges"))
        self._must(charges == bound.billed, "the charges do not add up to what is billed")

    # --- looking ----------------------------------------------------------------------------------------------------

    def _files(self) -> Iterator[Path]:
        return (path for path in self._output.rglob("*") if path.is_file() and not path.name.startswith("."))

    def _snapshot(self) -> dict[str, tuple[int, bytes]]:
        return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in self._files()}

    def _jobs(self) -> list[Job]:
        return self._read(lambda ledger: ledger.all_jobs())

    def _latest_jobs(self) -> list[Job]:
        return [own[-1] for _, own in _by_purchase(self._jobs())]

    def _gateway_jobs(self) -> list[GatewayJob]:
        return list(self._app.state.gateway.books.jobs)

    def _open_runs(self) -> int:
        return len(self._ledger_rows("SELECT run FROM runs WHERE closed_at IS NULL"))

    def _closed_runs(self) -> int:
        return len(self._ledger_rows("SELECT run FROM runs WHERE closed_at IS NOT NULL"))

    def _unfinished(self, result: RunResult) -> bool:
        """Is there a track that a further life would get?"""
        return any(track.status == "planned" for track in result.tracks)

    def _ledger_rows(self, sql: str) -> list[Any]:
        return self._read(lambda ledger: ledger.connection.execute(sql).fetchall())

    def _read(self, question: Any) -> Any:
        path = self._state / "ledger.sqlite3"
        if not path.exists():
            return []
        ledger = Ledger(connect(path, durable=False))
        try:
            return question(ledger)
        finally:
            ledger.close()


def _by_purchase(jobs: list[Job]) -> Iterator[tuple[Any, list[Job]]]:
    for key in dict.fromkeys(job.key for job in jobs):
        yield key, [job for job in jobs if job.key == key]

"""A seed's story told: lives one after the other on one road to one gateway, and what must be true all along.

The runner, the client, the planning, the ledger and the files are the real ones; time is virtual; the audio is canned.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import anyio
from canned_finisher import CannedFinisher
from evidence import Evidence
from mortality import Dead, Mortal, MortalWriter, living
from promises import Promises
from roads import Road
from scenarios import AtSignal, Life, Scenario, scenario_of
from virtual_time import virtual_backend

from pipeline.choosing import Chooser
from pipeline.clock import EventLoopClock
from pipeline.entry import make_plan, run
from pipeline.fingerprints import paid_fingerprint
from pipeline.gateway_choice import GatewayChoice
from pipeline.jobs import State
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.fates import Fate, JobError
from pipeline.local_gateway.faults.rules import FaultPlan, Rule
from pipeline.local_gateway.options import GatewayOptions
from pipeline.manifest import parse_manifest
from pipeline.runner.control import Control
from pipeline.runner.results import EXIT_MONEY, Stop
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.local_gateway.app import GatewayApp
    from pipeline.manifest.tracks import Track
    from pipeline.runner.results import RunResult
    from pipeline.workspace import Plan

_SUBMIT: Final = frozenset({"submit"})
_FATES: Final = (
    Rule("a job that fails", _SUBMIT, rate=0.12, fate=Fate(error=JobError())),
    Rule("a job that never ends", _SUBMIT, rate=0.05, fate=Fate(endless=True)),
    Rule("a job that vanishes", _SUBMIT, rate=0.08, fate=Fate(vanishes_after_s=3.0, latency_s=100.0)),
    Rule("a job longer than asked", _SUBMIT, rate=0.15, fate=Fate(length_factor=1.5)),
)
FATES: Final = tuple(rule.name for rule in _FATES)
_MOST_QUIET_LIVES: Final = 6
_A_DAY_AND_A_HALF_S: Final = 130_000.0
_QUIET: Final = Life(None, 60.0)


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
            again = f"python tests/simulation/soak.py --seed {seed}"
            raise Broken(f"seed {seed}: {error}\n{scenario}\ntell it again: {again}") from error
    return night.tally


class Night:
    """One seed: its gateway, its two folders, and its lives."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.tally = Tally(seeds=1)
        self._folder = folder
        self._manifest = parse_manifest(scenario.manifest, folder / "night.yaml")
        self._clock = EventLoopClock()
        gateway = _gateway(scenario, self._clock)
        self._evidence = Evidence(folder / "output", folder / "state", gateway.state.gateway)
        self._road = Road(gateway, Random(f"road {scenario.seed}"), scenario.fault_rate)
        self._promises = Promises(scenario, self._manifest, self._evidence, self._road, self._clock)
        self._road.watch(self._promises)

    # --- the story --------------------------------------------------------------------------------------------------

    async def tell(self) -> None:
        """Lives that go wrong, then quiet ones until the run is closed; then it may do nothing more."""
        for life in self.scenario.lives:
            await self._live(life)
        await self._come_to_rest()
        if self.scenario.regenerate:
            await self._regenerate()
            await self._come_to_rest()
        if self.scenario.reroll:
            await self._reroll()
            await self._come_to_rest()
        if self.scenario.choose:
            await self._choose()
        if self.scenario.refresh:
            await self._refresh()
            await self._come_to_rest()
        await self._repeat()
        self._promises.in_the_end()
        self._promises.a_clone_buys_nothing(self._plan(self._folder / "nowhere"))
        self.tally.faults += self._road.fired + self._evidence.gateway.books.faults
        self.tally.requests += self._road.requests

    async def _come_to_rest(self) -> None:
        """Nothing goes wrong any more: within a few lives the run is closed, or stands at its budget and says so."""
        self._road.fault_rate = 0.0
        for _ in range(_MOST_QUIET_LIVES):
            result = await self._live(_QUIET)
            assert result is not None
            is_over = not self._evidence.runs(closed=False) and not _holds_back(result)
            if is_over or result.exit == EXIT_MONEY:
                self._promises.at_rest(result)
                return
        self._promises.must(kept=False, otherwise="the run is not closed, though nothing goes wrong any more")

    async def _regenerate(self) -> None:
        await self._until_closed(self.scenario.regenerate, regenerate=("**",))

    async def _reroll(self) -> None:
        """One wish."""
        self._promises.rerolls_begin()
        await self._until_closed(self.scenario.reroll, reroll=(self._first.name,))

    async def _refresh(self) -> None:
        """A day and a half later, what has grown old is generated again; whatever dies of it, what stands stays."""
        await anyio.sleep(_A_DAY_AND_A_HALF_S)
        stood = list(self._evidence.delivered())
        await self._until_closed(self.scenario.refresh)
        self._promises.still_there(stood)

    async def _until_closed(self, lives: tuple[Life, ...], **words: tuple[str, ...]) -> None:
        """The same words until their run is closed."""
        self._road.fault_rate = self.scenario.fault_rate
        closed = self._evidence.runs(closed=True)
        for life in (*lives, Life(None, 0.0)):
            await self._live(life, **words)
            if self._evidence.runs(closed=True) > closed:
                return

    async def _choose(self) -> None:
        """The same choice until a life has come to its end with it; a run alone may have finished it before."""
        self._road.fault_rate = 0.0
        takes = self._evidence.takes_of(paid_fingerprint(self._first, "real"))
        if not takes or self._evidence.runs(closed=False):  # one that stands at its budget may be regenerating them
            return
        take = str(Random(f"take {self.scenario.seed}").choice(takes))
        submits = self._road.requests["submit"]
        for life in (*self.scenario.choose, Life(None, 0.0)):
            chosen = await self._live(life, choose=take)
            if chosen is not None and life.end is None:
                break
        self._promises.was_chosen(self._first, int(take), submits)

    @property
    def _first(self) -> Track:
        return self._manifest.tracks[0]

    async def _repeat(self) -> None:
        """A closed run that is repeated submits nothing and rewrites nothing."""
        latest = [own[-1] for _, own in self._evidence.by_purchase()]
        if self._evidence.runs(closed=False) or any(job.state is not State.COLLECTED for job in latest):
            return
        submits, before = self._road.requests["submit"], self._evidence.snapshot()
        await self._live(Life(None, 0.0))
        self._promises.nothing_was_done(before, submits)

    # --- one life ---------------------------------------------------------------------------------------------------

    async def _live(self, life: Life, choose: str = "", **words: tuple[str, ...]) -> RunResult | None:
        """One process from its start to its end; None where it died. `choose`: it is `pick`, and no run."""
        self.tally.lives += 1
        mortal, control = Mortal(life.end, self.tally.deaths), Control()
        self._road.begin_life(mortal)
        self._promises.begin_life(control)
        result: RunResult | None = None
        began = anyio.current_time()
        with living(mortal, self._folder, self._promises.broken.append):
            try:
                work = self._pick(mortal, choose, control) if choose else self._run(mortal, control, life, **words)
                result = await work
            except Dead:
                pass
            except BaseExceptionGroup as group:
                _, others = group.split(Dead)
                if others is not None:
                    raise others from None
        self._evidence.writer = None
        self._promises.life_over(result, life.end, anyio.current_time() - began, asks=not choose)
        await anyio.sleep(life.then_s)
        return result

    async def _run(self, mortal: Mortal, control: Control, life: Life, **words: tuple[str, ...]) -> RunResult | None:
        plan = self._plan(self._evidence.state, **words)
        self._promises.plan(plan)
        result: RunResult | None = None
        async with anyio.create_task_group() as tasks:
            if isinstance(life.end, AtSignal):
                tasks.start_soon(_interrupt, life.end, mortal, control)
            result = await run(
                plan,
                transport=self._road,
                finisher=CannedFinisher(mortal),
                clock=self._clock,
                ledger=partial(self._open_writer, mortal),
                control=control,
                observer=self._promises.observe,
            )
            tasks.cancel_scope.cancel()
        return result

    async def _pick(self, mortal: Mortal, take: str, control: Control) -> RunResult | None:
        workspace = Workspace(self._evidence.output, self._evidence.state)
        writer = partial(self._open_writer, mortal)
        with workspace.locked():
            chooser = Chooser(workspace, self._clock, CannedFinisher(mortal), self._promises.observe, control, writer)
            chosen = await chooser.pick(self._manifest, self._first, take)
        self._promises.must(chosen.error is None, f"take {take} could not be picked: {chosen.error}")
        return chosen.result

    def _plan(self, state: Path, **words: tuple[str, ...]) -> Plan:
        return make_plan(
            self._manifest,
            output=self._evidence.output,
            state=state,
            gateway=GatewayChoice("real", "http://127.0.0.1", "sk-aig-night"),
            clock=self._clock,
            **words,
        )

    def _open_writer(self, mortal: Mortal, path: Path) -> MortalWriter:
        self._evidence.writer = writer = MortalWriter(path, mortal)
        return writer


async def _interrupt(end: AtSignal, mortal: Mortal, control: Control) -> None:
    await anyio.sleep(end.after_s)
    control.interrupt(Stop(end.exit, "interrupted"))
    if end.again:
        await anyio.sleep(0.5)
        mortal.die("at a second signal")


def _holds_back(result: RunResult) -> bool:
    """Is there a track that a further life would get?"""
    return any(track.status == "planned" for track in result.tracks)


def _gateway(scenario: Scenario, clock: EventLoopClock) -> GatewayApp:
    options = GatewayOptions(
        latency_s=scenario.latency_s,
        seed=scenario.seed,
        rpm=scenario.rpm,
        idempotency=scenario.idempotency,
        usage_figures=scenario.usage_figures,
        media_base_url="http://127.0.0.1:81",
    )
    faults = FaultPlan(_FATES, scenario.seed) if scenario.fates else None
    return create_app(options, clock=clock, composer=CannedComposer(), state=None, faults=faults)

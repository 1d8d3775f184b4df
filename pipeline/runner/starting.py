"""A run from its opening to its close: the ledger's run, the accounts, the gateways, and the report at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio

from pipeline.files import FolderError
from pipeline.jobs import OUTSTANDING, Commitment, State
from pipeline.ledger.store import LedgerError
from pipeline.output import documents, index_after, readable
from pipeline.planning.plans import Step, estimates
from pipeline.planning.renames import renamings
from pipeline.runner.account import Account
from pipeline.runner.budgets import asks, budget_of, cap_of, too_expensive
from pipeline.runner.control import Control
from pipeline.runner.drawing import draw_missing
from pipeline.runner.expecting import planner_for
from pipeline.runner.hints import Hints
from pipeline.runner.leaving import leave
from pipeline.runner.measuring import measured
from pipeline.runner.moving import move_assets
from pipeline.runner.ordering import ManifestWork
from pipeline.runner.pinning import LOCK_ERRORS, Pins
from pipeline.runner.preflight import preflight
from pipeline.runner.results import EXIT_FOLDER, EXIT_MONEY, ManifestResult, RunResult, Stop
from pipeline.runner.running import Runner
from pipeline.runner.tools import Tools
from pipeline.runner.trouble import folder_trouble
from pipeline.runner.unbegun import refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from pipeline.audio.tasks import Step as UserStep
    from pipeline.clock import Clock
    from pipeline.gateway.client import Gateway
    from pipeline.jobs import Job, PurchaseKey
    from pipeline.ledger.ledger import Ledger
    from pipeline.ledger.records import Run
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.output import AssetRow
    from pipeline.pace.planner import PollPlanner
    from pipeline.planning.plans import ManifestPlan
    from pipeline.runner.events import Event
    from pipeline.runner.finisher import Finisher
    from pipeline.store.team import Team
    from pipeline.workspace import Plan, Workspace


@dataclass(frozen=True, slots=True)
class Opened:
    """A run as the ledger opened it."""

    run: Run
    jobs: tuple[Job, ...]  # that are on its books already
    asked_microusd: int

    @property
    def committed(self) -> Commitment:
        """What the run has bound of its budget."""
        return sum((job.commitment for job in self.jobs), Commitment())


@dataclass(frozen=True)
class Seams:
    """What a run is handed from outside: everything that waits, writes, or works in real time."""

    origin: str  # the gateway that new jobs are asked of, as the ledger names it
    gateways: Mapping[str, Gateway]  # by origin
    ledger: LedgerWriter
    finisher: Finisher
    clock: Clock
    # Writes the reports, of the result and of the index's rows, before the run is closed.
    report: Callable[[RunResult, Sequence[AssetRow]], Awaitable[None]]
    observe: Callable[[Event], None] = lambda _: None
    steps: Sequence[UserStep] = ()
    concurrency: int | None = None  # jobs in flight over all manifests; None: each manifest's own
    control: Control = field(default_factory=Control)
    hints: Hints = field(default_factory=Hints)  # of jobs that have ended
    teams: Mapping[str, Team] = field(default_factory=dict)  # by manifest: the stores that their takes are shared in


async def carry_out(plan: Plan, workspace: Workspace, seams: Seams) -> RunResult:
    """Carry `plan` to its end, or to where something stops it, and write the index.

    Raises LedgerError and FolderError for what makes a start impossible; later ones stop the run by `RunResult.stop`.
    """
    began = time.perf_counter()
    objection = _lock_objection(plan, workspace) or await _objection(plan, seams)
    try:
        opened, objection = await _open(plan, seams, objection)
    except _Refused as refusal:
        why, before = refusal.stop.message, refusal.committed
        parts = tuple(refused(part, why, before[part.manifest.name]) for part in plan.manifests)
        _pins(plan, workspace, seams, buys=False).end(parts)  # what came home before is pinned all the same
        return RunResult(parts, time.perf_counter() - began, refusal.stop)
    if objection is not None:
        seams.control.stop_submitting(objection)
    planner = await planner_for(plan, seams.gateways.get(seams.origin), seams.ledger, seams.hints, seams.concurrency)
    tools = _tools(plan, workspace, seams, planner)
    works = _works(plan, opened, tools, seams)
    await move_assets(tools, plan.manifests)
    runner = Runner(tools, plan.request.kind, seams.origin, seams.steps)
    manifests = await runner.carry_out(works)
    notices: tuple[str, ...] = ()
    with anyio.CancelScope(shield=True):
        try:
            if seams.control.interrupted:
                notices = await leave(tools, [work.run for work in works], runner.is_queued)
                manifests = tuple(_as_left(one, work) for one, work in zip(manifests, works, strict=True))
            _pin(tools, manifests)
            manifests, rows = await _record(plan, workspace, seams, manifests, works)
            if seams.control.stop is None:
                with seams.control.drawing_scope:
                    await draw_missing([row for one in manifests for row in one.rows], tools)
            await seams.report(RunResult(manifests, time.perf_counter() - began, seams.control.stop), rows)
        except (LedgerError, FolderError, OSError) as error:
            seams.control.halt(Stop(EXIT_FOLDER, folder_trouble(error)))
        else:
            await _close(plan, seams, manifests, works)
    return RunResult(manifests, time.perf_counter() - began, seams.control.stop, notices)


def _lock_objection(plan: Plan, workspace: Workspace) -> Stop | None:
    """What is bought is named in a lock, so that no clone buys it again: nothing is where that can't be written."""
    if not plan.estimate_microusd:
        return None
    try:
        for part in plan.manifests:
            workspace.locks.of(part.manifest).check_writable()
    except FolderError as error:
        return Stop(EXIT_FOLDER, str(error))
    return None


async def _objection(plan: Plan, seams: Seams) -> Stop | None:
    """What speaks against buying anything, as the gateway says before it is asked for the first job."""
    if not plan.estimate_microusd or too_expensive(plan, plan.committed) is not None:
        return None  # nothing is sent for such a plan, not even a question
    with seams.control.preflight_scope:
        return await preflight(plan, seams.gateways[seams.origin], seams.observe)
    return seams.control.stop  # interrupted


def _as_left(manifest: ManifestResult, work: ManifestWork) -> ManifestResult:
    """What was cancelled binds nothing any more."""
    return replace(manifest, committed=work.account.committed)


class _Refused(Exception):
    """Undoes the opening of a run that may not begin. `committed`: what each open run has bound before."""

    def __init__(self, stop: Stop, committed: dict[str, Commitment]) -> None:
        super().__init__(stop.message)
        self.stop = stop
        self.committed = committed


async def _open(plan: Plan, seams: Seams, objection: Stop | None) -> tuple[dict[str, Opened], Stop | None]:
    """Open or continue each manifest's run, and write down what its plan asks for and is granted: before any intent.

    The second is why nothing may be bought in it: `objection`, or the budget. Raises _Refused, and opens nothing, where
    there is such a reason and nothing that is paid for may come home either.
    """
    now = seams.clock.now()

    def opening(ledger: Ledger) -> tuple[dict[str, Opened], Stop | None]:
        ledger.doubt_intents()
        buys = estimates(plan.manifests)
        opened = {part.manifest.name: _open_one(ledger, plan, part, now, own) for part, own in buys}
        committed = {name: one.committed for name, one in opened.items()}
        too_much = too_expensive(plan, {name: one.total for name, one in committed.items()})
        stop = objection if too_much is None else Stop(EXIT_MONEY, too_much)
        if stop is not None and not (stop.exit in (EXIT_MONEY, EXIT_FOLDER) and _collects(plan)):
            raise _Refused(stop, committed)
        return opened, stop

    return await seams.ledger.write(opening, durable=True)


_BROUGHT_HOME = (Step.COLLECT, Step.FETCH)


def _collects(plan: Plan) -> bool:
    """Is there a job with an id to be brought home, or a take that a store has?"""
    takes = (take for part in plan.manifests for track in part.tracks for take in track.takes)
    return any(part.strays for part in plan.manifests) or any(take.step in _BROUGHT_HOME for take in takes)


def _open_one(ledger: Ledger, plan: Plan, part: ManifestPlan, now: float, buys: Mapping[PurchaseKey, int]) -> Opened:
    name, kind = part.manifest.name, plan.request.kind
    before = ledger.find_open_run(name, kind)
    if plan.request.new_run and before is not None:
        ledger.close_run(before.id, now)
    run = ledger.open_run(name, kind, now)
    ledger.note_start(run.id, now)
    ledger.ask(run.id, asks(part, buys, run.id))
    ledger.grant(run.id, _granted(part))
    return Opened(run, tuple(ledger.jobs_of(run.id)), ledger.asked_microusd(run.id))


def _granted(part: ManifestPlan) -> list[PurchaseKey]:
    """The takes that somebody's word lets this run pay for: the same word, repeated, finds them granted."""
    takes = (take for track in part.tracks for take in track.takes)
    return [take.key for take in takes if take.step is Step.BUY and take.on_a_word]


def _works(plan: Plan, opened: Mapping[str, Opened], tools: Tools, seams: Seams) -> list[ManifestWork]:
    cap = cap_of(plan)
    above = None if cap is None else Account(cap, "the budget of all manifests together")
    shared = None if seams.concurrency is None else anyio.Semaphore(seams.concurrency)
    works = []
    for part in plan.manifests:
        one = opened[part.manifest.name]
        budget = budget_of(plan, part)
        account = (
            Account(2 * one.asked_microusd, "twice what its plans asked for, where there is no budget", above)
            if budget is None
            else Account(budget, "the budget", above)
        )
        for job in one.jobs:
            account.post(job)
        tools.accounts[one.run.id] = account
        slots = shared or anyio.Semaphore(part.manifest.gateway.concurrency)
        works.append(ManifestWork(part, one.run.id, account, slots))
    return works


def _tools(plan: Plan, workspace: Workspace, seams: Seams, planner: PollPlanner) -> Tools:
    return Tools(
        gateways=seams.gateways,
        planner=planner,
        ledger=seams.ledger,
        finisher=seams.finisher,
        sources=workspace.sources,
        state=workspace.state,
        output=workspace.output,
        clock=seams.clock,
        control=seams.control,
        pins=_pins(plan, workspace, seams, buys=plan.estimate_microusd > 0 and seams.control.submitting),
        settings={part.manifest.name: part.manifest.gateway for part in plan.manifests},
        observe=seams.observe,
        hints=seams.hints,
        teams=seams.teams,
    )


def _pins(plan: Plan, workspace: Workspace, seams: Seams, *, buys: bool) -> Pins:
    files = {part.manifest.name: workspace.locks.of(part.manifest) for part in plan.manifests}
    renamed = {part.manifest.name: renamings(part.moves) for part in plan.manifests}
    return Pins(files, seams.clock, seams.observe, renamed, buys=buys)


def _pin(tools: Tools, manifests: Sequence[ManifestResult]) -> None:
    """Write the locks. Where that fails, index and reports are written all the same, and the run stays open for it."""
    try:
        tools.pins.end(manifests)
    except LOCK_ERRORS as error:
        tools.control.stop_submitting(Stop(EXIT_FOLDER, folder_trouble(error)))


async def _record(
    plan: Plan, workspace: Workspace, seams: Seams, manifests: Sequence[ManifestResult], works: Sequence[ManifestWork]
) -> tuple[tuple[ManifestResult, ...], list[AssetRow]]:
    """Write the index, and remember it. The results, with all that came home in their runs, and the index's rows."""
    output, observe = workspace.output, seams.observe
    manifests = [await measured(manifest, output.folder, seams.finisher, observe) for manifest in manifests]
    index = index_after(plan.index, plan.manifests, [row for manifest in manifests for row in manifest.rows])
    output.write_index(index)

    def recording(ledger: Ledger) -> tuple[ManifestResult, ...]:
        told = []
        for manifest, work in zip(manifests, works, strict=True):
            name = manifest.plan.manifest.name
            ledger.record_assets(name, documents(index, name))
            ledger.note_finishings(work.run, manifest.finishings)
            jobs = (job for job in ledger.jobs_of(work.run) if job.state is State.COLLECTED)
            home = {job.key for job in jobs if job.bought_by is None}
            told.append(replace(manifest, collected=frozenset(home)))
        return tuple(told)

    return await seams.ledger.write(recording), readable(index)


async def _close(plan: Plan, seams: Seams, manifests: Sequence[ManifestResult], works: Sequence[ManifestWork]) -> None:
    """Close each run whose takes have all ended or were stated as failed.

    Last of all: until its index and reports stand, a run that is killed is continued, and so makes them again.
    """
    now = seams.clock.now()
    whole = seams.control.stop is None

    def closing(ledger: Ledger) -> None:
        for manifest, work in zip(manifests, works, strict=True):
            ledger.fulfil(work.run, _rerolled(manifest))
            sent = whole and not any(take.unsent for track in manifest.tracks for take in track.takes)
            if sent and (plan.request.meant.all or not _is_left(ledger, work.run, manifest)):
                ledger.close_run(work.run, now)

    await seams.ledger.write(closing)


def _rerolled(manifest: ManifestResult) -> list[PurchaseKey]:
    """The takes beyond those that are asked for which came home now, and were told of."""
    ended = (track for track in manifest.tracks if track.status != "planned")
    takes = ((track.plan.track, take) for track in ended for take in track.takes if take.plan.on_a_word)
    return [
        take.plan.key
        for track, take in takes
        if take.plan.number > track.takes and take.job is not None and take.job.state is State.COLLECTED
    ]


def _is_left(ledger: Ledger, run: int, manifest: ManifestResult) -> bool:
    """Is there something of `run` that a process which was only about some tracks has not come to?"""
    told = {take.plan.key for track in manifest.tracks for take in track.takes}
    at_work = (job.key for job in ledger.jobs_of(run) if job.state in OUTSTANDING)
    return ledger.has_unsent_asks(run) or any(key not in told for key in at_work)

"""A run from its opening to its close: the ledger's run, the accounts, the gateways, and the report at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio

from pipeline.jobs import State
from pipeline.manifest.names import matches
from pipeline.money import dollars
from pipeline.planning.plans import Step
from pipeline.runner.account import Account
from pipeline.runner.control import Control
from pipeline.runner.results import EXIT_MONEY, ManifestResult, RunResult, Stop
from pipeline.runner.running import ManifestWork, Runner, refused
from pipeline.runner.tools import Tools
from pipeline.workspace import index_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.audio.tasks import Step as UserStep
    from pipeline.clock import Clock
    from pipeline.gateway.client import Gateway
    from pipeline.jobs import Job, PurchaseKey
    from pipeline.ledger.ledger import Ledger
    from pipeline.ledger.records import Run
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.planning.plans import ManifestPlan
    from pipeline.runner.events import Event
    from pipeline.runner.finisher import Finisher
    from pipeline.workspace import Plan, Workspace


@dataclass(frozen=True, slots=True)
class Opened:
    """A run as the ledger opened it."""

    run: Run
    jobs: tuple[Job, ...]  # that are on its books already
    asked_microusd: int


@dataclass(frozen=True)
class Seams:
    """What a run is handed from outside: everything that waits, writes, or works in real time."""

    origin: str  # the gateway that new jobs are asked of, as the ledger names it
    gateways: Mapping[str, Gateway]  # by origin
    ledger: LedgerWriter
    finisher: Finisher
    clock: Clock
    observe: Callable[[Event], None] = lambda _: None
    steps: Sequence[UserStep] = ()
    concurrency: int | None = None  # jobs in flight over all manifests; None: each manifest's own
    control: Control = field(default_factory=Control)


def too_expensive(plan: Plan, committed: Mapping[str, int]) -> str | None:
    """Why a plan is not begun: what it would take, and the budget that it would pass. None where it may go on.

    `committed`: what each manifest's open run has bound already, in micro-dollars.
    """
    single = len(plan.manifests) == 1
    for part in plan.manifests:
        budget = part.manifest.budget_microusd
        if single and plan.request.budget_microusd is not None:
            budget = plan.request.budget_microusd
        before = committed.get(part.manifest.name, 0)
        if budget is not None and part.estimate_microusd and before + part.estimate_microusd > budget:
            return _too_much(part.manifest.name, part.estimate_microusd, before, budget)
    cap, before = plan.request.budget_microusd, sum(committed.values())
    if not single and cap is not None and plan.estimate_microusd and before + plan.estimate_microusd > cap:
        return _too_much("all manifests together", plan.estimate_microusd, before, cap)
    return None


def _too_much(whose: str, estimate: int, before: int, budget: int) -> str:
    on_top = f" on top of {dollars(before)} already committed" if before else ""
    return (
        f"{whose}: the plan costs {dollars(estimate)}{on_top}, over the budget of {dollars(budget)}; "
        "nothing was sent: raise the budget (--budget) or ask for less (--only)"
    )


async def carry_out(plan: Plan, workspace: Workspace, seams: Seams) -> RunResult:
    """Carry `plan` to its end, or to where something stops it, and write the index.

    Raises LedgerError and FolderError for what makes a start impossible; later ones stop the run by `RunResult.stop`.
    """
    began = time.perf_counter()
    try:
        opened = await _open(plan, seams)
    except _TooExpensive as refusal:
        parts = tuple(refused(part, str(refusal)) for part in plan.manifests)
        return RunResult(parts, time.perf_counter() - began, Stop(EXIT_MONEY, str(refusal)))
    tools = _tools(plan, workspace, seams)
    works = _works(plan, opened, tools, seams)
    runner = Runner(tools, plan.request.kind, seams.origin, seams.steps)
    manifests = await runner.carry_out(works)
    with anyio.CancelScope(shield=True):
        manifests = await _close(plan, workspace, seams, manifests, works)
    return RunResult(manifests, time.perf_counter() - began, seams.control.stop)


class _TooExpensive(Exception):
    """Undoes the opening of a run that would pass its budget."""


async def _open(plan: Plan, seams: Seams) -> dict[str, Opened]:
    """Open or continue each manifest's run, and write down what its plan asks for and is granted: before any intent."""
    now = seams.clock.now()

    def opening(ledger: Ledger) -> dict[str, Opened]:
        ledger.doubt_intents()
        opened = {part.manifest.name: _open_one(ledger, plan, part, now) for part in plan.manifests}
        refusal = too_expensive(plan, {name: _binding(one) for name, one in opened.items()})
        if refusal is not None:
            raise _TooExpensive(refusal)
        return opened

    return await seams.ledger.write(opening, durable=True)


def _open_one(ledger: Ledger, plan: Plan, part: ManifestPlan, now: float) -> Opened:
    name, kind = part.manifest.name, plan.request.kind
    before = ledger.find_open_run(name, kind)
    if plan.request.new_run and before is not None:
        ledger.close_run(before.id, now)
    run = ledger.open_run(name, kind, now)
    ledger.ask(run.id, {key: take.estimate_microusd for key, take in part.purchases().items()})
    ledger.grant(run.id, _granted(part, plan.request.regenerate))
    return Opened(run, tuple(ledger.jobs_of(run.id)), ledger.asked_microusd(run.id))


def _granted(part: ManifestPlan, patterns: Sequence[str]) -> list[PurchaseKey]:
    """The takes that `--regenerate` lets this run pay for again: the same words, repeated, find them granted."""
    meant = [track for track in part.tracks if any(matches(pattern, track.track.name) for pattern in patterns)]
    return [take.key for track in meant for take in track.takes if take.step is Step.BUY]


def _binding(opened: Opened) -> int:
    return sum(job.commitment.total for job in opened.jobs)


def _works(plan: Plan, opened: Mapping[str, Opened], tools: Tools, seams: Seams) -> list[ManifestWork]:
    single = len(plan.manifests) == 1
    cap = None if single or plan.request.budget_microusd is None else Account(plan.request.budget_microusd)
    shared = None if seams.concurrency is None else anyio.Semaphore(seams.concurrency)
    works = []
    for part in plan.manifests:
        one = opened[part.manifest.name]
        budget = plan.request.budget_microusd if single else None
        budget = part.manifest.budget_microusd if budget is None else budget
        account = Account(2 * one.asked_microusd if budget is None else budget, cap)
        for job in one.jobs:
            account.post(job)
        tools.accounts[one.run.id] = account
        slots = shared or anyio.Semaphore(part.manifest.gateway.concurrency)
        works.append(ManifestWork(part, one.run.id, account, slots))
    return works


def _tools(plan: Plan, workspace: Workspace, seams: Seams) -> Tools:
    return Tools(
        gateways=seams.gateways,
        ledger=seams.ledger,
        finisher=seams.finisher,
        sources=workspace.sources,
        state=workspace.state,
        output=workspace.output,
        clock=seams.clock,
        control=seams.control,
        settings={part.manifest.name: part.manifest.gateway for part in plan.manifests},
        observe=seams.observe,
    )


async def _close(
    plan: Plan, workspace: Workspace, seams: Seams, manifests: Sequence[ManifestResult], works: Sequence[ManifestWork]
) -> tuple[ManifestResult, ...]:
    """Write the index; close each run whose takes have all ended or were stated as failed."""
    rows = [row for manifest in manifests for track in manifest.tracks for row in track.rows]
    documents = index_after(plan.index, plan.manifests, rows)
    workspace.output.write_index(documents)
    now = seams.clock.now()
    whole = seams.control.stop is None

    def closing(ledger: Ledger) -> tuple[ManifestResult, ...]:
        closed = []
        for manifest, work in zip(manifests, works, strict=True):
            name = manifest.plan.manifest.name
            ledger.record_assets(name, [row for row in documents if row.get("manifest") == name])
            sent = whole and not any(take.unsent for track in manifest.tracks for take in track.takes)
            if sent and not (plan.request.only and ledger.has_unsent_asks(work.run)):
                ledger.close_run(work.run, now)
            home = {job.key for job in ledger.jobs_of(work.run) if job.state is State.COLLECTED}
            closed.append(replace(manifest, collected=frozenset(home)))
        return tuple(closed)

    return await seams.ledger.write(closing)

"""`make_plan` and `run`: what the command line and Python callers share."""

from __future__ import annotations

from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from pipeline.audio.tasks import step_name
from pipeline.clock import SystemClock
from pipeline.gateway_choice import EMBEDDED_ORIGIN, GatewayChoice, choose_gateway
from pipeline.manifest import check_together
from pipeline.money import budget_from_usd
from pipeline.plan_request import PlanRequest
from pipeline.planning.plans import GOING_ON
from pipeline.planning.shards import shard_from
from pipeline.store_choice import StoreChoice, store_address
from pipeline.workspace import Plan, Workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from decimal import Decimal

    import httpx

    from pipeline.audio.tasks import Step as UserStep
    from pipeline.clock import Clock
    from pipeline.gateway.client import Gateway
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.manifest.tracks import Manifest
    from pipeline.runner.control import Control
    from pipeline.runner.events import Event
    from pipeline.runner.finisher import Finisher
    from pipeline.runner.results import RunResult
    from pipeline.store.team import Team
    from pipeline.stored import Stores
    from pipeline.webhooks.receiver import Webhooks


def make_plan(
    manifests: Manifest | Sequence[Manifest],
    *,
    output: str | Path = "output",
    state: str | Path = ".pipeline",
    gateway: str | GatewayChoice = "local",
    key: str = "",
    only: Sequence[str] = (),
    shard: str | None = None,
    regenerate: Sequence[str] = (),
    reroll: Sequence[str] = (),
    budget_usd: Decimal | None = None,
    new_run: bool = False,
    store: str | None = None,
    store_read_only: bool = False,
    stores: Stores | None = None,
    clock: Clock | None = None,
) -> Plan:
    """What a run would do and cost, from the manifests, the ledger and the output folder as they stand.

    `gateway`: `local`, `local=URL`, `aigateway` or a URL; `key`: what a real one wants (nothing is read from the
    environment here). `budget_usd` replaces the manifest's budget, and caps the sum of several. `shard`: `2/8` for the
    second of eight, which has an eighth of the manifest's budget for itself. `store` replaces the manifests' store;
    with `store_read_only`, takes come from it and none are put there. `stores` stand in for those that there are.
    Raises ManifestMistakes, NothingMatches, NoShard, NoGateway, NoStore, LedgerError and FolderError, each with
    sentences to act on.
    """
    given = (manifests,) if not isinstance(manifests, (tuple, list)) else tuple(manifests)
    check_together(given)
    if isinstance(gateway, str):
        gateway = choose_gateway(gateway, {"AIGATEWAY_API_KEY": key}, needs_key=False)
    request = PlanRequest(
        manifests=given,
        gateway=gateway,
        output=Path(output),
        state=Path(state),
        only=tuple(only),
        shard=None if shard is None else shard_from(shard),
        regenerate=tuple(regenerate),
        reroll=frozenset(reroll),
        budget_microusd=None if budget_usd is None else budget_from_usd(budget_usd),
        new_run=new_run,
        store=None if store is None else StoreChoice(store_address(store, Path.cwd())),
        store_read_only=store_read_only,
    )
    now = (clock or SystemClock()).now()
    return Workspace(request.output, request.state, stores=stores).plan(request, now)


async def run(
    plan: Plan,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    finisher: Finisher | None = None,
    steps: Sequence[UserStep] = (),
    observer: Callable[[Event], None] = lambda _: None,
    concurrency: int | None = None,
    requests_per_minute: int | None = None,
    clock: Clock | None = None,
    ledger: Callable[[Path], LedgerWriter] | None = None,
    control: Control | None = None,
    webhooks: Webhooks | None = None,
    stores: Stores | None = None,
    finish_on: str | None = None,
) -> RunResult:
    """Carry a plan to its end: submit, poll, download, finish, and write the index and the reports.

    The plan is made anew once both folders are locked, since something may have happened to them meanwhile.
    `transport` stands in for the network, `finisher` for the worker processes, `ledger` for the thread that writes;
    `steps` are run over every source before its loudness: functions at the top level of a module, since they run in
    worker processes; their names belong to the finishing, so another list of them finishes again. `observer` is told
    what happens as it happens. `requests_per_minute` stands in for the manifests', and `stores` for teams' stores.
    `webhooks` has the gateway tell when a job has ended; one value serves one run, and needs asyncio where it listens
    by itself. `finish_on`: the address of a farm's scheduler, whose workers finish in place of this machine's; it is
    asked nothing with a `finisher`, or with nothing to do. Raises NoWebhooks and NoFarm where that can't be, TypeError
    for a step that has no such name, what `make_plan` raises, and FolderBusy where another run holds a folder.
    """
    workspace = Workspace(plan.request.output, plan.request.state, stores=stores)
    clock = clock or SystemClock()
    request = replace(plan.request, steps=tuple(step_name(step) for step in steps))
    with workspace.locked():
        plan = workspace.plan(request, clock.now())
        return await carry_out_locked(
            plan,
            workspace,
            transport=transport,
            finisher=finisher,
            steps=steps,
            observer=observer,
            concurrency=concurrency,
            requests_per_minute=requests_per_minute,
            clock=clock,
            ledger=ledger,
            control=control,
            webhooks=webhooks,
            finish_on=finish_on,
        )


async def carry_out_locked(
    plan: Plan,
    workspace: Workspace,
    *,
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None = None,
    finisher: Finisher | None = None,
    steps: Sequence[UserStep] = (),
    observer: Callable[[Event], None] = lambda _: None,
    concurrency: int | None = None,
    requests_per_minute: int | None = None,
    ledger: Callable[[Path], LedgerWriter] | None = None,
    control: Control | None = None,
    webhooks: Webhooks | None = None,
    finish_on: str | None = None,
) -> RunResult:
    """`run`, for whoever holds the folders' locks already and has made the plan under them."""
    if plan.nothing_to_do:
        return untouched(plan, workspace)
    from pipeline.ledger.writing import GroupCommitWriter  # noqa: PLC0415 - a plan needs none of these
    from pipeline.reporting import write_reports  # noqa: PLC0415
    from pipeline.runner.control import Control  # noqa: PLC0415
    from pipeline.runner.hints import Hints  # noqa: PLC0415
    from pipeline.runner.starting import Seams, carry_out  # noqa: PLC0415

    writer = (ledger or GroupCommitWriter)(workspace.ledger_path)
    try:
        async with AsyncExitStack() as stack:
            if finisher is None and finish_on is not None:  # before anything is listened for, asked or bought
                finisher = await stack.enter_async_context(_farm(finish_on, steps, observer))
            if webhooks is not None:
                await stack.enter_async_context(_told_by(webhooks, observer))
            on_wait = partial(_tell_of_wait, observer)
            teams = await stack.enter_async_context(_teams(plan, workspace, writer, clock, observer))
            secret = None if webhooks is None else webhooks.secret
            gateways = await stack.enter_async_context(
                _gateways(
                    plan,
                    workspace,
                    clock,
                    transport,
                    concurrency,
                    requests_per_minute=requests_per_minute,
                    on_wait=on_wait,
                    webhook_secret=secret,
                )
            )
            seams = Seams(
                origin=plan.request.gateway.origin,
                gateways=gateways,
                ledger=writer,
                finisher=finisher if finisher is not None else await stack.enter_async_context(_workers()),
                clock=clock,
                report=partial(write_reports, plan, workspace, writer=writer, clock=clock),
                observe=observer,
                steps=steps,
                concurrency=concurrency,
                control=control or Control(),
                hints=Hints() if webhooks is None else webhooks.hints,
                teams=teams,
            )
            return await carry_out(plan, workspace, seams)
    finally:
        writer.close()


def untouched(plan: Plan, workspace: Workspace) -> RunResult:
    """What a run with nothing to do gives: it opens no run and rewrites nothing; a lost report is made again."""
    from pipeline.reporting import reports_are_there, rewrite_reports  # noqa: PLC0415

    if not reports_are_there(workspace):
        rewrite_reports(workspace, [part.manifest for part in plan.manifests], SystemClock().now())
    return unchanged(plan)


def unchanged(plan: Plan) -> RunResult:
    """What a run with nothing to do comes to."""
    from pipeline.runner.results import RunResult  # noqa: PLC0415 - a plan needs none of these
    from pipeline.runner.unbegun import refused  # noqa: PLC0415

    return RunResult(tuple(refused(part, "") for part in plan.manifests), 0.0)


@asynccontextmanager
async def _told_by(webhooks: Webhooks, observe: Callable[[Event], None]) -> AsyncIterator[None]:
    """Webhooks are listened for, before anything is sent; at the end is said what they want to be put right."""
    from pipeline.runner.events import Notice  # noqa: PLC0415 - a plan needs none of it

    async with webhooks.at_work():
        yield
    if webhooks.trouble is not None:
        observe(Notice(webhooks.trouble))


@asynccontextmanager
async def _teams(
    plan: Plan, workspace: Workspace, writer: LedgerWriter, clock: Clock, observe: Callable[[Event], None]
) -> AsyncIterator[Mapping[str, Team]]:
    """The stores that the plan's manifests share, by manifest; none where none is named."""
    if not plan.stores and plan.store_trouble is None:
        yield {}
        return
    from pipeline.teams import teams_of  # noqa: PLC0415 - only where there is a store

    async with teams_of(plan, workspace.stores, writer, clock, observe) as teams:
        yield teams


@asynccontextmanager
async def _workers() -> AsyncIterator[Finisher]:
    """Worker processes, started while the first jobs are being generated."""
    from pipeline.workers import WorkerFinisher  # noqa: PLC0415

    finisher = WorkerFinisher()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(finisher.warm_up)
        yield finisher
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def _farm(address: str, steps: Sequence[UserStep], observe: Callable[[Event], None]) -> AsyncIterator[Finisher]:
    """A farm for what takes long, and this machine's worker processes for the rest."""
    from pipeline.farm.connecting import connected  # noqa: PLC0415 - only where there is a farm
    from pipeline.farm.finisher import FarmFinisher  # noqa: PLC0415
    from pipeline.runner.events import Notice  # noqa: PLC0415 - a plan needs none of it

    async with connected(address, steps, lambda text: observe(Notice(text))) as farm, _workers() as local:
        yield FarmFinisher(farm, local)


@asynccontextmanager
async def _gateways(
    plan: Plan,
    workspace: Workspace,
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None,
    concurrency: int | None,
    *,
    requests_per_minute: int | None,
    on_wait: Callable[[float, int | None], None],
    webhook_secret: str | None,
) -> AsyncIterator[Mapping[str, Gateway]]:
    """A client for every origin that a job of the plan was submitted to, or will be; none where nothing is asked."""
    from pipeline.gateway.client import Gateway  # noqa: PLC0415 - a plan needs no network
    from pipeline.gateway.pacing import Pacer  # noqa: PLC0415
    from pipeline.runner.budgets import requests_per_minute_of  # noqa: PLC0415

    if not plan.asks_a_gateway:
        yield {}
        return
    choice = plan.request.gateway
    settings = [part.manifest.gateway for part in plan.manifests]
    with ExitStack() as local:
        async with AsyncExitStack() as clients:
            found: dict[str, Gateway] = {}
            limit = requests_per_minute_of(plan, requests_per_minute)
            pacer = Pacer(limit, on_wait)  # one gateway, however its address is spelled, and one key: one limit
            for origin in {choice.origin, *_origins(plan)}:
                base_url = _base_url(origin, workspace, local, webhook_secret, embedded=transport is None)
                found[origin] = await clients.enter_async_context(
                    Gateway(
                        base_url,
                        choice.key,
                        pacer=pacer,
                        clock=clock,
                        transport=transport,
                        media_hosts=sorted({host for one in settings for host in one.media_hosts}),
                        concurrency=concurrency or sum(one.concurrency for one in settings),
                    )
                )
            yield found


def _tell_of_wait(observe: Callable[[Event], None], seconds: float, limit: int | None) -> None:
    """Nothing is asked of the gateway for so long: it has refused a request, or its limit is used up."""
    from pipeline.runner.events import Waiting  # noqa: PLC0415 - a plan needs none of it

    if limit is None:
        observe(Waiting("every request", seconds, "the gateway wants no more of them for so long", "refused"))
    else:
        observe(Waiting("every request", seconds, f"{limit:,} requests a minute are the limit", "limit"))


def _origins(plan: Plan) -> set[str]:
    """The origins of the jobs that the plan would go on with: all of them the chosen gateway's, in some spelling."""
    takes = (take for part in plan.manifests for track in part.tracks for take in track.takes)
    jobs = [take.job for take in takes if take.step in GOING_ON]
    strays = [job for part in plan.manifests for job in part.strays]
    return {job.intent.origin for job in (*jobs, *strays) if job is not None}


def _base_url(
    origin: str, workspace: Workspace, local: ExitStack, webhook_secret: str | None, *, embedded: bool
) -> str:
    """Where `origin` is reached now; a local gateway of the run's own is started for it, and told its secret."""
    if origin != EMBEDDED_ORIGIN:
        return origin
    if not embedded:
        return "http://127.0.0.1"  # a transport stands in for the network
    from pipeline.local_gateway.options import GatewayOptions  # noqa: PLC0415 - only a local run needs a gateway
    from pipeline.local_gateway.serving import LocalGatewayThread  # noqa: PLC0415

    options = GatewayOptions(rpm=None)
    if webhook_secret is not None:
        options = replace(options, webhook_secret=webhook_secret)
    return str(local.enter_context(LocalGatewayThread(options, workspace.state.path("local-gateway"))).base_url)

"""A plan is carried to its end: orders go out under the concurrency limit, tracks are finished as takes come in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio

from pipeline.files import FolderError, trouble
from pipeline.gateway.errors import GatewayError
from pipeline.jobs import Commitment, Job, PurchaseKey, State
from pipeline.ledger.store import LedgerError
from pipeline.money import dollars
from pipeline.planning.plans import TO_COME, Action, Step, TakePlan, take_price
from pipeline.planning.takes import is_bought_again
from pipeline.runner.collecting import Collector, Expired
from pipeline.runner.events import MoneyMoved, Notice, RunStarted, TakeFailed, TrackFailed, TrackFinished
from pipeline.runner.finishing import FINISHING_ERRORS, TrackFinisher
from pipeline.runner.grouping import audition_all, level_of
from pipeline.runner.pinning import LOCK_ERRORS
from pipeline.runner.results import EXIT_FOLDER, ManifestResult, Stop, TakeLost, TakeResult, TrackResult, Unsent
from pipeline.runner.submitting import Submitter
from pipeline.runner.tools import Order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from anyio.abc import TaskGroup

    from pipeline.audio.tasks import Step as UserStep
    from pipeline.jobs import Kind
    from pipeline.planning.groups import GroupPlan
    from pipeline.planning.plans import ManifestPlan, TrackPlan
    from pipeline.runner.account import Account
    from pipeline.runner.finishing import Finished
    from pipeline.runner.grouping import Audition
    from pipeline.runner.tools import Tools


@dataclass(frozen=True)
class ManifestWork:
    """One manifest's share of a run."""

    plan: ManifestPlan
    run: int
    account: Account
    slots: anyio.Semaphore  # a job holds one from its submit to its end


@dataclass
class _Awaited:
    """A track, and the takes it still waits for."""

    plan: TrackPlan
    missing: set[PurchaseKey] = field(default_factory=set)


@dataclass
class _AwaitedGroup:
    """A loudness group, and the members whose takes it still waits for."""

    plan: GroupPlan
    missing: set[str]


class _Slot:
    """A place among the jobs in flight: held from a submit to the job's end, and given back once."""

    def __init__(self, slots: anyio.Semaphore) -> None:
        self._slots = slots
        self._held = True  # whoever makes it has acquired one

    async def take(self) -> None:
        if not self._held:
            await self._slots.acquire()
            self._held = True

    def free(self) -> None:
        if self._held:
            self._held = False
            self._slots.release()


class Runner:
    """Carries out the plans of one or several manifests with one set of tools."""

    def __init__(self, tools: Tools, kind: Kind, origin: str, steps: Sequence[UserStep] = ()) -> None:
        self._tools = tools
        self._kind = kind
        self._origin = origin
        self._submitter = Submitter(tools)
        self._collector = Collector(tools)
        self._finisher = TrackFinisher(tools, steps)
        self._takes: dict[PurchaseKey, TakeResult] = {}
        self._tracks: dict[tuple[str, str], TrackResult] = {}
        self._waiting_for: dict[PurchaseKey, list[_Awaited]] = {}
        self._groups: dict[tuple[str, str], _AwaitedGroup] = {}  # (manifest, track) of each active member
        self._finishing: TaskGroup | None = None

    async def carry_out(self, works: Sequence[ManifestWork]) -> tuple[ManifestResult, ...]:
        """Do what the plans say. A failed track fails alone; what stops the run is told by `tools.control`."""
        orders = self._orders(works)
        self._await_groups(works)
        self._announce(works, orders)
        control = self._tools.control
        with control.finishing_scope:
            async with anyio.create_task_group() as finishing:
                self._finishing = finishing
                self._finish_what_waits_for_nothing(works)
                with control.jobs_scope:
                    async with anyio.create_task_group() as jobs:
                        for work in works:
                            jobs.start_soon(self._dispatch, work, orders[work.run], jobs)
        return tuple(self._result(work, orders[work.run]) for work in works)

    def is_queued(self, job: Job) -> bool:
        """Does `job` still wait for its turn at the gateway, as far as this run has heard?"""
        return self._collector.is_queued(job)

    # --- orders -----------------------------------------------------------------------------------------------------

    def _orders(self, works: Sequence[ManifestWork]) -> dict[int, list[Order]]:
        """What each manifest has to get, each purchase once, in the order in which slots are given."""
        seen: set[PurchaseKey] = set()
        orders: dict[int, list[Order]] = {}
        for work in works:
            own: list[Order] = []
            for track in work.plan.tracks:
                awaited = _Awaited(track)
                for take in _to_get(track):
                    awaited.missing.add(take.key)
                    self._waiting_for.setdefault(take.key, []).append(awaited)
                    if take.key not in seen:
                        seen.add(take.key)
                        own.append(self._order(work, track, take))
            own += [self._stray(work, job) for job in work.plan.strays if job.key not in seen]
            own.sort(key=_turn)
            orders[work.run] = own
        return orders

    def _order(self, work: ManifestWork, track: TrackPlan, take: TakePlan) -> Order:
        resent = take.job is not None and take.step is Step.RESEND
        return Order(
            key=take.key,
            manifest=track.track.manifest,
            track=track.track.name,
            kind=self._kind,
            origin=self._origin,
            run=work.run,
            account=work.account,
            estimate_microusd=take.job.intent.estimate_microusd if take.job and resent else take.estimate_microusd,
            asked=track.track,
            job=None if take.step is Step.BUY else take.job,
        )

    def _stray(self, work: ManifestWork, job: Job) -> Order:
        intent = job.intent
        return Order(
            intent.key, intent.manifest, intent.track, intent.kind, intent.origin, work.run, work.account, 0, None, job
        )

    def _announce(self, works: Sequence[ManifestWork], orders: dict[int, list[Order]]) -> None:
        every = [order for own in orders.values() for order in own]
        collects = sum(order.job is not None for order in every)
        active = (Action.GENERATE, Action.FINISH)
        tracks = sum(track.action in active for work in works for track in work.plan.tracks)
        self._tools.observe(RunStarted(len(every) - collects, collects, tracks))

    async def _dispatch(self, work: ManifestWork, orders: Iterable[Order], jobs: TaskGroup) -> None:
        for order in orders:
            await work.slots.acquire()
            slot = _Slot(work.slots)
            if not self._tools.control.submitting and (order.job is None or order.job.job_id is None):
                slot.free()
                stop = self._tools.control.stop
                self._settle(order, order.job, f"not sent: {stop.message}" if stop else "not sent", unsent=True)
                continue
            jobs.start_soon(self._get, order, slot)

    # --- takes ------------------------------------------------------------------------------------------------------

    async def _get(self, order: Order, slot: _Slot) -> None:
        """Have one take, whatever it takes, and say what became of it. Nothing that goes wrong here leaves here."""
        try:
            self._settle(order, await self._source_of(order, slot))
        except Unsent as error:
            self._settle(order, await self._as_it_stands(order), str(error), unsent=True)
        except (TakeLost, GatewayError, *FINISHING_ERRORS) as error:
            self._settle(order, await self._as_it_stands(order), str(error))
        except (LedgerError, FolderError, OSError) as error:
            self._tools.control.halt(Stop(EXIT_FOLDER, folder_trouble(error)))
            self._settle(order, order.job, folder_trouble(error), unsent=True)
        except Exception as error:  # noqa: BLE001 - a defect of ours in one take must not cost the others the night
            self._settle(order, order.job, _defect(error))
        finally:
            slot.free()

    async def _as_it_stands(self, order: Order) -> Job | None:
        """The take's job after something went wrong with it, from the books."""
        return await self._tools.ledger.write(lambda ledger: ledger.latest_job(order.key))

    async def _source_of(self, order: Order, slot: _Slot) -> Job:
        try:
            return await self._fetched(order, slot)
        except Expired:
            if order.asked is None or order.job is None or not self._is_had_again(order, order.job):
                raise
            again = replace(order, job=None, estimate_microusd=take_price(order.asked) if order.kind == "real" else 0)
        if again.estimate_microusd:
            self._tools.observe(Notice(_bought_again(again)))
        await slot.take()
        return await self._fetched(again, slot)  # once: where this job is gone too, that is said

    def _is_had_again(self, order: Order, gone: Job) -> bool:
        """Is a take asked for anew whose job of an earlier process the gateway no longer has?

        At the local gateway always: nothing was charged. At the real one where the manifest says so and nothing holds
        its tracks back.
        """
        if order.kind == "local":
            return True
        wanted = any(awaited.plan.action is Action.GENERATE for awaited in self._waiting_for.get(order.key, ()))
        return wanted and gone.job_id is not None and is_bought_again(gone, self._tools.settings[order.manifest])

    async def _fetched(self, order: Order, slot: _Slot) -> Job:
        """Submit where there is no job, poll where it is not done, and bring its audio home."""
        job, address = order.job, None
        if job is None or job.state in (State.INTENDED, State.UNKNOWN):
            job = await self._submitter.submit(order, job)
        if job.state is State.ACCEPTED:
            job, address = await self._collector.wait(order, job)
        slot.free()
        return await self._collector.collect(order, job, address)

    def _settle(self, order: Order, job: Job | None, error: str | None = None, *, unsent: bool = False) -> None:
        """A take has come to its end: remember it, and finish the tracks that waited for it last."""
        awaiting = self._waiting_for.pop(order.key, [])
        plan = next((take for track in awaiting for take in track.plan.takes if take.key == order.key), None)
        if error is not None:
            self._tools.observe(TakeFailed(order.manifest, order.track, order.take, error))
        if plan is not None:
            self._takes[order.key] = TakeResult(plan, job, error, unsent)
        elif job is not None:
            self._takes[order.key] = TakeResult(_stray_plan(job), job, error, unsent)
        for awaited in awaiting:
            awaited.missing.discard(order.key)
            if not awaited.missing:
                self._finish_soon(awaited.plan)

    # --- tracks -----------------------------------------------------------------------------------------------------

    def _finish_what_waits_for_nothing(self, works: Sequence[ManifestWork]) -> None:
        for work in works:
            for track in work.plan.tracks:
                if track.action is Action.FINISH:
                    self._finish_soon(track)

    def _finish_soon(self, plan: TrackPlan) -> None:
        if plan.action not in (Action.GENERATE, Action.FINISH) or self._finishing is None:
            return
        group = self._groups.get((plan.track.manifest, plan.track.name))
        if group is None:
            self._finishing.start_soon(self._finish, plan)
            return
        group.missing.discard(plan.track.name)
        if not group.missing:
            self._finishing.start_soon(self._finish_group, group.plan, self._finishing)

    def _await_groups(self, works: Sequence[ManifestWork]) -> None:
        """A group waits for its members as a track does for its takes: until each has come or will not."""
        for work in works:
            for group in work.plan.groups:
                awaited = _AwaitedGroup(group, {track.track.name for track in group.active})
                self._groups |= {(work.plan.manifest.name, name): awaited for name in awaited.missing}

    async def _finish_group(self, group: GroupPlan, finishing: TaskGroup) -> None:
        """Level the group, then finish each member by itself: what fails there is its own."""
        takes = {track.track.name: self._results_of(track) for track in group.active}
        heard = await audition_all(group, takes, self._finisher)
        try:
            level = await level_of(group, heard, self._tools.finisher)
        except Exception as error:  # noqa: BLE001 - told by each member, as what goes wrong with itself is
            heard = {name: replace(audition, error=audition.error or error) for name, audition in heard.items()}
            level = None
        for track in group.active:
            audition = heard[track.track.name]
            own = level if audition.blocks is not None else None
            finishing.start_soon(self._finish, track, replace(audition, level=own))

    async def _finish(self, plan: TrackPlan, audition: Audition | None = None) -> None:
        """Finish one track and say what became of it; `audition`: what it was like before its group was levelled."""
        takes = self._results_of(plan)
        failed = next((take.error for take in takes if take.error), None)
        done: Finished | None = None
        error = failed
        try:
            done = await self._finished(plan, takes, audition)
            takes, error = done.takes, failed or done.error
        except FINISHING_ERRORS as caught:
            error = str(caught)
        except (LedgerError, FolderError, OSError) as caught:
            self._tools.control.halt(Stop(EXIT_FOLDER, folder_trouble(caught)))
            stop = self._tools.control.stop  # one sentence, though a full disk stops many tracks at once
            error = folder_trouble(caught) if stop is None or stop.exit != EXIT_FOLDER else stop.message
        except Exception as caught:  # noqa: BLE001 - as above
            error = _defect(caught)
        rows = self._finisher.standing(plan) if done is None else done.rows
        name = (plan.track.manifest, plan.track.name)
        status = "failed" if error or done is None else _status(plan, done)
        missing = [take for take in takes if take.error and not take.failed_gate]
        if missing and all(take.unsent for take in missing):
            status = "planned"  # held back, not failed: its run stays open for it
        result = self._tracks[name] = TrackResult(plan, status, takes, rows, error)
        self._pin(result)
        self._tools.observe(
            TrackFailed(*name, error) if error else TrackFinished(*name, tuple(row.path for row in rows))
        )

    def _pin(self, result: TrackResult) -> None:
        try:
            self._tools.pins.land(result)
        except LOCK_ERRORS as error:  # what is paid for still comes home: the ledger has it
            self._tools.control.stop_submitting(Stop(EXIT_FOLDER, folder_trouble(error)))

    async def _finished(self, plan: TrackPlan, takes: Sequence[TakeResult], audition: Audition | None) -> Finished:
        if audition is None:
            return await self._finisher.finish(plan, takes)
        if audition.error is not None:
            raise audition.error
        return await self._finisher.finish(plan, audition.takes, audition.level)

    def _results_of(self, plan: TrackPlan) -> tuple[TakeResult, ...]:
        return tuple(self._takes.get(take.key) or TakeResult(take, take.job) for take in plan.takes)

    # --- results ----------------------------------------------------------------------------------------------------

    def _result(self, work: ManifestWork, orders: Sequence[Order]) -> ManifestResult:
        planned = {take.key for track in work.plan.tracks for take in track.takes}
        strays = [self._takes[order.key] for order in orders if order.key not in planned and order.key in self._takes]
        self._tools.observe(MoneyMoved(work.account.committed))
        return ManifestResult(
            work.plan,
            tuple(self._track_result(track) for track in work.plan.tracks),
            tuple(strays),
            work.account.committed,
            work.run,
        )

    def _track_result(self, plan: TrackPlan) -> TrackResult:
        done = self._tracks.get((plan.track.manifest, plan.track.name))
        as_it_stands = replace(plan, rows=self._finisher.standing(plan))
        return done or overtaken(
            as_it_stands, self._results_of(plan), "stopped before it was here; the next run goes on with it"
        )


def _status(plan: TrackPlan, done: Finished) -> str:
    if plan.action is Action.GENERATE:
        return "generated"
    return "finished" if done.is_new else "kept"


def refused(plan: ManifestPlan, why: str, committed: Commitment | None = None) -> ManifestResult:
    """A manifest whose run was not begun; `committed`: what its open run has bound before."""
    return ManifestResult(
        plan,
        tuple(overtaken(track, [TakeResult(take, take.job) for take in track.takes], why) for track in plan.tracks),
        committed=committed or Commitment(),
    )


def overtaken(plan: TrackPlan, takes: Sequence[TakeResult], why: str) -> TrackResult:
    """A track that nothing was done about: because nothing had to be, or because the run's end overtook it."""
    match plan.action:
        case Action.KEEP:
            return TrackResult(plan, "kept", tuple(takes), plan.rows)
        case Action.SKIP:
            return TrackResult(plan, "skipped", tuple(takes), plan.rows)
        case Action.BLOCKED:
            return TrackResult(plan, "failed", tuple(takes), plan.rows, plan.why)
    told = tuple(_overtaken_take(take, why) for take in takes)
    return TrackResult(plan, "planned", told, plan.rows, next((take.error for take in told if take.error), why))


def _turn(order: Order) -> int:
    """First what the gateway is working on, then what it may be working on, then what is new.

    So what an earlier process left there holds its slots before anything new does.
    """
    if order.job is None:
        return 2
    return 0 if order.job.job_id is not None else 1


def _to_get(track: TrackPlan) -> Iterator[TakePlan]:
    """The takes whose source has to come; of a blocked track only what is already paid for or on its way."""
    steps = (Step.COLLECT,) if track.action is Action.BLOCKED else TO_COME
    return (take for take in track.takes if take.step in steps)


def _overtaken_take(take: TakeResult, why: str) -> TakeResult:
    """A take whose source should have come: its run stays open for it."""
    is_here = take.job is not None and take.job.state is State.COLLECTED
    if take.plan.step not in TO_COME or take.error is not None or is_here:
        return take
    return replace(take, error=why, unsent=True)


def _bought_again(order: Order) -> str:
    cost = dollars(order.estimate_microusd)
    return (
        f"{order.name}: expired at the gateway before it was fetched; bought again for {cost} (on_expired: regenerate)"
    )


def _stray_plan(job: Job) -> TakePlan:
    return TakePlan(job.key.take, job.key, Step.COLLECT, job)


def folder_trouble(error: Exception) -> str:
    """What went wrong with a folder, the disk or the ledger, as one sentence."""
    if isinstance(error, OSError):
        return trouble(error)
    return str(error)


def _defect(error: Exception) -> str:
    return f"a defect of this program ({type(error).__name__}: {error}); what was paid for is kept: please report it"

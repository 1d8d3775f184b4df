"""A plan is carried to its end: orders go out under the concurrency limit, tracks are finished as takes come in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import anyio

from pipeline.files import FolderError
from pipeline.ledger.records import Finishing
from pipeline.ledger.store import LedgerError
from pipeline.planning.plans import Action
from pipeline.runner.events import (
    FinishingBegun,
    RunStarted,
    TakeFailed,
    TrackFailed,
    TrackFinished,
    Waiting,
)
from pipeline.runner.finishing import FINISHING_ERRORS, TrackFinisher
from pipeline.runner.getting import Got, Slot, TakeGetter
from pipeline.runner.grouping import audition_all, level_of
from pipeline.runner.ordering import order_of, scattered, stray_order, stray_plan, to_get, turn
from pipeline.runner.pinning import LOCK_ERRORS
from pipeline.runner.results import EXIT_FOLDER, ManifestResult, Stop, TakeResult, TrackResult
from pipeline.runner.storing import MOST_FETCHES
from pipeline.runner.trouble import defect, folder_trouble
from pipeline.runner.unbegun import overtaken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from anyio.abc import TaskGroup

    from pipeline.audio.tasks import Step as UserStep
    from pipeline.jobs import Job, Kind, PurchaseKey
    from pipeline.planning.groups import GroupPlan
    from pipeline.planning.plans import TrackPlan
    from pipeline.runner.finishing import Finished
    from pipeline.runner.grouping import Audition
    from pipeline.runner.ordering import ManifestWork
    from pipeline.runner.tools import Order, Tools


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


class Runner:
    """Carries out the plans of one or several manifests with one set of tools."""

    def __init__(self, tools: Tools, kind: Kind, origin: str, steps: Sequence[UserStep] = ()) -> None:
        self._tools = tools
        self._kind = kind
        self._origin = origin
        self._getter = TakeGetter(tools, self._is_wanted)
        self._finisher = TrackFinisher(tools, steps)
        self._takes: dict[PurchaseKey, TakeResult] = {}
        self._tracks: dict[tuple[str, str], TrackResult] = {}
        self._waiting_for: dict[PurchaseKey, list[_Awaited]] = {}
        self._finishings: dict[str, list[Finishing]] = {}  # by manifest
        self._groups: dict[tuple[str, str], _AwaitedGroup] = {}  # (manifest, track) of each active member
        self._finishing: TaskGroup | None = None

    async def carry_out(self, works: Sequence[ManifestWork]) -> tuple[ManifestResult, ...]:
        """Do what the plans say. A failed track fails alone; what stops the run is told by `tools.control`."""
        orders = self._orders(works)
        self._await_groups(works)
        self._announce(works, orders)
        self._tools.planner.waiting = sum(len(own) for own in orders.values())
        control = self._tools.control
        with control.finishing_scope:
            async with anyio.create_task_group() as finishing:
                self._finishing = finishing
                self._finish_what_waits_for_nothing(works)
                with control.jobs_scope:
                    async with anyio.create_task_group() as jobs:
                        for work in works:
                            jobs.start_soon(self._getter.share, work.plan.manifest.name, work.plan.unshared)
                            stored = [order for order in orders[work.run] if order.stored is not None]
                            others = [order for order in orders[work.run] if order.stored is None]
                            jobs.start_soon(self._dispatch, stored, anyio.Semaphore(MOST_FETCHES), jobs)
                            jobs.start_soon(self._dispatch, others, work.slots, jobs)
        return tuple(self._result(work, orders[work.run]) for work in works)

    def is_queued(self, job: Job) -> bool:
        """Does `job` still wait for its turn at the gateway, as far as this run has heard?"""
        return self._getter.is_queued(job)

    # --- orders -----------------------------------------------------------------------------------------------------

    def _orders(self, works: Sequence[ManifestWork]) -> dict[int, list[Order]]:
        """What each manifest has to get, each purchase once, in the order in which slots are given."""
        seen: set[PurchaseKey] = set()
        orders: dict[int, list[Order]] = {}
        for work in works:
            own: list[Order] = []
            for track in work.plan.tracks:
                awaited = _Awaited(track)
                for take in to_get(track):
                    awaited.missing.add(take.key)
                    self._waiting_for.setdefault(take.key, []).append(awaited)
                    if take.key not in seen:
                        seen.add(take.key)
                        own.append(order_of(work, track, take, self._kind, self._origin))
            own += [stray_order(work, job) for job in work.plan.strays if job.key not in seen]
            own.sort(key=turn)
            orders[work.run] = own
        return orders

    def _announce(self, works: Sequence[ManifestWork], orders: dict[int, list[Order]]) -> None:
        every = [order for own in orders.values() for order in own]
        collects = sum(order.job is not None or order.stored is not None for order in every)
        active = (Action.GENERATE, Action.FINISH)
        tracks = sum(track.action in active for work in works for track in work.plan.tracks)
        slots = {id(work.slots): work.slots.value for work in works}  # several manifests may share theirs
        self._tools.observe(RunStarted(len(every) - collects, collects, tracks, sum(slots.values())))
        self._tools.tell_money()  # a continued run has bound something already

    async def _dispatch(self, orders: Iterable[Order], slots: anyio.Semaphore, jobs: TaskGroup) -> None:
        told = is_own = False
        waiting = deque(orders)
        while waiting:
            if slots.value == 0 and not told and waiting[0].stored is None:
                told = True  # the first time says it for all that follow
                self._tools.observe(Waiting(waiting[0].name, None, "as many jobs are in flight as may be", "slot"))
            await slots.acquire()
            salt = None if is_own else self._getter.own_order(waiting[0].manifest)
            if salt is not None:
                is_own, waiting = True, deque(scattered(waiting, salt))
            order = waiting.popleft()
            self._tools.planner.waiting -= 1
            slot = Slot(slots)
            is_new = order.stored is None and (order.job is None or order.job.job_id is None)
            if is_new and not self._tools.control.submitting:
                slot.free()
                stop = self._tools.control.stop
                self._settle(order, Got(order.job, f"not sent: {stop.message}" if stop else "not sent", unsent=True))
                continue
            jobs.start_soon(self._get, order, slot)

    # --- takes ------------------------------------------------------------------------------------------------------

    async def _get(self, order: Order, slot: Slot) -> None:
        self._settle(order, await self._getter.get(order, slot))

    def _is_wanted(self, key: PurchaseKey) -> bool:
        return any(awaited.plan.action is Action.GENERATE for awaited in self._waiting_for.get(key, ()))

    def _settle(self, order: Order, got: Got) -> None:
        """A take has come to its end: remember it, and finish the tracks that waited for it last."""
        awaiting = self._waiting_for.pop(order.key, [])
        plan = next((take for track in awaiting for take in track.plan.takes if take.key == order.key), None)
        if got.error is not None:
            self._tools.observe(TakeFailed(order.manifest, order.track, order.take, got.error))
        if plan is None and got.job is not None:
            plan = stray_plan(got.job)
        if plan is not None:
            self._takes[order.key] = TakeResult(plan, got.job, got.error, got.unsent)
        for awaited in awaiting:
            awaited.missing.discard(order.key)
            if not awaited.missing:
                self._finish_soon(awaited.plan)

    # --- tracks -----------------------------------------------------------------------------------------------------

    def _finish_what_waits_for_nothing(self, works: Sequence[ManifestWork]) -> None:
        for work in works:
            for track in work.plan.tracks:
                if track.action is Action.FINISH and not any(to_get(track)):
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
        began_at = self._tools.clock.now()
        name = (plan.track.manifest, plan.track.name)
        self._tools.observe(FinishingBegun(*name))
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
            error = defect(caught)
        rows = self._finisher.standing(plan) if done is None else done.rows
        status = "failed" if error or done is None else _status(plan, takes, done)
        missing = [take for take in takes if take.error and not take.failed_gate]
        if missing and all(take.unsent for take in missing):
            status = "planned"  # held back, not failed: its run stays open for it
        result = self._tracks[name] = TrackResult(plan, status, takes, rows, error)
        self._finisher.forget(plan)
        finishing = Finishing(plan.track.name, began_at, self._tools.clock.now())
        self._finishings.setdefault(plan.track.manifest, []).append(finishing)
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
        return ManifestResult(
            work.plan,
            tuple(self._track_result(track) for track in work.plan.tracks),
            tuple(strays),
            work.account.committed,
            work.run,
            finishings=tuple(self._finishings.get(work.plan.manifest.name, ())),
        )

    def _track_result(self, plan: TrackPlan) -> TrackResult:
        done = self._tracks.get((plan.track.manifest, plan.track.name))
        if done is not None:
            return done
        as_it_stands = replace(plan, rows=self._finisher.standing(plan))
        return overtaken(
            as_it_stands, self._results_of(plan), "stopped before it was here; the next run goes on with it"
        )


def _status(plan: TrackPlan, takes: Sequence[TakeResult], done: Finished) -> str:
    to_come = {take.key for take in to_get(plan)}
    is_ours = any(take.job is not None and take.job.bought_by is None for take in takes if take.plan.key in to_come)
    if plan.action is Action.GENERATE and is_ours:
        return "generated"
    return "finished" if done.is_new else "kept"

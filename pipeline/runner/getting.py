"""One take is had: submitted where there is no job, polled where it is not done, and its audio brought home."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.files import FolderError
from pipeline.gateway.errors import GatewayError
from pipeline.jobs import State
from pipeline.ledger.store import LedgerError
from pipeline.money import dollars
from pipeline.planning.plans import take_price
from pipeline.planning.takes import is_bought_again
from pipeline.runner.asking import Asker, Expired
from pipeline.runner.collecting import Collector
from pipeline.runner.events import Notice
from pipeline.runner.finishing import FINISHING_ERRORS
from pipeline.runner.following import Follower
from pipeline.runner.results import EXIT_FOLDER, Stop, TakeLost, Unsent
from pipeline.runner.sharing import Sharer
from pipeline.runner.submitting import Submitter
from pipeline.runner.trouble import defect, folder_trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import anyio

    from pipeline.jobs import Job, PurchaseKey
    from pipeline.runner.tools import Order, Tools


class Slot:
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


@dataclass(frozen=True, slots=True)
class Got:
    """What became of a take: its job, and why its source is not here. `unsent`: it was held back, and did not fail."""

    job: Job | None
    error: str | None = None
    unsent: bool = False


class TakeGetter:
    """Has takes. `is_wanted`: does a track that is to be generated still wait for this purchase?"""

    def __init__(self, tools: Tools, is_wanted: Callable[[PurchaseKey], bool]) -> None:
        self._tools = tools
        self._submitter = Submitter(tools)
        self._asker = Asker(tools)
        self._follower = Follower(tools, self._asker)
        self._collector = Collector(tools, self._asker)
        self._is_wanted = is_wanted
        self._sharer = Sharer(tools, self._fetched, self._is_had_again)

    async def get(self, order: Order, slot: Slot) -> Got:
        """Have one take, whatever it takes, and say what became of it. Nothing that goes wrong here leaves here."""
        try:
            return Got(await self._source_of(order, slot))
        except Unsent as error:
            return Got(await self._as_it_stands(order), str(error), unsent=True)
        except (TakeLost, GatewayError, *FINISHING_ERRORS) as error:
            return Got(await self._as_it_stands(order), str(error))
        except (LedgerError, FolderError, OSError) as error:
            self._tools.control.halt(Stop(EXIT_FOLDER, folder_trouble(error)))
            return Got(order.job, folder_trouble(error), unsent=True)
        except Exception as error:  # noqa: BLE001 - a defect of ours in one take must not cost the others the night
            return Got(order.job, defect(error))
        finally:
            slot.free()

    async def share(self, manifest: str, jobs: Iterable[Job]) -> None:
        """Put into the manifest's store what is here and not there."""
        await self._sharer.share(manifest, jobs)

    def own_order(self, manifest: str) -> str | None:
        """What this run's order of purchases is made from, where others buy the manifest's takes at the same time."""
        return self._sharer.own_order(manifest)

    def is_queued(self, job: Job) -> bool:
        """Does `job` still wait for its turn at the gateway, as far as this run has heard?"""
        return self._asker.is_queued(job)

    async def _as_it_stands(self, order: Order) -> Job | None:
        """The take's job after something went wrong with it, from the books."""
        return await self._tools.ledger.write(lambda ledger: ledger.latest_job(order.key))

    async def _source_of(self, order: Order, slot: Slot) -> Job:
        try:
            return await self._sharer.get(order, slot)
        except Expired:
            if order.asked is None or order.job is None or not self._is_had_again(order, order.job):
                raise
            again = replace(order, job=None, estimate_microusd=take_price(order.asked) if order.kind == "real" else 0)
        if again.estimate_microusd:
            self._tools.observe(Notice(_bought_again(again)))
        await slot.take()
        return await self._sharer.get(again, slot)  # once: where this job is gone too, that is said

    def _is_had_again(self, order: Order, gone: Job) -> bool:
        """Is a take asked for anew whose job of an earlier process the gateway no longer has?

        At the local gateway always: nothing was charged. At the real one where the manifest says so and nothing holds
        its tracks back.
        """
        if order.kind == "local":
            return True
        may_be = gone.job_id is not None and is_bought_again(gone, self._tools.settings[order.manifest])
        return may_be and self._is_wanted(order.key)

    async def _fetched(self, order: Order, slot: Slot) -> Job:
        """Submit where there is no job, poll where it is not done, and bring its audio home."""
        job, address = order.job, None
        if job is None or job.state in (State.INTENDED, State.UNKNOWN):
            job = await self._submitter.submit(order, job)
            if order.claimed is not None:
                await order.claimed.name(job)
        if job.state is State.ACCEPTED:
            job, address = await self._follower.wait(order, job)
        slot.free()
        return await self._collector.collect(order, job, address)


def _bought_again(order: Order) -> str:
    cost = dollars(order.estimate_microusd)
    return (
        f"{order.name}: expired at the gateway before it was fetched; bought again for {cost} (on_expired: regenerate)"
    )

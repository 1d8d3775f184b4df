"""The takes of a team: fetched where somebody has bought them, claimed before they are bought, put there afterwards.

Every take of a manifest with a store comes this way. What leaves here is a source on disk, as from `getting`.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import anyio

from pipeline.jobs import FRUITLESS
from pipeline.planning.takes import is_what_is_stored
from pipeline.runner.asking import Expired
from pipeline.runner.claimed import Claimed
from pipeline.runner.events import Waiting
from pipeline.runner.patience import Patience, Silenced
from pipeline.runner.results import TakeLost, Unsent
from pipeline.runner.storing import Storer
from pipeline.runner.submitting import new_intent
from pipeline.runner.taking_over import BeginAnew, as_claimed
from pipeline.store.documents import BadDocument
from pipeline.store.team import ClaimLost, Held, Mine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pipeline.jobs import Job
    from pipeline.runner.getting import Slot
    from pipeline.runner.tools import Order, Tools
    from pipeline.store.documents import TakeRecord
    from pipeline.store.team import Team

T = TypeVar("T")

#: Whether somebody else has brought a take home is asked no oftener, in seconds, and of all that are waited for
#: together no oftener than so many times a second.
_ASK_AGAIN_S: Final = 5.0
_ASKED_A_SECOND: Final = 10.0
#: After so many looks for a record the claim itself is looked at: its holder may have given it up, and live on.
_LOOKS: Final = 4
#: What the plan found in the store is believed for so long, in seconds; then a record is looked for before a take is
#: claimed: a claim that is lost costs twelve times as much as a look.
_JUST_PLANNED_S: Final = 10.0


class Sharer:
    """Has the takes of manifests with a store. `buy` has one as if there were none; it asks and fetches by itself."""

    def __init__(
        self,
        tools: Tools,
        buy: Callable[[Order, Slot], Awaitable[Job]],
        is_had_again: Callable[[Order, Job], bool],
    ) -> None:
        self._tools = tools
        self._buy = buy
        self._is_had_again = is_had_again
        self._patience = Patience(tools)
        self._storer = Storer(tools, self._patience)
        self._waiting = 0
        self._began_at = anyio.current_time()
        self._crowded: set[str] = set()  # manifests whose takes somebody else is buying at the same time

    async def get(self, order: Order, slot: Slot) -> Job:
        """Have one take. Raises what `buy` raises, and TakeLost where what the store has of it can't be used."""
        team = self._tools.teams.get(order.manifest) if order.kind == "real" else None
        if order.stored is not None:  # whatever becomes of the store: it is not bought a second time
            if team is None:
                raise TakeLost(f"the team's store has it, bought by {order.stored.bought_by}, and can't be asked now")
            return await self._storer.fetch(team, order, order.stored, slot)
        if team is None or team.choice.read_only or self._patience.is_over(team):
            return await self._buy(order, slot)
        try:
            return await self._shared(team, order, slot)
        except BadDocument as error:
            raise TakeLost(f"the team's store: {error}") from error

    async def share(self, manifest: str, jobs: Iterable[Job]) -> None:
        """Put there what an earlier run could not, or bought before there was a store."""
        await self._storer.share(manifest, jobs)

    def own_order(self, manifest: str) -> str | None:
        """What this run's order of purchases is made from, where others buy the same; None for as long as nobody does.

        Who buys in one order with others loses nearly every claim to whoever is a moment ahead.
        """
        return self._tools.teams[manifest].run if manifest in self._crowded else None

    async def _shared(self, team: Team, order: Order, slot: Slot) -> Job:
        while True:
            await slot.take()
            try:
                standing, record = await self._claim(team, order)
                if record is not None:
                    return await self._storer.fetch(team, order, record, slot)
                if isinstance(standing, Mine):
                    return await self._claimed(team, order, slot, standing)
                slot.free()
                if standing is not None:
                    self._crowded.add(order.manifest)
                    await self._until_it_may_be_free(team, order, standing)
            except BeginAnew:
                pass
            except Silenced:
                await slot.take()
                return await self._buy(order, slot)
            except ClaimLost:  # it took this machine for dead, and has this very job: its record is waited for
                order = replace(order, job=await self._job_of(order))

    async def _claim(self, team: Team, order: Order) -> tuple[Mine | Held | None, TakeRecord | None]:
        """Whose the take is, or what became of it. Raises Silenced, Unsent."""
        if order.job is None and not self._tools.control.submitting:
            stop = self._tools.control.stop
            raise Unsent("not sent" if stop is None else f"not sent: {stop.message}")
        own = order.job
        if anyio.current_time() - self._began_at > _JUST_PLANNED_S:
            record = await self._bought(team, order)
            if record is not None:
                return None, record
        intent = new_intent(order, self._tools.hints.webhook_url) if own is None else own.intent
        standing = await self._answer(team, order, lambda: team.claim(intent, own, self._tools.clock.now()))
        # After the claim: whoever had it before may have brought it home since the plan was made.
        return standing, await self._bought(team, order)

    async def _bought(self, team: Team, order: Order) -> TakeRecord | None:
        """The take's record, where it is not about another purchase than that of our own books."""
        record = await self._answer(team, order, lambda: team.record(order.key))
        return record if record is not None and is_what_is_stored(order.job, record) else None

    async def _claimed(self, team: Team, order: Order, slot: Slot, mine: Mine) -> Job:
        """It is ours to buy, or to go on with."""
        claimed = Claimed(team, mine, team.lapses)
        order = await as_claimed(self._tools, order, claimed)
        try:
            job = await self._buy(order, slot)
        except ClaimLost:
            raise
        except Expired:
            await claimed.give_up(fruitless=order.job is not None and self._is_had_again(order, order.job))
            raise
        except Exception:
            stands = await self._job_of(order)
            await claimed.give_up(fruitless=stands is None or stands.state in FRUITLESS)
            raise
        await self._storer.put(team, job)
        return job

    async def _until_it_may_be_free(self, team: Team, order: Order, held: Held) -> None:
        """Somebody else is at it: wait for its record, or for the end of its run."""
        self._tools.observe(
            Waiting(f"{order.name}: {held.machine} is buying it", None, "its audio comes from the store")
        )
        for looks in itertools.count(1):
            self._waiting += 1
            try:
                await anyio.sleep(max(_ASK_AGAIN_S, self._waiting / _ASKED_A_SECOND))
            finally:
                self._waiting -= 1
            if await self._answer(team, order, lambda: team.record(order.key), held) is not None:
                return
            if not await self._answer(team, order, lambda: team.lives_on(held.run, is_own=held.is_own), held):
                return
            if looks % _LOOKS == 0 and not await self._answer(team, order, lambda: team.is_held(order.key, held), held):
                return

    async def _answer(self, team: Team, order: Order, ask: Callable[[], Awaitable[T]], held: Held | None = None) -> T:
        return await self._patience.answer_before_buying(team, order.name, ask, held)

    async def _job_of(self, order: Order) -> Job | None:
        return await self._tools.ledger.write(lambda ledger: ledger.latest_job(order.key))

"""A take that is claimed in a team's store, as those see it who ask the gateway for it."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.runner.results import Unsent
from pipeline.store.documents import BadDocument
from pipeline.store.objects import StoreTrouble
from pipeline.store.team import ClaimLost, Mine

if TYPE_CHECKING:
    from pipeline.jobs import Intent, Job
    from pipeline.store.documents import Claim
    from pipeline.store.team import Team

#: Whether a claim is still ours is asked of a silent store no oftener, in seconds.
_CHECK_AGAIN_S: Final = 10.0


@dataclass(slots=True)
class Claimed:
    """A take that this run has claimed."""

    team: Team
    mine: Mine
    lapses: int  # of the run's lease, when it was last seen to be ours
    checked_at: float = -math.inf  # on the event loop's clock

    @property
    def claim(self) -> Claim:
        return self.mine.claim

    @property
    def intent(self) -> Intent:
        return self.mine.intent

    @property
    def is_sure(self) -> bool:
        """Does nobody else take it for his, for as long as a request takes?"""
        return self.team.is_alive and self.team.lapses == self.lapses

    async def confirm(self) -> None:
        """Look whether it is still this run's. Raises ClaimLost, and Unsent where nobody can say."""
        try:
            self.mine = await self.team.confirm(self.mine)
            self.lapses = self.team.lapses
        except StoreTrouble as error:
            raise Unsent(f"not sent: nobody knows whether another machine has taken it over ({error})") from error

    async def check(self) -> None:
        """Raise ClaimLost where another run has taken it over: that one asks about it, and books what it costs.

        Two that ask about one job would keep each other from an answer. Where nobody can say whose it is, it is gone on
        with: better booked twice than not at all.
        """
        now = anyio.current_time()
        if self.is_sure or now - self.checked_at < _CHECK_AGAIN_S:
            return
        self.checked_at = now
        with suppress(Unsent):
            await self.confirm()

    async def name(self, job: Job) -> None:
        """Say which job it has become. Raises ClaimLost. Where the store can't be told, its key has to do."""
        with suppress(StoreTrouble):
            self.mine = await self.team.name_job(self.mine, job)

    async def give_up(self, *, fruitless: bool) -> None:
        """Let others go on with it, or begin anew. Where that can't be said, the end of the run's lease says it."""
        with suppress(StoreTrouble, ClaimLost, BadDocument):
            await self.team.give_up(self.mine, "fruitless" if fruitless else "released")

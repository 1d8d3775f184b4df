"""The gateway's background: composes while jobs run, keeps time between requests, tells webhooks."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.local_gateway.composition import CompositionFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import TaskGroup

    from pipeline.clock import Clock
    from pipeline.local_gateway.gateway import LocalGateway
    from pipeline.local_gateway.jobs import Job
    from pipeline.local_gateway.studio import Studio
    from pipeline.local_gateway.webhooks import Herald

#: Clocks are floating point: less than this is no time to sleep.
_SHORTEST_SLEEP_S: Final = 0.001


class Workshop:
    """Works for a gateway while `at_work` is open. Without it jobs complete on time and are composed when fetched."""

    def __init__(self, gateway: LocalGateway, studio: Studio, clock: Clock, herald: Herald) -> None:
        self._gateway = gateway
        self._studio = studio
        self._clock = clock
        self._herald = herald
        self._tasks: TaskGroup | None = None
        self._changed: anyio.Event | None = None

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Work until the block ends; what is being composed then is dropped."""
        async with anyio.create_task_group() as tasks:
            self._tasks, self._gateway.watcher = tasks, self
            for job in self._gateway.unfinished:
                self.submitted(job)
            tasks.start_soon(self._keep_time)
            try:
                yield
            finally:
                self._tasks, self._gateway.watcher = None, None
                tasks.cancel_scope.cancel()

    # --- what the gateway tells -------------------------------------------------------------------------------------

    def submitted(self, job: Job) -> None:
        if self._changed is not None:
            self._changed.set()
        if self._tasks is not None and job.error is None and job.due_at < math.inf and not job.composed:
            self._tasks.start_soon(self._compose, job)

    def ended(self, job: Job) -> None:
        if self._tasks is not None and job.webhook_url is not None and job.end in ("completed", "failed"):
            self._tasks.start_soon(self._herald.tell, job, job.webhook_url)

    # --- tasks ------------------------------------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        """Let happen what is due when it is due, for those who are told without asking."""
        while True:
            self._changed = changed = anyio.Event()
            now = self._clock.now()
            self._gateway.advance(now)
            with anyio.move_on_after(max(_SHORTEST_SLEEP_S, self._gateway.next_due - now)):
                await changed.wait()

    async def _compose(self, job: Job) -> None:
        try:
            await self._studio.audio(job.piece)
        except CompositionFailed as error:
            self._gateway.not_composed(job, self._clock.now(), str(error))
        else:
            self._gateway.composed(job, self._clock.now())

"""A farm that a run finishes on: how much it can do at once, and whether it still stands."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread

from pipeline.farm.at_the_worker import AGAIN
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from pipeline.farm.cluster import Cluster

#: How often a task that waits looks whether anybody is left to answer, in seconds.
LOOK_EVERY_S: Final = 2.0
#: A farm whose workers are being replaced has none for a while.
_DESERTED_AFTER_S: Final = 60.0


class Farm:
    """A farm that has been checked. `threads`: how many tasks it can work on at once."""

    def __init__(
        self,
        cluster: Cluster,
        address: str,
        *,
        threads: int,
        same_ffmpeg: bool = True,
        deserted_after_s: float = _DESERTED_AFTER_S,
    ) -> None:
        self.cluster = cluster
        self.address = address
        self.threads = max(1, threads)
        self.same_ffmpeg = same_ffmpeg
        self._deserted_after_s = deserted_after_s
        self._heard_at: float | None = None

    async def watch(self) -> None:
        """Look after the farm, for as long as this is not cancelled: is there anybody to do what was sent?"""
        self._heard_at = anyio.current_time()
        while True:
            with anyio.move_on_after(self._deserted_after_s):
                await self._look()
            await anyio.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        with suppress(Exception):  # where it is lost, each task finds that out for itself
            if await anyio.to_thread.run_sync(self.cluster.threads, abandon_on_cancel=True):
                self._heard_at = anyio.current_time()

    def check_standing(self, over: str) -> None:
        """Raise WorkerDied where the farm is lost, or has been without workers for too long."""
        if not self.cluster.is_connected:
            raise WorkerDied(f"the farm's scheduler at {self.address} was lost over {over}; {AGAIN}")
        now = anyio.current_time()
        if self._heard_at is not None and now - self._heard_at > self._deserted_after_s:
            silence = f"no worker of the farm at {self.address} has been heard of for {now - self._heard_at:.0f} s"
            raise WorkerDied(f"{silence}, over {over}; {AGAIN}")

"""Work that SIGINT and SIGTERM end in order: what it holds open is closed, and what it has done is kept and told."""

from __future__ import annotations

import logging
import signal
from functools import partial
from typing import TYPE_CHECKING

import anyio

from pipeline.runner.results import Stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def carried_out(work: Callable[[], Awaitable[None]]) -> Stop | None:
    """Run `work` on an event loop; the signal that ended it before its end, if one did."""
    # A worker that ended with its parent's permission is "unknown" to asyncio's watcher on Python 3.11: no news.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    return anyio.run(partial(_carry_out, work))


async def _carry_out(work: Callable[[], Awaitable[None]]) -> Stop | None:
    stops: list[Stop] = []

    async def listen(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for number in signals:
                stops.append(Stop(128 + number, "interrupted" if number == signal.SIGINT else "terminated"))
                tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        await tasks.start(listen)
        await work()
        tasks.cancel_scope.cancel()
    return stops[0] if stops else None

"""Work that SIGINT and SIGTERM end in order: what it holds open is closed, and what it has done is kept and told."""

from __future__ import annotations

import logging
import os
import signal
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio

from pipeline.cli.terminal import say
from pipeline.runner.control import Control
from pipeline.runner.results import Stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


def brought_to_its_end(work: Callable[[Control], Awaitable[T]], *, cancel_queued: bool = False) -> T:
    """Run `work` on an event loop; the first signal stops it by its control, the second ends the process at once.

    `cancel_queued`: that cancels what is still queued at the gateway, too.
    """
    return _on_event_loop(partial(_brought_to_its_end, work, cancel_queued=cancel_queued))


async def _brought_to_its_end(work: Callable[[Control], Awaitable[T]], *, cancel_queued: bool) -> T:
    control = Control(cancel_queued=cancel_queued)  # its scopes are the event loop's
    async with anyio.create_task_group() as tasks:
        await tasks.start(partial(_listen, control))
        result = await work(control)
        tasks.cancel_scope.cancel()
    return result


async def _listen(control: Control, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for number in signals:
            stop = _stop(number)
            if control.interrupted:
                os._exit(stop.exit)
            say(f"{stop.message}: waiting a moment for what was sent; once more ends it at once")
            control.interrupt(stop)


def served(serve: Callable[[], Awaitable[None]], end: Callable[[Stop], bool]) -> Stop | None:
    """Run a server on an event loop until the first signal has `end` end it; the second ends the process at once.

    `end` says whether something was on its way, which is then waited for. The signal that ended it; None where it ended
    by itself.
    """
    return _on_event_loop(partial(_served, serve, end))


async def _served(serve: Callable[[], Awaitable[None]], end: Callable[[Stop], bool]) -> Stop | None:
    stops: list[Stop] = []

    async def listen(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for number in signals:
                if stops:
                    os._exit(_stop(number).exit)
                stops.append(_stop(number))
                if end(stops[0]):
                    say(f"{stops[0].message}: waiting a moment for what was sent; once more ends it at once")

    async with anyio.create_task_group() as tasks:
        await tasks.start(listen)
        await serve()
        tasks.cancel_scope.cancel()
    return stops[0] if stops else None


def carried_out(work: Callable[[], Awaitable[None]]) -> Stop | None:
    """Run `work` on an event loop; the signal that ended it before its end, if one did."""
    return _on_event_loop(partial(_carry_out, work))


async def _carry_out(work: Callable[[], Awaitable[None]]) -> Stop | None:
    stops: list[Stop] = []

    async def listen(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for number in signals:
                stops.append(_stop(number))
                tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        await tasks.start(listen)
        await work()
        tasks.cancel_scope.cancel()
    return stops[0] if stops else None


def _on_event_loop(work: Callable[[], Awaitable[T]]) -> T:
    # A worker that ended with its parent's permission is "unknown" to asyncio's watcher on Python 3.11: no news.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    return anyio.run(work)


def _stop(number: int) -> Stop:
    """What a signal ends work with."""
    return Stop(128 + number, "interrupted" if number == signal.SIGINT else "terminated")

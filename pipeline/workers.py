"""Finishing in worker processes: the real half of the runner's finisher.

The workers are anyio's: they end with their parent, even one that is killed. They get paths, not audio, and write only
into the state folder. One that dies fails its own take and is replaced.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.to_process

from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.audio.measurement import Measurement
    from pipeline.audio.tasks import FinishedFile, FinishTask, GatingBlocks, SourceFacts

T = TypeVar("T")

#: More than this many finish no faster on one disk, and each holds a decoded piece in memory.
_MOST_WORKERS: Final = 16


class WorkerFinisher:
    """Decodes and finishes in as many processes as there are cores."""

    def __init__(self, workers: int | None = None) -> None:
        self._limiter: anyio.CapacityLimiter | None = None
        self._workers = workers or min(os.cpu_count() or 1, _MOST_WORKERS)

    async def warm_up(self) -> None:
        """Start every worker and let it import what it needs, while the gateway is still generating.

        An interrupt that arrives meanwhile is held back for that moment, so that it reaches none of them.
        """
        with _interrupts_held():
            async with anyio.create_task_group() as tasks:
                for _ in range(self._workers):
                    tasks.start_soon(self._quietly_warm_one)

    async def _quietly_warm_one(self) -> None:
        with suppress(WorkerDied):
            await self._run(_warm_worker, over="its start")

    async def inspect(self, path: str) -> SourceFacts:
        return await self._run(_inspect, path, over="its source")

    async def finish(self, task: FinishTask) -> tuple[FinishedFile, ...]:
        return await self._run(_finish, task, over="its finishing")

    async def compare(self, one: str, other: str) -> float | None:
        """By how much two sources correlate, if they are nearly the same."""
        return await self._run(_compare, one, other, over="a comparison")

    async def gating_blocks(self, task: FinishTask) -> GatingBlocks:
        """What a source, shaped, brings to the joint loudness of its group."""
        return await self._run(_gating_blocks, task, over="its measurement")

    async def common_gain_db(self, members: Sequence[GatingBlocks], target_lufs: float) -> float:
        """The gain of a group, in dB."""
        return await self._run(_common_gain_db, tuple(members), target_lufs, over="its group's loudness")

    async def measure(self, path: str) -> Measurement:
        """Decode and measure a delivered file. Raises AudioError, WorkerDied."""
        return await self._run(_measure, path, over="a measurement")

    async def _run(self, work: Callable[..., T], *arguments: Any, over: str) -> T:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._workers)
        try:
            return await anyio.to_process.run_sync(work, *arguments, cancellable=True, limiter=self._limiter)
        except anyio.BrokenWorkerProcess as error:
            raise WorkerDied(f"a worker process died over {over}; the next run finishes it again, free") from error


# What follows runs in the workers. numpy and the codecs are imported there, and only there.


def _warm_worker() -> None:
    _ignore_interrupts()
    import pipeline.audio.finishing  # noqa: PLC0415
    import pipeline.audio.inspection  # noqa: F401, PLC0415


def _inspect(path: str) -> SourceFacts:
    _ignore_interrupts()
    from pipeline.audio.inspection import inspect_source  # noqa: PLC0415

    return inspect_source(path)


def _finish(task: FinishTask) -> tuple[FinishedFile, ...]:
    _ignore_interrupts()
    from pipeline.audio.finishing import finish  # noqa: PLC0415

    return finish(task)


def _compare(one: str, other: str) -> float | None:
    _ignore_interrupts()
    from pipeline.audio.twins import twin_sources  # noqa: PLC0415

    return twin_sources(one, other)


def _gating_blocks(task: FinishTask) -> GatingBlocks:
    _ignore_interrupts()
    from pipeline.audio.finishing import gating_blocks  # noqa: PLC0415

    return gating_blocks(task)


def _common_gain_db(members: Sequence[GatingBlocks], target_lufs: float) -> float:
    _ignore_interrupts()
    from pipeline.audio.finishing import common_gain_db  # noqa: PLC0415

    return common_gain_db(members, target_lufs)


def _measure(path: str) -> Measurement:
    _ignore_interrupts()
    from pipeline.audio.measurement import measure_file  # noqa: PLC0415

    return measure_file(path)


def _ignore_interrupts() -> None:
    """A Ctrl-C on the terminal reaches every process of the group; only the parent decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep SIGINT waiting in this thread; processes started inside are born with it blocked."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

"""Finishing in worker processes: the real half of the runner's finisher, and what finishes and measures loose files.

The workers are anyio's: they end with their parent, even one that is killed. They get paths, not audio, and write only
where they are told to, never under a final name. One that dies fails its own take and is replaced.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.to_process

from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from pipeline.audio.measurement import Measurement
    from pipeline.audio.tasks import Examination, FinishedFile, FinishTask, GatingBlocks, SourceFacts

T = TypeVar("T")

#: More than this many finish no faster on one disk, and each holds a decoded piece in memory.
_MOST_WORKERS: Final = 16


class WorkerFinisher:
    """Decodes and finishes in as many processes as there are cores, or as there is work for where that is less."""

    def __init__(self, work: int = _MOST_WORKERS) -> None:
        self._limiter: anyio.CapacityLimiter | None = None
        self._workers = min(os.cpu_count() or 1, _MOST_WORKERS, max(1, work))

    async def each(self, items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
        """`work` for each of `items`, in order, on as many at a time as there are workers.

        So the first is done with early, however many there are. What `work` raises comes in a group.
        """
        waiting = iter(items)

        async def one_after_the_other() -> None:
            for item in waiting:
                await work(item)

        async with anyio.create_task_group() as tasks:
            for _ in range(self._workers):
                tasks.start_soon(one_after_the_other)

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

    async def examine(self, path: str, *, gates: bool = False) -> Examination:
        """Everything that can be said about a file as it is. Raises AudioError, WorkerDied, OSError."""
        return await self._run(_examine, path, gates, over="a measurement")

    async def sha256(self, path: str) -> str:
        """The hash of a file's content, which takes its time for a large one. Raises WorkerDied, OSError."""
        return await self._run(_sha256, path, over="a hash")

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


def _examine(path: str, gates: bool) -> Examination:  # noqa: FBT001 - arguments cross to a worker by their places
    _ignore_interrupts()
    from pipeline.audio.examining import examine  # noqa: PLC0415

    return examine(path, gates=gates)


def _sha256(path: str) -> str:
    _ignore_interrupts()
    from pipeline.files import sha256_of  # noqa: PLC0415

    return sha256_of(Path(path))


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

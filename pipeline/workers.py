"""Finishing in worker processes: the real half of the runner's finisher, and what finishes and measures loose files.

The workers are anyio's: they end with their parent, even one that is killed. They get paths, not audio, and write only
where they are told to, never under a final name. One that dies fails its own take and is replaced; so is one that takes
too long, and a task that asks for too much memory fails alone.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.to_process

from pipeline.audio.tasks import AudioError
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from pipeline.audio.remeasuring import Remeasured
    from pipeline.audio.tasks import Examination, FinishedFile, FinishTask, GatingBlocks, SourceFacts

T = TypeVar("T")

#: More than this many finish no faster on one disk, and each holds a decoded piece in memory.
_MOST_WORKERS: Final = 16
#: What one task may take on the real clock, whatever the rest of the run does meanwhile: some twenty times what the
#: longest source takes (50 minutes of stereo into three formats) on a core of its own.
LONGEST_TASK_S: Final = 3_600.0
#: What one task may map, beyond what its worker has mapped before: twice what the longest source takes. On Linux only.
MOST_TASK_BYTES: Final = 6 << 30


class WorkerFinisher:
    """Decodes and finishes in as many processes as there are cores, or as there is work for where that is less."""

    def __init__(self, work: int = _MOST_WORKERS, longest_s: float = LONGEST_TASK_S) -> None:
        self._limiter: anyio.CapacityLimiter | None = None
        self._longest_s = longest_s
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

    async def examine(self, path: str, *, gates: bool = False) -> Examination:
        """Everything that can be said about a file as it is. Raises AudioError, WorkerDied, OSError."""
        return await self._run(_examine, path, gates, over="a measurement")

    async def sha256(self, path: str) -> str:
        """The hash of a file's content, which takes its time for a large one. Raises WorkerDied, OSError."""
        return await self._run(_sha256, path, over="a hash")

    async def remeasure(self, path: str, loop: tuple[int, int] | None) -> Remeasured:
        """Decode and measure a delivered file, and its seam where it loops. Raises AudioError, WorkerDied, OSError."""
        return await self._run(_remeasure, path, loop, over="its measurement", then="check it again")

    async def _run(
        self, work: Callable[..., T], *arguments: Any, over: str, then: str = "the next run finishes it again, free"
    ) -> T:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._workers)
        async with self._limiter:  # before the clock starts: waiting for a worker is no work
            with anyio.move_on_after(self._longest_s):
                try:
                    return await anyio.to_process.run_sync(
                        work, *arguments, cancellable=True, limiter=anyio.CapacityLimiter(1)
                    )
                except anyio.BrokenWorkerProcess as error:
                    raise WorkerDied(f"a worker process died over {over}; {then}") from error
        minutes = self._longest_s / 60
        raise WorkerDied(f"a worker process was ended over {over}, which took more than {minutes:,.0f} minutes; {then}")


# What follows runs in the workers. numpy and the codecs are imported there, and only there.


def _warm_worker() -> None:
    _settle_in()
    import pipeline.audio.finishing  # noqa: PLC0415
    import pipeline.audio.inspection  # noqa: F401, PLC0415


def _inspect(path: str) -> SourceFacts:
    _settle_in()
    from pipeline.audio.inspection import inspect_source  # noqa: PLC0415

    with _bounded_memory():
        return inspect_source(path)


def _finish(task: FinishTask) -> tuple[FinishedFile, ...]:
    _settle_in()
    from pipeline.audio.finishing import finish  # noqa: PLC0415

    # The user's own steps may map what they like: a neural network's libraries reserve more than any audio needs.
    bounds: AbstractContextManager[None] = nullcontext() if task.steps else _bounded_memory()
    with bounds:
        return finish(task)


def _compare(one: str, other: str) -> float | None:
    _settle_in()
    from pipeline.audio.twins import twin_sources  # noqa: PLC0415

    with _bounded_memory():
        return twin_sources(one, other)


def _gating_blocks(task: FinishTask) -> GatingBlocks:
    _settle_in()
    from pipeline.audio.finishing import gating_blocks  # noqa: PLC0415

    with _bounded_memory():
        return gating_blocks(task)


def _common_gain_db(members: Sequence[GatingBlocks], target_lufs: float) -> float:
    _settle_in()
    from pipeline.audio.finishing import common_gain_db  # noqa: PLC0415

    with _bounded_memory():
        return common_gain_db(members, target_lufs)


def _remeasure(path: str, loop: tuple[int, int] | None) -> Remeasured:
    _settle_in()
    from pipeline.audio.remeasuring import remeasure  # noqa: PLC0415

    with _bounded_memory():
        return remeasure(path, loop)


def _examine(path: str, gates: bool) -> Examination:  # noqa: FBT001 - arguments cross to a worker by their places
    _settle_in()
    from pipeline.audio.examining import examine  # noqa: PLC0415

    with _bounded_memory():
        return examine(path, gates=gates)


def _sha256(path: str) -> str:
    _settle_in()
    from pipeline.files import sha256_of  # noqa: PLC0415

    return sha256_of(Path(path))


def _settle_in() -> None:
    """A Ctrl-C on the terminal reaches every process of the group; only the parent decides what it means.

    And codecs write what they think of a file to standard error, a pipe that nobody reads: once it is full, they would
    wait for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


@contextmanager
def _bounded_memory(most_bytes: int = MOST_TASK_BYTES) -> Iterator[None]:
    """Let this process map so much more and no more; what fails for that is an AudioError, and the worker lives on."""
    if sys.platform != "linux":
        yield
        return
    import resource  # noqa: PLC0415 - only where it is

    before = resource.getrlimit(resource.RLIMIT_AS)
    mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    bounds = [bound for bound in before if bound != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([mapped + most_bytes, *bounds]), before[1]))
    try:
        yield
    except (MemoryError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.ENOMEM:
            raise
        raise AudioError(f"it takes more than {most_bytes / (1 << 30):g} GiB of memory to work with") from error
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


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

"""The runner's finisher, with its long work done on a farm.

Finishing and a group's measurements go there; what is short stays with a finisher of this machine, and so does what a
farm can't be given: what is no plain file, what is too large to be sent about, and m4a and Opus where ffmpeg is another
there. Whatever becomes of the farm, a task ends: with its files, or with a sentence.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread

from pipeline.audio.ffmpeg import is_mp4
from pipeline.audio.formats import NEED_FFMPEG
from pipeline.audio.tasks import AudioError
from pipeline.farm.at_the_worker import AGAIN, finish_order, gating_blocks_of
from pipeline.farm.crossing import laid, packed
from pipeline.farm.standing import LOOK_EVERY_S
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from anyio.lowlevel import EventLoopToken

    from pipeline.audio.remeasuring import Remeasured
    from pipeline.audio.tasks import FinishedFile, FinishTask, GatingBlocks, SourceFacts
    from pipeline.farm.crossing import Order
    from pipeline.farm.standing import Farm
    from pipeline.runner.finisher import Finisher

T = TypeVar("T")

#: Tasks on their way for each thread of the farm: one that is worked on, and one that is there when it is done.
_AHEAD: Final = 2
#: What is sent about in one piece: the scheduler holds twice as many sources as the farm has threads.
MOST_SOURCE_BYTES: Final = 256 << 20
#: As local finishing has it, with what others' tasks on the same farm take.
_LONGEST_TASK_S: Final = 3_600.0
_CANCELLED_WITHIN_S: Final = 5.0
#: How often a task is sent whose workers died: that may have been a neighbour's doing.
_SENDINGS: Final = 2


class FarmFinisher:
    """A `Finisher` that has `farm` do the long work, and `local` the rest."""

    def __init__(self, farm: Farm, local: Finisher, longest_s: float = _LONGEST_TASK_S) -> None:
        self._farm = farm
        self._local = local
        self._longest_s = longest_s
        # So that neither this process nor the scheduler holds more sources, however many tracks a run has.
        self._on_their_way = anyio.Semaphore(_AHEAD * farm.threads)
        self._limiter = anyio.CapacityLimiter(_AHEAD * farm.threads)  # never behind other rooms' threads

    async def inspect(self, path: str) -> SourceFacts:
        return await self._local.inspect(path)

    async def compare(self, one: str, other: str) -> float | None:
        return await self._local.compare(one, other)

    async def common_gain_db(self, members: Sequence[GatingBlocks], target_lufs: float) -> float:
        return await self._local.common_gain_db(members, target_lufs)

    async def remeasure(self, path: str, loop: tuple[int, int] | None) -> Remeasured:
        return await self._local.remeasure(path, loop)

    async def finish(self, task: FinishTask) -> tuple[FinishedFile, ...]:
        """The files of `task`. Raises AudioError, WorkerDied, and OSError where one can't be written here."""
        if not can_be_sent(task, same_ffmpeg=self._farm.same_ffmpeg):
            return await self._local.finish(task)
        async with self._on_their_way:
            made = await self._done(finish_order, task, over="its finishing")
            return await self._in_thread(laid, task, made)

    async def gating_blocks(self, task: FinishTask) -> GatingBlocks:
        """What the source of `task` brings to its group. Raises AudioError, WorkerDied."""
        if not can_be_sent(task, same_ffmpeg=self._farm.same_ffmpeg):
            return await self._local.gating_blocks(task)
        async with self._on_their_way:
            return await self._done(gating_blocks_of, task, over="its measurement")

    async def _done(self, work: Callable[[Order], T], task: FinishTask, *, over: str) -> T:
        """What a worker makes of `task`. A dead one's goes to another by Dask itself, until several died over it."""
        for _ in range(_SENDINGS):
            try:
                return await self._answered(work, task, over)
            except (AudioError, WorkerDied):
                raise
            except Exception as error:  # what comes through Dask may be anything
                if _is_killed_worker(error):
                    continue
                reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
                raise WorkerDied(f"the farm at {self._farm.address} failed over {over} ({reason}); {AGAIN}") from error
        raise WorkerDied(f"workers of the farm at {self._farm.address} died over {over}, again and again; {AGAIN}")

    async def _answered(self, work: Callable[[Order], T], task: FinishTask, over: str) -> T:
        self._farm.check_standing(over)
        answered = anyio.Event()
        future = await self._in_thread(self._sent, work, task, partial(_tell, answered, anyio.lowlevel.current_token()))
        try:
            with anyio.move_on_after(self._longest_s):
                await self._wait(answered, over)
                made: T = future.result()
                return made
        except CancelledError as error:  # Dask's, as where its connection is lost: anyio's is no such one
            self._farm.check_standing(over)
            raise WorkerDied(f"the farm at {self._farm.address} has dropped {over}; {AGAIN}") from error
        finally:
            if not answered.is_set():
                await self._take_back(future)
        minutes = self._longest_s / 60
        raise WorkerDied(f"the farm at {self._farm.address} took more than {minutes:,.0f} minutes over {over}; {AGAIN}")

    def _sent(self, work: Callable[[Order], T], task: FinishTask, tell: Callable[[object], None]) -> Future[T]:
        """In a thread: the event loop's own could not be told, where there is an answer at once."""
        try:
            order = packed(task)
        except OSError as error:
            raise AudioError(f"it can't be read ({(error.strerror or str(error)).lower()})") from error
        future = self._farm.cluster.submit(work, order)
        future.add_done_callback(tell)
        return future

    async def _wait(self, answered: anyio.Event, over: str) -> None:
        """Until there is an answer. Raises WorkerDied once none can come."""
        while not answered.is_set():
            with anyio.move_on_after(LOOK_EVERY_S):
                await answered.wait()
            if not answered.is_set():
                self._farm.check_standing(over)

    async def _take_back(self, future: Future[T]) -> None:
        """Nobody waits for it any more. What is being worked on is worked on to its end, for nobody."""
        with anyio.move_on_after(_CANCELLED_WITHIN_S, shield=True):
            await anyio.to_thread.run_sync(future.cancel, limiter=self._limiter, abandon_on_cancel=True)

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await anyio.to_thread.run_sync(work, *arguments, limiter=self._limiter)


def can_be_sent(task: FinishTask, *, same_ffmpeg: bool) -> bool:
    """Does a farm make of `task` what this machine would? What can't be read is for this machine to say so."""
    path = Path(task.source)
    try:
        if not path.is_file() or path.stat().st_size > MOST_SOURCE_BYTES:
            return False
        needs_ffmpeg = is_mp4(task.source) or any(target.output.format in NEED_FFMPEG for target in task.targets)
    except (OSError, ValueError):
        return False
    return same_ffmpeg or not needs_ffmpeg


def _tell(answered: anyio.Event, token: EventLoopToken, _: object) -> None:
    """From a thread of Dask's, or of this room's."""
    anyio.from_thread.run_sync(answered.set, token=token)


def _is_killed_worker(error: Exception) -> bool:
    from distributed import KilledWorker  # noqa: PLC0415 - an extra, which is there by now

    return isinstance(error, KilledWorker)

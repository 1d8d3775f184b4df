"""Where audio work is done: a seam, so that virtual time never meets a worker process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.audio.remeasuring import Remeasured
    from pipeline.audio.tasks import FinishedFile, FinishTask, GatingBlocks, SourceFacts


class WorkerDied(Exception):
    """A worker process ended before it answered. Its text says over what."""


class Finisher(Protocol):
    """Decodes and finishes. Raises `AudioError` for audio that can't be, WorkerDied for a lost worker."""

    async def inspect(self, path: str) -> SourceFacts: ...

    async def finish(self, task: FinishTask) -> tuple[FinishedFile, ...]: ...

    async def compare(self, one: str, other: str) -> float | None: ...

    async def gating_blocks(self, task: FinishTask) -> GatingBlocks: ...

    async def common_gain_db(self, members: Sequence[GatingBlocks], target_lufs: float) -> float: ...

    async def remeasure(self, path: str, loop: tuple[int, int] | None) -> Remeasured: ...


class InlineFinisher:
    """Does the work where it is called, on the event loop: for tests, and for where no process may be started."""

    async def inspect(self, path: str) -> SourceFacts:
        from pipeline.audio.inspection import inspect_source  # noqa: PLC0415 - numpy only where sound is touched

        return inspect_source(path)

    async def finish(self, task: FinishTask) -> tuple[FinishedFile, ...]:
        from pipeline.audio.finishing import finish  # noqa: PLC0415 - as above

        return finish(task)

    async def compare(self, one: str, other: str) -> float | None:
        from pipeline.audio.twins import twin_sources  # noqa: PLC0415 - as above

        return twin_sources(one, other)

    async def gating_blocks(self, task: FinishTask) -> GatingBlocks:
        from pipeline.audio.finishing import gating_blocks  # noqa: PLC0415 - as above

        return gating_blocks(task)

    async def common_gain_db(self, members: Sequence[GatingBlocks], target_lufs: float) -> float:
        from pipeline.audio.finishing import common_gain_db  # noqa: PLC0415 - as above

        return common_gain_db(members, target_lufs)

    async def remeasure(self, path: str, loop: tuple[int, int] | None) -> Remeasured:
        from pipeline.audio.remeasuring import remeasure  # noqa: PLC0415 - as above

        return remeasure(path, loop)

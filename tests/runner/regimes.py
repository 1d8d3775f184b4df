"""Runs on virtual time whose gateway is slow, strict or both, told as the events that an observer saw."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from disks import in_memory
from virtual_time import virtual_backend
from worlds import World

from pipeline.audio.tasks import FinishedFile, SourceFacts
from pipeline.audio.waveform import Waveform
from pipeline.entry import run
from pipeline.ledger.writing import InlineWriter
from pipeline.runner.time_left import TimeLeft

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.audio.tasks import FinishTask
    from pipeline.runner.events import Event

    Told = list[tuple[float, Event]]  # when, in seconds from the start


@dataclass(frozen=True)
class Regime:
    """What a run meets. Job times are lognormal with sigma 0.25."""

    requests_per_minute: int
    concurrency: int
    mean_s: float
    jobs: int
    finishing_s: float = 0.4

    def __str__(self) -> str:
        limits = f"{self.requests_per_minute} a minute, {self.concurrency} in flight"
        return f"{limits}, {self.mean_s:g} s a job, {self.jobs:,} jobs"

    @property
    def manifest(self) -> str:
        limits = f"concurrency: {self.concurrency}, requests_per_minute: {self.requests_per_minute}"
        head = f"gateway: {{model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, {limits}}}"
        defaults = "defaults: {duration: 2, outputs: [wav]}"
        return f"version: 1\nname: game\n{head}\n{defaults}\ntracks:\n"

    def told(self, seed: int) -> tuple[float, Told]:
        """The run's length in seconds, and all that was told of it."""
        backend, options = virtual_backend("asyncio")
        with tempfile.TemporaryDirectory(dir=in_memory()) as folder:
            return anyio.run(self._tell, seed, Path(folder), backend=backend, backend_options=dict(options))

    async def _tell(self, seed: int, folder: Path) -> tuple[float, Told]:
        world = World(folder, latency_s=self.mean_s, rpm=self.requests_per_minute, seed=seed)
        tracks = "".join(f"  t{number}: {{prompt: p{number}}}\n" for number in range(self.jobs))
        plan = world.plan(tracks, head=self.manifest)
        told: Told = []
        began = anyio.current_time()
        result = await run(
            plan,
            transport=world.network,
            finisher=TwoWorkers(self.finishing_s),
            observer=lambda event: told.append((anyio.current_time() - began, event)),
            clock=world.clock,
            ledger=InlineWriter,
        )
        assert result.exit == 0, result.stop
        return anyio.current_time() - began, told


def errors(length_s: float, told: Told, shares: Sequence[float]) -> list[float | None]:
    """How far the estimated length is off the true one after `shares` of it; None where nothing was said."""
    estimator, found, events = TimeLeft(), [], iter([*told, (float("inf"), None)])
    moment, event = next(events)
    for share in shares:
        now = share * length_s
        while moment <= now:
            estimator.observe(event, moment)
            moment, event = next(events)
        left = estimator.seconds(now)
        found.append(None if left is None else (now + left) / length_s - 1)
    return found


def worst(found: Iterable[float | None]) -> float:
    """The largest error, whichever its sign; one that was not said is infinite."""
    return max(float("inf") if error is None else abs(error) for error in found)


class TwoWorkers:
    """A finisher that takes its time, on the event loop's clock, and does two things at once."""

    def __init__(self, finishing_s: float) -> None:
        self._finishing_s = finishing_s
        self._workers = anyio.Semaphore(2)

    async def inspect(self, path: str) -> SourceFacts:
        async with self._workers:
            await anyio.sleep(self._finishing_s / 20)  # it only decodes
        return SourceFacts(2.0, 16000, 8000, 1)

    async def finish(self, task: FinishTask) -> tuple[FinishedFile, ...]:
        async with self._workers:
            await anyio.sleep(self._finishing_s)
        return tuple(_made(Path(target.path), target.output.format) for target in task.targets)


def _made(path: Path, audio_format: str) -> FinishedFile:
    content = str(path).encode()
    path.write_bytes(content)
    figures = (1.0, 8000, 1, -16.0, None, None, -1.0)
    sha256 = hashlib.sha256(content).hexdigest()
    return FinishedFile(str(path), audio_format, len(content), sha256, *figures, waveform=Waveform(b"\x80", b"\x40"))

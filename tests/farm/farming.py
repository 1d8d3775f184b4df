"""A farm of two worker processes on loopback, and work for it: everything that a source and its settings can be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
import soundfile
from lives import clean_environment

from pipeline.audio.settings import Finishing, Loop, Loudness, Output, Trim
from pipeline.audio.tasks import FinishTask, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKERS: Final = 2
THREADS: Final = 2
#: What starts it: in a process of its own, so that what Dask warns of is not this one's.
_FARM: Final = """\
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    workers, threads = map(int, sys.argv[1:])
    farm = LocalCluster(n_workers=workers, threads_per_worker=threads, dashboard_address=None, silence_logs=50)
    print(farm.scheduler_address, flush=True)
    sys.stdin.read()
    farm.close(timeout=2)
"""
_RATE: Final = 22_050


def wanted() -> None:
    """Skip where Dask is missing, unless these tests are what was asked for."""
    if find_spec("distributed") is None and not os.environ.get("FARM_TESTS"):
        pytest.skip("distributed is not installed: `make test-farm` installs it")


@dataclass(frozen=True)
class LocalFarm:
    """A farm on this machine."""

    address: str
    process: subprocess.Popen[str]

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Another's connection to it."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            yield client

    def pids(self) -> dict[str, int]:
        """The worker processes, by their addresses."""
        with self.client() as client:
            return client.run(os.getpid)

    def forgive(self, deaths: int) -> None:
        """How many workers may die over a task before Dask gives up on it."""
        with self.client() as client:
            client.run_on_scheduler(_forgive, deaths)

    def is_whole(self) -> bool:
        """Are all workers there, or will they be? One that was killed is replaced, if its nanny can."""
        with self.client() as client:
            try:
                client.wait_for_workers(WORKERS, timeout=8)
            except TimeoutError:
                return False
        return True


def _forgive(deaths: int, dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = deaths


@contextmanager
def local_farm(folder: Path, workers: int = WORKERS, threads: int = THREADS) -> Iterator[LocalFarm]:
    program = folder / "start_farm.py"
    program.write_text(_FARM, encoding="utf-8")
    here = Path(__file__).parent
    environment = clean_environment()
    environment["PYTHONPATH"] = os.pathsep.join((environment["PYTHONPATH"], str(here), str(here.parent)))
    with subprocess.Popen(
        [sys.executable, str(program), str(workers), str(threads)],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            address = process.stdout.readline().strip()
            assert address, "the farm did not start"
            yield LocalFarm(address, process)
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


# Steps, which workers import from here.


def softer(segment):
    return segment - 3


def same(segment):
    return segment


def slow(segment):
    import time

    time.sleep(0.3)
    return segment


def deadly(segment):
    os.kill(os.getpid(), signal.SIGKILL)
    return segment


def once_deadly(segment):
    """Kills the first worker that takes it."""
    mark = Path(os.environ["ONCE_DEADLY"])
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return segment
    return deadly(segment)


# Work.


def notes(seconds: float, seed: int, channels: int = 2) -> np.ndarray:
    """Plucked notes, with a pattern that comes again every half second; (frames, channels) float32."""
    time = np.arange(round(seconds * _RATE)) / _RATE
    since = time % 0.5
    semitones = np.random.default_rng(seed).integers(0, 12, 4)
    sound = sum(np.sin(2 * np.pi * 220 * 2 ** (step / 12) * since + seed) for step in semitones)
    pan = np.linspace(1.0, 0.6, channels)
    return (0.1 * sound * np.exp(-4 * since))[:, np.newaxis].astype(np.float32) * pan.astype(np.float32)


_SOURCES: Final = ("wav", "ogg", "mp3", "flac")
_LOOPS: Final = Loop(min_s=0.5)
_FINISHINGS: Final = (
    Finishing(),
    Finishing(trim=Trim(), fade_in_s=0.05, fade_out_s=0.3),
    Finishing(loop=_LOOPS),
    Finishing(loop=replace(_LOOPS, intro="split"), loudness=Loudness("streaming", -14.0)),
    Finishing(sample_rate=44_100, channels=1, loudness=Loudness("none", None)),
)
_OUTPUTS: Final = (
    (Output("ogg"),),
    (Output("wav", bits=24), Output("mp3", bitrate=128)),
    (Output("flac"), Output("ogg", suffix="-low", quality=2.0)),
)


def sources(folder: Path, count: int, seconds: float = 1.0) -> list[Path]:
    """Files of every kind that a source may be."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}.{_SOURCES[number % len(_SOURCES)]}" for number in range(count)]
    for number, path in enumerate(paths):
        soundfile.write(path, notes(seconds + 0.1 * (number % 7), number, 1 + number % 2), _RATE)
    return paths


def tasks(paths: list[Path], folder: Path, steps: tuple[Callable[..., Any], ...] = ()) -> list[FinishTask]:
    """A task for each source, all of another kind, with `folder` for what is made of it."""
    return [_task(path, number, folder / str(number), steps) for number, path in enumerate(paths)]


def _task(path: Path, number: int, folder: Path, steps: tuple[Callable[..., Any], ...]) -> FinishTask:
    folder.mkdir(parents=True, exist_ok=True)
    finishing = _FINISHINGS[number % len(_FINISHINGS)]
    targets = tuple(
        Target(output, str(folder / str(place)), str(folder / f"{place}.intro") if finishing.splits_intro else None)
        for place, output in enumerate(_OUTPUTS[number % len(_OUTPUTS)])
    )
    return FinishTask(
        source=str(path),
        finishing=finishing,
        targets=targets,
        serial_seed=f"seed-{number}",
        metadata=(("TITLE", f"track {number}"),),
        steps=steps,
        asked_s=1.0,
        gain_db=-3.0 if number % 8 == 0 else None,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder, by its path there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

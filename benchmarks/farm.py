"""Finishing on a farm beside finishing here: the same tracks, by two worker processes of either, on one machine.

    python benchmarks/farm.py [TRACKS]

What a farm costs is what crosses: each source is sent to a scheduler and on to a worker, and each file comes back. Here
all of them are on loopback and share the cores with the worker processes: nothing of a farm's cost is hidden, and
nothing that it is for (more cores) is gained. TRACKS pieces of 20 s, 12 where it is not said, each a WAV source that
becomes an OGG and a WAV; both finish all of them in turn, several times, in an order that turns. What is judged is the
median of the ratios within a round, which other programs' load moves least. Every file of every round is compared.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import anyio
import numpy as np
import soundfile
from claims import Claim, exit_status, told
from distributed import LocalCluster

from pipeline.audio.settings import Finishing, Output
from pipeline.audio.tasks import FinishTask, Target
from pipeline.farm.connecting import connected
from pipeline.farm.finisher import FarmFinisher
from pipeline.workers import WorkerFinisher

_TRACKS = 12
_SECONDS = 20
_RATE = 44_100
_WORKERS = 2
_ROUNDS = 5
_MOST = 1.25
_OUTPUTS = (Output("ogg"), Output("wav", bits=16))


def piece(number):
    """Plucked notes over noise: something that codecs know how to treat; (frames, 2) float32."""
    random = np.random.default_rng(number)
    moments = np.arange(_SECONDS * _RATE) / _RATE
    since = moments % 0.5
    notes = sum(np.sin(2 * np.pi * 220 * 2 ** (step / 12) * since) for step in random.integers(0, 24, 4))
    sound = 0.08 * notes * np.exp(-4 * since) + 0.01 * random.standard_normal(len(moments))
    return np.stack([sound, np.roll(sound, 200)], axis=1).astype(np.float32)


def sources(folder, count):
    paths = [folder / f"{number}.wav" for number in range(count)]
    for number, path in enumerate(paths):
        soundfile.write(path, piece(number), _RATE, subtype="PCM_16")
    return paths


def task(path, folder):
    targets = tuple(Target(output, str(folder / f"{path.stem}.{output.format}")) for output in _OUTPUTS)
    return FinishTask(str(path), Finishing(), targets, serial_seed=path.stem)


async def seconds_of(finisher, paths, folder):
    """How long `finisher` takes for all of them."""
    folder.mkdir()
    begun = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for path in paths:
            tasks.start_soon(finisher.finish, task(path, folder))
    return time.perf_counter() - begun


def hashes(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@asynccontextmanager
async def contenders(address):
    """Both, with their imports behind them."""
    local = WorkerFinisher(_WORKERS)
    await local.warm_up()
    async with connected(address) as farm:
        yield {"worker processes": local, "a farm": FarmFinisher(farm, local)}


async def rounds(folder, count, address):
    """The seconds of each contender in each round. Raises AssertionError where their files differ in a byte."""
    paths = sources(folder, count)
    taken = {}
    async with contenders(address) as finishers:
        for number in range(_ROUNDS + 1):
            turn = list(finishers.items())
            for name, finisher in turn if number % 2 else reversed(turn):
                took = await seconds_of(finisher, paths, folder / f"{name} {number}")
                taken.setdefault(name, []).append(took)
            made = [hashes(folder / f"{name} {number}") for name in finishers]
            assert made[0] == made[1], "a farm makes other bytes"
    return {name: seconds[1:] for name, seconds in taken.items()}  # the first round is for caches to fill


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else _TRACKS
    options = {"n_workers": _WORKERS, "threads_per_worker": 1, "dashboard_address": None}
    with tempfile.TemporaryDirectory() as folder, LocalCluster(**options) as cluster:
        taken = anyio.run(rounds, Path(folder), count, cluster.scheduler_address)
    here, there = taken["worker processes"], taken["a farm"]
    head = (f"{count} tracks of {_SECONDS} s", *(f"round {number + 1}" for number in range(_ROUNDS)), "median")
    rows = [
        (name, *(f"{one:.2f} s" for one in seconds), f"{statistics.median(seconds):.2f} s")
        for name, seconds in taken.items()
    ]
    ratios = [one / other for one, other in zip(there, here, strict=True)]
    told([head, *rows, ("ratio", *(f"{one:.2f}" for one in ratios), f"{statistics.median(ratios):.2f}")])
    what = "seconds on a farm, of those in worker processes, with two of each and the same bytes"
    return exit_status([Claim(what, statistics.median(ratios), _MOST)])


if __name__ == "__main__":
    sys.exit(main())

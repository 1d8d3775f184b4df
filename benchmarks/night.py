"""A night of a large library on four machines that share one key and one store, on virtual time.

    python benchmarks/night.py [TRACKS] [--variants NAMES]      or: make bench-night [TRACKS=2000]

The runner, the client, the planning, the ledger and the files are the real ones; the audio is canned, the gateway is
the local one, the store lies in memory and takes 20 ms a request, and all of it runs in one process. Jobs take 60 s in
the mean (lognormal, sigma 0.5). The limits are those of 100,000 tracks (500 jobs in flight on each machine, 12,000
requests a minute for all) and shrink with fewer tracks, so that each night is as long as the large one.

`claims`: all four are given the same manifest at the same moment, and claims in the store share it out. One of them
dies in the middle, without a goodbye; the wall clock of another is ten minutes off. `shards`: each is given a quarter
of it (`--shard 1/4`), and nobody dies; then a machine without a shard has all of it from the store. Each variant has a
process of its own. Exits 1 where a claim is missed, and names it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / folder) for folder in ("", "simulation")]

import anyio
from claims import Claim, exit_status, told
from disks import in_memory
from night_world import PRICE_USD, SECONDS_A_TRACK, Night, locks_at_the_end, tell_how_far
from pace_bound import steady
from pace_regimes import Regime
from pace_times import JobTimes
from virtual_time import virtual_backend

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from night_world import Machine

_TRACKS: Final = 100_000
_MACHINES: Final = 4
_CONCURRENCY: Final = 500  # a machine's
_RPM: Final = 12_000  # the key's
_TIMES: Final = JobTimes("sigma 0.5", 60.0)
_CLOCK_OFF_S: Final = 600.0
_SEED: Final = 17
_DIES_AT: Final = 0.5  # of the night, if nobody died
_LEASE_S: Final = 300.0  # store.lease, where the manifest says nothing
_MOST_BEYOND: Final = 0.1  # the bound knows no begin and no end, and the longest job of all takes six minutes
#: S3's standard storage in us-east-1, as published in November 2026; others ask others. Change them here.
PUT_USD: Final = 0.005 / 1000  # PUT, COPY, POST, LIST
GET_USD: Final = 0.0004 / 1000  # GET, HEAD
GB_MONTH_USD: Final = 0.023
#: DELETE is free.
_PRICES: Final = {"create": PUT_USD, "replace": PUT_USD, "push": PUT_USD, "get": GET_USD, "fetch": GET_USD,
                  "look up": GET_USD, "remove": 0.0}  # fmt: skip


@dataclass
class Told:
    """What one machine says of its night."""

    name: str
    exit: int | None  # None: it died
    assets: int
    bought: int
    booked_microusd: int
    lost_claims: int
    asked: Counter[tuple[str, str]]
    sizes: dict[str, int]


@dataclass
class Outcome:
    """What a variant came to."""

    tracks: int
    jobs: Counter[int]  # takes by how many jobs the gateway made of them
    billed_microusd: int
    seconds: float
    bound_s: float  # the informed one of pace_bound
    least_s: float  # what slots and requests alone allow
    requests: int
    refused: int
    cpu_s: float
    gateway_cpu_s: float
    peak_bytes: int
    machines: list[Told] = field(default_factory=list)
    shelf: dict[str, tuple[int, int]] = field(default_factory=dict)  # by folder: objects, bytes

    @property
    def asked(self) -> Counter[tuple[str, str]]:
        return sum((one.asked for one in self.machines), Counter())


# --- the two nights ---------------------------------------------------------------------------------------------------


async def _by_claims(night: Night, night_s: float) -> None:
    """All at once, one dies, and one has the wrong time."""
    share = night.requests_per_minute // _MACHINES
    machines = [night.machine(f"machine-{number}") for number in range(1, _MACHINES)]
    machines.append(night.machine("clock is off", clock_off_s=_CLOCK_OFF_S))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(machines[1].die, _DIES_AT * night_s)
        for machine in machines:
            tasks.start_soon(lambda machine=machine: machine.run(requests_per_minute=share))


async def _by_shards(night: Night, _: float) -> None:
    """A quarter each, and then somebody who wants all of it."""
    machines = [night.machine(f"shard-{number}", clock_off_s=_CLOCK_OFF_S * (number == 1)) for number in range(1, 5)]
    async with anyio.create_task_group() as tasks:
        for number, machine in enumerate(machines, 1):
            tasks.start_soon(lambda machine=machine, number=number: machine.run(shard=f"{number}/{_MACHINES}"))
    await night.machine("the last").run()


VARIANTS: Final[dict[str, Callable[[Night, float], Awaitable[None]]]] = {"claims": _by_claims, "shards": _by_shards}


def play(variant: str, tracks: int) -> Outcome:
    """One night, on a clock of its own."""
    backend, options = virtual_backend("asyncio")
    with tempfile.TemporaryDirectory(dir=in_memory()) as folder, locks_at_the_end():
        return anyio.run(_play, variant, tracks, Path(folder), backend=backend, backend_options=dict(options))


async def _play(variant: str, tracks: int, folder: Path) -> Outcome:
    concurrency = max(1, min(_CONCURRENCY, tracks * _CONCURRENCY // _TRACKS))
    rpm = max(_MACHINES, _RPM * concurrency // _CONCURRENCY)
    night = Night(folder, _TIMES.drawn(tracks, _SEED), concurrency, rpm)
    bounds = steady(Regime(rpm, _MACHINES * concurrency, _TIMES, tracks))
    cpu_began = time.process_time()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell_how_far, night, lambda text: print(text, file=sys.stderr, flush=True))
        await VARIANTS[variant](night, tracks * bounds.informed_s)
        tasks.cancel_scope.cancel()
    machines = [_told(machine) for machine in night.machines]
    bound_s = tracks * bounds.informed_s * _slower(variant, machines)
    wires = [machine.wire.counts for machine in night.machines]
    gateway_cpu_s = sum(counts.gateway_cpu_s for counts in wires)
    shelf: dict[str, tuple[int, int]] = {}
    for path, (content, *_) in night.shelf.objects.items():
        objects, size = shelf.get(path.partition("/")[0], (0, 0))
        shelf[path.partition("/")[0]] = objects + 1, size + len(content)
    return Outcome(
        tracks,
        Counter(night.made.values()),
        night.billed_microusd,
        night.bought_after_s,
        bound_s,
        tracks * bounds.oracle_s,
        sum(counts.requests for counts in wires),
        sum(counts.refused for counts in wires),
        time.process_time() - cpu_began - gateway_cpu_s,
        gateway_cpu_s,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        machines,
        shelf,
    )


def _slower(variant: str, machines: Sequence[Told]) -> float:
    """By how much the bound of four machines that do the same is longer where they don't."""
    if variant == "claims":  # once one has died, the others have to do without its slots
        return _DIES_AT + (1 - _DIES_AT) * _MACHINES / (_MACHINES - 1)
    return max(one.bought for one in machines) * _MACHINES / sum(one.bought for one in machines)  # the largest shard


def _told(machine: Machine) -> Told:
    jobs = machine.jobs
    own = [job for job in jobs if job.bought_by is None]
    return Told(
        machine.name,
        None if machine.result is None else machine.result.exit,
        machine.assets,
        len(own),
        sum(job.cost_microusd or 0 for job in own),
        machine.stores.lost_claims,
        machine.stores.asked,
        machine.sizes,
    )


# --- told -------------------------------------------------------------------------------------------------------------


def report(variant: str, outcome: Outcome) -> None:
    tracks = outcome.tracks
    print(f"\n{variant}: {tracks:,} tracks, {_MACHINES} machines\n")
    told([
        ("", "exit", "assets", "bought", "booked $", "claims lost", "ledger MB", "index MB", "lock MB", "page MB"),
        *(_row(one) for one in outcome.machines),
    ])  # fmt: skip
    jobs = ", ".join(f"{takes:,} takes with {made}" for made, takes in sorted(outcome.jobs.items()))
    print(f"jobs at the gateway: {jobs}; billed ${outcome.billed_microusd / 1e6:,.2f}")
    over = f"{outcome.seconds / outcome.bound_s:.3f} times the bound of {outcome.bound_s:,.0f} s"
    print(
        f"until the last was made {outcome.seconds:,.0f} s, {over}; requests and slots alone: {outcome.least_s:,.0f} s"
    )
    print(f"requests {outcome.requests:,} ({outcome.requests / tracks:.1f} a take), refused {outcome.refused:,}")
    own_ms = 1000 * outcome.cpu_s / tracks
    print(f"processor {outcome.cpu_s:,.0f} s ({own_ms:.1f} ms a take), and the gateway {outcome.gateway_cpu_s:,.0f} s")
    print(f"memory at most {outcome.peak_bytes / 1e6:,.0f} MB: all machines, the gateway and the store\n")
    rows = [("the store was asked", "", "a take", "$")]
    for (verb, where), times in sorted(outcome.asked.items(), key=lambda item: (item[0][1], item[0][0])):
        rows.append((f"{verb} {where}", f"{times:,}", f"{times / tracks:.3f}", f"{times * _PRICES[verb]:.4f}"))
    total = sum(outcome.asked.values())
    rows.append(("all", f"{total:,}", f"{total / tracks:.3f}", f"{store_usd(outcome.asked):.4f}"))
    told(rows)
    told([
        ("the store holds", "objects", "bytes", "each"),
        *(
            (name, f"{objects:,}", f"{size:,}", f"{size / objects:,.0f}")
            for name, (objects, size) in sorted(outcome.shelf.items())
        ),
    ])  # fmt: skip


def _row(one: Told) -> Sequence[str]:
    sizes = (f"{one.sizes.get(name, 0) / 1e6:.2f}" for name in ("ledger", "index", "lock", "page"))
    end = "died" if one.exit is None else str(one.exit)
    bought = (f"{one.assets:,}", f"{one.bought:,}", f"{one.booked_microusd / 1e6:.3f}", f"{one.lost_claims:,}")
    return (one.name, end, *bought, *sizes)


def store_usd(asked: Counter[tuple[str, str]]) -> float:
    """What so many requests cost."""
    return sum(times * _PRICES[verb] for (verb, _), times in asked.items())


def claims(variant: str, outcome: Outcome) -> list[Claim]:
    """What has to be so, whatever the machine that plays it."""
    tracks, living = outcome.tracks, [one for one in outcome.machines if one.exit is not None]
    expected = tracks * round(SECONDS_A_TRACK * PRICE_USD * 1e6)
    beyond_s = outcome.seconds - outcome.bound_s - _LEASE_S
    has_all = [one for one in living if variant == "claims" or one.name == "the last"]
    found = [
        Claim("takes that were not made just once", tracks - outcome.jobs[1], 0, digits=0),
        Claim("jobs of none of the takes", sum(outcome.jobs.values()) - tracks, 0, digits=0),
        Claim("$ billed beyond the takes' price", (outcome.billed_microusd - expected) / 1e6, 0),
        Claim("machines that did not end well", sum(one.exit != 0 for one in living), 0, digits=0),
        Claim("assets that a machine lacks", sum(tracks - one.assets for one in has_all), 0, digits=0),
        Claim("requests that were refused", outcome.refused, 0, digits=0),
        Claim("seconds beyond the bound and a lease, in shares of the bound", beyond_s / outcome.bound_s, _MOST_BEYOND),
    ]
    if variant == "shards":
        found.append(Claim("takes that the last machine bought", outcome.machines[-1].bought, 0, digits=0))
        found.append(Claim("claims lost", sum(one.lost_claims for one in outcome.machines), 0, digits=0))
    return [Claim(f"{variant}: {one.what}", one.figure, one.bound, one.at_least, one.digits) for one in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tracks", nargs="?", type=int, default=_TRACKS)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    options = parser.parse_args()
    every: list[Claim] = []
    for variant in [name for name in VARIANTS if name in options.variants.split(",")]:
        began = time.monotonic()
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:  # for a peak of memory of its own
            outcome = pool.submit(play, variant, options.tracks).result()
        report(variant, outcome)
        print(f"{time.monotonic() - began:,.0f} s of this machine's time\n", flush=True)
        every += claims(variant, outcome)
    return exit_status(every)


if __name__ == "__main__":
    sys.exit(main())

"""A small night: four machines that share a key and a store, one of which dies, and one whose clock is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from night_world import Night, locks_at_the_end
from pace_times import JobTimes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

_TRACKS = 60
_TIMES = JobTimes("sigma 0.5", 60.0)


@pytest.fixture(autouse=True)
def _soon() -> Iterator[None]:
    with locks_at_the_end():
        yield


def night_in(folder: Path) -> Night:
    return Night(folder, _TIMES.drawn(_TRACKS, 3), concurrency=4, requests_per_minute=240)


async def test_each_take_is_made_once_though_a_machine_dies_and_the_clock_of_another_is_wrong(tmp_path: Path) -> None:
    """All begin at the same moment; those that live have everything, and nobody paid for it twice."""
    night = night_in(tmp_path)
    living = [night.machine("first"), night.machine("third"), night.machine("off", clock_off_s=600.0)]
    dead = night.machine("second")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(dead.die, 150.0)
        for machine in (*living, dead):
            tasks.start_soon(lambda machine=machine: machine.run(requests_per_minute=60))
    assert dead.result is None
    assert [machine.result and machine.result.exit for machine in living] == [0, 0, 0]
    assert (len(night.made), set(night.made.values())) == (_TRACKS, {1})
    assert night.billed_microusd == _TRACKS * 2000
    assert [machine.assets for machine in living] == [_TRACKS] * 3


@pytest.mark.long
async def test_who_comes_after_the_shards_finds_everything(tmp_path: Path) -> None:
    """Shards claim what nobody else does; the last machine buys nothing, and asks no gateway."""
    night = night_in(tmp_path)
    shards = [night.machine(f"shard-{number}") for number in range(1, 5)]
    async with anyio.create_task_group() as tasks:
        for number, machine in enumerate(shards, 1):
            tasks.start_soon(lambda machine=machine, number=number: machine.run(shard=f"{number}/4"))
    last = night.machine("last")
    await last.run()
    assert [machine.result and machine.result.exit for machine in night.machines] == [0] * 5
    assert (len(night.made), set(night.made.values())) == (_TRACKS, {1})
    assert (last.assets, last.wire.counts.requests) == (_TRACKS, 0)
    assert {job.bought_by is None for job in last.jobs} == {False}
    assert sum(machine.stores.lost_claims for machine in night.machines) == 0

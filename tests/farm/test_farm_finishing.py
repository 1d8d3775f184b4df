"""What a farm makes of tasks: the same bytes as this machine, whatever happens to its workers."""

from __future__ import annotations

import os
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from farming import contents, deadly, local_farm, once_deadly, same, slow, softer, sources, tasks, wanted

from pipeline.audio.tasks import AudioError, FinishTask
from pipeline.farm.connecting import connected
from pipeline.farm.finisher import FarmFinisher, can_be_sent
from pipeline.runner.finisher import InlineFinisher, WorkerDied

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from farming import LocalFarm

pytestmark = pytest.mark.anyio


class Nothing(InlineFinisher):
    """Finishes nothing: whatever is finished was finished on the farm."""

    async def finish(self, task: FinishTask) -> Any:
        raise AssertionError(task)

    async def gating_blocks(self, task: FinishTask) -> Any:
        raise AssertionError(task)


@asynccontextmanager
async def finisher_on(address: str) -> AsyncIterator[FarmFinisher]:
    async with connected(address) as farm:
        yield FarmFinisher(farm, Nothing())


async def outcomes(work: Callable[[FinishTask], Awaitable[Any]], all_tasks: list[FinishTask]) -> list[Any]:
    """What each came to, or how it failed."""
    found: dict[int, Any] = {}

    async def one(number: int, task: FinishTask) -> None:
        try:
            found[number] = await work(task)
        except (AudioError, WorkerDied) as error:
            found[number] = error

    async with anyio.create_task_group() as group:
        for number, task in enumerate(all_tasks):
            group.start_soon(one, number, task)
    return [found[number] for number in range(len(all_tasks))]


def relocated(outcome: Any, there: Path, here: Path) -> str:
    """What a finisher said, as if it had worked in another folder."""
    return repr(outcome).replace(str(there), str(here))


async def test_forty_tracks_come_out_the_same_bytes_and_measurements(farm: LocalFarm, tmp_path: Path) -> None:
    """From every kind of source into every kind of file, loops with their intros, two at once in each process."""
    paths = sources(tmp_path / "sources", 40)
    async with finisher_on(farm.address) as finisher:
        there = await outcomes(finisher.finish, tasks(paths, tmp_path / "there"))
    local = InlineFinisher()
    here = [await local.finish(task) for task in tasks(paths, tmp_path / "here")]
    assert [relocated(one, tmp_path / "there", tmp_path / "here") for one in there] == list(map(repr, here))
    made = contents(tmp_path / "here")
    assert contents(tmp_path / "there") == made
    assert len(made) > 60
    assert any("intro" in name for name in made)


async def test_what_members_bring_to_their_group_is_the_same(farm: LocalFarm, tmp_path: Path) -> None:
    """So the group's one gain is."""
    members = [replace(task, targets=()) for task in tasks(sources(tmp_path / "sources", 5), tmp_path / "there")]
    local = InlineFinisher()
    async with finisher_on(farm.address) as finisher:
        there = await outcomes(finisher.gating_blocks, members)
    assert there == [await local.gating_blocks(member) for member in members]


async def test_steps_go_along_by_their_names(farm: LocalFarm, tmp_path: Path) -> None:
    """The worker imports them, as a worker process of this machine does."""
    paths = sources(tmp_path / "sources", 2)
    async with finisher_on(farm.address) as finisher:
        there = await outcomes(finisher.finish, tasks(paths, tmp_path / "there", (softer,)))
    local = InlineFinisher()
    here = [await local.finish(task) for task in tasks(paths, tmp_path / "here", (softer,))]
    assert [relocated(one, tmp_path / "there", tmp_path / "here") for one in there] == list(map(repr, here))
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


async def test_audio_that_cannot_be_finished_is_an_audio_error(farm: LocalFarm, tmp_path: Path) -> None:
    """With the words that this machine has for it, so that a gate fails the take and not the farm."""
    (tmp_path / "broken.wav").write_bytes(b"RIFF nothing of the kind")
    (task,) = tasks([tmp_path / "broken.wav"], tmp_path / "made")
    async with finisher_on(farm.address) as finisher:
        (found,) = await outcomes(finisher.finish, [task])
    (expected,) = await outcomes(InlineFinisher().finish, [task])
    assert (type(found), str(found)) == (AudioError, str(expected))


async def test_a_worker_that_is_killed_takes_nothing_along(farm: LocalFarm, tmp_path: Path) -> None:
    """Dask gives its tasks to others, and every file is there, and right."""
    farm.forgive(3)
    paths = sources(tmp_path / "sources", 12)
    pids = await anyio.to_thread.run_sync(farm.pids)
    done: list[FinishTask] = []

    async with finisher_on(farm.address) as finisher:

        async def finish(task: FinishTask) -> Any:
            made = await finisher.finish(task)
            done.append(task)
            if len(done) == 3:
                os.kill(min(pids.values()), signal.SIGKILL)
            return made

        there = await outcomes(finish, tasks(paths, tmp_path / "there", (slow,)))
    local = InlineFinisher()
    here = [await local.finish(task) for task in tasks(paths, tmp_path / "here", (same,))]
    assert [relocated(one, tmp_path / "there", tmp_path / "here") for one in there] == list(map(repr, here))
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


async def test_a_neighbour_of_what_kills_a_worker_is_sent_once_more(farm: LocalFarm, tmp_path: Path) -> None:
    """Dask gives up on all that was with a worker that died; the second time nothing kills it."""
    farm.forgive(0)
    paths = sources(tmp_path / "sources", 6)
    deadly_one, *others = tasks(paths, tmp_path / "made", (once_deadly,))
    async with finisher_on(farm.address) as finisher:
        found = await outcomes(finisher.finish, [deadly_one, *others])
    assert [type(one) for one in found] == [tuple] * 6


async def test_what_kills_every_worker_fails_alone_with_one_sentence(farm: LocalFarm, tmp_path: Path) -> None:
    """And the farm goes on with the others."""
    farm.forgive(0)
    paths = sources(tmp_path / "sources", 2)
    (poison,), (healthy,) = tasks(paths[:1], tmp_path / "poison", (deadly,)), tasks(paths[1:], tmp_path / "healthy")
    async with finisher_on(farm.address) as finisher:
        (died,) = await outcomes(finisher.finish, [poison])
        (made,) = await outcomes(finisher.finish, [healthy])
    sentence = "died over its finishing, again and again; the next run finishes it again, free"
    assert str(died) == f"workers of the farm at {farm.address} {sentence}"
    assert isinstance(made, tuple)


async def test_a_step_that_a_late_worker_lacks_is_one_sentence(farm: LocalFarm, tmp_path: Path) -> None:
    """A worker that came after the farm was checked."""
    (task,) = tasks(sources(tmp_path / "sources", 1), tmp_path / "made", (nowhere,))
    async with finisher_on(farm.address) as finisher:
        (died,) = await outcomes(finisher.finish, [task])
    assert isinstance(died, WorkerDied)
    assert "can't import the step no_such_module.nowhere (ModuleNotFoundError: No module named" in str(died)


def nowhere(segment: Any) -> Any:
    return segment


nowhere.__module__ = "no_such_module"


async def test_a_task_that_is_cancelled_is_taken_back(farm: LocalFarm, tmp_path: Path) -> None:
    """What an interrupt leaves behind keeps no farm busy, and the next task is done."""
    paths = sources(tmp_path / "sources", 12)
    all_tasks = tasks(paths, tmp_path / "made", (slow,))
    async with finisher_on(farm.address) as finisher:
        with anyio.move_on_after(0.2) as scope:
            await outcomes(finisher.finish, all_tasks)
        assert scope.cancelled_caught
        with anyio.fail_after(10):
            assert isinstance(await finisher.finish(all_tasks[0]), tuple)


async def test_a_scheduler_that_is_lost_ends_every_task_with_a_sentence(tmp_path: Path) -> None:
    """Those on their way, and those that were still to be sent; nothing hangs."""
    wanted()
    paths = sources(tmp_path / "sources", 12)
    all_tasks = tasks(paths, tmp_path / "made", (slow,))
    with local_farm(tmp_path, workers=1, threads=1) as short_lived:
        with anyio.fail_after(20):
            async with finisher_on(short_lived.address) as finisher, anyio.create_task_group() as group:

                async def lose() -> None:
                    await anyio.sleep(0.5)
                    short_lived.process.kill()

                group.start_soon(lose)
                found = await outcomes(finisher.finish, all_tasks)
    sentence = f"the farm's scheduler at {short_lived.address} was lost over its finishing; the next run finishes it"
    died = [one for one in found if isinstance(one, WorkerDied)]
    assert len(died) > 6
    assert {str(one) for one in died} == {f"{sentence} again, free"}


async def test_a_connection_that_is_closed_is_no_more_asked(farm: LocalFarm, tmp_path: Path) -> None:
    """As after Dask has given up on having it again: each task ends at once, and so does the run."""
    all_tasks = tasks(sources(tmp_path / "sources", 3), tmp_path / "made")
    async with connected(farm.address) as reached:
        finisher = FarmFinisher(reached, Nothing())
        await anyio.to_thread.run_sync(reached.cluster.close)
        found = await outcomes(finisher.finish, all_tasks)
    assert [type(one) for one in found] == [WorkerDied] * 3


async def test_a_farm_whose_workers_are_all_gone_is_not_waited_for(tmp_path: Path) -> None:
    """Its scheduler answers, and nobody does the work."""
    wanted()
    (task,) = tasks(sources(tmp_path / "sources", 1), tmp_path / "made")
    with local_farm(tmp_path, workers=1, threads=1) as leaving:
        async with connected(leaving.address) as reached:
            reached._deserted_after_s = 1.0
            with leaving.client() as client:
                await anyio.to_thread.run_sync(client.retire_workers)
            with anyio.fail_after(10):
                (died,) = await outcomes(FarmFinisher(reached, Nothing()).finish, [task])
    assert str(died).startswith(f"no worker of the farm at {leaving.address} has been heard of for ")


def test_what_a_farm_cannot_be_given_stays_here(tmp_path: Path) -> None:
    """What is no plain file, and m4a and Opus where ffmpeg is another there."""
    (task,) = tasks(sources(tmp_path / "sources", 1), tmp_path / "made")
    assert can_be_sent(task, same_ffmpeg=False)
    assert not can_be_sent(replace(task, source=str(tmp_path)), same_ffmpeg=True)
    assert not can_be_sent(replace(task, source=str(tmp_path / "gone")), same_ffmpeg=True)
    opus = replace(task, targets=(replace(task.targets[0], output=replace(task.targets[0].output, format="opus")),))
    assert (can_be_sent(opus, same_ffmpeg=True), can_be_sent(opus, same_ffmpeg=False)) == (True, False)

"""What an interrupted run leaves at the gateway: named, or cancelled where that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest
from worlds import First, World, lost, status

from pipeline.jobs import State
from pipeline.runner.control import Control
from pipeline.runner.results import RunResult, Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

pytestmark = pytest.mark.anyio

SIX = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(6))


def is_cancel(request: httpx.Request) -> bool:
    return request.method == "DELETE"


async def interrupted(world: World, after_s: float, *, cancel_queued: bool, concurrency: int = 3) -> RunResult:
    """A run that gets a Ctrl-C after so many virtual seconds."""
    control = Control(cancel_queued=cancel_queued)
    results: list[RunResult] = []

    async def go() -> None:
        results.append(await world.run(SIX, control=control, concurrency=concurrency))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go)
        await anyio.sleep(after_s)
        control.interrupt(Stop(130, "interrupted"))
    return results[0]


def at_the_gateway(world: World) -> list[str | None]:
    return [job.end for job in world.app.state.gateway.books.jobs]


async def test_the_jobs_that_go_on_are_named_for_the_next_run(world: World) -> None:
    """Nothing is cancelled unless somebody asked for it."""
    result = await interrupted(world, 2.0, cancel_queued=False)
    assert result.exit == 130
    assert result.notices == ("3 jobs were still generating, and the next run collects what is paid for: t0, t1, t2",)
    assert at_the_gateway(world) == [None] * 3


async def test_a_submit_that_stayed_silent_is_named_too(world: World) -> None:
    """The next run asks for it again, under its own key."""
    world.network.after.append(First(lambda request: request.method == "POST", lost, times=99))
    result = await interrupted(world, 0.5, cancel_queued=False)
    assert result.notices == ("3 jobs were sent without an answer, and the next run asks again: t0, t1, t2",)


async def test_queued_jobs_are_cancelled_on_request_and_bought_by_the_next(
    make_world: Callable[..., World],
) -> None:
    """Not charged, their reservations are free again, and the run stays open for them."""
    world = make_world(latency_s=100.0)
    result = await interrupted(world, 2.0, cancel_queued=True)
    assert result.notices == ("3 jobs were still queued and cancelled at the gateway, not charged: t0, t1, t2",)
    assert at_the_gateway(world) == ["cancelled"] * 3
    assert {job.state for job in world.jobs} == {State.CANCELLED}
    assert result.committed.total == 0
    result = await world.run(SIX)
    assert (result.exit, result.counts["generated"], result.committed.billed) == (0, 6, 12_000)


async def test_a_job_that_has_begun_is_left_to_its_end(make_world: Callable[..., World]) -> None:
    """Its queue was a tenth of its time: the next run collects it."""
    world = make_world(latency_s=10.0, sigma=0.0)
    result = await interrupted(world, 6.0, cancel_queued=True)
    assert at_the_gateway(world) == [None] * 3
    assert "3 jobs were still generating" in result.notices[0]


async def test_what_an_earlier_process_left_running_is_not_cancelled_unheard(make_world: Callable[..., World]) -> None:
    """Until it has been asked about, nobody knows whether it still waits."""
    world = make_world(latency_s=100.0)
    await interrupted(world, 2.0, cancel_queued=False)
    world.network.delay_s = lambda _: 5.0
    await interrupted(world, 1.0, cancel_queued=True)
    assert at_the_gateway(world) == [None] * 3


async def test_a_gateway_that_cancels_slowly_is_waited_for_ten_seconds(make_world: Callable[..., World]) -> None:
    """The rest is named, and the next run finds out what became of it."""
    world = make_world(latency_s=100.0)
    world.network.delay_s = lambda request: 60.0 if is_cancel(request) else 0.0
    began = world.clock
    started: list[float] = []
    world.network.before.append(lambda request: started.append(began.now()) if is_cancel(request) else None)
    result = await interrupted(world, 2.0, cancel_queued=True)
    assert began.now() - world.jobs[0].accepted_at <= 2.0 + 10.0 + 0.5
    assert "3 jobs were still generating" in result.notices[0]
    assert {job.state for job in world.jobs} == {State.ACCEPTED}


async def test_a_cancel_whose_answer_was_lost_is_found_out_by_the_next_run(make_world: Callable[..., World]) -> None:
    """A job that the gateway cancelled is said to be, and costs nothing."""
    world = make_world(latency_s=100.0)
    world.network.after.append(First(is_cancel, lost))
    await interrupted(world, 2.0, cancel_queued=True, concurrency=1)
    assert (at_the_gateway(world), [job.state for job in world.jobs]) == (["cancelled"], [State.ACCEPTED])
    result = await world.run(SIX)
    assert (status(result, "t0"), result.committed.billed) == ("failed", 10_000)
    assert (await world.run(SIX)).exit == 0

"""Money 0 and 1: a run goes on after any end, and what left is never lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from worlds import HEAD, First, QuietFinisher, World, failure, is_poll, is_submit, status

from pipeline.files import sha256_of
from pipeline.jobs import State
from pipeline.runner.control import Control
from pipeline.runner.finisher import WorkerDied
from pipeline.runner.results import Stop

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.anyio

SIX = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(6))
ONE = "  menu: {prompt: calm menu}\n"


async def interrupted(world: World, tracks: str, after_s: float, **options: object) -> object:
    """A run that gets a first Ctrl-C after so many virtual seconds."""
    control = Control()
    results = []

    async def go() -> None:
        results.append(await world.run(tracks, control=control, **options))
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go)
        await anyio.sleep(after_s)
        control.interrupt(Stop(130, "interrupted"))
        began = anyio.current_time()
    assert anyio.current_time() - began <= 3.0
    return results[0]


async def test_an_interrupt_leaves_the_jobs_to_the_next_run(world: World) -> None:
    """It collects what was submitted, and submits only what was never sent."""
    result = await interrupted(world, SIX, 2.0, concurrency=3)
    assert (result.exit, len(world.network.submits)) == (130, 3)
    assert {job.state for job in world.jobs} == {State.ACCEPTED}
    result = await world.run(SIX)
    assert (result.exit, result.counts["generated"]) == (0, 6)
    assert len(world.app.state.gateway.books.jobs) == 6


async def test_posts_that_left_bring_their_ids_home(world: World) -> None:
    """An answer that comes within 1.5 s of the interrupt is recorded."""
    world.network.delay_s = lambda request: 1.0 if is_submit(request) else 0.0
    await interrupted(world, SIX, 0.5, concurrency=3)
    assert [job.state for job in world.jobs] == [State.ACCEPTED] * 3


async def test_a_post_that_stays_silent_is_asked_again_by_the_next_run(world: World) -> None:
    """Under its own key: one job, whoever was too slow."""
    world.network.delay_s = lambda request: 30.0 if is_submit(request) else 0.0
    await interrupted(world, ONE, 0.5)
    assert [job.state for job in world.jobs] == [State.INTENDED]
    world.network.delay_s = lambda _: 0.0
    result = await world.run(ONE)
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 1)


async def test_a_sibling_that_stops_the_run_cancels_no_post_that_left(world: World) -> None:
    """A 401 while others wait for their answers: they get them, and their ids are on the books."""
    world.network.delay_s = lambda request: 2.0 if is_submit(request) else 0.0
    seen = []

    def second_is_refused(request: httpx.Request) -> httpx.Response | None:
        if is_submit(request):
            seen.append(request)
            return failure(401, "authentication_error") if len(seen) == 2 else None
        return None

    world.network.before.append(second_is_refused)
    result = await world.run(SIX, concurrency=4)
    assert result.exit == 4
    assert sorted(job.state for job in world.jobs) == [State.ACCEPTED] * 3 + [State.REFUSED]
    assert len(world.app.state.gateway.books.jobs) == 3
    world.network.before.clear()
    assert (await world.run(SIX)).exit == 0
    assert len(world.app.state.gateway.books.jobs) == 6


async def test_a_run_that_was_killed_is_continued(world: World) -> None:
    """Its tasks end wherever they are, and nothing is tidied up."""
    with anyio.move_on_after(6.0):
        await world.run(SIX, concurrency=2)
    assert {job.state for job in world.jobs} <= {State.ACCEPTED, State.COMPLETED, State.COLLECTED, State.INTENDED}
    result = await world.run(SIX)
    assert result.exit == 0
    assert len(world.app.state.gateway.books.jobs) == 6
    assert result.committed.billed == 12_000  # over all the run's processes
    assert world.report["run"]["billed_usd"] == pytest.approx(0.012)


async def test_regenerate_is_granted_once_in_a_run_that_was_killed(world: World) -> None:
    """The same words again buy nothing twice."""
    await world.run(ONE)
    with anyio.move_on_after(2.0):
        await world.run(ONE, regenerate=["menu"])
    result = await world.run(ONE, regenerate=["menu"])
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 2)
    result = await world.run(ONE, regenerate=["menu"])
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 3)


async def test_a_new_run_starts_afresh_and_still_collects(world: World) -> None:
    """`--new-run` closes the open one; its jobs come home on its books."""
    with anyio.move_on_after(2.0):
        await world.run(ONE)
    result = await world.run(ONE, new_run=True)
    assert (result.exit, len(world.network.submits)) == (0, 1)
    assert result.committed.total == 0
    assert world.report["to_date"]["billed_usd"] == pytest.approx(0.002)


async def test_a_job_that_no_track_asks_for_any_more_is_brought_home(world: World) -> None:
    """The prompt was changed between two processes: both pieces are paid for, both are here."""
    with anyio.move_on_after(2.0):
        await world.run(ONE)
    result = await world.run("  menu: {prompt: another menu}\n")
    assert result.exit == 0
    assert [job.state for job in world.jobs] == [State.COLLECTED] * 2


async def test_the_local_gateway_may_forget_its_jobs(world: World) -> None:
    """Nothing was charged, so they are generated again at once."""
    with anyio.move_on_after(2.0):
        await world.run(ONE, kind="local")
    world.restart_gateway()
    await anyio.sleep(120)
    result = await world.run(ONE, kind="local")
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 1)


async def test_a_changed_address_of_the_gateway_buys_nothing_again(world: World) -> None:
    """Jobs are polled where they were submitted."""
    with anyio.move_on_after(2.0):
        await world.run(ONE)
    hosts = []
    world.network.before.append(lambda request: hosts.append(request.url.host) if is_poll(request) else None)
    assert (await world.run(ONE)).exit == 0
    assert set(hosts) == {"127.0.0.1"}


async def test_a_full_ledger_stops_the_run_before_anything_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 5: what could not be written down is not asked for."""
    from pipeline.ledger.ledger import Ledger
    from pipeline.ledger.store import LedgerError

    def full(*_: object) -> None:
        raise LedgerError("ledger: the disk is full")

    monkeypatch.setattr(Ledger, "intend", full)
    result = await world.run(SIX)
    assert (result.exit, world.network.submits) == (5, [])
    monkeypatch.undo()
    assert (await world.run(SIX)).exit == 0


async def test_what_is_held_back_keeps_its_run_open(world: World) -> None:
    """An empty wallet today, the rest tomorrow: one run, one budget."""
    head = HEAD.replace("name: game", "name: game\nbudget: 0.012")
    taken = First(is_submit, lambda _: failure(402, "insufficient_credits"), times=99)
    world.network.before.append(taken)
    assert (await world.run(SIX, head=head)).exit == 3
    world.network.before.clear()
    result = await world.run(SIX, head=head)
    assert (result.exit, status(result, "t0"), result.committed.billed) == (0, "generated", 12_000)


class SlowSecondFinisher(QuietFinisher):
    """Takes its time over whatever comes after the first piece."""

    async def finish(self, task: Any) -> Any:
        if self.finished:
            await anyio.sleep(60.0)
        return await super().finish(task)


async def test_an_asset_that_stands_is_named_wherever_its_track_was_stopped(world: World) -> None:
    """The pick was delivered, the take beside it was not: the next run knows its own file and goes on."""
    world.finisher = SlowSecondFinisher()
    tracks = "  menu: {prompt: calm menu, takes: 2}\n"
    await interrupted(world, tracks, 20.0)
    assert set(world.index) == {"menu.wav"}
    world.finisher = QuietFinisher()
    result = await world.run(tracks)
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 2)


async def test_an_asset_that_was_replaced_is_named_though_the_take_beside_it_failed(world: World) -> None:
    """The index says what stands: nothing is finished again for want of a row."""
    tracks = "  menu: {prompt: calm menu, takes: 2}\n"
    await world.run(tracks)

    class FailingSecond(QuietFinisher):
        async def finish(self, task: Any) -> Any:
            if self.finished:
                raise WorkerDied("not today")
            return await super().finish(task)

    world.finisher = FailingSecond()
    louder = tracks.replace("takes: 2", "takes: 2, loudness: mobile")
    assert (await world.run(louder)).exit == 1
    (row,) = world.index.values()
    assert row["sha256"] == sha256_of(world.output / "menu.wav")

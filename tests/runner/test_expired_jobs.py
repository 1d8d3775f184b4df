"""`on_expired`: a job that the gateway dropped before its audio was fetched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest
from worlds import HEAD, First, World, error, failure, is_poll, status

from pipeline.jobs import State
from pipeline.runner.events import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"
COST = 2_000  # micro-dollars: 2 s at $0.0010
REGENERATE = HEAD.replace("concurrency: 4", "concurrency: 4, on_expired: regenerate")


async def killed_and_forgotten(world: World, tracks: str = ONE, *, head: str = REGENERATE) -> None:
    """A process that ends once its job has an id, and a gateway that no longer knows the job when the next begins."""
    with anyio.move_on_after(2.0):
        await world.run(tracks, head=head)
    assert [job.state for job in world.jobs] == [State.ACCEPTED]
    world.restart_gateway()
    await anyio.sleep(120)


async def test_it_is_bought_again_in_the_run_that_finds_it_gone(world: World) -> None:
    """Under a new key and at its true estimate; what the old one may have cost stays on the books."""
    await killed_and_forgotten(world)
    result = await world.run(ONE, head=REGENERATE)
    assert (result.exit, status(result), len(world.network.submits)) == (0, "generated", 1)
    old, new = world.jobs
    assert (old.state, new.state, new.intent.estimate_microusd) == (State.EXPIRED, State.COLLECTED, COST)
    assert old.intent.idempotency_key != new.intent.idempotency_key
    assert (result.committed.unknown, result.committed.billed) == (COST, COST)
    (notice,) = [event.text for event in world.events if isinstance(event, Notice)]
    assert "bought again for $0.0020" in notice


async def test_it_waits_for_a_word_where_the_manifest_does_not_say_so(world: World) -> None:
    """`hold` is what a manifest means that says nothing; once it says `regenerate`, the next run buys it."""
    await killed_and_forgotten(world, head=HEAD)
    for _ in range(2):
        result = await world.run(ONE)
        assert (result.exit, status(result), world.network.submits) == (1, "failed", [])
        assert "--regenerate" in error(result)
    result = await world.run(ONE, head=REGENERATE)
    assert (result.exit, len(world.network.submits), result.committed.billed) == (0, 1, COST)


async def test_one_run_buys_it_again_once(world: World) -> None:
    """A gateway that forgets the new job too is not paid a third time before somebody has seen it."""
    await killed_and_forgotten(world)
    world.network.before.append(First(is_poll, lambda _: failure(404, "not_found"), times=9_999))
    result = await world.run(ONE, head=REGENERATE)
    assert (result.exit, status(result), len(world.network.submits)) == (1, "failed", 1)
    assert [job.state for job in world.jobs] == [State.EXPIRED] * 2


@pytest.mark.parametrize(("budget", "exit_status", "submits"), [("0.0039", 3, 0), ("0.004", 0, 1)])
async def test_it_is_bought_again_within_the_budget(world: World, budget: str, exit_status: int, submits: int) -> None:
    """The expired one may have been charged: it counts."""
    head = REGENERATE.replace("name: game", f"name: game\nbudget: {budget}")
    await killed_and_forgotten(world, head=head)
    result = await world.run(ONE, head=head)
    assert (result.exit, len(world.network.submits)) == (exit_status, submits)
    assert status(result) == ("generated" if submits else "planned")


async def test_a_run_without_a_budget_may_buy_again_what_an_earlier_run_asked_for(
    make_world: Callable[..., World],
) -> None:
    """It asks for nothing new, and yet for what may turn out to be gone."""
    world = make_world(latency_s=4_000.0)
    assert status(await world.run(ONE, head=REGENERATE)) == "failed"  # past its timeout, so that its run is closed
    world.options = replace(world.options, latency_s=5.0)
    world.restart_gateway()
    result = await world.run(ONE, head=REGENERATE)
    assert (result.exit, status(result), result.committed.billed) == (0, "generated", COST)
    assert result.committed.unknown == 0  # that is on the closed run's books


async def test_a_source_that_was_here_is_not_bought_again(world: World) -> None:
    """Somebody may still have it: it waits for `--regenerate`, whatever `on_expired` says."""
    assert (await world.run(ONE, head=REGENERATE)).exit == 0
    for path in (world.state / "sources").rglob("*.wav"):
        path.unlink()
    (world.output / "menu.wav").unlink()
    world.restart_gateway()
    await anyio.sleep(120)
    for _ in range(2):
        result = await world.run(ONE, head=REGENERATE)
        assert (result.exit, status(result), world.network.submits) == (1, "failed", [])
    assert "source missing" in error(result)


async def test_nothing_is_bought_again_for_a_track_that_is_held_back(world: World) -> None:
    """Its place in the output folder was taken meanwhile."""
    await killed_and_forgotten(world)
    world.output.mkdir(exist_ok=True)
    (world.output / "menu.wav").write_text("my own")
    result = await world.run(ONE, head=REGENERATE)
    assert (result.exit, world.network.submits) == (1, [])
    assert [job.state for job in world.jobs] == [State.EXPIRED]


async def test_what_no_track_asks_for_any_more_is_not_bought_again(world: World) -> None:
    """The prompt changed: only the new piece is bought."""
    await killed_and_forgotten(world)
    result = await world.run("  menu: {prompt: another menu}\n", head=REGENERATE)
    assert (result.exit, status(result), len(world.network.submits)) == (1, "generated", 1)
    assert [job.state for job in world.jobs] == [State.EXPIRED, State.COLLECTED]

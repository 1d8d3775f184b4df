"""Money 3: reserve, then settle."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import anyio
import pytest
from worlds import HEAD, First, World, failure, is_submit, lost, status

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

pytestmark = pytest.mark.anyio

FOUR = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(4))  # $0.0080


def with_budget(usd: str, name: str = "game") -> str:
    return HEAD.replace("name: game", f"name: {name}\nbudget: {usd}")


async def test_a_plan_over_its_budget_sends_nothing(world: World) -> None:
    """Exit 3, with both figures."""
    result = await world.run(FOUR, head=with_budget("0.0079"))
    assert (result.exit, world.network.requests) == (3, [])
    assert "$0.0080" in result.stop.message
    assert "$0.0079" in result.stop.message


async def test_what_is_paid_for_comes_home_though_the_plan_is_over_its_budget(world: World) -> None:
    """Somebody asked for more meanwhile: nothing is bought, and what the gateway works on is fetched before it goes."""
    with anyio.move_on_after(2.0):
        await world.run("  a: {prompt: a}\n", head=with_budget("0.002"))
    result = await world.run("  a: {prompt: a}\n  b: {prompt: b}\n", head=with_budget("0.003"))
    assert (result.exit, status(result, "a"), status(result, "b")) == (3, "generated", "planned")
    assert (len(world.network.submits), "nothing is bought" in result.stop.message) == (1, True)
    result = await world.run("  a: {prompt: a}\n  b: {prompt: b}\n", head=with_budget("0.004"))
    assert (result.exit, result.committed.billed) == (0, 4_000)


async def test_without_a_budget_the_limit_is_said_for_what_it_is(world: World) -> None:
    """Nobody set $0.0040: it is twice what was asked for."""
    world.network.after.append(First(is_submit, lost, times=99))
    result = await world.run("  menu: {prompt: calm}\n")
    assert result.exit == 3
    assert "over twice what its plans asked for, where there is no budget: $0.0040" in result.stop.message


async def test_a_budget_that_just_holds_is_enough(world: World) -> None:
    """To the micro-dollar."""
    assert (await world.run(FOUR, head=with_budget("0.008"))).exit == 0


async def test_the_command_lines_budget_replaces_the_manifests(world: World) -> None:
    """In both directions."""
    assert (await world.run(FOUR, head=with_budget("1"), budget_usd=Decimal("0.001"))).exit == 3
    assert (await world.run(FOUR, head=with_budget("0.001"), budget_usd=Decimal(1))).exit == 0


async def test_over_several_manifests_it_caps_the_sum(world: World) -> None:
    """Each has its own as well."""
    other = world.manifest(with_budget("0.004", "adverts") + "  spot: {prompt: a jingle}\n")
    assert (await world.run(FOUR, head=with_budget("0.008"), beside=[other], budget_usd=Decimal("0.009"))).exit == 3
    assert world.network.requests == []
    assert (await world.run(FOUR, head=with_budget("0.008"), beside=[other], budget_usd=Decimal("0.01"))).exit == 0


async def test_a_resend_that_would_pass_the_budget_is_not_sent(world: World) -> None:
    """The lost one may have been charged: it counts."""
    world.network.after.append(First(is_submit, lost))
    result = await world.run("  menu: {prompt: calm}\n", head=with_budget("0.003"))
    assert (result.exit, len(world.network.submits), status(result)) == (3, 1, "planned")
    result = await world.run("  menu: {prompt: calm}\n", head=with_budget("0.004"))
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 1)


async def test_what_an_open_run_committed_counts_when_it_goes_on(world: World) -> None:
    """A run is a plan carried to its end, not a process."""
    world.network.after.append(First(is_submit, lost, times=99))
    await world.run("  menu: {prompt: calm}\n", head=with_budget("0.003"))
    world.network.after.clear()
    result = await world.run("  menu: {prompt: calm}\n  more: {prompt: more}\n", head=with_budget("0.0035"))
    assert (result.exit, len(world.network.submits)) == (3, 1)


async def test_a_closed_runs_spending_does_not_count_against_the_next(world: World) -> None:
    """Every night has its own budget."""
    assert (await world.run("  a: {prompt: a}\n", head=with_budget("0.002"))).exit == 0
    assert (await world.run("  a: {prompt: a}\n  b: {prompt: b}\n", head=with_budget("0.002"))).exit == 0


async def test_a_bill_above_its_estimate_is_said_and_stops_what_would_follow(make_world: Callable[..., World]) -> None:
    """The model chose longer pieces: the only way past the budget, and nothing more is sent after it."""
    world = make_world()
    world.network.after.append(longer)
    result = await world.run(FOUR, head=with_budget("0.0085"), concurrency=1)
    assert result.exit == 3
    assert len(world.network.submits) < 4
    assert any("more than its estimate" in str(event) for event in world.events)


def longer(request, response):
    """Every completed job is billed at ten times its estimate."""
    import json

    import httpx
    from worlds import is_poll

    if not is_poll(request) or response.status_code != 200:
        return None
    body = json.loads(b"".join(response.stream._body if hasattr(response.stream, "_body") else []))
    if body.get("status") == "completed":
        body["usage"] = {"cost_cents": 2.0}
    return httpx.Response(200, json=body)


async def test_with_no_budget_a_run_commits_twice_its_plan_at_most(make_world: Callable[..., World]) -> None:
    """Lost answers can't run away with the wallet."""
    world = make_world(idempotency=False)
    world.network.after.append(First(is_submit, lost, times=99))
    result = await world.run(FOUR)
    assert result.exit == 3
    assert result.committed.total <= 2 * 8_000
    assert len(world.app.state.gateway.books.jobs) <= 8


async def test_however_often_it_is_started_a_run_without_a_budget_keeps_its_limit(
    make_world: Callable[..., World],
) -> None:
    """Asking again for its own lost answers is no new wish: every start goes on under the same limit."""
    world = make_world(idempotency=False)
    world.network.after.append(First(is_submit, lost, times=99))
    for _ in range(4):
        result = await world.run("  menu: {prompt: calm}\n")
        assert (result.exit, result.committed.total <= 2 * 2_000) == (3, True)
    assert len(world.app.state.gateway.books.jobs) == 2


async def test_a_corrected_price_raises_the_limit_of_an_open_run_without_a_budget(world: World) -> None:
    """Held back by an empty wallet, and dearer since: the next start buys at the price that the manifest has now."""
    world.network.before.append(First(is_submit, lambda _: failure(402, "insufficient_credits"), times=99))
    assert (await world.run(FOUR)).exit == 3
    world.options = replace(world.options, price_per_second_usd=Decimal("0.0100"))
    world.restart_gateway()
    result = await world.run(FOUR, head=HEAD.replace("0.0010", "0.0100"))
    assert (result.exit, result.committed.billed) == (0, 80_000)


async def test_a_submit_that_waited_for_its_turn_while_the_budget_went_is_not_sent(world: World) -> None:
    """It had its reservation; then a bill came in above its estimate."""
    head = with_budget("0.008").replace("concurrency: 4", "concurrency: 4, requests_per_minute: 3")
    world.network.after.append(longer)

    def is_last(request: httpx.Request) -> bool:
        return is_submit(request) and b"piece 3" in request.content

    # Refused once, it queues again behind the polls that bring the bills: they have waited longer.
    world.network.before.append(First(is_last, lambda _: failure(503, "service_unavailable", retry_after="4")))
    result = await world.run(FOUR, head=head)
    assert (result.exit, sum(map(is_last, world.network.submits))) == (3, 1)

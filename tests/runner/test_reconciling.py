"""After a run: the ledger beside the gateway's own count of it, on virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from worlds import BASE_URL, KEY, First, World, failure, is_submit, lost

from pipeline.bookkeeping import read_books
from pipeline.gateway.errors import GatewayError, KeyRefused
from pipeline.gateway_choice import GatewayChoice, NoGateway
from pipeline.reconciling import reconcile
from pipeline.report.books_csv import books_csv
from pipeline.report.books_text import books_lines
from pipeline.report.text import month_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.report.reconciliation import Reconciliation

pytestmark = pytest.mark.anyio

TWO = "  menu: {prompt: calm menu}\n  day: {prompt: calm day, takes: 2}\n"
ONE = "  menu: {prompt: calm menu}\n"
COST = 2_000  # micro-dollars: 2 s at $0.0010


async def compared(world: World, *, base_url: str = BASE_URL, kind: str = "real", key: str = KEY) -> Reconciliation:
    books = read_books(world.state / "ledger.sqlite3")
    choice = GatewayChoice(kind, base_url, key)
    return await reconcile(books, choice, month_of(world.clock.now()), world.clock, world.network)


async def test_a_run_that_went_well_agrees_by_tag(world: World) -> None:
    """To the micro-dollar."""
    await world.run(TWO)
    found = await compared(world)
    assert [(line.tag, line.ledger.billed, line.gateway) for line in found.lines] == [
        ("game/day", 2 * COST, 2 * COST),
        ("game/menu", COST, COST),
    ]
    assert found.agrees


async def test_a_lost_answer_that_was_charged_twice_is_explained(make_world: Callable[..., World]) -> None:
    """The key is not honoured: the gateway counts two jobs, the ledger one bill and a possible duplicate."""
    world = make_world(idempotency=False)
    world.network.after.append(First(is_submit, lost))
    await world.run(ONE)
    found = await compared(world)
    (line,) = found.lines
    assert (line.ledger.billed, line.gateway, line.ledger.possible_duplicate) == (COST, 2 * COST, COST)
    assert not found.agrees
    books = read_books(world.state / "ledger.sqlite3")
    assert "possible duplicates up to $0.0020." in " ".join(" ".join(books_lines(books)).split())
    assert "possible_duplicate,,0.002000,estimated" in books_csv(books, unbilled=True).decode()
    assert "possible_duplicate" not in books_csv(books).decode()


async def test_a_lost_answer_whose_replay_is_proven_leaves_no_difference(world: World) -> None:
    """The key is honoured: one job, one charge."""
    world.network.after.append(First(is_submit, lost))
    await world.run(ONE)
    found = await compared(world)
    assert found.agrees
    assert found.lines[0].ledger.possible_duplicate == 0


async def test_only_what_was_asked_of_this_gateway_is_compared(world: World) -> None:
    """Real with real; `/v1` at the end of an address makes no other gateway."""
    await world.run(ONE)
    assert (await compared(world, base_url=f"{BASE_URL}/v1")).agrees
    local = await compared(world, kind="local")
    assert [line.ledger.charges for line in local.lines] == [0]
    assert local.elsewhere == (BASE_URL,)


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        (lambda _: httpx.Response(200, html="<h1>welcome</h1>"), GatewayError, "form that is not known; nothing was"),
        (lambda _: failure(404, "not_found"), GatewayError, "did not say what was spent; nothing was compared"),
        (lost, GatewayError, "the answer was lost"),
        (lambda _: failure(401, "authentication_error"), KeyRefused, "AIGATEWAY_API_KEY"),
    ],
    ids=["web page", "404", "lost", "401"],
)
async def test_a_gateway_that_does_not_say_is_no_gateway_that_differs(
    world: World, answer: Callable, error: type[Exception], sentence: str
) -> None:
    """One sentence, instead of a table against nothing."""
    await world.run(ONE)
    world.network.before.append(First(lambda _: True, answer))
    with pytest.raises(error, match=sentence):
        await compared(world)


async def test_a_local_gateway_of_the_runs_own_has_nothing_to_compare(world: World) -> None:
    """It has ended with its run, and charged nothing."""
    await world.run(ONE, kind="local")
    with pytest.raises(NoGateway, match="local=URL"):
        await compared(world, base_url=None, kind="local")

"""What is asked before anything is bought: credit and prices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from worlds import HEAD, First, World, error, failure, is_submit, lost, refused, status

from pipeline.jobs import State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect
from pipeline.runner.control import Control
from pipeline.runner.events import Notice
from pipeline.runner.results import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from worlds import Rule


pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"  # $0.0020
TEN_SECONDS = "  menu: {prompt: calm menu, duration: 10}\n"  # $0.0100, which a wallet of one cent just holds


def is_question(request: httpx.Request) -> bool:
    return request.method == "GET" and request.url.path.startswith(("/v1/balance", "/v1/models"))


def questions(world: World) -> list[str]:
    return [request.url.path for request in world.network.requests if is_question(request)]


def balance_of(cents: float, currency: str = "usd") -> Rule:
    """The wallet holds so much, whatever was spent."""
    answer = httpx.Response(200, json={"balance_cents": cents, "currency": currency})
    return lambda request: answer if request.url.path == "/v1/balance" else None


def ever_opened_a_run(world: World) -> bool:
    ledger = Ledger(connect(world.state / "ledger.sqlite3", durable=False))
    try:
        return ledger.since() is not None
    finally:
        ledger.close()


async def test_a_plan_that_the_wallet_does_not_cover_buys_nothing(make_world: Callable[..., World]) -> None:
    """Exit 3, with both figures and what to do; no run is opened, and nothing is written to the output folder."""
    world = make_world(wallet_cents=1)
    result = await world.run(TEN_SECONDS + "  more: {prompt: more}\n")
    assert (result.exit, world.network.submits, status(result)) == (3, [], "planned")
    for said in ("$0.0100", "$0.0120", "top up", "--only"):
        assert said in result.stop.message
    assert (ever_opened_a_run(world), world.files) == (False, {".pipeline.lock"})


async def test_a_wallet_that_just_covers_the_plan_is_enough(make_world: Callable[..., World]) -> None:
    """To the micro-dollar, and a purchase that two tracks share is paid once."""
    world = make_world(wallet_cents=1)
    result = await world.run(TEN_SECONDS + "  credits: {prompt: calm menu, duration: 10}\n")
    assert (result.exit, len(world.network.submits)) == (0, 1)


async def test_the_wallet_has_to_cover_all_manifests_together(make_world: Callable[..., World]) -> None:
    """They are paid from one purse."""
    world = make_world(wallet_cents=1)
    other = world.manifest(HEAD.replace("name: game", "name: adverts") + "  spot: {prompt: a jingle}\n")
    result = await world.run(TEN_SECONDS, beside=[other])
    assert (result.exit, world.network.submits) == (3, [])


async def test_a_price_above_the_manifests_stops_before_anything_is_bought(make_world: Callable[..., World]) -> None:
    """Every estimate would be too low: exit 3, with both prices and what to correct."""
    world = make_world(price_per_second_usd=Decimal("0.0025"))
    result = await world.run(ONE)
    assert (result.exit, world.network.submits, ever_opened_a_run(world)) == (3, [], False)
    for said in ("game:", "sony-ai/mmaudio-v2-text-to-audio", "$0.0025", "$0.0010", "price_per_second"):
        assert said in result.stop.message
    assert (await world.run(ONE, head=HEAD.replace("0.0010", "0.0025"))).exit == 0


async def test_everything_that_speaks_against_a_plan_is_said_at_once(make_world: Callable[..., World]) -> None:
    """The empty wallet, and each model that is dearer; one whose price is right is not named."""
    world = make_world(wallet_cents=0)
    prices = "prices: {local/short-pieces: 0.001, local/long-pieces: 0.001}"
    head = HEAD.replace("concurrency: 4", f"concurrency: 4, {prices}")
    tracks = "  a: {prompt: a, model: local/short-pieces}\n  b: {prompt: b, model: local/long-pieces}\n"
    result = await world.run(ONE + tracks, head=head)
    assert result.exit == 3
    for said in ("$0.0000", "short-pieces costs $0.002 ", "long-pieces costs $0.0015 "):
        assert said in result.stop.message
    assert "mmaudio" not in result.stop.message


async def test_a_price_below_the_manifests_is_said_and_stops_nothing(make_world: Callable[..., World]) -> None:
    """A notice: the estimates are higher than they need be."""
    world = make_world(price_per_second_usd=Decimal("0.0005"))
    assert (await world.run(ONE)).exit == 0
    (notice,) = [event.text for event in world.events if isinstance(event, Notice)]
    assert "$0.0005" in notice
    assert "$0.0010" in notice


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: failure(404, "not_found"),
        lambda _: failure(403, "scope_exceeded"),
        lambda _: failure(429, "rate_limit_error", retry_after="7"),
        lambda _: failure(503, "service_unavailable"),
        lambda _: httpx.Response(200, html="<h1>welcome</h1>"),
        lambda _: httpx.Response(200, json=[]),
        lambda _: httpx.Response(200, json={"balance_cents": "0", "pricing": {"per_second_usd": "1"}}),
        lambda _: httpx.Response(200, json={"balance_cents": 0, "currency": "eur", "pricing": 1}),
        lambda _: httpx.Response(200, json={"balance_cents": None, "pricing": {"per_second_usd": -1}}),
        lost,
        refused,
        lambda request: httpx.ReadTimeout("slow", request=request),
    ],
    ids=["404", "403", "429", "503", "html", "list", "text", "euros", "absurd", "lost", "no connection", "timeout"],
)
async def test_what_the_gateway_does_not_say_holds_nothing_up(
    world: World, answer: Callable[[httpx.Request], httpx.Response | Exception]
) -> None:
    """No answer, an error, or a form that nobody knows: the run goes on."""
    world.network.before.append(First(is_question, answer, times=99))
    assert (await world.run(ONE)).exit == 0
    assert len(questions(world)) == 2


async def test_a_pause_that_nobody_waits_for_is_met_by_the_submits(world: World) -> None:
    """The questions end in no answer, and the take fails with the sentence that it always had."""
    world.network.before.append(First(is_question, lambda _: failure(429, "rate_limit_error", retry_after="3600"), 99))
    result = await world.run(ONE)
    assert (result.exit, status(result), world.network.submits) == (1, "failed", [])
    assert "longer than the 120 s" in error(result)


async def test_a_key_that_is_refused_stops_before_anything_is_sent(world: World) -> None:
    """Exit 4, whichever of the questions it was refused for; the next start goes on as if nothing had been."""
    world.network.before.append(First(is_question, lambda _: failure(401, "authentication_error"), times=99))
    result = await world.run(ONE)
    assert (result.exit, world.network.submits, ever_opened_a_run(world)) == (4, [], False)
    assert "AIGATEWAY_API_KEY" in result.stop.message
    world.network.before.clear()
    assert (await world.run(ONE)).exit == 0


async def test_credit_and_prices_are_asked_at_the_same_time(world: World) -> None:
    """Two models and a wallet take no longer than one question."""
    times: list[tuple[str, float]] = []
    world.network.before.append(lambda request: times.append((request.url.path, anyio.current_time())))
    world.network.delay_s = lambda request: 3.0 if is_question(request) else 0.0
    head = HEAD.replace("concurrency: 4", "concurrency: 4, prices: {local/short-pieces: 0.0020}")
    assert (await world.run(ONE + "  a: {prompt: a, model: local/short-pieces}\n", head=head)).exit == 0
    asked = [at for path, at in times if path.startswith(("/v1/balance", "/v1/models"))]
    first_submit = next(at for path, at in times if path == "/v1/audio/music")
    assert (len(asked), max(asked)) == (3, min(asked))
    assert first_submit - min(asked) < 1.0  # each time is taken once its delay is over


async def test_nothing_is_asked_where_nothing_is_bought(world: World) -> None:
    """Not at the local gateway, not for finishing again, not for what is only collected."""
    assert (await world.run(ONE, kind="local")).exit == 0
    assert questions(world) == []
    with anyio.move_on_after(2.0):
        await world.run(ONE)
    world.network.requests.clear()
    assert (await world.run(ONE)).exit == 0
    assert (await world.run("  menu: {prompt: calm menu, loudness: mobile}\n")).exit == 0
    assert questions(world) == []


@pytest.mark.parametrize("prompt", ["calm menu", "another menu"], ids=["asked for", "no longer asked for"])
async def test_what_is_paid_for_comes_home_from_a_run_that_can_buy_nothing_more(world: World, prompt: str) -> None:
    """Exit 3, and the run stays open: with credit the next start buys the rest."""
    with anyio.move_on_after(2.0):
        await world.run(ONE)
    tracks = f"  menu: {{prompt: {prompt}}}\n  more: {{prompt: more}}\n"
    world.network.before.append(balance_of(0.1))
    result = await world.run(tracks)
    assert (result.exit, len(world.network.submits), status(result, "more")) == (3, 1, "planned")
    assert [job.state for job in world.jobs] == [State.COLLECTED]
    assert "top up" in error(result, "more")
    world.network.before.clear()
    assert (await world.run(tracks)).exit == 0
    assert len(world.network.submits) == len({"calm menu", prompt, "more"})


@pytest.mark.parametrize("exit_status", [130, 143], ids=["interrupted", "terminated"])
@pytest.mark.parametrize("collects", [False, True], ids=["nothing to collect", "a job to collect"])
async def test_a_signal_ends_the_questions(world: World, exit_status: int, *, collects: bool) -> None:
    """At once, with nothing submitted; the next start does all of it."""
    if collects:
        with anyio.move_on_after(2.0):
            await world.run("  first: {prompt: first}\n")
    before = len(world.network.submits)
    world.network.delay_s = lambda request: 25.0 if is_question(request) else 0.0
    control, results = Control(), []
    tracks = "  first: {prompt: first}\n" + ONE

    async def go() -> None:
        results.append(await world.run(tracks, control=control))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go)
        await anyio.sleep(0.5)
        control.interrupt(Stop(exit_status, "stopped"))
        told = anyio.current_time()
    assert anyio.current_time() - told <= 3.0
    assert (results[0].exit, len(world.network.submits)) == (exit_status, before)
    world.network.delay_s = lambda _: 0.0
    assert (await world.run(tracks)).exit == 0
    assert len(world.network.submits) == 2


async def test_a_balance_below_zero_is_too_little(world: World) -> None:
    """An overdrawn wallet is said as it stands."""
    world.network.before.append(balance_of(-250))
    result = await world.run(ONE)
    assert result.exit == 3
    assert "-$2.5000" in result.stop.message


async def test_the_questions_come_before_the_first_submit_and_once(world: World) -> None:
    """However many takes are bought from one model."""
    await world.run(ONE + "  more: {prompt: more}\n")
    kinds = ["question" if is_question(request) else "submit" for request in world.network.requests[:4]]
    assert kinds == ["question", "question", "submit", "submit"]
    assert len(questions(world)) == 2
    assert all(is_submit(request) for request in world.network.requests[2:4])

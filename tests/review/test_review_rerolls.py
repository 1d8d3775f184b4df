"""A re-roll from the page: the price first, one take for it, and never two for two clicks."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from reviews import MENU, Bench

from pipeline.gateway_choice import NoGateway, choose_gateway
from pipeline.money import budget_from_usd
from pipeline.review.events import line_of
from pipeline.runner.events import Notice, Waiting
from pipeline.runner.results import Stop

if TYPE_CHECKING:
    from reviews import Review

    from pipeline.runner.events import Event

pytestmark = pytest.mark.anyio


async def price(review: Review, **at: str) -> dict[str, Any]:
    answer = await review.post("api/reroll/price", **(at or MENU))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def begun(review: Review, estimate: int, **at: str) -> str:
    """The work that a click begins, or is told of."""
    answer = await review.post("api/reroll", **(at or MENU), estimate_microusd=estimate)
    assert answer.status_code == 200, answer.text
    return answer.json()["work"]


async def test_it_says_its_price_and_buys_one_take(bench: Bench) -> None:
    """Told while it goes on; the pick stays, and the new take can be heard and picked."""
    async with bench.review(budget_microusd=budget_from_usd(Decimal("0.5"))) as review:
        told = await price(review)
        assert told == {
            "ok": True, "take": 3, "price_usd": 0.002, "estimate_microusd": 2000, "cash_usd": 0.0021,
            "budget_left_usd": 0.5, "sentence":
            "menu/title: take 3 costs $0.0020 ($0.0021 in cash, with the top-up fee); $0.5000 of the budget is left",
        }  # fmt: skip
        assert bench.jobs == 0
        work = await begun(review, 2000)
        running = (await review.get(f"api/work/{work}")).json()
        assert (running["state"], running["sentence"]) == ("running", "take 3 of menu/title is on its way")
        ended = await review.ended(work)
        assert (ended["state"], ended["take"]) == ("done", 3)
        assert ended["sentence"].startswith("menu/title: take 3 is here, ")
        assert [line.split(",")[0] for line in (*ended["events"][:3], ended["events"][-1])] == [
            "take 3: asked for", "take 3: generated", "take 3: here", "finished",
        ]  # fmt: skip
        assert [(one["take"], one["is_pick"], one["finished"]) for one in await review.takes()] == [
            ("1", True, True), ("2", False, True), ("3", False, True),
        ]  # fmt: skip
        assert (await review.post("api/pick", **MENU, take="3.0")).status_code == 200
    assert bench.jobs == 1
    assert [take["take"] for take in bench.lock["menu/title"]["purchases"].popitem()[1]["takes"]] == [1, 2, 3]
    assert (await bench.run()).counts["kept"] == 3


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Waiting("menu (take 3)", 3.0, "it is not ready", "poll"), None),
        (Waiting("menu (take 3)", 12.4, "not reached"), "menu (take 3) in 12 s: not reached"),
        (Waiting("menu (take 3)", None, "all slots are taken", "slot"), "menu (take 3): all slots are taken"),
        (Notice("two\n\x1b[2Jlines"), "two \N{REPLACEMENT CHARACTER}[2Jlines"),
    ],
    ids=["a poll", "a wait", "a wait without an end", "a notice"],
)  # fmt: skip
async def test_each_thing_that_happens_is_a_line_or_none(event: Event, line: str | None) -> None:
    """A wait of which nobody knows how long it takes, too; what comes from outside stays on one line."""
    assert line_of(event) == line


async def test_two_clicks_buy_once(bench: Bench) -> None:
    """At once, while it goes on, and after it has ended: until somebody looks at the price again it is one wish."""
    async with bench.review() as review:
        await price(review)
        works: list[str] = []

        async def click() -> None:
            works.append(await begun(review, 2000))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(click)
            tasks.start_soon(click)
        await click()
        await review.ended(works[0])
        await click()
        assert (len(set(works)), len(works), bench.jobs) == (1, 4, 1)
        await price(review)
        await review.ended(await begun(review, 2000))
        assert bench.jobs == 2


async def test_it_is_bought_for_the_price_that_was_shown_or_not_at_all(bench: Bench) -> None:
    """Another price, another take, or none that was looked at: the new one is told instead."""
    async with bench.review() as review:
        unseen = await review.post("api/reroll", **MENU, estimate_microusd=2000)
        assert (unseen.status_code, unseen.json()["estimate_microusd"]) == (409, 2000)
        assert unseen.json()["error"].startswith(
            "look at its price again, nothing was bought: menu/title: take 3 costs"
        )
        path = bench.path("game.yaml")
        path.write_text(path.read_text().replace("0.0010", "0.0015"))
        dearer = await review.post("api/reroll", **MENU, estimate_microusd=2000)
        assert (dearer.status_code, dearer.json()["estimate_microusd"]) == (409, 3000)
        path.write_text(path.read_text().replace("0.0015", "0.0010"))
        await price(review)
        await bench.run(reroll=["menu/title"])
        another = await review.post("api/reroll", **MENU, estimate_microusd=2000)
        assert (another.status_code, another.json()["take"]) == (409, 4)
        assert bench.jobs == 1
        await review.ended(await begun(review, 2000))
        assert bench.jobs == 2


@pytest.mark.parametrize("address", ["api/reroll/price", "api/reroll"])
async def test_without_a_key_it_says_what_the_command_says(bench: Bench, address: str) -> None:
    """Everything that is free goes on."""
    with pytest.raises(NoGateway) as nobody:
        choose_gateway(None, {})
    async with bench.review(gateway=nobody.value) as review:
        answer = await review.post(address, **MENU, estimate_microusd=2000)
        assert (answer.status_code, answer.json()["error"]) == (409, str(nobody.value))
        assert (await review.post("api/pick", **MENU, take="2")).status_code == 200


async def test_what_cant_be_bought_has_no_price(bench: Bench) -> None:
    """Over the budget, both figures; a recording; a track that there is not."""
    async with bench.review(budget_microusd=1000) as review:
        answer = await review.post("api/reroll/price", **MENU)
        assert answer.status_code == 409
        assert "the plan costs $0.0020, over the budget of $0.0010" in answer.json()["error"]
        assert (await review.post("api/reroll/price", manifest="game", track="theme")).status_code == 409
        assert (await review.post("api/reroll/price", manifest="game", track="nobody")).status_code == 404
        assert (await review.get("api/work/nobody")).status_code == 404


async def test_while_one_goes_on_no_other_begins(bench: Bench) -> None:
    """Nor is anything picked meanwhile; a star and a note are written beside it, and are still there at its end."""
    async with bench.review() as review:
        for at in (MENU, {"manifest": "game", "track": "battle"}):
            await price(review, **at)
        work = await begun(review, 2000)
        other = await review.post("api/reroll", manifest="game", track="battle", estimate_microusd=2000)
        picked = await review.post("api/pick", **MENU, take="2")
        for answer in (other, picked):
            assert answer.status_code == 409
            assert answer.json()["error"] == "a re-roll of menu/title is on its way: wait for it to end"
        assert (await review.post("api/star", **MENU, take="2", starred=True)).status_code == 200
        assert (
            await review.post("api/note", manifest="game", track="battle", take="1", note="loud")
        ).status_code == 200
        await review.ended(work)
        assert [one["starred"] for one in await review.takes()] == [False, True, False]
        assert [one["note"] for one in await review.takes("battle")] == ["loud"]
        await review.ended(await begun(review, 2000, manifest="game", track="battle"))
    assert bench.jobs == 2


async def test_a_review_that_is_closed_leaves_it_to_the_next_run(bench: Bench) -> None:
    """In order, as an interrupted run does; nothing new begins; what was asked for comes home, and is paid for once."""
    async with bench.review() as review:
        await price(review)
        work = await begun(review, 2000)
        with anyio.fail_after(60):
            while bench.jobs == 0:  # noqa: ASYNC110 - it has been sent, and nothing else says so
                await anyio.sleep(0.1)
        assert review.app.interrupt(Stop(130, "interrupted"))
        ended = await review.ended(work)
        assert (ended["state"], ended["sentence"]) == ("failed", "interrupted")
        answer = await review.post("api/pick", **MENU, take="2")
        assert (answer.status_code, answer.json()["error"]) == (409, "the review is being closed")
        assert not review.app.interrupt(Stop(130, "interrupted"))
    assert (await bench.run()).exit == 0
    assert bench.jobs == 1
    assert [take["take"] for take in bench.lock["menu/title"]["purchases"].popitem()[1]["takes"]] == [1, 2, 3]


async def test_what_fails_is_told(bench: Bench) -> None:
    """An empty wallet, in the words of the run; and nothing was bought."""
    poor = Bench(bench.folder, wallet_cents=0)
    async with poor.review() as review:
        await price(review)
        ended = await review.ended(await begun(review, 2000))
    assert (ended["state"], poor.jobs) == ("failed", 0)
    assert "$0.0000" in ended["sentence"]


async def test_a_defect_ends_the_re_roll_and_not_the_review(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, and written to the log whole; the folders are free again."""

    def broken(_: object) -> Any:
        raise RuntimeError("a slip")

    async with bench.review() as review:
        await price(review)
        bench.ledger, writer = broken, bench.ledger
        ended = await review.ended(await begun(review, 2000))
        assert (ended["state"], ended["sentence"]) == (
            "failed", "a defect of this program ended it: RuntimeError: a slip",
        )  # fmt: skip
        assert "Traceback" in caplog.text
        bench.ledger = writer
        await price(review)
        assert (await review.ended(await begun(review, 2000)))["state"] == "done"
    assert bench.jobs == 1

"""The wallet: what is charged, when, and to which tag."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


async def balance(bench: Any) -> float:
    return (await bench.http.get("/v1/balance")).json()["balance_cents"]


async def test_a_wallet_begins_full(bench: Any) -> None:
    """A thousand dollars, in the documented form."""
    assert (await bench.http.get("/v1/balance")).json() == {"balance_cents": 100_000, "currency": "usd"}


async def test_only_a_completed_job_is_charged(bench: Any) -> None:
    """Nothing while it runs; its price when it is done; nothing for a cancelled one."""
    cancelled = await bench.job("never mind", duration=30)
    await bench.job(duration=30)
    await bench.http.delete(f"/v1/jobs/{cancelled}")
    before = await balance(bench)
    await anyio.sleep(10)
    assert (before, await balance(bench)) == (100_000, 99_997)


async def test_an_empty_wallet_takes_no_more_jobs(make_bench: Callable[..., Any]) -> None:
    """402 insufficient_credits, counting what is in flight; what was taken is still delivered."""
    bench = make_bench(wallet_cents=6)
    answers = [await bench.submit(f"tune {number}", duration=30) for number in range(4)]
    assert [answer.status_code for answer in answers] == [202, 202, 402, 402]
    assert answers[2].json()["error"]["type"] == "insufficient_credits"
    await anyio.sleep(10)
    assert (await bench.poll(answers[0].json()["id"])).json()["status"] == "completed"
    assert (await bench.submit(duration=30, headers={"x-cache": "skip"})).status_code == 402


async def test_a_cancelled_job_gives_its_credit_back(make_bench: Callable[..., Any]) -> None:
    """What it would have cost is free for another."""
    bench = make_bench(wallet_cents=3)
    first = await bench.job("one", duration=30)
    assert (await bench.submit("two", duration=30)).status_code == 402
    await bench.http.delete(f"/v1/jobs/{first}")
    assert (await bench.submit("two", duration=30)).status_code == 202


async def test_the_price_can_be_another(make_bench: Callable[..., Any]) -> None:
    """In the model's page and on the bill."""
    bench = make_bench(price_per_second_usd=Decimal("0.0025"))
    job = await bench.completed(duration=3)
    page = (await bench.http.get(f"/v1/models/{job['model']}")).json()
    assert job["usage"]["cost_cents"] == 0.75
    assert page["pricing"] == {"per_second_usd": 0.0025}


async def test_usage_is_summed_by_tag_and_month(bench: Any) -> None:
    """Of completed jobs only; a month is as its calendar says, in UTC."""
    for tag, seconds in (("boss", 10), ("boss", 20), ("menu", 5)):
        await bench.job(f"{tag} {seconds}", duration=seconds, headers={"x-aig-tag": tag})
    failed = await bench.job("dropped", headers={"x-aig-tag": "menu"})
    await bench.http.delete(f"/v1/jobs/{failed}")
    await anyio.sleep(30 * 86_400)
    await bench.completed("later", duration=10, headers={"x-aig-tag": "boss"})
    september = (await bench.http.get("/v1/usage/by-tag?month=2026-09")).json()
    october = (await bench.http.get("/v1/usage/by-tag")).json()
    assert september == [
        {"tag": "boss", "requests": 2, "cost_cents": 3},
        {"tag": "menu", "requests": 1, "cost_cents": 0.5},
    ]
    assert october == [{"tag": "boss", "requests": 1, "cost_cents": 1}]


@pytest.mark.parametrize("month", ["2026", "2026-13", "09-2026", "2026-09-01"])
async def test_what_is_no_month_is_refused(bench: Any, month: str) -> None:
    """400."""
    assert (await bench.http.get("/v1/usage/by-tag", params={"month": month})).status_code == 400


class TestModels:
    """What can be asked, and what it costs."""

    async def test_all_models_are_listed(self, bench: Any) -> None:
        """The real one's name first, and local ones with other ranges."""
        models = (await bench.http.get("/v1/models")).json()["data"]
        assert models[0]["id"] == "sony-ai/mmaudio-v2-text-to-audio"
        assert models[0]["pricing"] == {"per_second_usd": 0.001}
        assert len(models) > 3

    async def test_a_model_has_a_page_and_a_schema(self, bench: Any) -> None:
        """The schema stands in the page, and alone."""
        page = (await bench.http.get("/v1/models/local/short-pieces")).json()
        schema = (await bench.http.get("/v1/models/local/short-pieces/schema")).json()
        assert page["id"] == "local/short-pieces"
        assert page["schema"] == schema
        assert schema["properties"]["duration"]["description"] == "Seconds. Moved into 5 to 47."

    @pytest.mark.parametrize("path", ["/v1/models/nobody/nothing", "/v1/models/nobody/schema"])
    async def test_an_unknown_model_has_neither(self, bench: Any, path: str) -> None:
        """404 model_not_found."""
        response = await bench.http.get(path)
        assert (response.status_code, response.json()["error"]["type"]) == (404, "model_not_found")

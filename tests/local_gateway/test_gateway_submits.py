"""What a submit may say, and what is made of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

GOOD = {"model": "sony-ai/mmaudio-v2-text-to-audio", "prompt": "a tune"}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": "  "}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": "\ud800"}, "surrogate"),
        ({"model": None}, "model"),
        ({"model": 3}, "model"),
        ({"duration": 0}, "duration"),
        ({"duration": -1.5}, "duration"),
        ({"duration": "30"}, "duration"),
        ({"duration": True}, "duration"),
        ({"duration": float("nan")}, "duration"),
        ({"duration": float("inf")}, "duration"),
        ({"format": "ogg"}, "format"),
        ({"format": ["wav"]}, "format"),
        ({"lyrics": 1}, "lyrics"),
        ({"is_instrumental": "yes"}, "is_instrumental"),
        ({"lyrics_optimizer": 0}, "lyrics_optimizer"),
        ({"webhook_url": "http://example.com/hook"}, "webhook_url"),
        ({"webhook_url": "https://"}, "webhook_url"),
        ({"webhook_url": "https://example.com:99999/"}, "webhook_url"),
        ({"webhook_url": "http://[::1"}, "webhook_url"),
    ],
)
async def test_a_submit_that_makes_no_sense_is_refused_by_name(bench: Any, change: dict[str, Any], word: str) -> None:
    """400 invalid_request_error, and the message names the field; no job is made."""
    response = await bench.http.post("/v1/audio/music", content=json.dumps(GOOD | change))
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (400, "invalid_request_error")
    assert word in error["message"]
    assert bench.books.jobs == []


@pytest.mark.parametrize("body", ["", "no json", "[]", '"text"', "[" * 100_000, '{"model": 1e999999', "\xff\xfe"])
async def test_a_body_that_is_no_json_object_is_refused(bench: Any, body: str) -> None:
    """400, never a failure of the gateway's own."""
    response = await bench.http.post("/v1/audio/music", content=body.encode("latin-1"))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_json")


async def test_a_body_without_end_is_refused(bench: Any) -> None:
    """Nothing that is asked for takes a megabyte of words."""
    response = await bench.submit("x" * (1 << 20))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "body_too_long")


async def test_an_unknown_model_is_not_found(bench: Any) -> None:
    """404 model_not_found, as from the gateway."""
    response = await bench.submit(model="nobody/nothing")
    assert (response.status_code, response.json()["error"]["type"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("model", "asked", "given"),
    [
        ("local/short-pieces", 1, 5),
        ("local/short-pieces", 30, 30),
        ("local/short-pieces", 400, 47),
        ("local/long-pieces", 10**400, 300),
        ("sony-ai/mmaudio-v2-text-to-audio", 2.5, 2.5),
    ],
    ids=["shorter than it makes", "in its range", "longer than it makes", "beyond any number", "a fraction"],
)
async def test_a_duration_is_moved_into_the_models_range(bench: Any, model: str, asked: float, given: float) -> None:
    """What comes back says how long it became, and is billed so."""
    job = await bench.completed(model=model, duration=asked)
    assert job["result"]["duration"] == given


async def test_a_model_may_choose_its_own_length(bench: Any) -> None:
    """Near what was asked, the same for the same words, and billed by what came."""
    first = await bench.completed("one", model="local/own-length", duration=100)
    again = await bench.completed("one", model="local/own-length", duration=100, headers={"x-cache": "auto"})
    other = await bench.completed("two", model="local/own-length", duration=100)
    seconds = first["result"]["duration"]
    assert 75 <= seconds <= 125
    assert seconds != 100
    assert again["result"]["duration"] == seconds
    assert other["result"]["duration"] != seconds
    assert first["usage"]["cost_cents"] == pytest.approx(seconds / 10)


async def test_what_a_submit_leaves_out_has_the_documented_defaults(bench: Any) -> None:
    """Thirty seconds of mp3."""
    response = await bench.http.post("/v1/audio/music", json=GOOD)
    job = bench.books.jobs[0]
    assert response.status_code == 202
    assert (job.piece.duration_s, job.piece.format) == (30, "mp3")


async def test_an_instrumental_has_no_lyrics_whatever_was_sent(bench: Any) -> None:
    """`is_instrumental` wins."""
    await bench.job(lyrics="la la", is_instrumental=True)
    await bench.job(lyrics="la la")
    assert [job.piece.lyrics for job in bench.books.jobs] == ["", "la la"]


class TestHeaders:
    """What stands in headers."""

    async def test_the_request_id_is_echoed_and_noted(self, bench: Any) -> None:
        """On answers and on refusals alike; without one the gateway makes one."""
        headers = {"X-Request-Id": "mine-1"}
        good = await bench.submit(headers=headers)
        refused = await bench.submit("", headers=headers)
        assert (good.headers["X-Request-Id"], refused.headers["X-Request-Id"]) == ("mine-1", "mine-1")
        assert bench.books.jobs[0].request_id == "mine-1"
        assert (await bench.poll("job_x")).headers["X-Request-Id"].startswith("req_")

    async def test_the_date_is_the_gateways_clock(self, bench: Any) -> None:
        """So that a client can tell when something was made by the gateway's own time."""
        first = (await bench.submit()).headers["Date"]
        await anyio.sleep(61)
        second = (await bench.submit()).headers["Date"]
        assert (first, second) == ("Mon, 21 Sep 2026 14:13:20 GMT", "Mon, 21 Sep 2026 14:14:21 GMT")

    @pytest.mark.parametrize(
        "headers", [{"x-aig-tag": "t" * 65}, {"x-cache": "maybe"}, {"Idempotency-Key": "k" * 256}], ids=str
    )
    async def test_a_header_that_makes_no_sense_is_refused(self, bench: Any, headers: dict[str, str]) -> None:
        """400, and no job."""
        assert (await bench.submit(headers=headers)).status_code == 400
        assert bench.books.jobs == []


class TestIdempotency:
    """One `Idempotency-Key` stands for one job."""

    async def test_a_repeated_key_gives_the_same_job_and_says_so(self, bench: Any) -> None:
        """`Idempotent-Replayed: true`, one job, one charge."""
        headers = {"Idempotency-Key": "once"}
        first, again = await bench.submit(headers=headers), await bench.submit(headers=headers)
        await anyio.sleep(20)
        assert first.json()["id"] == again.json()["id"]
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Idempotent-Replayed"] == "true"
        assert bench.books.charged_microusd == 2000

    async def test_a_key_with_another_body_is_refused(self, bench: Any) -> None:
        """400, as every such gateway does."""
        await bench.submit("one", headers={"Idempotency-Key": "once"})
        response = await bench.submit("two", headers={"Idempotency-Key": "once"})
        assert (response.status_code, response.json()["error"]["code"]) == (400, "idempotency_key_reused")

    async def test_a_key_is_kept_for_a_day(self, bench: Any) -> None:
        """After 24 hours it stands for a new job."""
        headers = {"Idempotency-Key": "once", "x-cache": "skip"}
        first = await bench.job(headers=headers)
        await anyio.sleep(86_399)
        assert await bench.job(headers=headers) == first
        await anyio.sleep(1)
        assert await bench.job(headers=headers) != first

    async def test_a_refused_submit_leaves_its_key_unused(self, bench: Any) -> None:
        """Nothing was made, so nothing is replayed."""
        headers = {"Idempotency-Key": "once"}
        refused = await bench.submit("", headers=headers)
        accepted = await bench.submit("words", headers=headers)
        assert (refused.status_code, accepted.status_code) == (400, 202)

    async def test_two_api_keys_do_not_share_theirs(self, bench: Any) -> None:
        """What one customer calls `once` is not what another does."""
        mine = await bench.job(headers={"Idempotency-Key": "once"})
        theirs = await bench.job(headers={"Idempotency-Key": "once", "Authorization": "Bearer sk-aig-other"})
        assert mine != theirs

    async def test_a_gateway_may_know_nothing_of_keys(self, make_bench: Callable[..., Any]) -> None:
        """`idempotency=False`: the header is passed over, and a second job is made."""
        bench = make_bench(idempotency=False)
        headers = {"Idempotency-Key": "once"}
        assert await bench.job(headers=headers) != await bench.job(headers=headers)


class TestCache:
    """`x-cache`: a result that is there already, or a fresh one."""

    async def test_a_hit_gives_the_old_audio_for_a_tenth_of_the_price(self, bench: Any) -> None:
        """At once, as a job of its own."""
        first = await bench.completed(duration=30)
        response = await bench.submit(duration=30)
        second = response.json()
        audio = [(await bench.http.get(job["result"]["url"])).content for job in (first, second)]
        assert (response.headers["x-cache"], second["status"]) == ("hit", "completed")
        assert first["id"] != second["id"]
        assert audio[0] == audio[1]
        assert [job["usage"]["cost_cents"] for job in (first, second)] == [3, 0.3]

    async def test_only_the_same_request_hits(self, bench: Any) -> None:
        """Other words, another length or another format are other music."""
        await bench.completed()
        for change in ({"prompt": "other"}, {"duration": 3}, {"format": "mp3"}, {"lyrics": "la"}):
            assert (await bench.submit(**change)).headers["x-cache"] == "miss"

    async def test_skip_gives_a_fresh_take_each_time(self, bench: Any) -> None:
        """Three requests, three pieces, each at its full price."""
        skip = {"x-cache": "skip"}
        jobs = [await bench.completed(), await bench.completed(headers=skip), await bench.completed(headers=skip)]
        audio = {(await bench.http.get(job["result"]["url"])).content for job in jobs}
        assert len(audio) == 3
        assert bench.books.charged_microusd == 6000

    async def test_takes_are_the_same_in_whatever_order_they_are_asked_for(
        self, make_bench: Callable[..., Any]
    ) -> None:
        """A take that skips the cache is never the one that does not, even if it comes first."""
        variations = []
        for wishes in (["auto", "skip"], ["skip", "auto"]):
            bench = make_bench()
            for wish in wishes:
                await bench.job(headers={"x-cache": wish})
            variations.append({job.piece.variation for job in bench.books.jobs})
        assert variations == [{0, 1}, {0, 1}]

    async def test_a_result_is_kept_for_as_long_as_was_said(self, make_bench: Callable[..., Any]) -> None:
        """And no longer; jobs that did not complete are no results."""
        bench = make_bench(cache_kept_s=100.0)
        await bench.http.delete(f"/v1/jobs/{await bench.job()}")
        assert (await bench.submit()).headers["x-cache"] == "miss"
        await anyio.sleep(50)
        assert (await bench.submit()).headers["x-cache"] == "hit"
        await anyio.sleep(60)
        assert (await bench.submit()).headers["x-cache"] == "miss"

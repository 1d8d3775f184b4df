"""Faults on request: whom they meet, and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


async def outcome(asking: Any) -> Any:
    """The status of an answer, or `lost`."""
    try:
        return (await asking).status_code
    except httpx.ReadError:
        return "lost"


async def outcomes(bench: Any, times: int, **given: Any) -> list[Any]:
    return [await outcome(bench.submit(**given)) for _ in range(times)]


class TestWhom:
    """By endpoint, by count, by prompt, by chance."""

    async def test_a_rule_without_conditions_meets_everything(self, bench: Any) -> None:
        """Whatever is asked."""
        bench.play("faults: [{answer: {status: 503}}]")
        assert await outcome(bench.submit()) == 503
        assert await outcome(bench.http.get("/v1/balance")) == 503
        assert bench.books.jobs == []

    @pytest.mark.parametrize("endpoints", ["balance", "[balance, models]"])
    async def test_a_rule_may_name_endpoints(self, bench: Any, endpoints: str) -> None:
        """And leaves the others alone."""
        bench.play(f"faults: [{{endpoint: {endpoints}, answer: {{status: 500}}}}]")
        assert await outcome(bench.http.get("/v1/balance")) == 500
        assert await outcome(bench.submit()) == 202

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            ("nth: 2", [202, 500, 202, 202, 202, 202]),
            ("nth: [1, 3]", [500, 202, 500, 202, 202, 202]),
            ("every: 3", [202, 202, 500, 202, 202, 500]),
            ("times: 2", [500, 500, 202, 202, 202, 202]),
            ("every: 2, times: 1", [202, 500, 202, 202, 202, 202]),
        ],
    )
    async def test_a_rule_may_count(self, bench: Any, condition: str, expected: list[int]) -> None:
        """From 1, among the requests that it concerns."""
        bench.play(f"faults: [{{endpoint: submit, {condition}, answer: {{status: 500}}}}]")
        await bench.http.get("/v1/balance")
        assert await outcomes(bench, 6) == expected

    @pytest.mark.parametrize(
        ("prompt", "hits"),
        [
            ("dragon", ["Dragon boss", "a dragon"]),
            ("'*boss'", ["Dragon boss"]),
            ("'?arpsichord'", ["harpsichord"]),
        ],
    )
    async def test_a_rule_may_name_a_prompt(self, bench: Any, prompt: str, hits: list[str]) -> None:
        """As a substring or as a glob, in capitals or not."""
        bench.play(f"faults: [{{endpoint: submit, prompt: {prompt}, answer: {{status: 500}}}}]")
        prompts = ["Dragon boss", "a dragon", "harpsichord"]
        assert [name for name in prompts if await outcome(bench.submit(name)) == 500] == hits

    async def test_a_prompt_is_known_of_polls_and_downloads_too(self, bench: Any) -> None:
        """By the job in their path."""
        dragon, lich = await bench.completed("dragon"), await bench.completed("lich")
        bench.play("faults: [{endpoint: [poll, media, file], prompt: dragon, answer: {status: 500}}]")
        await anyio.sleep(5)
        for job, expected in ((dragon, 500), (lich, 200)):
            file = f"/v1/files/jobs/{job['id']}/{job['id']}.wav"
            for path in (f"/v1/jobs/{job['id']}", job["result"]["url"], file):
                assert await outcome(bench.http.get(path)) == expected

    async def test_a_rate_is_the_same_for_a_seed_in_any_order(self, make_bench: Callable[..., Any]) -> None:
        """About as many as were asked for, and always the same prompts."""

        async def hits(prompts: list[str], seed: int) -> set[str]:
            bench = make_bench()
            bench.play(f"seed: {seed}\nfaults: [{{endpoint: submit, rate: 0.25, answer: {{status: 500}}}}]")
            return {prompt for prompt in prompts if await outcome(bench.submit(prompt)) == 500}

        prompts = [f"tune {number}" for number in range(200)]
        found = await hits(prompts, 1)
        assert 30 <= len(found) <= 70
        assert await hits(prompts[::-1], 1) == found
        assert await hits(prompts, 2) != found

    async def test_what_was_met_is_in_the_books(self, bench: Any) -> None:
        """By the rule's name, and by the status or `lost`."""
        bench.play("faults: [{name: flaky, nth: 1, lose: before}, {name: never, nth: 99, lose: before}]")
        await outcomes(bench, 2)
        assert bench.books.faults == {"flaky": 1}
        assert bench.books.document(0)["requests"] == {"submit": {"202": 1, "lost": 1}}


class TestAnswers:
    """Any status, with any body."""

    @pytest.mark.parametrize(
        ("status", "kind"), [(402, "insufficient_credits"), (429, "rate_limit_error"), (502, "provider_error")]
    )
    async def test_a_status_alone_has_the_gateways_own_form(self, bench: Any, status: int, kind: str) -> None:
        """With the type that belongs to it."""
        bench.play(f"faults: [{{answer: {{status: {status}, headers: {{Retry-After: '7'}}}}}}]")
        response = await bench.submit()
        assert (response.status_code, response.json()["error"]["type"]) == (status, kind)
        assert response.headers["Retry-After"] == "7"

    async def test_a_body_may_be_anything(self, bench: Any) -> None:
        """HTML under 200, JSON of another form, or nothing at all."""
        bench.play(
            """
            faults:
              - {nth: 1, answer: {status: 200, body: "<html>busy</html>", headers: {content-type: text/html}}}
              - {nth: 2, answer: {status: 418, json: {teapot: [1, 2]}}}
              - {nth: 3, answer: {status: 500, body: ""}}
              - {nth: 4, answer: {status: 304}}
            """
        )
        answers = [await bench.submit() for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 418, 500, 304]
        assert answers[0].text == "<html>busy</html>"
        assert answers[1].json() == {"teapot": [1, 2]}
        assert answers[2].content == answers[3].content == b""


class TestLostReplies:
    """The connection closes without an answer."""

    async def test_before_anything_was_done(self, bench: Any) -> None:
        """No job was made."""
        bench.play("faults: [{endpoint: submit, lose: before}]")
        assert await outcome(bench.submit()) == "lost"
        assert bench.books.jobs == []

    async def test_after_the_job_was_made(self, bench: Any) -> None:
        """The job runs, and its key finds it again."""
        bench.play("faults: [{endpoint: submit, nth: 1, lose: after}]")
        headers = {"Idempotency-Key": "once"}
        assert await outcome(bench.submit(headers=headers)) == "lost"
        again = await bench.submit(headers=headers)
        assert again.json()["id"] == bench.books.jobs[0].id
        assert again.headers["Idempotent-Replayed"] == "true"

    @pytest.mark.parametrize(("delay", "made"), [("delay", 0), ("delay_answer", 1)])
    async def test_an_answer_may_be_late(self, bench: Any, delay: str, made: int) -> None:
        """Before the gateway looks at the request, or after it did what was asked."""
        bench.play(f"faults: [{{endpoint: submit, {delay}: 40}}]")
        with anyio.move_on_after(30) as waiting:
            await bench.submit()
        assert waiting.cancelled_caught
        assert len(bench.books.jobs) == made

    async def test_delays_add_up(self, bench: Any) -> None:
        """Of every rule that a request meets."""
        bench.play("faults: [{delay: 5}, {delay: 2, delay_answer: 1}]")
        began = anyio.current_time()
        await bench.submit()
        assert anyio.current_time() - began == pytest.approx(8)


class TestMedia:
    """Audio that arrives spoilt."""

    async def spoilt(self, bench: Any, fault: str) -> tuple[httpx.Response, bytes]:
        """A spoilt download, and what it should have been."""
        job = await bench.completed(duration=2)
        whole = (await bench.http.get(job["result"]["url"])).content
        bench.play(f"faults: [{{endpoint: media, {fault}}}]")
        return await bench.http.get(job["result"]["url"]), whole

    @pytest.mark.parametrize("truncate", ["0.5", "1000", "{share: 0.1}", "{size: 0}"])
    async def test_a_truncated_body_breaks_the_connection(self, bench: Any, truncate: str) -> None:
        """Content-Length says more than comes."""
        with pytest.raises(httpx.ReadError):
            await self.spoilt(bench, f"truncate: {truncate}")

    async def test_a_truncated_body_may_look_whole(self, bench: Any) -> None:
        """Without a Content-Length, nothing but the audio itself tells."""
        response, whole = await self.spoilt(bench, "truncate: {share: 0.5, declared: false}")
        assert response.content == whole[: len(whole) // 2]
        assert "content-length" not in response.headers

    @pytest.mark.parametrize(("declared", "length"), [("true", "100000"), ("false", None)])
    async def test_an_oversized_body_goes_on(self, bench: Any, declared: str, length: str | None) -> None:
        """Declared or not."""
        response, whole = await self.spoilt(bench, f"oversize: {{size: 100000, declared: {declared}}}")
        assert len(response.content) == 100_000
        assert response.content.startswith(whole)
        assert response.headers.get("content-length") == length

    async def test_a_dribbled_body_takes_its_time(self, bench: Any) -> None:
        """In pieces, with a pause before each."""
        began = anyio.current_time()
        response, whole = await self.spoilt(bench, "dribble: {size: 1000, pause: 2}")
        assert response.content == whole
        assert anyio.current_time() - began == pytest.approx(13 + 2 * -(-len(whole) // 1000))

    @pytest.mark.parametrize(
        ("wrong", "kind", "begins"),
        [
            ("html", "text/html; charset=utf-8", b"<!doctype"),
            ("silence", "audio/wav", b"RIFF"),
            ("empty", "audio/wav", b""),
        ],
    )
    async def test_another_body_may_come_under_200(self, bench: Any, wrong: str, kind: str, begins: bytes) -> None:
        """With its own type and length."""
        response, whole = await self.spoilt(bench, f"wrong: {wrong}")
        assert (response.status_code, response.headers["content-type"]) == (200, kind)
        assert response.content.startswith(begins)
        assert response.content != whole
        assert int(response.headers["content-length"]) == len(response.content)


class TestJobs:
    """Jobs that do not go the usual way."""

    async def test_a_job_may_fail(self, bench: Any) -> None:
        """When it would have completed, with a code and a message, free of charge."""
        bench.play("faults: [{endpoint: submit, job: {fail: true}}]")
        job = await bench.completed()
        assert (job["status"], job["error"]["code"]) == ("failed", "generation_failed")
        assert bench.books.charged_microusd == 0

    async def test_a_job_may_never_end(self, bench: Any) -> None:
        """It runs for as long as anybody asks, and can still be cancelled."""
        bench.play("faults: [{endpoint: submit, job: {endless: true}}]")
        job_id = await bench.job()
        await anyio.sleep(80_000)
        assert (await bench.poll(job_id)).json()["status"] == "running"
        assert (await bench.http.delete(f"/v1/jobs/{job_id}")).json()["status"] == "cancelled"

    @pytest.mark.parametrize(("vanish", "charged"), [(5, 0), (15, 2000)])
    async def test_a_job_may_vanish(self, bench: Any, vanish: int, charged: int) -> None:
        """Before it completes, free, or after: then it was charged, and nobody finds it."""
        bench.play(f"faults: [{{endpoint: submit, job: {{vanish: {vanish}}}}}]")
        job_id = await bench.job()
        assert await outcome(bench.poll(job_id)) == 200
        await anyio.sleep(20)
        assert await outcome(bench.poll(job_id)) == 404
        assert (bench.books.charged_microusd, bench.books.in_flight) == (charged, 0)

    @pytest.mark.parametrize(("fate", "taken"), [("slower: 3", 30), ("latency: 100", 100), ("latency: 0", 0)])
    async def test_a_job_may_take_another_time(self, bench: Any, fate: str, taken: float) -> None:
        """A multiple of the usual, or a time of its own."""
        bench.play(f"faults: [{{endpoint: submit, job: {{{fate}}}}}]")
        await bench.job()
        await anyio.sleep(1000)
        [job] = bench.books.jobs
        assert job.ended_at - job.created_at == pytest.approx(taken)

    @pytest.mark.parametrize(("fate", "seconds"), [("length: 7", 7), ("stretch: 0.25", 2.5), ("stretch: 0", 0)])
    async def test_a_job_may_end_in_another_length(self, bench: Any, fate: str, seconds: float) -> None:
        """And is billed for what came."""
        bench.play(f"faults: [{{endpoint: submit, job: {{{fate}}}}}]")
        job = await bench.completed(duration=10)
        assert job["result"]["duration"] == seconds
        assert job["usage"]["cost_cents"] == pytest.approx(seconds / 10)
        assert (await bench.http.get(job["result"]["url"])).status_code == 200

    async def test_a_replay_has_the_fate_of_its_job(self, bench: Any) -> None:
        """What a key stands for does not change with the request that repeats it."""
        headers = {"Idempotency-Key": "once"}
        await bench.job(headers=headers)
        bench.play("faults: [{endpoint: submit, job: {fail: true}}]")
        job = await bench.completed(headers=headers)
        assert job["status"] == "completed"


class TestControls:
    """`/__faults` and `/__books`, for whoever runs the gateway."""

    async def test_faults_can_be_put_and_taken_away(self, bench: Any) -> None:
        """As YAML or JSON, at once."""
        put = await bench.http.put(
            "/__faults", content="faults: [{name: down, endpoint: balance, answer: {status: 500}}]"
        )
        bench.transport.checking = False
        assert put.json() == {"rules": ["down"]}
        assert await outcome(bench.http.get("/v1/balance")) == 500
        await bench.http.delete("/__faults")
        assert await outcome(bench.http.get("/v1/balance")) == 200

    async def test_faults_that_make_no_sense_change_nothing(self, bench: Any) -> None:
        """400, with where the mistake is."""
        bench.play("faults: [{endpoint: balance, answer: {status: 500}}]")
        response = await bench.http.put("/__faults", content="faults: [{endpont: balance}]")
        assert response.status_code == 400
        assert "did you mean endpoint?" in response.json()["error"]["message"]
        assert await outcome(bench.http.get("/v1/balance")) == 500

    async def test_the_books_tell_all_that_happened(self, bench: Any) -> None:
        """Requests, jobs, charges, early polls; reading them is not in them."""
        job_id = await bench.job(headers={"x-aig-tag": "boss", "Idempotency-Key": "k"})
        await bench.poll(job_id)
        await bench.poll(job_id)
        await anyio.sleep(20)
        books = (await bench.http.get("/__books")).json()
        assert books["requests"] == {"poll": {"200": 1, "304": 1}, "submit": {"202": 1}}
        assert (books["jobs_in_flight"], books["most_jobs_in_flight"]) == (0, 1)
        assert (books["early_polls"], books["charged_cents"]) == (1, 0.2)
        [row] = books["jobs"]
        assert (row["id"], row["tag"], row["idempotency_key"]) == (job_id, "boss", "k")
        assert row["completed_at"] - row["submitted_at"] == pytest.approx(10)

    @pytest.mark.parametrize(
        ("method", "path", "status"), [("POST", "/__books", 405), ("GET", "/__faults", 405), ("GET", "/__other", 404)]
    )
    async def test_there_is_nothing_else(self, bench: Any, method: str, path: str, status: int) -> None:
        """405 or 404, in the gateway's form."""
        response = await bench.http.request(method, path)
        assert (response.status_code, set(response.json())) == (status, {"error"})

    @pytest.mark.parametrize("client", [("10.0.0.7", 1), ("", 0), None])
    async def test_nobody_from_elsewhere_is_let_in(self, bench: Any, client: Any) -> None:
        """They hear 404."""
        transport = httpx.ASGITransport(bench.app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.local") as stranger:
            assert (await stranger.put("/__faults", content="faults: []")).status_code == 404
            assert (await stranger.get("/__books")).status_code == 404

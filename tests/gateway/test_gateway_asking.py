"""Polls, cancels, and the questions that are nice to have answered."""

from __future__ import annotations

from decimal import Decimal

import anyio
import httpx
import pytest

from pipeline.gateway.answers import JobAnswer
from pipeline.gateway.errors import ConnectionNotMade, JobNotFound, KeyRefused, PollFailed, RateLimited, WaitTooLong
from pipeline.gateway.polling import next_poll_s

pytestmark = pytest.mark.anyio

RUNNING = {"id": "job_1", "status": "running"}


def said(kind: str) -> dict[str, object]:
    return {"error": {"message": "what happened", "type": kind, "code": kind}}


async def test_a_poll_asks_for_one_job_with_the_key(world, played) -> None:
    """By its id."""
    it = world(played(200, RUNNING))
    assert await it.gateway.poll("job_1") == JobAnswer("job_1", "running")
    assert it.transport.paths == ["GET /v1/jobs/job_1"]
    assert "authorization" in it.transport.requests[0].headers


async def test_an_odd_job_id_stays_within_its_place(world, played) -> None:
    """It comes from outside, and goes into a path."""
    it = world(played(200, {"id": "a/../b?c#d", "status": "running"}))
    await it.gateway.poll("a/../b?c#d")
    assert it.transport.paths == ["GET /v1/jobs/a%2F..%2Fb%3Fc%23d"]


async def test_304_is_neither_an_error_nor_a_change(world, played) -> None:
    """The gateway answers so without a body when it is asked too soon."""
    assert await world(played(304)).gateway.poll("job_1") is None


@pytest.mark.parametrize(
    ("status", "body", "error", "retryable"),
    [
        (404, said("not_found"), JobNotFound, False),
        (410, said("gone"), JobNotFound, False),
        (404, {"error": "no such job"}, JobNotFound, False),
        (404, b"<html>Not Found</html>", PollFailed, True),
        (404, b"", PollFailed, True),
        (404, {"detail": "Not Found"}, PollFailed, True),
        (401, said("authentication_error"), KeyRefused, False),
        (403, said("scope_exceeded"), KeyRefused, False),
        (400, said("invalid_request_error"), PollFailed, False),
        (402, said("insufficient_credits"), PollFailed, False),
        (408, said("timeout"), PollFailed, True),
        (429, said("rate_limited"), RateLimited, True),
        (500, said("server_error"), PollFailed, True),
        (502, b"<html>", PollFailed, True),
        (503, b"", PollFailed, True),
        (504, said("timeout_error"), PollFailed, True),
        (200, b"", PollFailed, True),
        (200, b"<html>maintenance</html>", PollFailed, True),
        (200, {"id": "job_2", "status": "completed"}, PollFailed, True),
        (302, b"", PollFailed, True),
    ],
    ids=[
        *("404", "410", "404 text", "404 HTML", "404 empty", "404 another form", "401", "403", "400", "402", "408"),
        *("429", "500", "502 HTML", "503 empty", "504", "200 empty", "200 HTML", "another job", "302"),
    ],
)
async def test_each_answer_to_a_poll_is_one_kind_of_error(world, played, *, status, body, error, retryable) -> None:
    """Only the gateway's own word says that a job is gone: a proxy's page proves nothing."""
    with pytest.raises(error) as caught:
        await world(played(status, body)).gateway.poll("job_1")
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.retryable) == (status, retryable)


@pytest.mark.parametrize(
    ("failure", "error"), [(httpx.ConnectError("refused"), ConnectionNotMade), (httpx.ReadError("reset"), PollFailed)]
)
async def test_a_poll_that_the_network_lost_may_be_asked_again(world, failure, error) -> None:
    """Asking is harmless."""
    with pytest.raises(error) as caught:
        await world(failure).gateway.poll("job_1")
    assert caught.value.retryable


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_poll_told_to_wait_beyond_two_minutes_says_so(world, played, status) -> None:
    """The job stays on the books; the next run asks for it."""
    it = world(played(status, said("busy"), {"Retry-After": "121"}))
    with pytest.raises(WaitTooLong, match="121 s"):
        await it.gateway.poll("job_1")


async def test_a_poll_waits_30_s_at_most(world, played) -> None:
    """Then it is lost, and may be asked again."""
    it = world(played(200, RUNNING, after_s=1_000))
    began = anyio.current_time()
    with pytest.raises(PollFailed, match="no answer within 30 s"):
        await it.gateway.poll("job_1")
    assert anyio.current_time() - began == pytest.approx(30.0)


class Dripping(httpx.AsyncByteStream):
    """A byte every five seconds, without end."""

    async def __aiter__(self):
        while True:
            yield b" "
            await anyio.sleep(5)


async def test_an_answer_that_drips_is_given_up_in_time(world, played) -> None:
    """A byte now and then keeps every read busy, and still the whole has its end."""
    it = world(played(200))
    it.transport.stream = lambda _: Dripping()
    began = anyio.current_time()
    with pytest.raises(PollFailed, match="no answer within 30 s"):
        await it.gateway.poll("job_1")
    assert anyio.current_time() - began == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("answers", "cancelled", "paths"),
    [
        ([(200, RUNNING)], True, ["DELETE /v1/jobs/job_1"]),
        ([(204, b"")], True, ["DELETE /v1/jobs/job_1"]),
        ([(405, b""), (200, RUNNING)], True, ["DELETE /v1/jobs/job_1", "POST /v1/jobs/job_1/cancel"]),
        ([(404, b""), (202, b"")], True, ["DELETE /v1/jobs/job_1", "POST /v1/jobs/job_1/cancel"]),
        ([(404, said("not_found"))] * 2, False, ["DELETE /v1/jobs/job_1", "POST /v1/jobs/job_1/cancel"]),
        ([(409, said("already_completed"))], False, ["DELETE /v1/jobs/job_1"]),
        ([(400, said("invalid_request_error"))], False, ["DELETE /v1/jobs/job_1"]),
    ],
    ids=["DELETE", "no content", "by POST", "by POST after 404", "no such job", "too late", "refused"],
)
async def test_a_job_is_cancelled_by_either_documented_way(world, played, answers, cancelled, paths) -> None:
    """The OpenAPI document says DELETE, the documentation POST."""
    it = world([played(*answer) for answer in answers])
    assert await it.gateway.cancel("job_1") is cancelled
    assert it.transport.paths == paths


@pytest.mark.parametrize(
    ("status", "error"), [(401, KeyRefused), (403, KeyRefused), (429, RateLimited), (500, PollFailed)]
)
async def test_whether_a_job_was_cancelled_may_stay_open(world, played, status, error) -> None:
    """Then that is said, and nothing is claimed."""
    with pytest.raises(error):
        await world(played(status, said("trouble"))).gateway.cancel("job_1")


async def test_what_is_nice_to_know_is_asked_and_read(world, played) -> None:
    """Balance, a model's price, spend by tag."""
    it = world(
        [
            played(200, {"balance_cents": 250}),
            played(200, {"pricing": {"per_second_usd": 0.001}}),
            played(200, [{"tag": "skyhaven/day", "requests": 1, "cost_cents": 3}]),
        ]
    )
    assert await it.gateway.balance() == 2_500_000
    assert await it.gateway.price("sony-ai/mmaudio-v2-text-to-audio") == Decimal("0.001")
    assert [spend.cost_microusd for spend in await it.gateway.usage_by_tag("2026-04")] == [30_000]
    assert it.transport.paths == [
        "GET /v1/balance",
        "GET /v1/models/sony-ai/mmaudio-v2-text-to-audio",
        "GET /v1/usage/by-tag?month=2026-04",
    ]


@pytest.mark.parametrize("trouble", [404, 403, 500, 200], ids=str)
async def test_what_is_nice_to_know_is_none_where_it_can_not_be_had(world, played, trouble) -> None:
    """It never stops a run."""
    it = world(played(trouble, b"<html>"))
    assert await it.gateway.balance() is None
    assert await it.gateway.price("m") is None
    assert await world(httpx.ConnectError("refused")).gateway.balance() is None


async def test_no_spending_is_not_the_same_as_no_answer(world, played) -> None:
    """Books that are compared with nothing would always differ."""
    assert await world(played(200, [])).gateway.usage_by_tag("2026-04") == []


async def test_spending_under_many_tags_is_read_whole(world, played) -> None:
    """Every track has a tag of its own, and a manifest may have ten thousand."""
    rows = [{"tag": f"{number:064}", "requests": 1, "cost_cents": 3} for number in range(20_000)]
    assert len(await world(played(200, rows)).gateway.usage_by_tag("2026-04")) == 20_000


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        ((404, said("not_found")), PollFailed, "did not say what was spent"),
        ((500, b"<html>down</html>"), PollFailed, '500 with "down": the gateway did not say what was spent'),
        ((429, said("rate_limited")), PollFailed, "429 rate_limited"),
        ((200, b"<html>welcome</html>"), PollFailed, "answered in a form that is not known"),
        ((200, [{"tag": "x"}]), PollFailed, "answered in a form that is not known"),
        ((401, said("authentication_error")), KeyRefused, "check AIGATEWAY_API_KEY"),
        ((403, said("scope_exceeded")), KeyRefused, "scopes cover usage"),
        (httpx.ConnectError("refused"), ConnectionNotMade, "no connection to the gateway"),
        (httpx.ReadError("reset"), PollFailed, "the answer was lost"),
    ],
    ids=["404", "500", "429", "web page", "row", "401", "403", "no connection", "lost"],
)
async def test_spending_that_can_not_be_had_is_an_error_with_its_reason(world, played, answer, error, sentence) -> None:
    """Whoever compares books has to know that there was nothing to compare with."""
    it = world(answer if isinstance(answer, Exception) else played(*answer))
    with pytest.raises(error, match=sentence):
        await it.gateway.usage_by_tag("2026-04")


async def test_a_refused_key_is_told_by_any_question(world, played) -> None:
    """It is refused for all."""
    with pytest.raises(KeyRefused):
        await world(played(401, said("authentication_error"))).gateway.balance()


class TestWhenToPoll:
    @pytest.mark.parametrize(
        ("polled_at", "now", "failures", "retry_after_s", "at"),
        [
            (None, 100.0, 0, None, 100.0),
            (100.0, 100.2, 0, None, 103.0),
            (100.0, 130.0, 0, None, 130.0),
            (100.0, 100.2, 1, None, 106.0),
            (100.0, 100.2, 2, None, 112.0),
            (100.0, 100.2, 99, None, 130.0),
            (100.0, 100.2, 1, 45.0, 145.0),
            (100.0, 100.2, 1, 0.0, 103.0),
        ],
        ids=["first", "interval", "overdue", "one failure", "two", "many", "told to wait", "told not to wait"],
    )
    def test_never_sooner_than_the_interval_after_the_last_poll(
        self, polled_at, now, failures, retry_after_s, at
    ) -> None:
        """Counted from when it was sent; longer after failures, and as long as the gateway asks."""
        assert (
            next_poll_s(polled_at=polled_at, now=now, interval_s=3.0, failures=failures, retry_after_s=retry_after_s)
            == at
        )

    def test_an_interval_above_the_longest_pause_holds(self) -> None:
        """A manifest may ask for one poll a minute."""
        assert next_poll_s(polled_at=0.0, now=1.0, interval_s=60.0, failures=5) == 60.0

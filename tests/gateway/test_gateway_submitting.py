"""A submit, and what each of its failures proves about money."""

from __future__ import annotations

import dataclasses
import gzip

import anyio
import httpx
import pytest

from pipeline.gateway.api import Timeouts
from pipeline.gateway.errors import (
    AnswerUnknown,
    ConnectionNotMade,
    GatewayBusy,
    InvalidRequest,
    KeyRefused,
    NotTaken,
    OutOfCredit,
    RateLimited,
    WaitTooLong,
)

pytestmark = pytest.mark.anyio

JOB = {"id": "job_1", "status": "queued"}


def said(kind: str, message: str = "what happened") -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "code": None}}


async def test_a_submit_sends_what_it_was_given_and_nothing_else(world, played, order) -> None:
    """The body byte for byte, the two ids, the cost tag, and the key."""
    it = world(played(202, JOB))
    accepted = await it.gateway.submit(order)
    (request,) = it.transport.requests
    assert accepted.job_id == "job_1"
    assert (request.method, str(request.url)) == ("POST", "https://api.aigateway.sh/v1/audio/music")
    assert request.content == order.body
    sent = {name: request.headers[name] for name in ("idempotency-key", "x-request-id", "x-aig-tag", "x-cache")}
    assert sent == {
        "idempotency-key": order.idempotency_key,
        "x-request-id": order.request_id,
        "x-aig-tag": order.cost_tag,
        "x-cache": "auto",
    }
    assert request.headers["authorization"].startswith("Bearer sk-aig-")
    assert request.headers["content-type"] == "application/json"


async def test_a_fresh_take_passes_the_gateways_cache_by(world, played, order) -> None:
    """A cache hit would return the take that is there already."""
    it = world(played(202, JOB))
    await it.gateway.submit(dataclasses.replace(order, fresh=True))
    assert it.transport.requests[0].headers["x-cache"] == "skip"


@pytest.mark.parametrize(
    ("status", "body", "error", "retryable", "words"),
    [
        (400, said("invalid_request_error", "duration is negative"), InvalidRequest, False, "duration is negative"),
        (401, said("authentication_error"), KeyRefused, False, "AIGATEWAY_API_KEY"),
        (402, said("insufficient_credits"), OutOfCredit, False, "the wallet is empty"),
        (402, said("budget_exceeded"), OutOfCredit, False, "own budget at the gateway"),
        (403, said("scope_exceeded"), KeyRefused, False, "scopes"),
        (404, said("model_not_found"), InvalidRequest, False, "check the model's name"),
        (413, b"", InvalidRequest, False, "413"),
        (422, b"<html>Unprocessable</html>", InvalidRequest, False, "Unprocessable"),
        (451, b"", InvalidRequest, False, "451"),
        (429, said("rate_limit_error"), RateLimited, True, "too many requests"),
        (429, b"", RateLimited, True, "too many requests"),
        (500, said("server_error"), GatewayBusy, True, "no job was made"),
        (502, said("provider_error"), GatewayBusy, True, "no job was made"),
        (503, said("service_unavailable"), GatewayBusy, True, "no job was made"),
        (408, said("timeout"), AnswerUnknown, True, "may have been made"),
        (409, said("conflict"), AnswerUnknown, True, "may have been made"),
        (504, said("timeout_error"), AnswerUnknown, True, "may have been made"),
        (500, b"<html>Internal Server Error</html>", AnswerUnknown, True, "Internal Server Error"),
        (502, b"", AnswerUnknown, True, "nothing to read"),
        (503, {"error": "busy"}, AnswerUnknown, True, "busy"),
        (503, {"message": "Service Unavailable"}, AnswerUnknown, True, "may have been made"),
        (507, said("server_error"), AnswerUnknown, True, "may have been made"),
        (520, b"<html>Web server is returning an unknown error</html>", AnswerUnknown, True, "unknown error"),
        (200, b"", AnswerUnknown, True, "nothing to read"),
        (200, b"<html>Welcome to hotel wifi</html>", AnswerUnknown, True, "Welcome to hotel wifi"),
        (202, {"status": "queued"}, AnswerUnknown, True, "may have been made"),
        (204, b"", AnswerUnknown, True, "may have been made"),
        (302, b"", AnswerUnknown, True, "may have been made"),
        (304, b"", AnswerUnknown, True, "may have been made"),
        (200, [b" " * 400_000, b" " * 400_000, b" " * 400_000, b'{"id":"job_1"}'], AnswerUnknown, True, "200"),
    ],
    ids=[
        *("400", "401", "402 wallet", "402 budget", "403", "404", "413", "422 HTML", "451", "429", "429 empty", "500"),
        *("502", "503", "408", "409", "504", "500 HTML", "502 empty", "503 text", "503 another form", "507", "520"),
        *("200 empty", "200 HTML", "202 without id", "204", "302", "304", "endless"),
    ],
)
async def test_each_answer_proves_what_it_proves(
    world, played, order, *, status, body, error, retryable, words
) -> None:
    """The table of Money 2: surely not taken, or unknown; and whether sending it again makes sense."""
    it = world(played(status, body))
    with pytest.raises(error) as caught:
        await it.gateway.submit(order)
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.retryable) == (status, retryable)
    assert words in str(caught.value)
    assert caught.value.code
    assert len(it.transport.requests) == 1


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), ConnectionNotMade),
        (httpx.ConnectTimeout(""), ConnectionNotMade),
        (httpx.PoolTimeout(""), ConnectionNotMade),
        (httpx.ProxyError("407 Proxy Authentication Required"), ConnectionNotMade),
        (httpx.ReadTimeout(""), AnswerUnknown),
        (httpx.WriteTimeout(""), AnswerUnknown),
        (httpx.ReadError("reset"), AnswerUnknown),
        (httpx.WriteError("reset"), AnswerUnknown),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), AnswerUnknown),
        (OSError("[SSL] record layer failure"), AnswerUnknown),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_only_a_connection_that_was_never_made_proves_that_nothing_was_sent(world, order, failure, error) -> None:
    """Whatever else goes wrong may have gone wrong after the gateway read the request."""
    with pytest.raises(error) as caught:
        await world(failure).gateway.submit(order)
    assert caught.value.retryable
    assert caught.value.status is None
    assert isinstance(caught.value, NotTaken) is (error is ConnectionNotMade)


async def test_an_answer_that_breaks_off_is_lost(world, played, order) -> None:
    """The job was made; its id never came whole."""
    it = world(played(202, [b'{"id": "jo', httpx.ReadError("reset by peer")]))
    with pytest.raises(AnswerUnknown, match="reset by peer"):
        await it.gateway.submit(order)
    assert it.transport.bodies[0].is_closed


async def test_an_answer_that_never_comes_is_unknown_when_its_time_is_over(world, played, order) -> None:
    """Its own deadline, 60 s, makes it so; nothing waits longer."""
    it = world(played(202, JOB, after_s=3_600))
    began = anyio.current_time()
    with pytest.raises(AnswerUnknown, match="no answer within 60 s"):
        await it.gateway.submit(order)
    assert anyio.current_time() - began == pytest.approx(60.0)


async def test_an_answer_in_time_is_taken_however_late(world, played, order) -> None:
    """59 s are not 60."""
    it = world(played(202, JOB, after_s=59))
    assert (await it.gateway.submit(order)).job_id == "job_1"


async def test_a_cancellation_from_outside_goes_through_untouched(world, played, order) -> None:
    """It is not an answer of the gateway: whoever cancelled has to know what it means."""
    it = world(played(202, JOB, after_s=30))
    outcome: list[str] = []

    async def submit() -> None:
        try:
            await it.gateway.submit(order)
        except anyio.get_cancelled_exc_class():
            outcome.append("cancelled")
            raise

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(submit)
        await anyio.sleep(1)
        tasks.cancel_scope.cancel()
    assert outcome == ["cancelled"]


@pytest.mark.parametrize(
    ("status", "body", "error", "wait_s"),
    [
        (429, said("rate_limited"), RateLimited, 12.0),
        (503, said("service_unavailable"), GatewayBusy, 12.0),
        (504, said("timeout_error"), AnswerUnknown, 12.0),
    ],
)
async def test_the_wait_that_is_asked_for_is_told(world, played, order, *, status, body, error, wait_s) -> None:
    """`Retry-After`, in seconds."""
    it = world(played(status, body, {"Retry-After": "12"}))
    with pytest.raises(error) as caught:
        await it.gateway.submit(order)
    assert caught.value.retry_after_s == wait_s


async def test_a_429_without_retry_after_waits_for_the_limits_own_reset(world, played, order) -> None:
    """`x-ratelimit-reset-requests` says when there is room again."""
    it = world(played(429, b"", {"x-ratelimit-reset-requests": "7"}))
    with pytest.raises(RateLimited) as caught:
        await it.gateway.submit(order)
    assert caught.value.retry_after_s == 7.0


@pytest.mark.parametrize("status", [429, 503])
async def test_a_wait_beyond_two_minutes_ends_the_track_not_the_night(world, played, order, status) -> None:
    """It was surely not taken, and is not sent again by this run."""
    it = world(played(status, said("rate_limited"), {"Retry-After": "3600"}))
    with pytest.raises(WaitTooLong, match="3,600 s, longer than the 120 s") as caught:
        await it.gateway.submit(order)
    assert isinstance(caught.value, NotTaken)
    assert not caught.value.retryable
    assert caught.value.retry_after_s == 3_600


async def test_an_unknown_answer_stays_unknown_whatever_wait_it_asks_for(world, played, order) -> None:
    """The wait is bounded; what the answer proves does not change."""
    it = world(played(504, b"", {"Retry-After": "3600"}))
    with pytest.raises(AnswerUnknown) as caught:
        await it.gateway.submit(order)
    assert caught.value.retry_after_s == 120.0


@pytest.mark.parametrize("key", ["", "  ", "sk-aig-é", "sk-aig-a\r\nx-evil: 1", "two words"])
async def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_sent(world, played, order, key) -> None:
    """It is not quoted either."""
    it = world(played(202, JOB), key=key)
    with pytest.raises(KeyRefused, match="AIGATEWAY_API_KEY"):
        await it.gateway.submit(order)
    assert it.transport.requests == []


async def test_a_key_pasted_with_a_line_end_is_sent_without_it(world, played, order) -> None:
    """Blanks around it are nobody's key."""
    it = world(played(202, JOB), key=" sk-aig-abcdefgh\n")
    await it.gateway.submit(order)
    assert it.transport.requests[0].headers["authorization"] == "Bearer sk-aig-abcdefgh"


@pytest.mark.parametrize(
    ("base_url", "sent_to"),
    [
        ("https://api.aigateway.sh/", "https://api.aigateway.sh/v1/audio/music"),
        ("https://api.aigateway.sh/v1", "https://api.aigateway.sh/v1/audio/music"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787/v1/audio/music"),
        ("http://[::1]:8787", "http://[::1]:8787/v1/audio/music"),
        ("https://proxy.studio.example/aig/", "https://proxy.studio.example/aig/v1/audio/music"),
    ],
)
async def test_the_api_is_found_however_its_address_is_written(world, played, order, base_url, sent_to) -> None:
    """With or without `/v1`, a port, a path before it."""
    it = world(played(202, JOB), base_url=base_url)
    await it.gateway.submit(order)
    assert str(it.transport.requests[0].url) == sent_to


@pytest.mark.parametrize(
    "base_url", ["", "api.aigateway.sh", "ftp://x", "https://user:pw@x", "https://x:99999", "https://"]
)
def test_an_address_that_is_none_is_said_to_be_none(world, played, base_url) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match="no address of a gateway"):
        world(played(), base_url=base_url)


async def test_an_answer_that_came_compressed_is_read_all_the_same(world, played, order) -> None:
    """A job id is worth money, whatever a proxy did to it."""
    it = world(played(202, gzip.compress(b'{"id":"job_1"}'), {"Content-Encoding": "gzip"}))
    assert (await it.gateway.submit(order)).job_id == "job_1"
    assert it.transport.requests[0].headers["accept-encoding"] == "identity"


async def test_a_compressed_answer_that_is_damaged_is_unknown(world, played, order) -> None:
    """It may have held a job id."""
    it = world(played(202, b"not gzip", {"Content-Encoding": "gzip"}))
    with pytest.raises(AnswerUnknown):
        await it.gateway.submit(order)


async def test_shorter_times_can_be_asked_for(world, played, order) -> None:
    """And the transport is told of them as well."""
    it = world(played(202, JOB, after_s=10), timeouts=Timeouts(connect_s=1, submit_s=5))
    with pytest.raises(AnswerUnknown, match="within 5 s"):
        await it.gateway.submit(order)
    assert it.transport.requests[0].extensions["timeout"] == {"connect": 1, "read": 5, "write": 5, "pool": 20.0}

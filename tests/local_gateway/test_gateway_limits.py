"""Who may ask, and how often."""

from __future__ import annotations

from bisect import bisect_left
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pipeline.local_gateway.options import AnswerForms
from pipeline.local_gateway.rate_limits import RateLimits

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


async def statuses(bench: Any, times: int, path: str = "/v1/balance", **given: Any) -> list[int]:
    return [(await bench.http.get(path, **given)).status_code for _ in range(times)]


async def test_a_burst_may_be_twice_the_rate_for_ten_seconds(make_bench: Callable[..., Any]) -> None:
    """60 a minute: 20 at once, then 429 until the first of them are ten seconds old."""
    bench = make_bench(rpm=60)
    assert await statuses(bench, 21) == [200] * 20 + [429]
    await anyio.sleep(10)
    assert await statuses(bench, 21) == [200] * 20 + [429]


async def test_a_minute_holds_no_more_than_the_rate(make_bench: Callable[..., Any]) -> None:
    """Three full bursts are the minute; the next comes when the first leaves the window."""
    bench = make_bench(rpm=60)
    for _ in range(3):
        assert await statuses(bench, 20) == [200] * 20
        await anyio.sleep(10)
    refused = await bench.http.get("/v1/balance")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
    await anyio.sleep(30)
    assert await statuses(bench, 21) == [200] * 20 + [429]


async def test_a_429_says_when_to_come_back_and_is_right(make_bench: Callable[..., Any]) -> None:
    """In the gateway's error form; after that wait, and not before, the request is let through."""
    bench = make_bench(rpm=6)
    await bench.http.get("/v1/balance")
    await anyio.sleep(2.5)
    await bench.http.get("/v1/balance")
    refused = await bench.http.get("/v1/balance")
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
    assert refused.headers["Retry-After"] == "8"
    await anyio.sleep(7)
    assert await statuses(bench, 1) == [429]
    await anyio.sleep(1)
    assert await statuses(bench, 1) == [200]


async def test_retry_after_may_be_a_date(make_bench: Callable[..., Any]) -> None:
    """Never sooner than the limit allows."""
    bench = make_bench(rpm=6, forms=AnswerForms(retry_after="date"))
    await statuses(bench, 2)
    refused = await bench.http.get("/v1/balance")
    again_at = parsedate_to_datetime(refused.headers["Retry-After"]).timestamp()
    await anyio.sleep(again_at - bench.clock.now())
    assert await statuses(bench, 1) == [200]


async def test_headers_say_how_a_key_stands(make_bench: Callable[..., Any]) -> None:
    """The limit, what is left of it, and the seconds until the oldest request stops counting."""
    bench = make_bench(rpm=600)
    await bench.http.get("/v1/balance")
    await anyio.sleep(20)
    headers = (await bench.http.get("/v1/balance")).headers
    names = ("limit", "remaining", "reset")
    assert [headers[f"x-ratelimit-{name}-requests"] for name in names] == ["600", "598", "40"]


async def test_submits_and_polls_count_alike_and_media_does_not(make_bench: Callable[..., Any]) -> None:
    """A 304 counts too; audio, signed or with the key, is free on its own origin."""
    bench = make_bench(rpm=600)
    job_id = await bench.job()
    await anyio.sleep(10)
    await bench.poll(job_id)
    url = (await bench.poll(job_id)).headers  # 304
    assert url["x-ratelimit-remaining-requests"] == "597"
    name = f"/v1/files/jobs/{job_id}/{job_id}.wav"
    assert "x-ratelimit-limit-requests" not in (await bench.http.get(f"http://media.gateway.local{name}")).headers
    assert (await bench.http.get(name)).headers["x-ratelimit-remaining-requests"] == "596"


async def test_each_key_has_a_limit_of_its_own(make_bench: Callable[..., Any]) -> None:
    """One customer's burst is not another's."""
    bench = make_bench(rpm=6)
    assert await statuses(bench, 3) == [200, 200, 429]
    assert await statuses(bench, 1, headers={"Authorization": "Bearer sk-aig-other"}) == [200]


async def test_without_a_limit_nothing_is_counted(bench: Any) -> None:
    """As in `--gateway local`: no 429, and no headers."""
    assert set(await statuses(bench, 500)) == {200}
    assert "x-ratelimit-limit-requests" not in (await bench.http.get("/v1/balance")).headers


@pytest.mark.parametrize(
    ("authorization", "status", "kind"),
    [
        ("", 401, "authentication_error"),
        ("Bearer ", 401, "authentication_error"),
        ("Bearer sk-aig-", 401, "authentication_error"),
        ("Bearer sk-other-1", 401, "authentication_error"),
        ("sk-aig-good", 401, "authentication_error"),
        ("Bearer sk-aig-noscope-1", 403, "scope_exceeded"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/jobs/job_x", "/v1/balance", "/v1/models", "/v1/usage/by-tag"])
async def test_a_bad_key_opens_nothing(bench: Any, authorization: str, status: int, kind: str, path: str) -> None:
    """401 for what is no key, 403 for one without the scope."""
    response = await bench.http.get(path, headers={"Authorization": authorization})
    assert (response.status_code, response.json()["error"]["type"]) == (status, kind)


@pytest.mark.parametrize("rpm", [1, 10, 600, 30_000])
def test_no_limit_is_ever_passed_by_one_who_takes_every_chance(rpm: int) -> None:
    """Whoever comes back exactly when told gets the whole rate, and never more than it."""
    limits, now, taken = RateLimits(rpm), 1_790_000_000.0, []
    while now < 1_790_000_000.0 + 180:
        standing = limits.request("key", now)
        if standing.retry_after_s is None:
            taken.append(now)
        else:
            now += standing.retry_after_s
    for moment in taken:
        assert bisect_left(taken, moment + 60) - bisect_left(taken, moment) <= rpm
        assert bisect_left(taken, moment + 10) - bisect_left(taken, moment) <= max(1, rpm // 3)
    assert len(taken) >= 2.9 * rpm

"""Connections: spread over small pools, proxied as the machine is, and quiet."""

from __future__ import annotations

import logging

import anyio
import httpx
import pytest

from pipeline.gateway.addresses import Origin
from pipeline.gateway.connections import Network, SpreadTransport, keep_addresses_out_of_logs, proxy_for

API = Origin("https", "api.aigateway.sh", 443)


class Pool(httpx.AsyncBaseTransport):
    """A pool whose answers wait until they are let go."""

    def __init__(self, leave: anyio.Event) -> None:
        self.leave = leave
        self.in_flight = self.most = 0
        self.is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/refused":
            raise httpx.ConnectError("refused")
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await self.leave.wait()
        return httpx.Response(200, stream=httpx.ByteStream(b"ok"))

    async def aclose(self) -> None:
        self.is_closed = True


async def send(transport: httpx.AsyncBaseTransport, path: str = "/") -> httpx.Response:
    return await transport.handle_async_request(httpx.Request("GET", f"https://api.aigateway.sh{path}"))


async def in_flight_at_once(most_connections: int, requests: int) -> tuple[SpreadTransport, list[Pool]]:
    leave, pools = anyio.Event(), []

    def make_pool() -> Pool:
        pools.append(Pool(leave))
        return pools[-1]

    transport = SpreadTransport(make_pool, most_connections)
    async with anyio.create_task_group() as tasks:
        for _ in range(requests):
            tasks.start_soon(send, transport)
        await anyio.wait_all_tasks_blocked()
        leave.set()
    return transport, pools


@pytest.mark.anyio
class TestSpreading:
    @pytest.mark.parametrize(
        ("most_connections", "requests", "spread"),
        [(64, 64, [8] * 8), (64, 9, [8, 1]), (64, 3, [3]), (16, 20, [10, 10]), (1, 3, [3]), (9, 16, [8, 8])],
        ids=["full", "one over", "few", "more than connections", "one", "rounded up"],
    )
    async def test_no_pool_serves_more_than_eight_while_another_may_be_opened(
        self, most_connections, requests, spread
    ) -> None:
        """One pool of 64 costs three times the processor time of eight of 8."""
        _, pools = await in_flight_at_once(most_connections, requests)
        assert [pool.most for pool in pools] == spread

    async def test_a_request_goes_to_the_pool_that_has_the_fewest_in_flight(self) -> None:
        """In flight means: until its body is closed."""
        leave, pools = anyio.Event(), []
        leave.set()

        def make_pool() -> Pool:
            pools.append(Pool(leave))
            return pools[-1]

        transport = SpreadTransport(make_pool, 16)
        open_responses = [await send(transport) for _ in range(9)]
        assert [pool.most for pool in pools] == [8, 1]
        for response in open_responses[:8]:
            await response.aclose()
            await response.aclose()
        await send(transport)
        assert [pool.in_flight for pool in pools] == [9, 1]

    async def test_a_request_that_fails_is_no_longer_in_flight(self) -> None:
        """Eight refused connections do not fill a pool."""
        leave, pools = anyio.Event(), []
        leave.set()

        def make_pool() -> Pool:
            pools.append(Pool(leave))
            return pools[-1]

        transport = SpreadTransport(make_pool, 16)
        for _ in range(20):
            with pytest.raises(httpx.ConnectError):
                await send(transport, "/refused")
        await send(transport)
        assert len(pools) == 1

    async def test_every_pool_is_closed(self) -> None:
        """At the end of the run."""
        transport, pools = await in_flight_at_once(16, 16)
        await transport.aclose()
        assert [pool.is_closed for pool in pools] == [True, True]


@pytest.mark.parametrize(
    ("origin", "settings", "proxy"),
    [
        (API, {}, None),
        (API, {"https": "http://proxy:3128"}, "http://proxy:3128"),
        (API, {"http": "http://proxy:3128"}, None),
        (API, {"all": "socks5://proxy"}, "socks5://proxy"),
        (API, {"https": "proxy:3128"}, "http://proxy:3128"),
        (API, {"https": "http://proxy", "no": "*"}, None),
        (API, {"https": "http://proxy", "no": "example.org, .aigateway.sh"}, None),
        (API, {"https": "http://proxy", "no": "aigateway.sh"}, None),
        (API, {"https": "http://proxy", "no": "*.aigateway.sh"}, None),
        (API, {"https": "http://proxy", "no": "api.aigateway.sh:443"}, None),
        (API, {"https": "http://proxy", "no": "api.aigateway.sh:8443"}, "http://proxy"),
        (API, {"https": "http://proxy", "no": "gateway.sh,,"}, "http://proxy"),
    ],
)
def test_the_machines_proxy_is_used_but_for_its_exceptions(origin, settings, proxy) -> None:
    """As `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are read everywhere."""
    assert proxy_for(origin, settings) == proxy


@pytest.mark.anyio
async def test_a_proxy_that_can_not_be_used_is_no_connection(monkeypatch) -> None:
    """It is said, and nothing was sent."""
    monkeypatch.setattr("pipeline.gateway.connections.getproxies", lambda: {"all": "gopher://proxy"})
    network = Network(8)
    with pytest.raises(httpx.ProxyError, match=r"proxy for api\.aigateway\.sh can't be used"):
        await send(network)


def test_redirects_reach_no_log_with_their_signature(caplog) -> None:
    """httpcore tells the headers of each answer at level DEBUG."""
    keep_addresses_out_of_logs()
    keep_addresses_out_of_logs()
    caplog.set_level(logging.DEBUG)
    headers = [(b"Location", b"https://media.aigateway.sh/a.wav?sig=secret&expires=9")]
    logging.getLogger("httpcore.http11").debug("return_value=%r", headers)
    assert "https://media.aigateway.sh/a.wav?…" in caplog.text
    assert "secret" not in caplog.text

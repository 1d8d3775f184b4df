"""Connections: as many as are needed, proxied as the machine is, and quiet."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from pipeline.gateway.addresses import Origin
from pipeline.gateway.connections import Network, SpreadTransport, keep_addresses_out_of_logs, proxy_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

API = Origin("https", "api.aigateway.sh", 443)


class Pool(httpx.AsyncBaseTransport):
    """A pool of one connection, whose answers take `round_trip_s`."""

    def __init__(self, round_trip_s: float) -> None:
        self.round_trip_s = round_trip_s
        self.requests = self.in_flight = self.most = 0
        self.is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert not self.is_closed
        if request.url.path == "/refused":
            raise httpx.ConnectError("refused")
        self.requests += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await anyio.sleep(self.round_trip_s)
        return httpx.Response(200, stream=Ending(self))

    async def aclose(self) -> None:
        self.is_closed = True
        await anyio.sleep(self.round_trip_s)


class Ending(httpx.AsyncByteStream):
    """A body whose end is noticed."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"ok"

    async def aclose(self) -> None:
        self.pool.in_flight -= 1


class Connections:
    """Connections that are counted."""

    def __init__(self, round_trip_s: float) -> None:
        self.opened: list[Pool] = []
        self.transport = SpreadTransport(self._connect)
        self._round_trip_s = round_trip_s

    def _connect(self) -> Pool:
        self.opened.append(Pool(self._round_trip_s))
        return self.opened[-1]

    @property
    def standing(self) -> int:
        return sum(not pool.is_closed for pool in self.opened)

    async def ask(self) -> None:
        response = await send(self.transport)
        await response.aclose()
        await response.aclose()

    async def ask_at_once(self, requests: int) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(requests):
                tasks.start_soon(self.ask)

    async def ask_steadily(self, each_s: float, for_s: float) -> None:
        """A request every `each_s`, whether those before it were answered or not."""
        async with anyio.create_task_group() as tasks:
            for _ in range(round(for_s / each_s)):
                tasks.start_soon(self.ask)
                await anyio.sleep(each_s)


async def send(transport: httpx.AsyncBaseTransport, path: str = "/") -> httpx.Response:
    return await transport.handle_async_request(httpx.Request("GET", f"https://api.aigateway.sh{path}"))


@pytest.mark.anyio
class TestConnections:
    async def test_there_are_as_many_as_requests_in_flight_and_the_next_requests_use_them(self) -> None:
        """None queues behind another; none is opened while one is free."""
        connections = Connections(0.2)
        for _ in range(3):
            await connections.ask_at_once(100)
        assert len(connections.opened) == 100
        assert {(pool.requests, pool.most) for pool in connections.opened} == {(3, 1)}

    async def test_a_steady_rate_needs_as_many_as_the_rate_times_the_round_trip(self) -> None:
        """Little's law: 500 a second, each 0.2 s on its way, are 100 in flight; after a burst too."""
        connections = Connections(0.2)
        await connections.ask_at_once(300)
        await connections.ask_steadily(0.002, for_s=10.0)
        assert 100 <= connections.standing <= 102
        assert len(connections.opened) == 300

    async def test_a_lull_closes_those_that_nobody_needs(self) -> None:
        """All but those in use, while others are taken; they stay open, so that the next request need not connect."""
        connections = Connections(0.2)
        await connections.ask_at_once(50)
        await connections.ask_steadily(0.051, for_s=5.0)
        assert (len(connections.opened), connections.standing) == (50, 4)

    async def test_a_request_that_fails_or_is_given_up_leaves_its_connection_free(self) -> None:
        """Refused connections, and requests that were cancelled, do not pile up."""
        connections = Connections(0.2)
        for _ in range(20):
            with pytest.raises(httpx.ConnectError):
                await send(connections.transport, "/refused")
            with anyio.move_on_after(0.1):
                await connections.ask()
        assert len(connections.opened) == 1

    async def test_all_are_closed_at_the_end_also_what_is_in_use(self) -> None:
        """A body that is given up after that changes nothing."""
        connections = Connections(0.2)
        await connections.ask_at_once(3)
        response = await send(connections.transport)
        await connections.transport.aclose()
        await response.aclose()
        assert connections.standing == 0


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
    network = Network()
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

"""Connections to the network: kept alive, in pools of at most eight, one set of pools for each origin.

httpcore looks through a whole pool at every request: one pool of 64 connections costs three times the processor time of
eight pools of 8. Proxies are the system's own (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, or the desktop's settings), as
for everything else on the machine, and so are certificates (`SSL_CERT_FILE`); what lies on this machine itself is never
asked for through a proxy.
"""

from __future__ import annotations

import logging
import re
import ssl
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies

import anyio
import httpx

from pipeline.gateway.addresses import Origin, origin_of
from pipeline.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

_CONNECTIONS_A_POOL: Final = 8
#: Shorter than servers keep an idle connection: one that is closed just as a POST goes out leaves its answer unknown.
_KEPT_ALIVE_S: Final = 4.0
_QUERIES: Final = re.compile(r"\?[^\s'\"]*")


@dataclass(eq=False)
class _Pool:
    transport: httpx.AsyncBaseTransport
    in_flight: int = 0


class SpreadTransport(httpx.AsyncBaseTransport):
    """One origin's connections: each request goes to the pool that has the fewest in flight."""

    def __init__(self, make_pool: Callable[[], httpx.AsyncBaseTransport], most_connections: int) -> None:
        self._make_pool = make_pool
        self._most_pools = -(-most_connections // _CONNECTIONS_A_POOL)
        self._pools: list[_Pool] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pool = self._least_busy()
        pool.in_flight += 1
        try:
            response = await pool.transport.handle_async_request(request)
        except BaseException:
            pool.in_flight -= 1
            raise
        response.stream = _CountedStream(response.stream, pool)
        return response

    async def aclose(self) -> None:
        pools, self._pools = self._pools, []
        for pool in pools:
            await pool.transport.aclose()

    def _least_busy(self) -> _Pool:
        best = min(self._pools, key=lambda pool: pool.in_flight, default=None)
        if best is None or (best.in_flight >= _CONNECTIONS_A_POOL and len(self._pools) < self._most_pools):
            best = _Pool(self._make_pool())
            self._pools.append(best)
        return best


class _CountedStream(httpx.AsyncByteStream):
    """A response's body, which is in flight until it is closed."""

    def __init__(self, stream: object, pool: _Pool) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous transport gives no other
        self._stream = stream
        self._pool: _Pool | None = pool

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        if self._pool is not None:
            self._pool.in_flight -= 1
            self._pool = None
        await self._stream.aclose()


class Network(httpx.AsyncBaseTransport):
    """Every origin that is talked to, each with its own connections, opened when they are first needed."""

    def __init__(self, most_connections: int) -> None:
        """`most_connections` to one origin."""
        self._most_connections = most_connections
        self._origins: dict[Origin, SpreadTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        origin = origin_of(request.url)
        transport = self._origins.get(origin)
        if transport is None:
            transport = self._origins[origin] = self._connect(origin)
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        origins, self._origins = self._origins, {}
        with anyio.CancelScope(shield=True):
            for transport in origins.values():
                await transport.aclose()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The one TLS context of all pools: reading the certificates takes tens of milliseconds."""
        return httpx.create_ssl_context()

    def _connect(self, origin: Origin) -> SpreadTransport:
        proxy = None if is_loopback(origin.host) else proxy_for(origin, getproxies())

        def make_pool() -> httpx.AsyncBaseTransport:
            limits = httpx.Limits(
                max_connections=_CONNECTIONS_A_POOL,
                max_keepalive_connections=_CONNECTIONS_A_POOL,
                keepalive_expiry=_KEPT_ALIVE_S,
            )
            # Without TLS httpx is handed an empty context, or it would read the certificates for each pool.
            verify = self._tls if origin.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            try:
                return httpx.AsyncHTTPTransport(verify=verify, proxy=proxy, limits=limits)
            except (ImportError, ValueError) as error:  # a SOCKS proxy without its package; an address that is none
                raise httpx.ProxyError(f"the proxy for {origin.host} can't be used: {error}") from None

        return SpreadTransport(make_pool, self._most_connections)


def proxy_for(origin: Origin, settings: Mapping[str, str]) -> str | None:
    """The proxy for `origin` by `urllib.request.getproxies()`: by scheme, else for `all`, unless `no` excepts it."""
    for excepted in settings.get("no", "").split(","):
        name, _, port = excepted.strip().lower().partition(":")
        name = name.removeprefix("*").lstrip(".")
        if excepted.strip() == "*" or (
            name and (origin.host == name or origin.host.endswith(f".{name}")) and port in ("", str(origin.port))
        ):
            return None
    proxy = settings.get(origin.scheme) or settings.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def keep_addresses_out_of_logs() -> None:
    """Have httpcore's own DEBUG log tell redirects without the signature in them. Nothing here logs through httpx."""
    logging.getLogger("httpcore.http11").addFilter(_forget_queries)


def _forget_queries(record: logging.LogRecord) -> bool:
    record.msg, record.args = _QUERIES.sub("?…", record.getMessage()), None
    return True

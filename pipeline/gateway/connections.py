"""Connections to the network: kept alive, as many as there are requests in flight, one set for each origin.

How many that are follows from Little's law: requests a second times the seconds that each is on its way. Nobody has to
know either: a request takes the connection that was used last, and a new one only where none is free; what is left over
when there is less to do is closed. Each is a pool of its own: httpcore looks through a whole pool before and after each
request, and asks the system of each idle connection in it whether it still stands.

Proxies are the system's own (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, or the desktop's settings), as for everything else
on the machine, and so are certificates (`SSL_CERT_FILE`); what lies on this machine itself is never asked for through a
proxy.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections import deque
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies

import anyio
import httpx

from pipeline.gateway.addresses import Origin, origin_of
from pipeline.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

#: Shorter than servers keep an idle connection: one that is closed just as a POST goes out leaves its answer unknown.
_KEPT_ALIVE_S: Final = 4.0
_QUERIES: Final = re.compile(r"\?[^\s'\"]*")


@dataclass(eq=False, slots=True)
class _Connection:
    """A pool of one."""

    pool: httpx.AsyncBaseTransport
    free_since: float = 0.0


class SpreadTransport(httpx.AsyncBaseTransport):
    """One origin's connections: each request takes the free one that was used last, else a new one."""

    def __init__(self, connect: Callable[[], httpx.AsyncBaseTransport]) -> None:
        """`connect` makes a pool of one connection."""
        self._connect = connect
        self._all: set[_Connection] = set()
        self._free: deque[_Connection] = deque()  # the one that was used last at the end

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        connection = self._take()
        try:
            response = await connection.pool.handle_async_request(request)
        except BaseException:
            await self._give_back(connection)
            raise
        response.stream = _CountedStream(response.stream, partial(self._give_back, connection))
        return response

    async def aclose(self) -> None:
        every, self._all = self._all, set()
        self._free.clear()
        for connection in every:
            await connection.pool.aclose()

    def _take(self) -> _Connection:
        if self._free:
            return self._free.pop()
        connection = _Connection(self._connect())
        self._all.add(connection)
        return connection

    async def _give_back(self, connection: _Connection) -> None:
        """A request has ended: its connection is free, and those that nobody has needed for a while are closed."""
        if connection not in self._all:
            return  # closed with all the others
        connection.free_since = anyio.current_time()
        self._free.append(connection)
        left_over = []
        while self._free[0].free_since < connection.free_since - _KEPT_ALIVE_S:
            left_over.append(self._free.popleft())
        if left_over:
            self._all.difference_update(left_over)
            with anyio.CancelScope(shield=True):
                for one in left_over:
                    await one.pool.aclose()


class _CountedStream(httpx.AsyncByteStream):
    """A response's body, whose connection is given back once it is closed."""

    def __init__(self, stream: object, give_back: Callable[[], Awaitable[None]]) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous transport gives no other
        self._stream = stream
        self._give_back = give_back
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._stream.__aiter__()

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._stream.aclose()
        finally:
            await self._give_back()


class Network(httpx.AsyncBaseTransport):
    """Every origin that is talked to, each with its own connections, opened when they are needed."""

    def __init__(self) -> None:
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
        # Without TLS httpx is handed an empty context, or it would read the certificates for each pool.
        tls = self._tls if origin.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

        def connect() -> httpx.AsyncBaseTransport:
            limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEPT_ALIVE_S)
            try:
                return httpx.AsyncHTTPTransport(verify=tls, proxy=proxy, limits=limits)
            except (ImportError, ValueError) as error:  # a SOCKS proxy without its package; an address that is none
                raise httpx.ProxyError(f"the proxy for {origin.host} can't be used: {error}") from None

        return SpreadTransport(connect)


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

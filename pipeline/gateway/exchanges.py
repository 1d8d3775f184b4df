"""One request and its answer over a transport: bounded in time and size, and never more believed than what it proves.

Requests go to the transport itself, not through httpx's client: that follows redirects, keeps cookies, and writes every
address, signed or not, to its log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
import httpx

from pipeline.gateway.excerpts import excerpt
from pipeline.gateway.verdicts import Lost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: What a transport raises when the network fails. OSError: a TLS record that can't be read reaches us as one.
TRANSPORT_ERRORS: Final = (httpx.HTTPError, OSError)
_NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
#: Pieces that may still lie in buffers when a connection is closed.
_MOST_LEFT_OVER: Final = 1_000


class Body:
    """A response's bytes as they arrive. Left half-read, it still ends cleanly.

    httpx reads through nested asynchronous generators. One that is dropped half-way is left to the garbage collector,
    of which trio complains; so once the connection is closed they are run to their end, which is an error by then.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous transport gives no other
        self._chunks: AsyncIterator[bytes] = aiter(stream)
        self._is_begun = self._is_ended = False

    async def read(self) -> bytes:
        """The next bytes; none at the end."""
        self._is_begun = True
        try:
            while not (chunk := await anext(self._chunks)):
                pass
        except StopAsyncIteration:
            self._is_ended = True
            return b""
        except BaseException:
            self._is_ended = True
            raise
        return chunk

    async def read_up_to(self, limit: int) -> bytes:
        """All of it, or a little more than `limit` bytes of it."""
        content = bytearray()
        while len(content) <= limit and (chunk := await self.read()):
            content += chunk
        return bytes(content)

    async def aclose(self) -> None:
        await self._response.aclose()
        for _ in range(_MOST_LEFT_OVER):
            if self._is_ended or not self._is_begun:
                return
            try:
                await self.read()
            except TRANSPORT_ERRORS:
                return


async def exchange(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, *, total_s: float, limit_bytes: int
) -> tuple[httpx.Response, bytes] | Lost:
    """Send `request` and read its whole answer, hardly more than `limit_bytes` of it, within `total_s`.

    Only its own deadline makes a lost answer of a cancellation; one from outside goes through untouched.
    """
    answer: tuple[httpx.Response, bytes] | None = None
    lost = Lost(sent=True, reason=f"no answer within {total_s:g} s")
    with anyio.move_on_after(total_s):
        try:
            response = await transport.handle_async_request(request)
            body = Body(response)
            try:
                answer = response, await body.read_up_to(limit_bytes)
            finally:
                await body.aclose()
        except TRANSPORT_ERRORS as error:
            lost = lost_by(error)
    return lost if answer is None else answer


def lost_by(error: Exception) -> Lost:
    """What a transport's error proves: whether the request can have left at all."""
    return Lost(sent=not isinstance(error, _NEVER_SENT), reason=_reason(error))


def timeouts(*, connect_s: float, read_s: float, wait_for_connection_s: float | None) -> dict[str, Any]:
    """A request's extensions that tell a transport how long to wait, each in seconds."""
    return {
        "timeout": {"connect": connect_s, "read": read_s, "write": read_s, "pool": wait_for_connection_s},
    }


def _reason(error: Exception) -> str:
    words: dict[type[Exception], str] = {
        httpx.ConnectTimeout: "connecting took too long",
        httpx.PoolTimeout: "all connections are busy",
        httpx.ReadTimeout: "no answer in time",
        httpx.WriteTimeout: "sending took too long",
    }
    return words.get(type(error), "") or excerpt(str(error)) or f"{type(error).__name__}"

"""The listener on a real socket, in the run's own event loop: few connections, none of them for long."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import anyio.lowlevel
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from pipeline.files import reason
from pipeline.listening import listening_socket, reached_at
from pipeline.webhooks.addresses import NoWebhooks

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp

#: So many connections at a time: a flood from outside must leave the run its file descriptors and its memory.
_MOST_CONNECTIONS: Final = 100
#: What the system may hand over at once, before any of them can be turned away.
_BACKLOG: Final = 64
#: A connection brings a whole request within so many seconds, and the next one within so many more.
_A_REQUEST_WITHIN_S: Final = 10.0
_KEEP_ALIVE_S: Final = 8


class _Connection(H11Protocol):
    """uvicorn's, which by itself would wait for ever for whoever says nothing."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()
        else:
            self._begin_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_waiting()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._begin_waiting()

    def _begin_waiting(self) -> None:
        self._end_waiting()
        self._deadline = self.loop.call_later(_A_REQUEST_WITHIN_S, self.transport.abort)

    def _end_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return listening_socket(host, port)
    except OSError as error:
        where = reached_at(host, port).removeprefix("http://")
        raise NoWebhooks(
            f"webhooks can't be listened for on {where} ({reason(error)}); name another address with --webhook-listen, "
            "and have the webhooks lead there"
        ) from error


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int) -> AsyncIterator[None]:
    """Serve `app` there while the block lasts. Raises NoWebhooks, before anything is done, where that can't be."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError as error:
        raise NoWebhooks(
            "webhooks are listened for under asyncio alone: under another event loop leave out `listen`, and have a "
            "server of yours answer with the webhooks' `app`"
        ) from error
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        interface="asgi3",
        proxy_headers=False,
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # what is said to a stranger is said to nobody else
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    config.load()
    state = ServerState()
    server = await loop.create_server(lambda: _Connection(config, state, {}), sock=listening, backlog=_BACKLOG)
    try:
        yield
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        with anyio.CancelScope(shield=True):
            await anyio.lowlevel.checkpoint()  # lets them notice

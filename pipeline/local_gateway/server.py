"""uvicorn around the app: one server for both origins, which can also leave a request without an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import anyio
import uvicorn
from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.local_gateway.refusals import ReplyLost

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from pipeline.local_gateway.app import GatewayApp

#: Longer than any client keeps an idle connection: one that is closed from this side looks like a lost reply.
_KEEP_ALIVE_S: Final = 600
_LAST_ANSWERS_S: Final = 1


class GatewayServer(uvicorn.Server):
    """Serves the app on sockets that are bound already; what arrives on `media_port` is for the media origin."""

    def __init__(self, app: GatewayApp, media_port: int, ready: Callable[[], None]) -> None:
        self._app = app
        self._media_port = media_port
        self._ready = ready
        self._calls: set[anyio.CancelScope] = set()
        super().__init__(
            uvicorn.Config(
                self._answer,
                interface="asgi3",
                proxy_headers=False,
                http=H11Protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="error",
                access_log=False,
                date_header=False,  # the app's clock says when it is
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up and drop what is being answered: nobody waits for a gateway that goes."""
        for connection in list(self.server_state.connections):
            connection.transport.close()
        await asyncio.sleep(0)  # lets the connections notice before their calls end without an answer
        for call in list(self._calls):
            call.cancel()
        await super().shutdown(sockets)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["gateway.origin"] = "media" if scope["server"][1] == self._media_port else "api"
        with anyio.CancelScope() as call:
            self._calls.add(call)
            try:
                await self._app(scope, receive, send)
            except ReplyLost:
                await self._hang_up(scope, receive)
            except ClientDisconnect:
                pass  # whoever asked has gone in the middle of asking
            finally:
                self._calls.discard(call)

    async def _hang_up(self, scope: Scope, receive: Receive) -> None:
        """Close the connection that `scope` came by, once what was sent has left, and wait until it is closed."""
        for connection in list(self.server_state.connections):
            ends = (connection.client, connection.server) if isinstance(connection, H11Protocol) else None
            if ends == (scope["client"], scope["server"]):
                connection.transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass

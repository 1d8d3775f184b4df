"""The review on a real socket. Signals are the command line's: it says when the server is to end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline.files import reason
from pipeline.listening import listening_socket

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from starlette.types import ASGIApp

#: What is being answered when the server ends has so long, in seconds: a player may never read on.
_LAST_ANSWERS_S: Final = 3


class NotListening(OSError):
    """The server could not start. Its text is one sentence."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; `port` 0: any free one. Raises NotListening."""
    try:
        return listening_socket(host, port)
    except OSError as error:
        where = f"{host}:{port}"
        raise NotListening(
            f"the review can't listen on {where} ({reason(error)}); name another port with --port, or none"
        ) from error


class ReviewServer(uvicorn.Server):
    """Serves the app until `should_exit`."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                proxy_headers=False,  # nobody's word for where a request comes from
                http=H11Protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="error",
                access_log=False,  # the token stands in every address
                server_header=False,
                timeout_graceful_shutdown=_LAST_ANSWERS_S,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to whoever runs the server."""
        yield

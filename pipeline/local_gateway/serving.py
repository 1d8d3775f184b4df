"""The local gateway on real sockets: in a thread of its own, the API on one loopback port and its media on another."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

import anyio

from pipeline.clock import SystemClock
from pipeline.listening import listening_socket, reached_at
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.faults.reading import read_faults_file
from pipeline.local_gateway.faults.rules import FaultPlan
from pipeline.local_gateway.processes import ProcessComposer
from pipeline.local_gateway.server import GatewayServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from pipeline.local_gateway.app import GatewayApp
    from pipeline.local_gateway.composition import Composer
    from pipeline.local_gateway.options import GatewayOptions

_TICK_S: Final = 0.5
_LAST_PORT: Final = 65535


class GatewayNotStarted(OSError):
    """The local gateway could not start. Its text is one sentence."""


class LocalGatewayThread:
    """A local gateway, from `with` to its end. Ports that are 0 are free ones; `state` as in `create_app`.

    Music is composed in worker processes, unless another composer is given. Off the main thread uvicorn leaves signals
    alone, and SIGINT is blocked in this thread, so that what it starts does not die of a Ctrl-C on the terminal.
    """

    def __init__(
        self,
        options: GatewayOptions,
        state: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        media_port: int = 0,
        faults: FaultPlan | None = None,
        composer: Composer | None = None,
    ) -> None:
        self._options = options
        self._state = state
        self._host = host
        self._ports = (port, media_port)
        self._faults = faults
        self._composer = composer or ProcessComposer()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self.base_url = ""
        self.media_base_url = ""

    def __enter__(self) -> Self:
        """Start, and come back once requests are answered. Raises GatewayNotStarted."""
        sockets = self._bound()
        try:
            self.app = self._made_app(sockets)
            self._server = GatewayServer(self.app, sockets[1].getsockname()[1], self._ready.set)
        except OSError as error:
            _close(sockets)
            raise GatewayNotStarted(f"the local gateway can't keep its jobs in {self._state}: {_why(error)}") from error
        self._thread = threading.Thread(target=self._run, args=(sockets,), name="local-gateway", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            _close(sockets)
            raise GatewayNotStarted(f"the local gateway did not start: {self._failure}") from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()

    def wait(self) -> None:
        """Wait until it ends by itself, which only a defect makes it do; an interrupt is let through."""
        while self._thread.is_alive():
            self._thread.join(_TICK_S)

    def _bound(self) -> list[socket.socket]:
        """The API's socket and the media's, taken before anything else so that both ports are known."""
        sockets: list[socket.socket] = []
        for port in self._ports:
            try:
                sockets.append(listening_socket(self._host, port))
            except OSError as error:
                _close(sockets)
                where = f"{self._host}:{port}"
                raise GatewayNotStarted(f"the local gateway can't listen on {where}: {_why(error)}") from error
        return sockets

    def _made_app(self, sockets: list[socket.socket]) -> GatewayApp:
        self.base_url, self.media_base_url = (reached_at(self._host, one.getsockname()[1]) for one in sockets)
        return create_app(
            replace(self._options, media_base_url=self.media_base_url),
            clock=SystemClock(),
            composer=self._composer,
            state=self._state,
            faults=self._faults,
        )

    def _run(self, sockets: list[socket.socket]) -> None:
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            anyio.run(self._server.serve, sockets)
        except BaseException as error:  # noqa: BLE001 - whoever started the thread is told
            self._failure = error
        finally:
            self._ready.set()


def serve(  # noqa: PLR0917 - the options of `pipeline serve`, in their order
    host: str,
    port: int,
    media_port: int | None,
    options: GatewayOptions,
    state: Path | None,
    announce: Callable[[str], None],
    *,
    faults: Path | None = None,
) -> None:
    """Run a local gateway until it is interrupted. `media_port` None: the next port.

    Raises GatewayNotStarted; FaultMistake and OSError for a faults file that can't be read.
    """
    beside = port + 1 if 0 < port < _LAST_PORT else 0  # 0: any free one
    media = beside if media_port is None else media_port
    plan = FaultPlan() if faults is None else read_faults_file(faults)
    gateway = LocalGatewayThread(options, state, host=host, port=port, media_port=media, faults=plan)
    with gateway, suppress(KeyboardInterrupt):
        announce(f"the local gateway listens on {gateway.base_url}, its audio lies on {gateway.media_base_url}")
        announce(f"use it with: pipeline run MANIFEST --gateway local={gateway.base_url}    (Ctrl-C stops it)")
        gateway.wait()


def _why(error: OSError) -> str:
    """The system's words for it, without the rest of what Python says."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)


def _close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()

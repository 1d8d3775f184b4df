"""The local gateway as an ASGI app: both of its origins, told apart by the `Host` header."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from pipeline.local_gateway.addresses import Addresses
from pipeline.local_gateway.calls import Table
from pipeline.local_gateway.controls import Controls
from pipeline.local_gateway.door import Door
from pipeline.local_gateway.endpoints import Endpoints
from pipeline.local_gateway.faults.playing import FaultPlayer
from pipeline.local_gateway.faults.rules import FaultPlan
from pipeline.local_gateway.gateway import LocalGateway
from pipeline.local_gateway.journal import Journal
from pipeline.local_gateway.signing import kept_secret
from pipeline.local_gateway.studio import FolderShelf, MemoryShelf, Studio
from pipeline.local_gateway.webhooks import Herald, post_on_loopback
from pipeline.local_gateway.workshop import Workshop

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from pipeline.clock import Clock
    from pipeline.local_gateway.calls import Origin
    from pipeline.local_gateway.composition import Composer
    from pipeline.local_gateway.latency import Latency
    from pipeline.local_gateway.options import GatewayOptions
    from pipeline.local_gateway.webhooks import Post


def create_app(
    options: GatewayOptions,
    *,
    clock: Clock,
    composer: Composer,
    state: Path | None,
    faults: FaultPlan | None = None,
    post: Post = post_on_loopback,
    latency: Latency | None = None,
) -> GatewayApp:
    """A local gateway.

    `state`: a folder that its jobs, its audio and its secret outlive a restart in; None: they do not. `faults`: what
    goes wrong from the start. `post`: how webhooks are told. `latency`: how long jobs take, in place of what `options`
    tell of it. Raises OSError where the folder can't be used.
    """
    for folder in () if state is None else (state, state / "audio"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    gateway = LocalGateway(options, None if state is None else Journal(state / "jobs.jsonl", clock.now()), latency)
    studio = Studio(composer, MemoryShelf() if state is None else FolderShelf(state / "audio"))
    addresses = Addresses(options, kept_secret(state))
    endpoints = Endpoints(gateway, studio, addresses)
    player = FaultPlayer(faults or FaultPlan(), gateway.prompt_of, gateway.books.faults)
    return GatewayApp(
        gateway,
        addresses,
        Door(gateway, Table(endpoints.all()), clock, player),
        Controls(gateway, player, clock),
        Workshop(gateway, studio, clock, Herald(gateway, clock, endpoints.document, post)),
    )


class GatewayApp:
    """The ASGI app. `state.gateway` is the `LocalGateway`, whose books tests assert on.

    Without a lifespan everything works but webhooks, and a piece is composed when it is fetched; `at_work()` opens for
    in-process tests what the lifespan opens on a server. Raises ReplyLost out of a request that is to have no answer.
    """

    def __init__(
        self, gateway: LocalGateway, addresses: Addresses, door: Door, controls: Controls, workshop: Workshop
    ) -> None:
        self.state = SimpleNamespace(gateway=gateway)
        self._addresses = addresses
        self._door = door
        self._controls = controls
        self._workshop = workshop

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """Compose ahead, keep time and tell webhooks while the block lasts."""
        return self._workshop.at_work()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/__"):
            await self._controls(scope, receive, send)
            return
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        origin: Origin = scope.get("gateway.origin") or self._addresses.origin_of(host.decode("latin-1"))
        await self._door.answer(scope, receive, send, origin)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.at_work():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

"""What only whoever runs the gateway may do, from this machine: read its books, and ask for faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.local_gateway.answers import error_document
from pipeline.local_gateway.faults.reading import FaultMistake, read_faults
from pipeline.local_gateway.faults.rules import FaultPlan
from pipeline.local_gateway.refusals import InvalidRequest, MethodNotAllowed, NotFound, Refusal
from pipeline.loopback import is_loopback

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from pipeline.clock import Clock
    from pipeline.local_gateway.faults.playing import FaultPlayer
    from pipeline.local_gateway.gateway import LocalGateway


#: What an app in the same process is called; no name server gives this name an address (RFC 6762).
_IN_PROCESS: Final = "gateway.local"


class Controls:
    """`GET /__books`; `PUT /__faults` with a document as in `--faults FILE`, `DELETE /__faults` for none."""

    def __init__(self, gateway: LocalGateway, player: FaultPlayer, clock: Clock) -> None:
        self._gateway = gateway
        self._player = player
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Refusal as refusal:
            response = JSONResponse(error_document(refusal), refusal.status, refusal.headers)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if not _is_from_here(request):
            raise NotFound(f"there is nothing at {request.url.path}")
        match request.method, request.url.path:
            case "GET", "/__books":
                now = self._clock.now()
                self._gateway.advance(now)
                return JSONResponse(self._gateway.books.document(now))
            case "PUT", "/__faults":
                return await self._put_faults(request)
            case "DELETE", "/__faults":
                self._player.load(FaultPlan())
                return JSONResponse({"rules": []})
            case _, "/__books" | "/__faults":
                raise MethodNotAllowed(f"{request.method} is not for {request.url.path}")
            case _:
                raise NotFound(f"there is nothing at {request.url.path}")

    async def _put_faults(self, request: Request) -> Response:
        try:
            plan = read_faults((await request.body()).decode(), "the body")
        except (FaultMistake, UnicodeDecodeError) as error:
            raise InvalidRequest(str(error), code="invalid_faults") from error
        self._player.load(plan)
        return JSONResponse({"rules": [rule.name for rule in plan.rules]})


def _is_from_here(request: Request) -> bool:
    """Whether the caller is on this machine, and meant this machine.

    A page in a browser here may have been led to loopback under a name of its own: its `Host` and `Origin` say so.
    """
    if request.client is None or not _is_this_machine(request.client.host):
        return False
    named = [request.url.hostname or ""]
    if "origin" in request.headers:
        named.append(urlsplit(request.headers["origin"]).hostname or "")
    return all(_is_this_machine(host) for host in named)


def _is_this_machine(host: str) -> bool:
    return is_loopback(host) or host.endswith(_IN_PROCESS)

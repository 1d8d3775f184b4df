"""What every request passes on its way in, and every answer on its way out: faults, keys, limits, headers, books."""

from __future__ import annotations

import secrets
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.local_gateway.answers import error_document
from pipeline.local_gateway.calls import Call
from pipeline.local_gateway.faults.answering import fault_response
from pipeline.local_gateway.faults.playing import Played
from pipeline.local_gateway.faults.sending import send_spoilt
from pipeline.local_gateway.rate_limits import RateLimits
from pipeline.local_gateway.refusals import Refusal, ReplyLost, TooManyRequests, TooSoon
from pipeline.local_gateway.sender import key_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from pipeline.clock import Clock
    from pipeline.local_gateway.calls import Origin, Table
    from pipeline.local_gateway.faults.playing import FaultPlayer
    from pipeline.local_gateway.gateway import LocalGateway

_LONGEST_REQUEST_ID: Final = 200
_NOT_MODIFIED: Final = 304
_NO_FAULTS: Final = Played()


class Door:
    """Lets requests in, and answers out."""

    def __init__(self, gateway: LocalGateway, table: Table, clock: Clock, faults: FaultPlayer) -> None:
        self._gateway = gateway
        self._table = table
        self._clock = clock
        self._faults = faults
        options = gateway.options
        self._limits = None if options.rpm is None else RateLimits(options.rpm)
        self._retry_after_form = options.forms.retry_after
        self._date = (0, b"")

    async def answer(self, scope: Scope, receive: Receive, send: Send, origin: Origin) -> None:
        """Answer one request. Raises ReplyLost where a fault says that no answer arrives."""
        request = Request(scope, receive)
        try:
            endpoint, params = self._table.find(origin, request.method, scope["path"])
        except Refusal as refusal:
            await self._send(_refused(refusal), request, "unknown", _NO_FAULTS, send)
            return
        call = Call(request, endpoint, params, origin, self._clock.now())
        played = await self._faults.play(call) or _NO_FAULTS
        try:
            response = await self._played(call, played)
        except ReplyLost:
            self._gateway.books.count(endpoint.name, "lost")
            raise
        await self._send(response, request, endpoint.name, played, send)

    async def _played(self, call: Call, played: Played) -> Response:
        """The gateway's answer, after whatever the faults make of the way to it."""
        if played.delay_s:
            await anyio.sleep(played.delay_s)
            call.now = self._clock.now()
        if played.lose == "before":
            raise ReplyLost
        if played.answer is not None:
            return fault_response(played.answer)
        call.fate = played.fate
        response = await self._handled(call)
        if played.delay_answer_s:
            await anyio.sleep(played.delay_answer_s)
        if played.lose == "after":
            raise ReplyLost
        return response

    async def _handled(self, call: Call) -> Response:
        """The gateway's answer."""
        self._gateway.advance(call.now)
        try:
            self._admit(call)
            response = await call.endpoint.handler(call)
        except TooSoon:
            response = Response(status_code=_NOT_MODIFIED)
        except Refusal as refusal:
            response = _refused(refusal)
        if call.standing is not None:
            response.raw_headers += call.standing.raw_headers
        return response

    def _admit(self, call: Call) -> None:
        """Let the call in with its key, within its limit. Raises BadKey, OutOfScope, TooManyRequests."""
        if not call.endpoint.wants_key:
            return
        call.key = key_of(call.request.headers.get("authorization"))
        if self._limits is None or call.origin == "media":
            return
        call.standing = self._limits.request(call.key, call.now)
        if call.standing.retry_after_s is not None:
            wait = self._retry_after(call.now, call.standing.retry_after_s)
            raise TooManyRequests("over the limit of requests a minute; see Retry-After", headers={"Retry-After": wait})

    def _retry_after(self, now: float, seconds: int) -> str:
        # A date has whole seconds: rounded up, so that it is never sooner than the limit allows.
        return str(seconds) if self._retry_after_form == "seconds" else formatdate(int(now) + seconds + 1, usegmt=True)

    async def _send(self, response: Response, request: Request, name: str, played: Played, send: Send) -> None:
        """Send the answer under the headers that each has, and note it."""
        self._gateway.books.count(name, str(response.status_code))
        request_id = request.headers.get("x-request-id", "")[:_LONGEST_REQUEST_ID] or f"req_{secrets.token_hex(8)}"
        response.raw_headers += [(b"x-request-id", request_id.encode("latin-1")), (b"date", self._http_date())]
        if played.spoil is not None:
            await send_spoilt(response, played.spoil, request.method, send)
        else:
            if request.method == "HEAD":
                response.body = b""
            await response(request.scope, request.receive, send)

    def _http_date(self) -> bytes:
        """The moment as HTTP writes it, worked out once a second."""
        second = int(self._clock.now())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True).encode())
        return self._date[1]


def _refused(refusal: Refusal) -> Response:
    return JSONResponse(error_document(refusal), refusal.status, refusal.headers)

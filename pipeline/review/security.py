"""Who is let in: whoever names an address that is listened on, and has the token; and only the page itself writes.

The names are checked against pages of other sites that have their own name lead here (DNS rebinding), the origin
against those that send something here, the token against everybody who shares this machine.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse

from pipeline.review.refusals import Forbidden

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_PORT_OF_HTTP: Final = 80
#: On every answer. The page has a policy of its own in it, which this one does not loosen.
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "frame-ancestors 'none'",
}


def new_token() -> str:
    """What stands in the address: nobody guesses it, and the next start has another."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Names:
    """What the server may be called: the `Host` of a request has to be one of them, to the letter."""

    hosts: frozenset[str]

    @classmethod
    def of(cls, host: str, port: int) -> Names:
        """The names of loopback, and the one that was asked for."""
        names = [f"[{name}]" if ":" in name else name for name in (*_LOOPBACK, host.lower())]
        bare = names if port == _PORT_OF_HTTP else []  # browsers leave it out then
        return cls(frozenset([*(f"{name}:{port}" for name in names), *bare]))

    def know(self, request: Request) -> bool:
        """Is the request for one of them, and for no other?"""
        asked = request.headers.getlist("host")
        return len(asked) == 1 and asked[0].lower() in self.hosts


def check_same_origin(request: Request) -> None:
    """Raise Forbidden where a write does not come from the page. The request's own host was checked before."""
    own = f"http://{request.headers['host'].lower()}"
    origins = [origin.lower() for origin in request.headers.getlist("origin")]
    if origins != [own]:
        raise Forbidden("only the page itself may change something: open it again from the address in the terminal")
    if any(site != "same-origin" for site in request.headers.getlist("sec-fetch-site")):
        raise Forbidden("another site sent this: only the page itself may change something")


class Gate:
    """Lets in what names a known host and the token; every answer has its headers, those at the gate too."""

    def __init__(self, app: ASGIApp, names: Names, token: str) -> None:
        self._app = app
        self._names = names
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, send = Request(scope), _with_headers(send)
        answer = self._refusal(request)
        if answer is not None:
            await answer(scope, receive, send)
            return
        await self._app({**scope, "root_path": f"/{self._token.decode()}"}, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        if not self._names.know(request):
            return PlainTextResponse("this server is not called so", 403)
        first, slash, rest = request.scope["path"].removeprefix("/").partition("/")
        if not secrets.compare_digest(first.encode("utf-8", "surrogatepass"), self._token):
            return PlainTextResponse("not found", 404)
        if not slash and not rest:
            return RedirectResponse(f"/{self._token.decode()}/")
        return None


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return sending

"""A gateway's client over a transport that plays what a test says, on virtual time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import httpx
import pytest

from pipeline.clock import EventLoopClock
from pipeline.gateway.answers import Answer
from pipeline.gateway.client import Gateway
from pipeline.gateway.pacing import Pacer
from pipeline.gateway.requests import SubmitRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from pipeline.gateway.api import Timeouts

KEY = "sk-aig-a-secret-that-must-not-be-seen"
API = "https://api.aigateway.sh"


class Pieces(httpx.AsyncByteStream):
    """A body that arrives piece by piece; an exception among the pieces is raised in its place."""

    def __init__(self, pieces: Sequence[bytes | Exception]) -> None:
        self.pieces = pieces
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def aclose(self) -> None:
        self.is_closed = True


class Played(NamedTuple):
    """One answer, or what the network does instead of one."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = {}  # noqa: RUF012 - read only
    after_s: float = 0.0


@dataclass
class Playing(httpx.AsyncBaseTransport):
    """A transport that answers each request by what `answer` says, and keeps what it was sent."""

    answer: Callable[[httpx.Request], Played | Exception]
    requests: list[httpx.Request] = field(default_factory=list)
    bodies: list[Pieces] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        played = self.answer(request)
        if isinstance(played, Exception):
            raise played
        if played.after_s:
            await anyio.sleep(played.after_s)
        return httpx.Response(played.status, headers=played.headers, stream=self.stream(played.body))

    def stream(self, body: Any) -> Pieces:
        if isinstance(body, (dict, list)) and not (isinstance(body, list) and body and isinstance(body[0], bytes)):
            body = json.dumps(body).encode()
        pieces = Pieces([body] if isinstance(body, bytes) else body)
        self.bodies.append(pieces)
        return pieces

    @property
    def paths(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


@dataclass
class World:
    """A client and the transport beneath it."""

    gateway: Gateway
    transport: Playing


@pytest.fixture
def world() -> Callable[..., World]:
    """Makes a client whose network plays `answers`: one for all requests, one after another, or by a function."""

    def make(
        answers: Played | Exception | Sequence[Played | Exception] | Callable[[httpx.Request], Played | Exception],
        *,
        base_url: str = API,
        key: str = KEY,
        media_hosts: Sequence[str] = (),
        requests_per_minute: int | None = None,
        timeouts: Timeouts | None = None,
    ) -> World:
        if isinstance(answers, (Played, Exception)):
            answer: Any = lambda _: answers  # noqa: E731 - short
        elif callable(answers):
            answer = answers
        else:
            left = iter(answers)
            answer = lambda _: next(left)  # noqa: E731 - short
        transport = Playing(answer)
        more = {} if timeouts is None else {"timeouts": timeouts}
        gateway = Gateway(
            base_url,
            key,
            pacer=Pacer(requests_per_minute),
            clock=EventLoopClock(),
            transport=transport,
            media_hosts=media_hosts,
            **more,
        )
        return World(gateway, transport)

    return make


@pytest.fixture
def played() -> type[Played]:
    return Played


@pytest.fixture
def order() -> SubmitRequest:
    """One submit."""
    return SubmitRequest(
        body=b'{"prompt":"harp"}',
        idempotency_key="a" * 32,
        request_id="b" * 32,
        cost_tag="skyhaven/overworld/day",
        fresh=False,
    )


@pytest.fixture
def answer() -> Callable[..., Answer]:
    """Makes an answer as a value."""

    def make(status: int = 200, body: Any = b"", headers: dict[str, str] | None = None, at: float = 1.79e9) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Answer(status, headers or {}, content, at)

    return make

"""The way from a life to the gateway, and what goes wrong on it, drawn from the seed.

It keeps the timeouts that httpx's own ASGI transport ignores, knows for each submit what came of it, and looks at every
submit and poll at the moment when it leaves.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import anyio
import httpx

if TYPE_CHECKING:
    from random import Random

    from mortality import Mortal

_KINDS: Final = {"500": "server_error", "503": "service_unavailable", "504": "timeout_error"}
_SUBMIT_TIMEOUT_S: Final = 59.0  # a little less than the client's own
_HTML: Final = "<html><h1>502 Bad Gateway</h1></html>"

#: Faults by what they leave the gateway with: nothing, the request, or (either) one or the other.
_NOT_DELIVERED: Final = ("refused", "lost before", "429", "429 untold", "500", "503")
_EITHER: Final = ("504", "502 html", "late", "slow")
_DELIVERED: Final = ("lost after",)
_EVERYWHERE: Final = (*_NOT_DELIVERED, *_EITHER, *_DELIVERED)
FAULTS: Final = {
    "submit": (*_EVERYWHERE, *2 * ("402", "401")),
    "poll": (*_EVERYWHERE, "304"),
    "media": ("refused", "lost before", "slow", "503", *2 * ("expired address", "truncated", "web page")),
    "other": _EVERYWHERE,
}
#: What surely means that no job was made.
_PROOFS: Final = frozenset({"refused", "429", "429 untold", "500", "503", "402", "401"})


@dataclass
class Sendings:
    """What came of the submits under one key."""

    ids: int = 0  # answers with a job id
    proofs: int = 0  # answers that prove that no job was made
    nothing: int = 0  # neither

    @property
    def all(self) -> int:
        return self.ids + self.proofs + self.nothing


class Watcher(Protocol):
    """Whoever looks at what goes along the road."""

    def submit_leaves(self) -> None: ...

    def submit_cancelled(self) -> None: ...

    def job_may_be_made(self, key: str) -> None: ...

    def poll_leaves(self, job_id: str) -> None: ...


class Road(httpx.AsyncBaseTransport):
    """One for a whole seed; lives come and go on it."""

    def __init__(self, app: Any, random: Random, fault_rate: float) -> None:
        self.fault_rate = fault_rate
        self.fired: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.sendings: defaultdict[str, Sendings] = defaultdict(Sendings)  # by key
        self.shortest_poll_gap_s = float("inf")
        self._gateway = httpx.ASGITransport(app, raise_app_exceptions=True)
        self._random = random
        self._mortal: Mortal | None = None
        self._watcher: Watcher | None = None
        self._polled_at: dict[str, float] = {}

    def watch(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def begin_life(self, mortal: Mortal) -> None:
        self._mortal = mortal
        self._polled_at.clear()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        mortal, watcher = self._mortal, self._watcher
        assert mortal is not None
        assert watcher is not None
        mortal.effect()
        kind = kind_of(request)
        self.requests[kind] += 1
        if kind == "poll":
            self._note_poll(request.url.path)
            watcher.poll_leaves(request.url.path.rsplit("/", 1)[-1])
        fault = self._fault(kind)
        sending = self.sendings[request.headers["idempotency-key"]] if kind == "submit" else None
        if sending is not None:
            watcher.submit_leaves()
            sending.nothing += 1  # until an answer says more
        left_at = anyio.current_time()
        try:
            response = await self._timed(request, fault, mortal)
        except anyio.get_cancelled_exc_class():
            if sending is not None and not mortal.dead and anyio.current_time() - left_at < _SUBMIT_TIMEOUT_S:
                watcher.submit_cancelled()
            raise
        mortal.stay_alive()
        if sending is not None:
            _note_answer(sending, fault, response)
        if isinstance(response, Exception):
            raise response
        return response

    async def _timed(self, request: httpx.Request, fault: str | None, mortal: Mortal) -> httpx.Response | Exception:
        with anyio.move_on_after(request.extensions["timeout"]["read"]):
            return await self._carried(request, fault, mortal)
        return httpx.ReadTimeout("the time ran out", request=request)

    async def _carried(self, request: httpx.Request, fault: str | None, mortal: Mortal) -> httpx.Response | Exception:
        """There and back."""
        way_s = self._random.uniform(0.01, 0.3)
        is_delivered = fault is None or fault in _DELIVERED or (fault in _EITHER and self._random.random() < 0.5)
        is_on_the_wire = self._random.random() < 0.5
        response: httpx.Response | None = None
        try:
            await anyio.sleep(way_s)
        except anyio.get_cancelled_exc_class():
            if is_delivered and is_on_the_wire:  # whoever sent it may be dead by now: its bytes arrive all the same
                with anyio.CancelScope(shield=True):
                    await self._gateway.handle_async_request(request)
            raise
        if is_delivered or fault in ("expired address", "truncated", "web page"):
            response = await self._gateway.handle_async_request(request)
        mortal.stay_alive()
        if is_delivered and kind_of(request) == "submit" and self._watcher is not None:
            self._watcher.job_may_be_made(request.headers["idempotency-key"])
        if fault == "late":
            await anyio.sleep(self._random.uniform(2.0, 20.0))
        if fault == "slow":
            await anyio.sleep(500.0)
        await anyio.sleep(way_s)
        if fault is None or (fault == "late" and response is not None):
            assert response is not None
            return response
        if fault == "truncated":
            assert response is not None
            return await _truncated(response)
        return self._faulty(request, fault)

    def _faulty(self, request: httpx.Request, fault: str) -> httpx.Response | Exception:
        match fault:
            case "refused":
                return httpx.ConnectError("connection refused", request=request)
            case "lost before" | "lost after" | "late" | "slow":
                return httpx.ReadError("connection reset", request=request)
            case "429":
                return _failure(429, "rate_limit_error", retry_after=str(self._random.randrange(1, 20)))
            case "429 untold":
                return _failure(429, "rate_limit_error")
            case "304":
                return httpx.Response(304)
            case "402":
                return _failure(402, "insufficient_credits")
            case "401":
                return _failure(401, "authentication_error")
            case "502 html" | "web page":
                return httpx.Response(200 if fault == "web page" else 502, html=_HTML)
            case "expired address":
                return _failure(403, "scope_exceeded")
        return _failure(
            int(fault), {"500": "server_error", "503": "service_unavailable", "504": "timeout_error"}[fault]
        )

    def _fault(self, kind: str) -> str | None:
        if self._random.random() >= self.fault_rate:
            return None
        fault = self._random.choice(FAULTS[kind])
        self.fired[fault] += 1
        return fault

    def _note_poll(self, path: str) -> None:
        now = anyio.current_time()
        before = self._polled_at.get(path)
        if before is not None:
            self.shortest_poll_gap_s = min(self.shortest_poll_gap_s, now - before)
        self._polled_at[path] = now


def kind_of(request: httpx.Request) -> str:
    path = request.url.path
    if path == "/v1/audio/music":
        return "submit"
    if path.startswith("/v1/jobs/"):
        return "poll" if request.method == "GET" else "cancel"
    return "other" if path.startswith("/v1/") else "media"


def _note_answer(sending: Sendings, fault: str | None, response: httpx.Response | Exception) -> None:
    if fault in _PROOFS or (isinstance(response, httpx.Response) and response.status_code in (400, 401, 402, 429)):
        sending.nothing, sending.proofs = sending.nothing - 1, sending.proofs + 1
    elif isinstance(response, httpx.Response) and response.is_success:
        sending.nothing, sending.ids = sending.nothing - 1, sending.ids + 1


def _failure(status: int, kind: str, **headers: str) -> httpx.Response:
    body = {"error": {"message": f"{kind} on the way", "type": kind, "code": kind}}
    return httpx.Response(
        status, content=json.dumps(body), headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


class _Half(httpx.AsyncByteStream):
    """The first half of a body, and then a broken connection."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> Any:
        yield self._content[: len(self._content) // 2]
        raise httpx.ReadError("connection reset")


async def _truncated(response: httpx.Response) -> httpx.Response:
    content = await response.aread()
    return httpx.Response(response.status_code, headers=response.headers, stream=_Half(content))

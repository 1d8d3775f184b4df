"""One run's surroundings: the local gateway in this process, on virtual time, and the wire to it, which keeps count."""

from __future__ import annotations

import hashlib
import json
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import anyio
import httpx
from pace_times import JobTimes

from pipeline.clock import EventLoopClock
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.faults.rules import Answer, FaultPlan, Rule
from pipeline.local_gateway.options import GatewayOptions
from pipeline.webhooks.receiver import Webhooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pace_regimes import Regime

    from pipeline.local_gateway.app import GatewayApp
    from pipeline.local_gateway.composition import CompositionRequest

BASE_URL: Final = "http://127.0.0.1"
MEDIA_URL: Final = "http://127.0.0.1:81"
KEY: Final = "sk-aig-pace"
MODEL: Final = "sony-ai/mmaudio-v2-text-to-audio"
_WEBHOOK_URL: Final = "https://hooks.example.com/music"
LEARNT_JOBS: Final = 100  # what an earlier run has seen, where there was one

#: What the last refusal told the task that met it. The official client's error does not carry it: its user is given it.
RETRY_AFTER_S: ContextVar[float] = ContextVar("RETRY_AFTER_S", default=1.0)

_FIRST_MINUTE_S: Final = 60.0
_TOO_MANY: Final = 429
_STATUSES: Final = (500, 502, 503)  # each as often as a connection that is refused
_LEARNING_SEEDS: Final = 1_000_000  # apart from those of the runs that are measured


@dataclass(slots=True)
class Counts:
    """What went over the wire to the API's host."""

    requests: int = 0
    refused: int = 0  # 429
    requests_later: int = 0  # after the first minute
    refused_later: int = 0
    unchanged: int = 0  # 304
    faults: int = 0
    gateway_cpu_s: float = 0.0


class Wire(httpx.AsyncBaseTransport):
    """Between a client and the gateway: no delay, and where it is told so some connections are refused."""

    def __init__(self, app: GatewayApp, refused_share: float, seed: int) -> None:
        self._app = app
        self._gateway = httpx.ASGITransport(app)
        self._refused_share = refused_share
        self._seed = seed
        self._asked: dict[str, int] = {}  # requests about a prompt
        self._began: float | None = None
        self.counts = Counts()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.port is not None:
            return await self._answered(request)  # the media host does not count
        now = anyio.current_time()
        self._began = now if self._began is None else self._began
        is_later = now - self._began >= _FIRST_MINUTE_S
        self.counts.requests += 1
        self.counts.requests_later += is_later
        if self._refused_share and self._is_refused(request):
            self.counts.faults += 1
            raise httpx.ConnectError("connection refused", request=request)
        response = await self._answered(request)
        if response.status_code == _TOO_MANY:
            self.counts.refused += 1
            self.counts.refused_later += is_later
            RETRY_AFTER_S.set(float(response.headers["retry-after"]))
        self.counts.unchanged += response.status_code == httpx.codes.NOT_MODIFIED
        self.counts.faults += response.status_code in _STATUSES
        return response

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        """The gateway's answer. It never waits, so that the processor's time meanwhile is its own."""
        began = time.process_time()
        response = await self._gateway.handle_async_request(request)
        self.counts.gateway_cpu_s += time.process_time() - began
        return response

    def _is_refused(self, request: httpx.Request) -> bool:
        """By the job and how often it was asked about, so that everybody meets the same ones as far as that can be."""
        path = request.url.path
        if request.method == "POST" and path == "/v1/audio/music":
            prompt = json.loads(request.content)["prompt"]
        else:
            prompt = self._app.state.gateway.prompt_of(path.rpartition("/")[2])
        self._asked[prompt] = self._asked.get(prompt, 0) + 1
        digest = hashlib.sha256(f"{self._seed}/refused/{self._asked[prompt]}/{prompt}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48 < self._refused_share


class PaceWorld:
    """A gateway that knows how long each job of a regime takes, by its number: that of `p17` as that of job 17.

    Jobs of an earlier run, to learn from, are `q0` and so on: of the same kind, with other times.
    """

    def __init__(self, regime: Regime, seed: int) -> None:
        self.regime = regime
        self.clock = EventLoopClock()
        self.times = {"p": regime.times.drawn(regime.jobs, seed)}
        earlier = JobTimes(regime.times.shape, regime.times.mean_s)  # before any drift
        self.times["q"] = earlier.drawn(LEARNT_JOBS, _LEARNING_SEEDS + seed)
        share = regime.faults / (len(_STATUSES) + 1)
        rules = tuple(
            Rule(f"{status}", endpoints=frozenset({"submit", "poll"}), rate=share, answer=Answer(status))
            for status in _STATUSES
        )
        self.app = create_app(
            GatewayOptions(rpm=regime.requests_per_minute, media_base_url=MEDIA_URL),
            clock=self.clock,
            composer=CannedComposer(),
            state=None,
            faults=FaultPlan(rules, seed) if share else None,
            latency=self._latency,
            post=self._post,
        )
        self.webhooks = Webhooks(_WEBHOOK_URL, self.app.state.gateway.options.webhook_secret, clock=self.clock)
        self.wire = Wire(self.app, share, seed)

    def _latency(self, piece: CompositionRequest) -> float:
        return float(self.times[piece.prompt[0]][int(piece.prompt[1:])])

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Bring a webhook to whoever has asked for them, at once."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.webhooks.app)) as client:
            return (await client.post(url, headers=dict(headers), content=body)).status_code

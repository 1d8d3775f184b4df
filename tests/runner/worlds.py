"""A world for the runner: the real client, ledger and files against the local gateway, all on virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from pipeline.clock import EventLoopClock
from pipeline.entry import make_plan, run
from pipeline.gateway_choice import GatewayChoice
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect
from pipeline.ledger.writing import InlineWriter
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.options import GatewayOptions
from pipeline.manifest import parse_manifest
from pipeline.runner.control import Control
from pipeline.runner.finisher import InlineFinisher

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.audio.tasks import SourceFacts
    from pipeline.jobs import Job
    from pipeline.runner.events import Event
    from pipeline.runner.results import RunResult
    from pipeline.workspace import Plan

BASE_URL = "http://127.0.0.1"
MEDIA_URL = "http://127.0.0.1:81"
KEY = "sk-aig-test"

HEAD = """\
version: 1
name: game
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, concurrency: 4}
defaults: {duration: 2, outputs: [wav]}
tracks:
"""

Answer = httpx.Response | Exception | None
Rule = Callable[[httpx.Request], Answer]


@dataclass
class Network(httpx.AsyncBaseTransport):
    """Between the client and the gateway: plays faults where a test asks for them, keeps timeouts, counts."""

    app: Any
    before: list[Rule] = field(default_factory=list)  # may answer, or raise, instead of the gateway
    after: list[Callable[[httpx.Request, httpx.Response], Answer]] = field(default_factory=list)  # once it has answered
    requests: list[httpx.Request] = field(default_factory=list)
    delay_s: Callable[[httpx.Request], float] = lambda _: 0.0

    def __post_init__(self) -> None:
        self._gateway = httpx.ASGITransport(self.app, raise_app_exceptions=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        timeout = request.extensions.get("timeout", {}).get("read") or 3600.0
        with anyio.move_on_after(timeout):
            await anyio.sleep(self.delay_s(request))
            for rule in self.before:
                answer = rule(request)
                if answer is not None:
                    return _given(answer)
            response = await self._gateway.handle_async_request(request)
            for late in self.after:
                answer = late(request, response)
                if answer is not None:
                    return _given(answer)
            return response
        raise httpx.ReadTimeout("virtual time ran out", request=request)

    def sent(self, method: str, path: str) -> list[httpx.Request]:
        return [one for one in self.requests if one.method == method and one.url.path.startswith(path)]

    @property
    def submits(self) -> list[httpx.Request]:
        return self.sent("POST", "/v1/audio/music")


def _given(answer: httpx.Response | Exception) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    return answer


class QuietFinisher(InlineFinisher):
    """Finishes for real, inline; remembers what it was given."""

    def __init__(self) -> None:
        self.inspected: list[str] = []
        self.finished: list[str] = []
        self.compared: list[tuple[str, str]] = []
        self.weighed: list[str] = []  # for a group's joint loudness

    async def inspect(self, path: str) -> SourceFacts:
        self.inspected.append(path)
        return await super().inspect(path)

    async def finish(self, task: Any) -> Any:
        self.finished.append(task.source)
        return await super().finish(task)

    async def compare(self, one: str, other: str) -> float | None:
        self.compared.append((one, other))
        return await super().compare(one, other)

    async def gating_blocks(self, task: Any) -> Any:
        self.weighed.append(task.source)
        return await super().gating_blocks(task)


class World:
    """Two folders, a gateway, and whatever happens between them."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder  # of the manifests
        self.elsewhere: Path | None = None  # where its two folders are, if not there
        self.output_name = "output"
        self.clock = EventLoopClock()
        self.options = GatewayOptions(**({"latency_s": 5.0, "rpm": None, "media_base_url": MEDIA_URL} | options))
        self.composer: Any = CannedComposer()
        self.restart_gateway()
        self.finisher = QuietFinisher()
        self.events: list[Event] = []
        self.control: Control | None = None
        self.stores: Any = None  # how it reaches its team's store

    def restart_gateway(self) -> None:
        """A gateway that knows nothing of what was before."""
        self.app = create_app(self.options, clock=self.clock, composer=self.composer, state=None)
        self.network = Network(self.app)

    @property
    def output(self) -> Path:
        return (self.elsewhere or self.folder) / self.output_name

    @property
    def state(self) -> Path:
        return (self.elsewhere or self.folder) / "state"

    async def run(self, tracks: str, *, head: str = HEAD, kind: str = "real", **options: Any) -> RunResult:
        """One process's part of a run."""
        self.events = []
        self.control = options.pop("control", None) or Control()
        concurrency = options.pop("concurrency", None)
        requests_per_minute = options.pop("requests_per_minute", None)
        steps = options.pop("steps", ())
        webhooks = options.pop("webhooks", None)
        plan = self.plan(tracks, head=head, kind=kind, **options)
        return await run(
            plan,
            transport=self.network,
            finisher=self.finisher,
            observer=self.events.append,
            clock=self.clock,
            ledger=InlineWriter,
            control=self.control,
            concurrency=concurrency,
            requests_per_minute=requests_per_minute,
            steps=steps,
            webhooks=webhooks,
            stores=self.stores,
        )

    def plan(self, tracks: str, *, head: str = HEAD, kind: str = "real", **options: Any) -> Plan:
        """What a run would do."""
        return make_plan(
            [parse_manifest(head + tracks, self.folder / "game.yaml"), *options.pop("beside", [])],
            output=self.output,
            state=self.state,
            gateway=options.pop("choice", None) or GatewayChoice(kind, None if kind == "local" else BASE_URL, KEY),
            clock=self.clock,
            stores=self.stores,
            **options,
        )

    def manifest(self, text: str) -> Any:
        return parse_manifest(text, self.folder / "other.yaml")

    @property
    def jobs(self) -> list[Job]:
        """The ledger's."""
        ledger = Ledger(connect(self.state / "ledger.sqlite3", durable=False))
        try:
            return ledger.all_jobs()
        finally:
            ledger.close()

    @property
    def index(self) -> dict[str, Any]:
        """path -> row of assets.json."""
        rows = json.loads((self.output / "assets.json").read_text())["assets"]
        return {row["path"]: row for row in rows}

    @property
    def files(self) -> set[str]:
        return {path.relative_to(self.output).as_posix() for path in self.output.rglob("*") if path.is_file()}

    @property
    def report(self) -> dict[str, Any]:
        return json.loads((self.output / "cost-report.json").read_text())


def status(result: RunResult, name: str = "menu") -> str:
    return next(track.status for track in result.tracks if track.plan.track.name == name)


def error(result: RunResult, name: str = "menu") -> str:
    return next(track.error or "" for track in result.tracks if track.plan.track.name == name)


# --- faults ---------------------------------------------------------------------------------------------------------


def is_submit(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path == "/v1/audio/music"


def is_poll(request: httpx.Request) -> bool:
    return request.method == "GET" and request.url.path.startswith("/v1/jobs/")


def is_media(request: httpx.Request) -> bool:
    return request.method == "GET" and not request.url.path.startswith("/v1/jobs/")


def failure(status: int, kind: str = "error", **headers: str) -> httpx.Response:
    """An error in the gateway's own form."""
    body = {"error": {"message": f"{kind} happened", "type": kind, "code": kind}}
    return httpx.Response(status, json=body, headers={key.replace("_", "-"): value for key, value in headers.items()})


def refuse(prompt: str) -> Rule:
    """Every submit of `prompt` is answered with 400."""

    def rule(request: httpx.Request) -> Answer:
        if is_submit(request) and json.loads(request.content)["prompt"] == prompt:
            return failure(400, "invalid_request_error")
        return None

    return rule


@dataclass
class First:
    """The first `times` requests that `meant` is about get what `answer` makes."""

    meant: Callable[[httpx.Request], bool]
    answer: Callable[[httpx.Request], httpx.Response | Exception]
    times: int = 1

    def __call__(self, request: httpx.Request, _: httpx.Response | None = None) -> Answer:
        if not self.meant(request) or self.times == 0:
            return None
        self.times -= 1
        return self.answer(request)


def lost(request: httpx.Request) -> Exception:
    """The connection ends without an answer."""
    return httpx.ReadError("connection reset", request=request)


def refused(request: httpx.Request) -> Exception:
    """No connection at all."""
    return httpx.ConnectError("connection refused", request=request)

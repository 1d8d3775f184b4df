"""A review in the test's own process: the app, a gateway to re-roll at, and a folder where a run has made all."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from pipeline.clock import EventLoopClock, SystemClock
from pipeline.entry import make_plan, run
from pipeline.gateway_choice import GatewayChoice
from pipeline.ledger.writing import InlineWriter
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.options import GatewayOptions
from pipeline.manifest import load_manifest
from pipeline.review.app import ReviewApp
from pipeline.review.hands import Hands, Purse
from pipeline.review.library import Library
from pipeline.review.plain_page import PlainPage
from pipeline.review.security import Names
from pipeline.runner.finisher import InlineFinisher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pipeline.runner.results import RunResult

TOKEN = "the-token_of-this-start"
HOST = "127.0.0.1:8000"
ORIGIN = f"http://{HOST}"
GATEWAY = GatewayChoice("real", "http://127.0.0.1", "sk-aig-test")
MANIFEST = """\
version: 1
name: game
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010}
defaults: {duration: 2, outputs: [wav]}
tracks:
  menu/title: {prompt: calm menu, takes: 2}
  battle: {prompt: a battle}
  theme: {file: theme.wav}
"""


class Bench:
    """A folder, a gateway on virtual time, and what serves and runs there."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        chosen = {"latency_s": 5.0, "rpm": None, "media_base_url": "http://127.0.0.1:81"} | options
        self.gateway = create_app(
            GatewayOptions(**chosen), clock=EventLoopClock(), composer=CannedComposer(), state=None
        )
        self.finisher = InlineFinisher()
        self.ledger: Any = InlineWriter
        self.transport = httpx.ASGITransport(self.gateway)

    @property
    def jobs(self) -> int:
        """How many the gateway has made."""
        return len(self.gateway.state.gateway.books.jobs)

    async def run(self, **options: Any) -> RunResult:
        plan = make_plan(
            load_manifest(self.folder / "game.yaml"),
            output=self.folder / "output",
            state=self.folder / "state",
            gateway=GATEWAY,
            **options,
        )
        return await run(
            plan, transport=self.transport, finisher=self.finisher, clock=SystemClock(), ledger=InlineWriter
        )

    @asynccontextmanager
    async def review(self, gateway: Any = GATEWAY, **purse: Any) -> AsyncIterator[Review]:
        """The review of this folder, while the block lasts."""
        library = Library([self.folder / "game.yaml"], self.folder / "output", self.folder / "state")
        hands = Hands(SystemClock(), self.finisher, self.transport, self._open_ledger)
        names = Names.of("127.0.0.1", 8000)
        app = ReviewApp(library, PlainPage(), hands, Purse(gateway, **purse), names=names, token=TOKEN)
        async with app.at_work(), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            yield Review(app, client)

    def _open_ledger(self, path: Path) -> Any:
        return self.ledger(path)

    def path(self, name: str) -> Path:
        return self.folder / name

    @property
    def lock(self) -> dict[str, Any]:
        """The lock's tracks."""
        return json.loads(self.path("game.lock.json").read_text())["tracks"]

    @property
    def index(self) -> dict[str, Any]:
        """path -> row of assets.json."""
        return {row["path"]: row for row in json.loads(self.path("output/assets.json").read_text())["assets"]}

    def files(self) -> dict[str, bytes]:
        """Everything that is there but the marks of who holds a folder."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and ".pipeline.lock" not in path.name)
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}


class Review:
    """The app, asked as a browser asks."""

    def __init__(self, app: ReviewApp, client: httpx.AsyncClient) -> None:
        self.app = app
        self.client = client

    async def get(self, address: str = "", **options: Any) -> httpx.Response:
        """`address`: below the token."""
        return await self.client.get(f"{ORIGIN}/{TOKEN}/{address}", **options)

    async def post(self, address: str, *, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        return await self.client.post(
            f"{ORIGIN}/{TOKEN}/{address}", json=fields, headers={"Origin": ORIGIN, **(headers or {})}
        )

    async def takes(self, track: str = "menu/title") -> list[dict[str, Any]]:
        answer = await self.get("api/takes", params={"manifest": "game", "track": track})
        assert answer.status_code == 200, answer.text
        return answer.json()["takes"]

    async def ended(self, work: str) -> dict[str, Any]:
        """What is told of a re-roll once it has ended."""
        with anyio.fail_after(3600):
            while True:
                told = (await self.get(f"api/work/{work}")).json()
                if told["state"] != "running":
                    return told
                await anyio.sleep(1)


MENU = {"manifest": "game", "track": "menu/title"}

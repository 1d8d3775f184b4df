"""A night of several machines on virtual time: one gateway and its limit, one store, and each its own folders."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import anyio
from canned_finisher import CannedFinisher
from memory_store import MemoryStores, Shelf, offline
from pace_world import BASE_URL, KEY, MEDIA_URL, MODEL, Wire

from pipeline.clock import EventLoopClock
from pipeline.entry import carry_out_locked
from pipeline.gateway_choice import GatewayChoice
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect
from pipeline.ledger.writing import InlineWriter
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.options import GatewayOptions
from pipeline.manifest import parse_manifest
from pipeline.plan_request import PlanRequest
from pipeline.planning.shards import shard_from
from pipeline.runner import pinning
from pipeline.store.objects import AlreadyThere
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from pace_times import Floats

    from pipeline.jobs import Job
    from pipeline.local_gateway.composition import CompositionRequest
    from pipeline.manifest.tracks import Manifest
    from pipeline.runner.results import RunResult

SECONDS_A_TRACK: Final = 2
PRICE_USD: Final = 0.0010  # a second
MANIFEST: Final = "night.yaml"
_TRACK: Final = """  level-{level}/theme-{number}:
    prompt: Calm orchestral exploration theme {number}, harp and strings, 90 bpm
"""
_NUMBER: Final = 4  # the word of a prompt that is its number
_WALLET_CENTS: Final = 10_000_000


def manifest_text(tracks: int, concurrency: int, requests_per_minute: int, *, store: bool = True) -> str:
    """A manifest of so many tracks whose makers share a store."""
    limits = f"concurrency: {concurrency}, requests_per_minute: {requests_per_minute}"
    head = (
        f"version: 1\nname: night\ngateway: {{model: {MODEL}, price_per_second: {PRICE_USD:.4f}, {limits}}}\n"
        + ("store: s3://bucket/team\n" if store else "")
        + f"defaults: {{duration: {SECONDS_A_TRACK}, outputs: [wav]}}\ntracks:\n"
    )
    return head + "".join(_TRACK.format(level=number // 100, number=number) for number in range(tracks))


class _TinyComposer:
    """A few bytes that are a WAV of that length, for each request its own."""

    async def compose(self, request: CompositionRequest) -> bytes:
        body = b"WAVE" + bytes(32) + request.digest.encode()
        return b"RIFF" + len(body).to_bytes(4, "little") + body


class _Life:
    """Whose worker a canned finisher is."""

    def stay_alive(self) -> None:
        """Nobody works for a machine that is dead: its tasks are cancelled."""


@dataclass
class CountedStores(MemoryStores):
    """One machine's way to the shelf, which keeps count of what it asks, by verb and folder."""

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost_claims: int = 0

    async def create(self, path: str, content: bytes) -> Any:
        try:
            return await super().create(path, content)
        except AlreadyThere:
            self.lost_claims += path.startswith("claims/")
            raise

    def _began(self, verb: str, path: str) -> None:
        self.asked[verb, path.partition("/")[0]] += 1
        super()._began(verb, path)


class _Off(EventLoopClock):
    """A wall clock that somebody has set wrong."""

    def __init__(self, off_s: float) -> None:
        super().__init__()
        self._off_s = off_s

    def now(self) -> float:
        return super().now() + self._off_s


class Machine:
    """One machine: its folders, its clock, its way to the store, and what became of its run."""

    def __init__(self, night: Night, name: str, *, clock_off_s: float = 0.0) -> None:
        self.name = name
        self.folder = night.folder / name
        self.folder.mkdir()
        self.stores = CountedStores(night.shelf)
        self.wire = Wire(night.app, 0.0, 0)
        self.result: RunResult | None = None  # None: it died
        self.life = anyio.CancelScope()
        self._night = night
        self._clock = _Off(clock_off_s) if clock_off_s else night.clock

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def jobs(self) -> list[Job]:
        """Its ledger's."""
        ledger = Ledger(connect(self.state / "ledger.sqlite3", durable=False))
        try:
            return ledger.all_jobs()
        finally:
            ledger.close()

    @property
    def assets(self) -> int:
        """How many of its index's files are there."""
        index = self.output / "assets.json"
        if not index.exists():
            return 0
        return sum((self.output / row["path"]).is_file() for row in json.loads(index.read_text())["assets"])

    @property
    def sizes(self) -> dict[str, int]:
        """What its run leaves beside audio, in bytes."""
        files = {
            "ledger": self.state / "ledger.sqlite3",
            "index": self.output / "assets.json",
            "lock": self.folder / "night.lock.json",
            "page": self.output / "report.html",
            "report": self.output / "cost-report.json",
        }
        return {name: path.stat().st_size for name, path in files.items() if path.exists()}

    async def run(self, *, shard: str | None = None, requests_per_minute: int | None = None) -> None:
        """Its night, as the command line has it: one plan, under the folders' locks."""
        request = PlanRequest(
            manifests=(self._night.manifest(self.folder),),
            gateway=GatewayChoice("real", BASE_URL, KEY),
            output=self.output,
            state=self.state,
            shard=None if shard is None else shard_from(shard),
        )
        workspace = Workspace(self.output, self.state, stores=self.stores)
        with self.life, workspace.locked():
            self.result = await carry_out_locked(
                workspace.plan(request, self._clock.now()),
                workspace,
                clock=self._clock,
                transport=self.wire,
                finisher=CannedFinisher(_Life()),  # type: ignore[arg-type]
                requests_per_minute=requests_per_minute,
                ledger=partial(InlineWriter, durable=False),
            )

    async def die(self, after_s: float) -> None:
        """Be gone after so long: no goodbye, and its folders are never seen again."""
        await anyio.sleep(after_s)
        self.stores.fault = offline
        self.life.cancel()


class Night:
    """A gateway that knows how long each job takes, by its number; a store; and the machines that share both."""

    def __init__(self, folder: Path, times: Floats, concurrency: int, requests_per_minute: int) -> None:
        self.folder = folder
        self.times = times
        self.concurrency = concurrency
        self.requests_per_minute = requests_per_minute
        self.clock = EventLoopClock()
        self.shelf = Shelf()
        self.app = create_app(
            GatewayOptions(rpm=requests_per_minute, media_base_url=MEDIA_URL, wallet_cents=_WALLET_CENTS),
            clock=self.clock,
            composer=_TinyComposer(),
            state=None,
            latency=self._latency,
        )
        self.machines: list[Machine] = []
        self.began_at = anyio.current_time()

    def machine(self, name: str, *, clock_off_s: float = 0.0) -> Machine:
        one = Machine(self, name, clock_off_s=clock_off_s)
        self.machines.append(one)
        return one

    def manifest(self, folder: Path) -> Manifest:
        text = manifest_text(len(self.times), self.concurrency, self.requests_per_minute)
        (folder / MANIFEST).write_text(text)
        return parse_manifest(text, folder / MANIFEST)

    @property
    def made(self) -> Counter[str]:
        """How many jobs the gateway made of each prompt."""
        return Counter(job.piece.prompt for job in self.app.state.gateway.books.jobs)

    @property
    def billed_microusd(self) -> int:
        """What the gateway has charged."""
        return int(self.app.state.gateway.books.charged_microusd)

    @property
    def bought_after_s(self) -> float:
        """How long it took until the last job had been made and was over."""
        jobs = self.app.state.gateway.books.jobs
        return max(job.due_at for job in jobs) - self.clock.now() + anyio.current_time() - self.began_at

    def _latency(self, piece: CompositionRequest) -> float:
        return float(self.times[int(piece.prompt.split()[_NUMBER].rstrip(","))])


async def tell_how_far(night: Night, tell: Any, every_s: float = 300.0) -> None:
    """Say how far it is, every so often on its own clock."""
    began, real = anyio.current_time(), time.monotonic()
    while True:
        await anyio.sleep(every_s)
        made = len(night.app.state.gateway.books.jobs)
        records = sum(machine.stores.asked["create", "takes"] for machine in night.machines)
        tell(
            f"{anyio.current_time() - began:,.0f} s of the night in {time.monotonic() - real:,.0f} s: "
            f"{made:,} jobs, {records:,} in the store"
        )


def locks_at_the_end() -> Any:
    """What lands goes into the lock once a second. A night that seems to take an hour takes some minutes of ours."""
    return patch.object(pinning, "_EVERY_S", math.inf)

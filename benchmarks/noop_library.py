"""A library of many tracks with everything a real one has: ledger, sources, index, reports, and tiny assets.

The project's own run makes it, against the local gateway's app in this process and with a finisher that only writes a
few bytes: so what a plan reads of it is what it would read of a real one.
"""

from __future__ import annotations

import hashlib
import math
import random
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import anyio
import httpx

from pipeline.audio.tasks import FinishedFile, SourceFacts
from pipeline.audio.waveform import COLUMNS, LoudnessCurve, Waveform, level_of
from pipeline.clock import SystemClock
from pipeline.entry import make_plan, run
from pipeline.ledger.writing import InlineWriter
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.options import GatewayOptions
from pipeline.manifest import load_manifest

if TYPE_CHECKING:
    from pipeline.audio.tasks import FinishTask, Target
    from pipeline.local_gateway.composition import CompositionRequest

MANIFEST = "library.yaml"
_HEAD = """\
version: 1
name: library
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, concurrency: 64, poll_interval: 0.1}
defaults: {duration: 30, outputs: [ogg]}
tracks:
"""
_WALLET_CENTS = 10_000_000  # enough for a million tracks
_MEDIA = "http://127.0.0.1:81"
_PLACES = ("harbour", "crypt", "market", "forest", "tower", "bridge", "mill", "cave", "shore", "keep")


def manifest_text(tracks: int, changed: str = "") -> str:
    """A manifest of so many tracks; `changed` is put into the prompt of the one in the middle."""
    return _HEAD + "".join(_entry(number, changed if number == tracks // 2 else "") for number in range(tracks))


def _entry(number: int, changed: str) -> str:
    place = _PLACES[number % len(_PLACES)]
    return (
        f"  area-{number // 100:03}/{place}-{number:05}:\n"
        f"    prompt: Calm exploration theme for the {place}, variation {number}, harp and strings, 90 bpm{changed}\n"
        f"    duration: {20 + number % 40}\n"
        f"    tags: [{place}, act-{number % 5}]\n"
    )


def build(folder: Path, tracks: int) -> None:
    """Make the library in `folder`: its manifest, and all that a run of it leaves."""
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(manifest_text(tracks))
    with mock.patch("os.fsync"):  # nobody will miss it after a power failure
        anyio.run(_run, folder)


async def _run(folder: Path) -> None:
    plan = make_plan(
        load_manifest(folder / MANIFEST), gateway="local", output=folder / "output", state=folder / ".pipeline"
    )
    options = GatewayOptions(
        latency_s=0.0,
        sigma=0.0,
        rpm=None,
        min_poll_interval_s=0.0,
        wallet_cents=_WALLET_CENTS,
        media_base_url=_MEDIA,
    )
    app = create_app(options, clock=SystemClock(), composer=_ByteComposer(), state=None)
    result = await run(
        plan,
        transport=httpx.ASGITransport(app),
        finisher=_ByteFinisher(),
        ledger=InlineWriter,
    )
    assert result.exit == 0, (result.stop, next(track.error for track in result.tracks if track.error))


class _ByteComposer:
    """A few bytes for each request: nothing here listens to them."""

    async def compose(self, request: CompositionRequest) -> bytes:
        return request.digest.encode() * 4


class _ByteFinisher:
    """Writes a small file where a worker would write a finished one."""

    async def inspect(self, path: str) -> SourceFacts:  # noqa: ARG002 - every source is alike
        return SourceFacts(30.0, 30 * 44_100, 44_100, 2)

    async def finish(self, task: FinishTask) -> tuple[FinishedFile, ...]:
        source = Path(task.source).read_bytes()  # noqa: ASYNC240 - nothing else goes on here
        return tuple(_finished(source, target) for target in task.targets)

    async def compare(self, one: str, other: str) -> float | None:  # noqa: ARG002 - none are twins
        return None


def _finished(source: bytes, target: Target) -> FinishedFile:
    content = target.output.extension.encode() + source
    Path(target.path).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    figures = (30.0, 44_100, 2, -16.0, -14.0, 3.0, -1.5)
    waveform = _waveform(int(sha256[:12], 16))
    return FinishedFile(target.path, target.output.format, len(content), sha256, *figures, waveform=waveform)


def _waveform(seed: int) -> Waveform:
    """One as music has it: peaks that come and go, a body of a third of them, a loudness that moves by a few LU."""
    chance = random.Random(seed)
    swell = [150 + 60 * math.sin(column / 19 + seed % 7) for column in range(COLUMNS)]
    peaks = bytes(max(0, min(255, round(height + chance.gauss(0, 25)))) for height in swell)
    bodies = bytes(round(peak * chance.uniform(0.25, 0.45)) for peak in peaks)
    levels = bytes(level_of(-16 + 3 * math.sin(column / 31) + chance.gauss(0, 0.3)) for column in range(COLUMNS))
    return Waveform(peaks, bodies, LoudnessCurve(levels, 3.0), (chance.uniform(0, 2), chance.uniform(0, 2)))

"""The shipped runner, client and ledger, with a finisher that costs nothing."""

from __future__ import annotations

import hashlib
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from disks import in_memory
from pace_world import BASE_URL, KEY, LEARNT_JOBS, MODEL, PaceWorld

from pipeline.audio.tasks import FinishedFile, SourceFacts
from pipeline.audio.waveform import Waveform
from pipeline.entry import make_plan, run
from pipeline.gateway_choice import GatewayChoice
from pipeline.ledger.writing import InlineWriter
from pipeline.manifest import parse_manifest
from pipeline.runner import pinning

if TYPE_CHECKING:
    from pace_regimes import Regime

    from pipeline.audio.tasks import FinishTask
    from pipeline.webhooks.receiver import Webhooks


class CostlessFinisher:
    """Says what a track of two seconds sounds like, and writes a few bytes in its place."""

    async def inspect(self, _: str) -> SourceFacts:
        return SourceFacts(2.0, 16000, 8000, 1)

    async def finish(self, task: FinishTask) -> tuple[FinishedFile, ...]:
        return tuple(_made(Path(target.path), target.output.format) for target in task.targets)


async def play_ours(world: PaceWorld, folder: Path) -> None:
    """All jobs of `world` in one run, whose state lies in `folder`."""
    await _run(world, folder, "p", world.regime.jobs)


async def play_with_webhooks(world: PaceWorld, folder: Path) -> None:
    """The same, and the gateway tells when a job has ended."""
    async with world.app.at_work():
        await _run(world, folder, "p", world.regime.jobs, webhooks=world.webhooks)


async def learn(regime: Regime, seed: int, folder: Path) -> None:
    """An earlier run of some jobs of the same kind, against a gateway that is then forgotten."""
    await _run(PaceWorld(regime, seed), folder, "q", min(LEARNT_JOBS, regime.jobs))


async def _run(world: PaceWorld, folder: Path, letter: str, jobs: int, webhooks: Webhooks | None = None) -> None:
    tracks = "".join(f"  t{number}: {{prompt: {letter}{number}}}\n" for number in range(jobs))
    plan = make_plan(
        [parse_manifest(_head(world.regime, letter) + tracks, folder / f"{letter}.yaml")],
        output=folder / f"output-{letter}",
        state=folder / "state",
        gateway=GatewayChoice("real", BASE_URL, KEY),
        clock=world.clock,
    )
    finisher = CostlessFinisher()
    # What finishing writes into the lock goes there once a second. A run that seems to take an hour takes one of ours.
    with patch.object(pinning, "_EVERY_S", math.inf):
        result = await run(
            plan,
            transport=world.wire,
            finisher=finisher,
            clock=world.clock,
            ledger=InlineWriter,
            webhooks=webhooks,
        )
    assert result.exit == 0, result.stop


def _head(regime: Regime, name: str) -> str:
    limits = f"concurrency: {regime.concurrency}, requests_per_minute: {regime.requests_per_minute}"
    gateway = f"gateway: {{model: {MODEL}, price_per_second: 0.0010, {limits}}}"
    return f"version: 1\nname: {name}\n{gateway}\ndefaults: {{duration: 2, outputs: [wav]}}\ntracks:\n"


def folder_for_a_run() -> tempfile.TemporaryDirectory[str]:
    """In memory: a disk's time is not what is measured."""
    return tempfile.TemporaryDirectory(dir=in_memory())


def _made(path: Path, audio_format: str) -> FinishedFile:
    content = str(path).encode()
    path.write_bytes(content)
    figures = (1.0, 8000, 1, -16.0, None, None, -1.0)
    sha256 = hashlib.sha256(content).hexdigest()
    return FinishedFile(str(path), audio_format, len(content), sha256, *figures, waveform=Waveform(b"\x80", b"\x40"))

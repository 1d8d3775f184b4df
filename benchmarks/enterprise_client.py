"""A run of the shipped program in a process of its own: client, ledger and runner, and a finisher that does nothing.

    python benchmarks/enterprise_client.py FOLDER BASE_URL [PROFILE]

FOLDER holds the manifest. Prints what this process took for it; PROFILE is a file for what cProfile finds.
"""

from __future__ import annotations

import asyncio
import cProfile
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pipeline
from pipeline.audio.tasks import FinishedFile, SourceFacts
from pipeline.audio.waveform import Waveform

if TYPE_CHECKING:
    from pipeline.audio.tasks import FinishTask

KEY = "sk-aig-benchmark"
MANIFEST = "library.yaml"


class NoFinisher:
    """Takes every source for what was asked, and leaves a few bytes where an asset is to be."""

    async def inspect(self, path: str) -> SourceFacts:  # noqa: ARG002 - it does not look
        return SourceFacts(2.0, 2_000, 1_000, 1)

    async def finish(self, task: FinishTask) -> tuple[FinishedFile, ...]:
        return tuple(_left_at(target.path, target.output.format) for target in task.targets)


def _left_at(path: str, audio_format: str) -> FinishedFile:
    content = path.encode()
    Path(path).write_bytes(content)
    figures = (2.0, 1_000, 1, -16.0, None, None, -1.0)
    sha256 = hashlib.sha256(content).hexdigest()
    return FinishedFile(path, audio_format, len(content), sha256, *figures, waveform=Waveform(b"\x80", b"\x40"))


def _peak_bytes() -> int:
    """The most that this process has held since it was executed. Linux only."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


async def main(folder: Path, base_url: str) -> None:
    manifest = pipeline.load_manifest(folder / MANIFEST)
    plan = pipeline.make_plan(manifest, gateway=base_url, key=KEY, output=folder / "output", state=folder / ".pipeline")
    planned_s = time.process_time()
    run = pipeline.run(plan, finisher=NoFinisher())
    del plan  # it makes its own
    result = await run
    errors = {track.error for manifest in result.manifests for track in manifest.tracks if track.error}
    assert result.exit == 0, (result.stop, errors)
    told = {"seconds": result.seconds, "cpu_s": time.process_time(), "planned_cpu_s": planned_s}
    print(json.dumps(told | {"peak_bytes": _peak_bytes()}))


if __name__ == "__main__":
    profile = cProfile.Profile() if len(sys.argv) > 3 else None
    work = main(Path(sys.argv[1]), sys.argv[2])
    if profile is None:
        asyncio.run(work)
    else:
        profile.runcall(asyncio.run, work)
        profile.dump_stats(sys.argv[3])

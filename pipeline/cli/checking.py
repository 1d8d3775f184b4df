"""`pipeline check`."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from pipeline.audio.tasks import AudioError
from pipeline.checking import faults
from pipeline.cli.terminal import out, printable, say
from pipeline.cli.words import load_manifests
from pipeline.fingerprints import finishing_fingerprint
from pipeline.manifest.names import matches
from pipeline.output import AssetRow, rows_by_path
from pipeline.runner.finisher import WorkerDied
from pipeline.runner.results import EXIT_TRACKS
from pipeline.workers import WorkerFinisher
from pipeline.workspace import Workspace, check_patterns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.manifest.tracks import Manifest, Track


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one asset."""

    manifest: str
    name: str
    path: str
    fault: str


def check(manifests: tuple[Path, ...], *, output: Path, state: Path, only: tuple[str, ...], as_json: bool) -> None:
    """Hold every asset against its manifest, and exit 1 with one line for each that fails."""
    loaded = load_manifests(manifests)
    check_patterns(loaded, "--only", only)
    workspace = Workspace(output, state)
    rows = rows_by_path(workspace.output.read_index())
    tracks = [track for track in _tracks(loaded) if not only or any(matches(glob, track.name) for glob in only)]
    findings, whole = _look(workspace, tracks, rows)
    # As in `run`: workers that ended are no news.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    findings += anyio.run(partial(_measure_all, workspace, whole))
    _tell(findings, sum(len(track.outputs) for track in tracks), as_json=as_json)


def _tracks(manifests: Sequence[Manifest]) -> Iterator[Track]:
    for manifest in manifests:
        yield from manifest.tracks


def _look(
    workspace: Workspace, tracks: Sequence[Track], rows: dict[tuple[str, str], AssetRow]
) -> tuple[list[Finding], list[tuple[Track, AssetRow]]]:
    """What can be said without decoding, and the assets that are there and whole."""
    findings: list[Finding] = []
    whole: list[tuple[Track, AssetRow]] = []
    for track in tracks:
        for one in track.outputs:
            path = one.path(track.name)
            row = rows.get((track.manifest, path))
            if row is None:
                findings.append(Finding(track.manifest, track.name, path, "missing: it was never made"))
            elif not workspace.output.intact(row):
                findings.append(Finding(track.manifest, track.name, path, "missing, or changed since it was made"))
            else:
                if row.finishing_fingerprint != finishing_fingerprint(track, one):
                    fault = "made with other settings than the manifest has now"
                    findings.append(Finding(track.manifest, track.name, path, fault))
                whole.append((track, row))
    return findings, whole


async def _measure_all(workspace: Workspace, assets: Sequence[tuple[Track, AssetRow]]) -> list[Finding]:
    workers = WorkerFinisher()
    findings: list[Finding] = []

    async def measure(track: Track, row: AssetRow) -> None:
        try:
            measured = await workers.measure(str(workspace.output.folder.path(row.path)))
        except (AudioError, WorkerDied) as error:
            findings.append(Finding(track.manifest, track.name, row.path, str(error)))
            return
        findings.extend(Finding(track.manifest, track.name, row.path, fault) for fault in faults(track, row, measured))

    async with anyio.create_task_group() as tasks:
        for track, row in assets:
            tasks.start_soon(measure, track, row)
    return findings


def _tell(findings: list[Finding], assets: int, *, as_json: bool) -> None:
    findings.sort(key=lambda finding: (finding.manifest, finding.path, finding.fault))
    status = EXIT_TRACKS if findings else 0
    if as_json:
        listed: list[dict[str, Any]] = [
            {"manifest": one.manifest, "name": one.name, "path": one.path, "fault": one.fault} for one in findings
        ]
        out(json.dumps({"ok": not findings, "exit": status, "assets": assets, "faults": listed}, indent=1))
    for finding in findings:
        (say if as_json else out)(printable(f"{finding.path}: {finding.fault}"))
    if not as_json:
        bad = len({finding.path for finding in findings})
        out(f"{assets} assets checked: {'all well' if not bad else f'{bad} not as they should be'}")
    sys.exit(status)

"""`pipeline check`."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio

from pipeline.audio.tasks import AudioError
from pipeline.checking import Asset, Fault, faults
from pipeline.cli.github import annotate
from pipeline.cli.terminal import out, out_document, printable, say
from pipeline.cli.words import load_manifests
from pipeline.files import reason, sha256_of
from pipeline.fingerprints import fingerprint_of, finishing_fingerprint
from pipeline.manifest.names import matcher
from pipeline.output import rows_by_path
from pipeline.plan_request import check_patterns
from pipeline.report.annotations import Annotation
from pipeline.runner.finisher import WorkerDied
from pipeline.runner.results import EXIT_TRACKS
from pipeline.workers import WorkerFinisher
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipeline.audio.settings import Output
    from pipeline.manifest.tracks import Manifest, Place, Track
    from pipeline.output import AssetRow

    Rows = dict[tuple[str, str], AssetRow]  # (manifest, path) -> row

_WITHOUT_INTRO: Final = frozenset({"no_intro", "intro_dropped"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one asset."""

    manifest: str
    name: str
    path: str
    fault: Fault
    place: Place  # of its track, in the manifest


@dataclass(frozen=True, slots=True)
class Expected:
    """A path at which an asset of `track` should stand; of an intro, `main` is its loop's path."""

    track: Track
    output: Output
    path: str
    main: str | None = None

    def finding(self, code: str, message: str) -> Finding:
        return Finding(self.track.manifest, self.track.name, self.path, Fault(code, message), self.track.place)


def check(manifests: tuple[Path, ...], *, output: Path, state: Path, only: tuple[str, ...], as_json: bool) -> None:
    """Hold every asset against its manifest, and exit 1 with one line for each that fails."""
    loaded = load_manifests(manifests)
    check_patterns(loaded, "--only", only)
    workspace = Workspace(output, state)
    rows = rows_by_path(workspace.output.read_index())
    meant = matcher(only)
    tracks = [track for track in _tracks(loaded) if meant is None or meant(track.name)]
    expected = list(_expected(tracks, rows))
    findings, there = _look(workspace, expected, rows)
    # As in `run`: workers that ended are no news.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    findings += anyio.run(partial(_remeasure_all, workspace, there))
    _tell(findings, len(expected), as_json=as_json)


def _tracks(manifests: Sequence[Manifest]) -> Iterator[Track]:
    for manifest in manifests:
        yield from manifest.tracks


def _expected(tracks: Sequence[Track], rows: Rows) -> Iterator[Expected]:
    """Every file that should be there: each output, and its intro where one was split off."""
    for track in tracks:
        for output in track.outputs:
            main = output.path(track.name)
            yield Expected(track, output, main)
            if track.finishing.splits_intro and not _said(rows.get((track.manifest, main))) & _WITHOUT_INTRO:
                yield Expected(track, output, output.intro_path(track.name), main)


def _look(
    workspace: Workspace, expected: Sequence[Expected], rows: Rows
) -> tuple[list[Finding], list[tuple[Expected, Asset]]]:
    """What can be said without decoding, and the assets that are there."""
    findings: list[Finding] = []
    there: list[tuple[Expected, Asset]] = []
    for one in expected:
        track, row = one.track, rows.get((one.track.manifest, one.path))
        if row is None:
            findings.append(one.finding("missing", "missing: the index has no row of it, or none that can be read"))
            continue
        path = workspace.output.folder.path(row.path)
        try:
            sha256, size = sha256_of(path), path.stat().st_size
        except OSError as error:
            findings.append(one.finding("missing", f"missing: {reason(error)}"))
            continue
        if sha256 != row.sha256:
            text = f"changed since it was made: its SHA-256 is {sha256[:12]}…, {row.sha256[:12]}… in the index"
            findings.append(one.finding("changed", text))
        elif size != row.size:
            findings.append(one.finding("index", f"it has {size:,} bytes, and {row.size:,} in the index"))
        steps = _steps_of(row)
        if row.finishing_fingerprint != finishing_fingerprint(track, one.output, steps):
            findings.append(one.finding("settings", "made with other settings than the manifest has now"))
        elif row.settings is not None and fingerprint_of(row.settings) != row.finishing_fingerprint:
            findings.append(one.finding("index", "its settings in the index are others than it was made with"))
        warnings = _said(row if one.main is None else rows.get((track.manifest, one.main)))
        is_changed = sha256 != row.sha256
        there.append((one, Asset(track, one.output, row, warnings, one.main is not None, is_changed, bool(steps))))
    return findings, there


def _steps_of(row: AssetRow) -> tuple[str, ...]:
    """The names of the user's own steps that it was made with: a Python program's, which only the index knows here."""
    steps = (row.settings or {}).get("steps")
    return tuple(map(str, steps)) if isinstance(steps, list) else ()


def _said(row: AssetRow | None) -> frozenset[str]:
    """The codes of what was known of an asset when it was delivered."""
    return frozenset(str(warning.get("code")) for warning in (row.warnings if row is not None else ()))


async def _remeasure_all(workspace: Workspace, there: Sequence[tuple[Expected, Asset]]) -> list[Finding]:
    workers = WorkerFinisher()
    findings: list[Finding] = []

    async def remeasure(one: Expected, asset: Asset) -> None:
        try:
            found = await workers.remeasure(str(workspace.output.folder.path(one.path)), asset.loop)
        except AudioError as error:
            findings.append(one.finding("audio", str(error)))
        except WorkerDied as error:
            findings.append(one.finding("worker", str(error)))
        except OSError as error:
            findings.append(one.finding("missing", f"can't be read: {reason(error)}"))
        else:
            findings.extend(one.finding(fault.code, fault.message) for fault in faults(asset, found))

    async with anyio.create_task_group() as tasks:
        for one, asset in there:
            tasks.start_soon(remeasure, one, asset)
    return findings


def _tell(findings: list[Finding], assets: int, *, as_json: bool) -> None:
    findings.sort(key=lambda finding: (finding.manifest, finding.path, finding.fault.code, finding.fault.message))
    status = EXIT_TRACKS if findings else 0
    if as_json:
        listed: list[dict[str, Any]] = [
            {
                "manifest": one.manifest,
                "name": one.name,
                "path": one.path,
                "code": one.fault.code,
                "fault": one.fault.message,
            }
            for one in findings
        ]
        out_document({"ok": not findings, "exit": status, "assets": assets, "faults": listed})
    for finding in findings:
        (say if as_json else out)(printable(f"{finding.path}: {finding.fault.message}"))
    annotate(Annotation("error", one.path, one.fault.message, one.place) for one in findings)
    if not as_json:
        bad = len({finding.path for finding in findings})
        out(f"{assets} assets checked: {'all well' if not bad else f'{bad} not as they should be'}")
    sys.exit(status)

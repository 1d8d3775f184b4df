"""The commands that fit in a few lines: `init` and `report`."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from pipeline.cli.terminal import say
from pipeline.cli.words import load_manifests
from pipeline.clock import SystemClock
from pipeline.files import FolderError, reason
from pipeline.manifest import schema_text, starter_manifest
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.audio.waveform import Waveform
    from pipeline.output import AssetRow


def init(file: Path) -> None:
    """Write a manifest and its schema, and never over something that is there."""
    schema = file.parent / "manifest.schema.json"
    if file.exists():
        raise click.UsageError(f"{file} is there already; name another file")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as manifest:
            manifest.write(starter_manifest(file.stem))
        schema.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        raise FolderError(f"{file}: {reason(error)}") from error
    say(f"wrote {file} and {schema}; try: pipeline run {shlex.quote(str(file))} --gateway local")


def report(manifests: tuple[Path, ...], *, output: Path, state: Path) -> None:
    """Write the reports again."""
    from pipeline.cli.interrupting import carried_out  # noqa: PLC0415 - `init` needs none of it
    from pipeline.reporting import rewrite_reports, undrawn  # noqa: PLC0415 - as above

    loaded = load_manifests(manifests)
    workspace = Workspace(output, state)
    with workspace.locked():
        if not workspace.ledger_path.exists():
            say(f"{state}: there is no ledger, so what was spent to date is not known (--state names another folder)")
        drawn: dict[str, Waveform] = {}
        missing = undrawn(workspace, loaded)
        if missing:
            stop = carried_out(lambda: _draw(missing, workspace, drawn))
            if stop is not None:
                say(f"pipeline: {stop.message}")
                sys.exit(stop.exit)
        for path in rewrite_reports(workspace, loaded, SystemClock().now(), drawn):
            say(f"wrote {path}")


async def _draw(rows: list[AssetRow], workspace: Workspace, drawn: dict[str, Waveform]) -> None:
    from pipeline.drawing import draw  # noqa: PLC0415 - only where something was never drawn
    from pipeline.workers import WorkerFinisher  # noqa: PLC0415 - as above

    drawn |= await draw(rows, workspace, WorkerFinisher(len(rows)))

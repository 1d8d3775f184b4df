"""`pipeline prune`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import anyio

from pipeline.cli.colour import colour_wanted
from pipeline.cli.terminal import out, out_document, say, write
from pipeline.cli.words import load_manifests
from pipeline.clock import SystemClock
from pipeline.ledger.writing import GroupCommitWriter
from pipeline.pruning import check_output, find_prunable, unknown_sources
from pipeline.pruning import prune as remove
from pipeline.report.prune_text import prune_document, prune_lines, removed_line
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.manifest.tracks import Manifest
    from pipeline.planning.prunes import Pruning


def prune(
    manifests: tuple[Path, ...], *, output: Path, state: Path, yes: bool, now: bool, wait: bool, as_json: bool
) -> None:
    """List what nothing names any more, and remove it where that was asked for."""
    loaded = load_manifests(manifests)
    workspace = Workspace(output, state)
    check_output(workspace)
    if yes:
        with workspace.locked(wait=wait, say=say):
            pruning = _listed(workspace, loaded, at_once=now, as_json=as_json)
            anyio.run(partial(_remove, workspace, pruning))
        if any(pruning.going):
            (say if as_json else out)(removed_line(pruning))
    else:
        pruning = _listed(workspace, loaded, at_once=now, as_json=as_json)
        if any(pruning.going):
            say("Nothing was removed: --yes removes it.")
    if as_json:
        unknown = unknown_sources(workspace)
        out_document(prune_document(pruning, unknown, removed=yes))


def _listed(workspace: Workspace, manifests: tuple[Manifest, ...], *, at_once: bool, as_json: bool) -> Pruning:
    """Say what would go, before any of it does."""
    pruning = find_prunable(workspace, manifests, SystemClock().now(), at_once=at_once)
    stream = sys.stderr if as_json else sys.stdout
    for line in prune_lines(pruning, unknown_sources(workspace), colour=colour_wanted(stream)):
        write(stream, line)
    return pruning


async def _remove(workspace: Workspace, pruning: Pruning) -> None:
    if not workspace.ledger_path.exists():
        await remove(workspace, pruning, None, SystemClock().now())
        return
    ledger = GroupCommitWriter(workspace.ledger_path)
    try:
        await remove(workspace, pruning, ledger, SystemClock().now())
    finally:
        ledger.close()

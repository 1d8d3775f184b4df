"""`pipeline prune`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio

from pipeline.cli.terminal import out, say
from pipeline.cli.words import load_manifests
from pipeline.clock import SystemClock
from pipeline.ledger.writing import GroupCommitWriter
from pipeline.pruning import find_prunable
from pipeline.pruning import prune as remove
from pipeline.report.prune_text import removed_line
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
    if not yes:
        _list(workspace, loaded, at_once=now, as_json=as_json, removed=False)
        return
    with workspace.locked(wait=wait, say=say):
        pruning = _list(workspace, loaded, at_once=now, as_json=as_json, removed=True)
        anyio.run(partial(_remove, workspace, pruning))
    (say if as_json else out)(removed_line(pruning))


def _list(
    workspace: Workspace, manifests: tuple[Manifest, ...], *, at_once: bool, as_json: bool, removed: bool
) -> Pruning:
    pruning = find_prunable(workspace, manifests, SystemClock().now(), at_once=at_once)
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

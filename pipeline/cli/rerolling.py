"""`pipeline reroll`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.cli.running import carried_out, show, sum_up
from pipeline.cli.terminal import out, out_document, say
from pipeline.cli.tracks_by_name import find_track
from pipeline.cli.words import plan_request
from pipeline.report.document import run_document
from pipeline.rerolling import rerolled_take, what_came
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


def reroll(
    track: str,
    *,
    manifest: Path | None,
    as_json: bool,
    wait: bool,
    quiet: bool,
    cancel_on_interrupt: bool,
    log_file: Path | None,
    **options: Any,
) -> None:
    """Buy one more take of a track, and finish it beside the pick."""
    of, found = find_track(track, manifest)
    request = plan_request((of,), {**options, "only": (found.name,), "regenerate": ()}, needs_key=True)
    request = replace(request, reroll=frozenset({found.name}))
    workspace = Workspace(request.output, request.state)
    with workspace.locked(wait=wait, say=say):
        plan = workspace.plan(request)
        take = rerolled_take(plan, found.name).number
        if not quiet:
            show(plan, sys.stderr if as_json else sys.stdout)
        result = carried_out(plan, workspace, cancel_queued=cancel_on_interrupt, quiet=quiet, log_file=log_file)
    sum_up(result, plan, quiet=quiet)
    if result.exit == 0 and not quiet:
        (say if as_json else out)(what_came(result, found.name, take, request.state))
    if as_json:
        out_document({**run_document(result), "take": take})
    sys.exit(result.exit)

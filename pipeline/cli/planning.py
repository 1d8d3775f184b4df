"""`pipeline plan`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.colour import colour_wanted
from pipeline.cli.stamping import stamp_of, witness_of
from pipeline.cli.terminal import out, out_document, say
from pipeline.cli.words import load_manifests, plan_request
from pipeline.collector import collector_paused
from pipeline.noop.standing import plan_of_changes
from pipeline.planning.plans import Action
from pipeline.report.document import plan_document
from pipeline.report.plan_text import MANY_TRACKS, plan_lines
from pipeline.runner.budgets import too_expensive
from pipeline.runner.results import EXIT_MONEY, EXIT_TRACKS
from pipeline.workspace import Plan, Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.plan_request import PlanRequest

SOMETHING_TO_DO: Final = 10


def plan(manifests: tuple[Path, ...], *, as_json: bool, detailed_exitcode: bool, **options: Any) -> None:
    """Print what a run would do, and exit as `--detailed-exitcode` asks."""
    with collector_paused():
        status = _plan(manifests, as_json=as_json, detailed_exitcode=detailed_exitcode, **options)
    sys.exit(status)


def _plan(manifests: tuple[Path, ...], *, as_json: bool, detailed_exitcode: bool, **options: Any) -> int:
    witness = witness_of(manifests, options["output"], options["state"])
    request = plan_request(load_manifests(manifests), options, needs_key=False)
    workspace = Workspace(request.output, request.state, witness.hashes)
    changes = plan_of_changes(request, workspace, witness) if _is_for_counting(request, as_json=as_json) else None
    made = workspace.plan(request) if changes is None else changes
    too_much = too_expensive(made, made.committed)
    status = _status(made, too_much, detailed=detailed_exitcode)
    if as_json:
        document = plan_document(made.manifests, request.kind, status)
        document |= {"ok": False, "error": too_much} if too_much else {}
        out_document(document)
    else:
        for line in plan_lines(made.manifests, request.kind, colour=colour_wanted(sys.stdout)):
            out(line)
        if made.store_trouble is not None:
            say(f"{made.store_trouble}; what the store has of this is not known")
        if too_much:
            say(too_much)
    stamp_of(made, witness)
    return status


def _is_for_counting(request: PlanRequest, *, as_json: bool) -> bool:
    """Are the tracks that stay as they are only counted in what is printed?"""
    return not as_json and sum(len(manifest.tracks) for manifest in request.manifests) > MANY_TRACKS


def _status(made: Plan, too_much: str | None, *, detailed: bool) -> int:
    if too_much:
        return EXIT_MONEY
    if detailed:
        return 0 if made.nothing_to_do else SOMETHING_TO_DO
    blocked = any(track.action is Action.BLOCKED for part in made.manifests for track in part.tracks)
    return EXIT_TRACKS if blocked else 0

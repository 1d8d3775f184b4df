"""`pipeline plan`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from pipeline.cli.words import colour_wanted, load_manifests, plan_request
from pipeline.planning.plans import Action
from pipeline.report.document import plan_document
from pipeline.report.plan_text import plan_lines
from pipeline.runner.results import EXIT_TRACKS
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

SOMETHING_TO_DO: Final = 10


def plan(manifests: tuple[Path, ...], *, as_json: bool, detailed_exitcode: bool, **options: Any) -> None:
    """Print what a run would do, and exit as `--detailed-exitcode` asks."""
    request = plan_request(load_manifests(manifests), options, needs_key=False)
    made = Workspace(request.output, request.state).plan(request)
    blocked = any(track.action is Action.BLOCKED for part in made.manifests for track in part.tracks)
    status = EXIT_TRACKS if blocked else 0
    if detailed_exitcode:
        status = 0 if made.nothing_to_do else SOMETHING_TO_DO
    if as_json:
        click.echo(json.dumps(plan_document(made.manifests, request.kind, status), indent=1, ensure_ascii=False))
    else:
        for line in plan_lines(made.manifests, request.kind, colour=colour_wanted()):
            click.echo(line)
    sys.exit(status)

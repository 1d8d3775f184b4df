"""`pipeline run`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from pipeline.cli.interrupting import brought_to_its_end
from pipeline.cli.progress import progress_for
from pipeline.cli.terminal import out_document, say, write
from pipeline.cli.words import colour_wanted, load_manifests, plan_request
from pipeline.clock import SystemClock
from pipeline.entry import carry_out_locked, untouched
from pipeline.report.document import run_document
from pipeline.report.plan_text import plan_lines, summary_lines
from pipeline.workspace import Plan, Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.runner.results import RunResult


def run(
    manifests: tuple[Path, ...],
    *,
    as_json: bool,
    concurrency: int | None,
    new_run: bool,
    cancel_on_interrupt: bool,
    wait: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Plan, carry out, and say how it went: the sentence at the head of the design."""
    request = plan_request(load_manifests(manifests), options, needs_key=True, new_run=new_run)
    workspace = Workspace(request.output, request.state)
    with workspace.locked(wait=wait, say=say):
        plan = workspace.plan(request)
        if not quiet:
            show(plan, sys.stderr if as_json else sys.stdout, verbose=verbose)
        result = carried_out(
            plan, workspace, concurrency, cancel_queued=cancel_on_interrupt, quiet=quiet, verbose=verbose
        )
    sum_up(result, quiet=quiet)
    if as_json:
        out_document(run_document(result))
    sys.exit(result.exit)


def show(plan: Plan, stream: TextIO | None, *, verbose: bool = False) -> None:
    """The plan as `pipeline plan` prints it."""
    colour = colour_wanted(stream)
    for line in plan_lines(plan.manifests, plan.request.kind, colour=colour, verbose=verbose):
        write(stream, line)


def carried_out(
    plan: Plan,
    workspace: Workspace,
    concurrency: int | None = None,
    *,
    cancel_queued: bool = False,
    quiet: bool = False,
    verbose: bool = False,
) -> RunResult:
    """What becomes of `plan`, told while it goes on; a signal stops it in order."""
    if plan.nothing_to_do:
        return untouched(plan, workspace)
    with progress_for(sys.stderr, quiet=quiet, verbose=verbose) as observe:
        work = partial(
            carry_out_locked, plan, workspace, clock=SystemClock(), observer=observe, concurrency=concurrency
        )
        return brought_to_its_end(lambda control: work(control=control), cancel_queued=cancel_queued)


def sum_up(result: RunResult, *, quiet: bool) -> None:
    """How it went, on standard error; `quiet`: only where something is wrong."""
    for line in summary_lines(result) if result.exit or not quiet else ():
        say(line)

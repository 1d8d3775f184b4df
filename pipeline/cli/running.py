"""`pipeline run`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from pipeline.cli.colour import colour_wanted
from pipeline.cli.event_log import event_log
from pipeline.cli.failing import ending_of
from pipeline.cli.github import Notices, tell_github
from pipeline.cli.interrupting import brought_to_its_end
from pipeline.cli.leavings import Leavings
from pipeline.cli.on_finish import command_of, tell_on_finish
from pipeline.cli.progress import progress_for
from pipeline.cli.stamping import witness_of
from pipeline.cli.terminal import out_document, say, write
from pipeline.cli.webhooks import webhooks_of
from pipeline.cli.words import load_manifests, plan_request
from pipeline.clock import SystemClock
from pipeline.entry import carry_out_locked, untouched
from pipeline.report.document import run_document
from pipeline.report.plan_text import plan_lines, summary_lines
from pipeline.runner.budgets import budget_over_all
from pipeline.runner.results import EXIT_USAGE
from pipeline.workspace import Plan, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.runner.events import Event
    from pipeline.runner.results import RunResult
    from pipeline.webhooks.receiver import Webhooks


def run(manifests: tuple[Path, ...], *, on_finish: str | None, as_json: bool, **options: Any) -> None:
    """Run to the end, whichever that is, and tell whoever asked to be told."""
    command = command_of(on_finish)
    printed: dict[str, Any] | None = None
    try:
        result = _run(manifests, as_json=as_json, **options)
        status, document = result.exit, run_document(result)
        printed = document if as_json else None
    except BaseException as error:
        ending = ending_of(error)
        if ending is None:
            raise
        ending.tell(error)
        status, document = ending.status, ending.document
    try:
        if printed is not None:
            out_document(printed)
    finally:
        if command and status != EXIT_USAGE:
            tell_on_finish(command, document)
    sys.exit(status)


def _run(
    manifests: tuple[Path, ...],
    *,
    as_json: bool,
    concurrency: int | None,
    requests_per_minute: int | None,
    new_run: bool,
    cancel_on_interrupt: bool,
    depfile: Path | None,
    stamp: Path | None,
    wait: bool,
    quiet: bool,
    verbose: bool,
    log_file: Path | None,
    webhook_url: str | None,
    webhook_listen: str | None,
    finish_on: str | None,
    **options: Any,
) -> RunResult:
    """Plan, carry out, and say how it went: the sentence at the head of the design."""
    witness = witness_of(manifests, options["output"], options["state"])
    request = plan_request(load_manifests(manifests), options, needs_key=True, new_run=new_run)
    webhooks = webhooks_of(webhook_url, webhook_listen, request.gateway)
    workspace = Workspace(request.output, request.state, witness.hashes)
    with workspace.locked(wait=wait, say=say):
        plan = workspace.plan(request)
        leavings = Leavings(plan, witness, depfile, stamp)
        if not quiet:
            show(plan, sys.stderr if as_json else sys.stdout, verbose=verbose)
        result = carried_out(
            plan,
            workspace,
            concurrency,
            requests_per_minute=requests_per_minute,
            cancel_queued=cancel_on_interrupt,
            quiet=quiet,
            verbose=verbose,
            log_file=log_file,
            webhooks=webhooks,
            finish_on=finish_on,
        )
        if result.exit == 0:
            leavings.leave()
    sum_up(result, plan, quiet=quiet)
    return result


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
    requests_per_minute: int | None = None,
    cancel_queued: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    log_file: Path | None = None,
    webhooks: Webhooks | None = None,
    finish_on: str | None = None,
) -> RunResult:
    """What becomes of `plan`, told while it goes on; a signal stops it in order.

    Raises Unwritable, before anything is done, where there can be no log at `log_file`, NoWebhooks where they can't be
    listened for, and NoFarm where it can't be finished on `finish_on`.
    """
    if plan.nothing_to_do:
        return untouched(plan, workspace)
    notices = Notices()
    with event_log(log_file) as log:
        watchers: list[Callable[[Event], None]] = [notices.observe, *([] if log is None else [log.observe])]
        budget = budget_over_all(plan)
        with progress_for(sys.stderr, quiet=quiet, verbose=verbose, budget_microusd=budget) as show_progress:
            watchers.append(show_progress)
            observe = partial(_tell_all, watchers)
            work = partial(
                carry_out_locked,
                plan,
                workspace,
                clock=SystemClock(),
                observer=observe,
                concurrency=concurrency,
                requests_per_minute=requests_per_minute,
                webhooks=webhooks,
                finish_on=finish_on,
            )
            result = brought_to_its_end(lambda control: work(control=control), cancel_queued=cancel_queued)
        if log is not None:
            log.end(result)
    tell_github(result, notices.texts, workspace.output.folder.path("cost-report.md"))
    return result


def _tell_all(watchers: Sequence[Callable[[Event], None]], event: Event) -> None:
    for watcher in watchers:
        watcher(event)


def sum_up(result: RunResult, plan: Plan, *, quiet: bool) -> None:
    """How it went, on standard error; `quiet`: only where something is wrong."""
    for line in summary_lines(result, budget_over_all(plan)) if result.exit or not quiet else ():
        say(line)

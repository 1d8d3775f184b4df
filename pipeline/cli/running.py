"""`pipeline run`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

import anyio

from pipeline.cli.progress import progress_for
from pipeline.cli.terminal import out_document, say, write
from pipeline.cli.words import colour_wanted, load_manifests, plan_request
from pipeline.clock import SystemClock
from pipeline.entry import carry_out_locked, untouched
from pipeline.report.document import run_document
from pipeline.report.plan_text import plan_lines, summary_lines
from pipeline.runner.control import Control
from pipeline.runner.results import RunResult, Stop
from pipeline.workspace import Plan, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runner.events import Event


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
    tell = _silent if quiet else say
    request = plan_request(load_manifests(manifests), options, needs_key=True, new_run=new_run)
    workspace = Workspace(request.output, request.state)
    with workspace.locked(wait=wait, say=say):
        plan = workspace.plan(request)
        if not quiet:
            _show(plan, sys.stderr if as_json else sys.stdout, verbose=verbose)
        if plan.nothing_to_do:
            result = untouched(plan, workspace)
        else:
            with progress_for(sys.stderr, quiet=quiet, verbose=verbose) as observe:
                result = anyio.run(
                    partial(_carry_out, plan, workspace, observe, concurrency, cancel_queued=cancel_on_interrupt)
                )
    for line in summary_lines(result):
        (tell if result.exit == 0 else say)(line)
    if as_json:
        out_document(run_document(result))
    sys.exit(result.exit)


def _show(plan: Plan, stream: TextIO | None, *, verbose: bool) -> None:
    """The plan as `pipeline plan` prints it."""
    colour = colour_wanted(stream)
    for line in plan_lines(plan.manifests, plan.request.kind, colour=colour, verbose=verbose):
        write(stream, line)


async def _carry_out(
    plan: Plan,
    workspace: Workspace,
    observe: Callable[[Event], None],
    concurrency: int | None,
    *,
    cancel_queued: bool,
) -> RunResult:
    control = Control(cancel_queued=cancel_queued)
    # A worker that ended with its parent's permission is "unknown" to asyncio's watcher on Python 3.11: no news.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    async with anyio.create_task_group() as tasks:
        await tasks.start(partial(_listen, control))
        result = await carry_out_locked(
            plan, workspace, clock=SystemClock(), observer=observe, concurrency=concurrency, control=control
        )
        tasks.cancel_scope.cancel()
    return result


async def _listen(control: Control, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """The first signal stops the run in order; the second ends it at once."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for number in signals:
            status = 128 + number
            if control.interrupted:
                os._exit(status)
            word = "interrupted" if number == signal.SIGINT else "terminated"
            say(f"{word}: waiting a moment for what was sent; once more ends it at once")
            control.interrupt(Stop(status, word))


def _silent(line: str) -> None:
    """Say nothing."""

"""`pipeline run`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

import anyio

from pipeline.cli.colour import colour_wanted
from pipeline.cli.failing import ending_of
from pipeline.cli.on_finish import command_of, tell_on_finish
from pipeline.cli.progress import progress_for
from pipeline.cli.stamping import Leavings, witness_of
from pipeline.cli.terminal import out_document, say, write
from pipeline.cli.words import load_manifests, plan_request
from pipeline.clock import SystemClock
from pipeline.entry import carry_out_locked, untouched
from pipeline.report.document import run_document
from pipeline.report.plan_text import plan_lines, summary_lines
from pipeline.runner.control import Control
from pipeline.runner.results import EXIT_USAGE, RunResult, Stop
from pipeline.workspace import Plan, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runner.events import Event


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
        ending.tell()
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
    new_run: bool,
    cancel_on_interrupt: bool,
    depfile: Path | None,
    stamp: Path | None,
    wait: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> RunResult:
    """Plan, carry out, and say how it went: the sentence at the head of the design."""
    tell = _silent if quiet else say
    witness = witness_of(manifests, options["output"], options["state"])
    request = plan_request(load_manifests(manifests), options, needs_key=True, new_run=new_run)
    workspace = Workspace(request.output, request.state, witness.hashes)
    with workspace.locked(wait=wait, say=say):
        plan = workspace.plan(request)
        leavings = Leavings(plan, witness, depfile, stamp)
        if not quiet:
            _show(plan, sys.stderr if as_json else sys.stdout, verbose=verbose)
        if plan.nothing_to_do:
            result = untouched(plan, workspace)
        else:
            with progress_for(sys.stderr, quiet=quiet, verbose=verbose) as observe:
                result = anyio.run(
                    partial(_carry_out, plan, workspace, observe, concurrency, cancel_queued=cancel_on_interrupt)
                )
        if result.exit == 0:
            leavings.leave()
    for line in summary_lines(result):
        (tell if result.exit == 0 else say)(line)
    return result


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

"""`pipeline pick`, `pipeline rollback` and `pipeline history`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pipeline.choosing import Chooser, Chosen
from pipeline.cli.interrupting import brought_to_its_end
from pipeline.cli.terminal import out, out_document, say
from pipeline.cli.tracks_by_name import find_track
from pipeline.clock import SystemClock
from pipeline.history import history_of
from pipeline.report.document import ended_early, run_document
from pipeline.report.history_json import history_document, version_document
from pipeline.report.history_text import history_lines
from pipeline.runner.results import EXIT_TRACKS
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from pipeline.manifest.tracks import Manifest, Track


def pick(track: str, take: str, *, manifest: Path | None, **options: Any) -> None:
    """Make a take the pick of its track."""
    _choose(track, manifest, lambda chooser, of, found: chooser.pick(of, found, take), **options)


def rollback(track: str, number: str | None, *, manifest: Path | None, **options: Any) -> None:
    """Go back to an earlier pick."""
    _choose(track, manifest, lambda chooser, of, found: chooser.rollback(of, found, number), **options)


def history(track: str, *, manifest: Path | None, output: Path, state: Path, as_json: bool) -> None:
    """Say all that is known of a track's takes and picks."""
    of, found = find_track(track, manifest)
    if found.prompt is None:
        raise click.UsageError(f"{found.name} is a recording (file), which has no takes")
    told = history_of(Workspace(output, state), of, found)
    if as_json:
        out_document(history_document(told))
    else:
        out("\n".join(history_lines(told)))


def _choose(
    track: str,
    manifest: Path | None,
    choice: Callable[[Chooser, Manifest, Track], Awaitable[Chosen]],
    *,
    output: Path,
    state: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    of, found = find_track(track, manifest)
    chooser = Chooser(Workspace(output, state), SystemClock())
    with chooser.workspace.locked():
        chosen = brought_to_its_end(lambda control: choice(replace(chooser, control=control), of, found))
    status = _status(chosen)
    if status:
        say(f"pipeline: {found.name}: {chosen.error}")
    elif not quiet:
        (say if as_json else out)(chosen.sentence)
    document = ended_early(status, "") if chosen.result is None else run_document(chosen.result)
    document |= {"ok": not status, "exit": status, "error": chosen.error, "manifest": of.name, "name": found.name}
    document |= {"pick": version_document(chosen.pick), "was": version_document(chosen.was)}
    if as_json:
        out_document(document)
    sys.exit(status)


def _status(chosen: Chosen) -> int:
    if chosen.result is not None and chosen.result.stop is not None:
        return chosen.result.stop.exit
    return EXIT_TRACKS if chosen.error is not None else 0

"""`pipeline finish`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from pipeline.audio.formats import can_encode
from pipeline.cli.finishing_options import track_for
from pipeline.cli.interrupting import carried_out
from pipeline.cli.terminal import out, out_document, printable, say
from pipeline.file_finishing import FileResult, NoPlace, Recipe, finish_all, orders_for
from pipeline.files import Folder, FolderError
from pipeline.report.finished_files import finished_document, finished_lines
from pipeline.report.text import one_line
from pipeline.runner.results import EXIT_FOLDER, EXIT_TRACKS, Stop
from pipeline.workers import WorkerFinisher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.file_finishing import Order


def finish(
    files: tuple[Path, ...],
    *,
    output: Path,
    keep_folders: bool,
    together: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Finish each file, say how it went, and exit as that went."""
    began = time.monotonic()
    recipe = _recipe(options, together=together)
    folder = Folder(output)
    try:
        orders = orders_for(files, recipe.track, folder, keep_folders=keep_folders)
    except NoPlace as error:
        raise click.UsageError(str(error)) from error
    results, stop = _finish(orders, recipe, folder, _progress(len(orders), quiet=quiet))
    status = _status(results, stop)
    seconds = time.monotonic() - began
    if stop is not None:
        say(f"pipeline: {stop.message}")
    if as_json:
        out_document(finished_document(results, seconds, stop, status))
    else:
        out(printable("\n".join(finished_lines(results, seconds))))
    sys.exit(status)


def _recipe(options: dict[str, Any], *, together: bool) -> Recipe:
    """Raises click.UsageError, also for a format that can't be made on this machine."""
    track = track_for(options)
    missing = [why for output in track.outputs if (why := can_encode(output.format)) is not None]
    if missing:
        raise click.UsageError("\n".join(dict.fromkeys(missing)))
    if together and track.finishing.loudness.target_lufs is None:
        raise click.UsageError("--together: the preset none changes no loudness, expected another or a --target")
    return Recipe(track, title=None if options["track"] is None else track.name, together=together)


def _finish(
    orders: Sequence[Order], recipe: Recipe, folder: Folder, observe: Callable[[FileResult], None]
) -> tuple[tuple[FileResult, ...], Stop | None]:
    """What became of each file, in order, and what stopped it if anything did."""
    results = {order.source: FileResult(order.source) for order in orders}
    troubles: list[Stop] = []

    def keep(result: FileResult) -> None:
        results[result.source] = result
        observe(result)

    async def work() -> None:
        try:
            await finish_all(orders, recipe, folder, WorkerFinisher(len(orders)), keep)
        except* FolderError as found:
            troubles.append(Stop(EXIT_FOLDER, str(found.exceptions[0])))

    stop = carried_out(work)
    return tuple(results.values()), stop or next(iter(troubles), None)


def _progress(files: int, *, quiet: bool) -> Callable[[FileResult], None]:
    """One plain line a file; only what failed where `quiet`."""
    done = 0

    def tell(result: FileResult) -> None:
        nonlocal done
        done += 1
        if result.error is None and quiet:
            return
        made = ", ".join(asset.path for asset in result.assets)
        became = made if result.error is None else f"failed: {result.error}"
        say(one_line(f"[{done}/{files}] {result.source}: {became}"))

    return tell


def _status(results: Sequence[FileResult], stop: Stop | None) -> int:
    if stop is not None:
        return stop.exit
    return EXIT_TRACKS if any(result.error for result in results) else 0

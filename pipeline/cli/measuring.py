"""`pipeline measure`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipeline.cli.interrupting import carried_out
from pipeline.cli.terminal import out, out_document, printable, say
from pipeline.file_measuring import MeasuredFile, measure_all
from pipeline.report.file_tables import failures
from pipeline.report.measured_files import measured_document, measured_lines
from pipeline.runner.results import EXIT_TRACKS
from pipeline.workers import WorkerFinisher

if TYPE_CHECKING:
    from pathlib import Path


def measure(files: tuple[Path, ...], *, gates: bool, as_json: bool) -> None:
    """Measure each file, and exit 1 where one could not be."""
    measured = {path: MeasuredFile(path) for path in files}

    def keep(file: MeasuredFile) -> None:
        measured[file.path] = file

    async def work() -> None:
        await measure_all(tuple(measured), WorkerFinisher(len(measured)), keep, gates=gates)

    stop = carried_out(work)
    found = tuple(measured.values())
    failed = EXIT_TRACKS if any(file.error for file in found) else 0
    status = failed if stop is None else stop.exit
    if stop is not None:
        say(f"pipeline: {stop.message}")
    if as_json:
        for line in failures((str(file.path), file.error) for file in found):
            say(line)
        out_document(measured_document(found, stop, status))
    else:
        out(printable("\n".join(measured_lines(found))))
    sys.exit(status)

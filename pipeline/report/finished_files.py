"""What `pipeline finish` says at its end, for people and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.report.file_tables import NOTHING, failures, figure, listed_warnings, points, sentences, table, tenths
from pipeline.report.text import audio_length, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.audio.tasks import Examination, FinishedFile
    from pipeline.file_finishing import FileResult
    from pipeline.report.file_tables import Row
    from pipeline.runner.results import Stop

_COLUMNS: Final = (("LUFS", 7), ("dBTP", 7), ("LUFS", 7), ("dBTP", 7), ("gain dB", 9), ("limited dB", 11))
_ABOVE: Final = f"{'before':>14}{'after':>14}"


def finished_lines(results: Sequence[FileResult], seconds: float) -> list[str]:
    """A line for each file that was made: its source's levels, its own, the gain, what the limiter took off at most."""
    lines = list(table(_COLUMNS, list(_rows(results)), above=_ABOVE))
    lines += failures((str(result.source), result.error) for result in results)
    statuses = [_status(result) for result in results]
    words = [counted(statuses.count("finished"), "file") + " finished"]
    words += [f"{number:,} {status}" for status in ("failed", "unfinished") if (number := statuses.count(status))]
    return [*lines, f"{', '.join(words)}, in {audio_length(seconds)}."]


def _rows(results: Iterable[FileResult]) -> Iterable[Row]:
    for result in results:
        for asset in result.assets:
            yield asset.path, _levels(result.before, asset), sentences(asset.warnings)


def _levels(before: Examination | None, after: FinishedFile) -> tuple[str, ...]:
    return (
        tenths(None if before is None else before.lufs),
        tenths(None if before is None else before.true_peak_dbtp),
        tenths(after.lufs),
        tenths(after.true_peak_dbtp),
        tenths(after.gain_db, "+"),
        tenths(after.limited_db) if after.limited_db else NOTHING,
    )


def _status(result: FileResult) -> str:
    if result.error is not None:
        return "failed"
    return "finished" if result.assets else "unfinished"


def finished_document(
    results: Sequence[FileResult],
    seconds: float,
    stop: Stop | None,
    exit: int,  # noqa: A002 - the document's own word
) -> dict[str, Any]:
    """The `--json` document, its paths those below the output folder. Keys are added, never renamed."""
    statuses = [_status(result) for result in results]
    return {
        "ok": exit == 0,
        "exit": exit,
        "error": None if stop is None else stop.message,
        "files": [_file(result) for result in results],
        "totals": {
            **{status: statuses.count(status) for status in ("finished", "failed", "unfinished")},
            "seconds": round(seconds, 3),
        },
    }


def _file(result: FileResult) -> dict[str, Any]:
    return {
        "file": str(result.source),
        "status": _status(result),
        "error": result.error,
        "before": None if result.before is None else _before(result.before),
        "assets": [_asset(asset) for asset in result.assets],
    }


def _before(examined: Examination) -> dict[str, Any]:
    return {
        "format": examined.format,
        "duration": figure(examined.duration_s, 6),
        "sample_rate": examined.sample_rate,
        "channels": examined.channels,
        "lufs": figure(examined.lufs),
        "max_short_term_lufs": figure(examined.max_short_term_lufs),
        "loudness_range": figure(examined.loudness_range_lu),
        "true_peak_dbtp": figure(examined.true_peak_dbtp),
    }


def _asset(file: FinishedFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "format": file.format,
        "size": file.size,
        "sha256": file.sha256,
        "duration": figure(file.duration_s, 6),
        "sample_rate": file.sample_rate,
        "channels": file.channels,
        "lufs": figure(file.lufs),
        "max_short_term_lufs": figure(file.max_short_term_lufs),
        "loudness_range": figure(file.loudness_range_lu),
        "true_peak_dbtp": figure(file.true_peak_dbtp),
        "gain_db": figure(file.gain_db),
        "limited_db": figure(file.limited_db),
        "loop": points(file.loop),
        "warnings": listed_warnings(file.warnings),
    }

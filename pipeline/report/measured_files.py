"""What `pipeline measure` says, for people and for scripts."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from pipeline.report.file_tables import failures, figure, listed_warnings, points, sentences, table, tenths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.audio.tasks import Examination
    from pipeline.file_measuring import MeasuredFile
    from pipeline.report.file_tables import Row
    from pipeline.runner.results import Stop

_COLUMNS: Final = (
    ("format", 7), ("seconds", 9), ("Hz", 8), ("ch", 3), ("LUFS", 6), ("short", 6), ("range", 6), ("dBTP", 6),
)  # fmt: skip
_FIGURES: Final = (
    "format", "encoding", "duration", "samples", "sample_rate", "channels", "lufs", "max_short_term_lufs",
    "loudness_range", "true_peak_dbtp", "sample_peak_dbfs", "loop", "seam",
)  # fmt: skip
_WORDS: Final = {
    "lufs": "loudness",
    "max_short_term_lufs": "short-term loudness",
    "loudness_range": "range",
    "true_peak_dbtp": "true peak",
    "sample_peak_dbfs": "sample peak",
}


def measured_lines(files: Sequence[MeasuredFile]) -> list[str]:
    """A line for each file, and below it its loop, its warnings, and why a figure is missing; failures last.

    `short` is the highest short-term loudness in LUFS, `range` the loudness range in LU.
    """
    return [*table(_COLUMNS, list(_rows(files))), *failures((str(file.path), file.error) for file in files)]


def _rows(files: Iterable[MeasuredFile]) -> Iterator[Row]:
    for file in files:
        if file.examined is not None:
            yield str(file.path), _cells(file.examined), (*_notes(file.examined), *sentences(file.examined.warnings))


def _cells(examined: Examination) -> tuple[str, ...]:
    return (
        examined.format,
        f"{examined.duration_s:.2f}",
        f"{examined.sample_rate:,}",
        str(examined.channels),
        tenths(examined.lufs),
        tenths(examined.max_short_term_lufs),
        tenths(examined.loudness_range_lu),
        tenths(examined.true_peak_dbtp),
    )


def _notes(examined: Examination) -> Iterator[str]:
    if examined.loop is not None:
        start, end = examined.loop
        yield f"loops from {start:,} to {end:,}{_seam(examined)}"
    for reason, names in groupby(examined.unmeasured, key=lambda missing: missing[1]):
        yield f"no {', '.join(_WORDS[name] for name, _ in names)}: {reason}"


def _seam(examined: Examination) -> str:
    seam = examined.seam
    if seam is None:
        return ""
    score = f"flux {seam.flux:.1f}, sample step {seam.sample_step:.1f}, level step {seam.level_step:.1f}"
    return f"; its seam {'stands out' if seam.is_heard else 'passes unheard'} ({score})"


def measured_document(files: Sequence[MeasuredFile], stop: Stop | None, exit: int) -> dict[str, Any]:  # noqa: A002 - the document's own word
    """The `--json` document. Scripts read it: keys are added, never renamed."""
    return {
        "ok": exit == 0,
        "exit": exit,
        "error": None if stop is None else stop.message,
        "files": [_file(file) for file in files],
    }


def _file(file: MeasuredFile) -> dict[str, Any]:
    nothing: dict[str, Any] = {**dict.fromkeys(_FIGURES), "warnings": [], "unmeasured": {}}
    figures = nothing if file.examined is None else _figures(file.examined)
    return {"file": str(file.path), "error": file.error, **figures}


def _figures(examined: Examination) -> dict[str, Any]:
    return {
        "format": examined.format,
        "encoding": examined.encoding,
        "duration": figure(examined.duration_s, 6),
        "samples": examined.frames,
        "sample_rate": examined.sample_rate,
        "channels": examined.channels,
        "lufs": figure(examined.lufs),
        "max_short_term_lufs": figure(examined.max_short_term_lufs),
        "loudness_range": figure(examined.loudness_range_lu),
        "true_peak_dbtp": figure(examined.true_peak_dbtp),
        "sample_peak_dbfs": figure(examined.sample_peak_dbfs),
        "loop": points(examined.loop),
        "seam": _score(examined),
        "warnings": listed_warnings(examined.warnings),
        "unmeasured": dict(examined.unmeasured),
    }


def _score(examined: Examination) -> dict[str, Any] | None:
    seam = examined.seam
    if seam is None:
        return None
    return {
        "flux": figure(seam.flux),
        "sample_step": figure(seam.sample_step),
        "level_step": figure(seam.level_step),
        "heard": seam.is_heard,
    }

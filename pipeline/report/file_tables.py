"""Tables of files and figures, in lines of at most 80 columns; only a name or an error makes one longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.report.terminal import paragraph
from pipeline.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.audio.tasks import Warning as FileWarning

WIDTH: Final = 80
NOTHING: Final = "-"  # what could not be measured

Columns = tuple[tuple[str, int], ...]  # (head, width)
Row = tuple[str, tuple[str, ...], tuple[str, ...]]  # a file's name, its cells, and what else there is to say about it


def table(columns: Columns, rows: Sequence[Row], *, above: str = "") -> Iterator[str]:
    """Names to the left, figures to the right, sentences below; a name that is too long has a line to itself.

    `above`: a line over the heads of the columns.
    """
    if not rows:
        return
    most = WIDTH - sum(width for _, width in columns)
    names = [one_line(name) for name, _, _ in rows]
    width = max(len("file"), *(len(name) for name in names if len(name) <= most), 0)
    if above:
        yield f"{'':{width}}{above}".rstrip()
    yield f"{'file':{width}}{_cells(columns, [head for head, _ in columns])}"
    for name, (_, cells, sentences) in zip(names, rows, strict=True):
        if len(name) > width:
            yield name
            name = ""  # noqa: PLW2901 - it has been said
        yield f"{name:{width}}{_cells(columns, cells)}".rstrip()
        for sentence in sentences:
            yield from paragraph(sentence, width=WIDTH, indent=" " * 6, first_indent=" " * 6)


def _cells(columns: Columns, cells: Sequence[str]) -> str:
    return "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, columns, strict=True))


def tenths(figure: float | None, sign: str = "") -> str:
    """A level as people compare it. What rounds to nothing has no sign."""
    if figure is None:
        return NOTHING
    return f"{round(figure, 1) or 0.0:{sign}.1f}"


def failures(errors: Iterable[tuple[str, str | None]]) -> list[str]:
    """One line for each (file, error) that is one, however long: logs are searched by line."""
    return [f"! {one_line(name)}: {one_line(error)}" for name, error in errors if error is not None]


def sentences(warnings: Iterable[FileWarning]) -> tuple[str, ...]:
    """What there is to say below a file's line."""
    return tuple(f"{warning.code}: {warning.message}" for warning in warnings)


# --- the same for scripts -------------------------------------------------------------------------------------------


def figure(value: float | None, digits: int = 2) -> float | None:
    """A figure as documents have it."""
    return None if value is None else round(value, digits)


def points(loop: tuple[int, int] | None) -> dict[str, int] | None:
    """A loop as the index has it."""
    return None if loop is None else {"start": loop[0], "end": loop[1]}


def listed_warnings(warnings: Iterable[FileWarning]) -> list[dict[str, Any]]:
    """Warnings as the index has them."""
    return [{"code": warning.code, "message": warning.message} for warning in warnings]

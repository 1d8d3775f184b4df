"""`cost-report.csv`: one line a purchase, for a spreadsheet that must not run what stands in a cell."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from pipeline.report.cost_json import take_document
from pipeline.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.report.costs import CostReport

COLUMNS: Final = (
    "manifest",
    "track",
    "take",
    "regeneration",
    "model",
    "seconds_asked",
    "seconds_got",
    "cost_usd",
    "cost_basis",
    "possible_duplicate_usd",
    "status",
    "attempts",
    "job_id",
    "cost_tag",
    "tags",
    "shared_with",
    "placeholder",
    "this_run",
    "error",
    "date",
    "bought_by",
    "bought_usd",
)
#: What a spreadsheet reads as a formula, in the wide forms of East Asian keyboards too.
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cost_csv(report: CostReport) -> Iterator[bytes]:
    """The takes as CSV (RFC 4180, UTF-8), line by line. Words are joined by `; `; what nobody knows is left empty."""
    return csv_lines(COLUMNS, map(take_document, report.takes))


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """A head and a line for each of `rows`, which have a value for every column; amounts end in `_usd`."""
    writer = csv.writer(_Line(), lineterminator="\n")
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_cell(column, row[column]) for column in columns])


class _Line:
    """A file that hands back what is written to it: a CSV writer passes that on."""

    def write(self, text: str) -> bytes:
        return text.encode()


def _cell(column: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value:.6f}" if column.endswith("_usd") else f"{value:.15g}"
    return safe_cell("; ".join(value) if isinstance(value, list) else str(value))


def safe_cell(text: str) -> str:
    """`text` on one line; what a spreadsheet would take for a formula begins with an apostrophe."""
    line = one_line(text)
    return f"'{line}" if line.startswith(_FORMULA) else line

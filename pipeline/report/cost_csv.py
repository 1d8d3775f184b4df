"""`cost-report.csv`: one line a purchase, for a spreadsheet that must not run what stands in a cell."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from pipeline.report.cost_json import take_document
from pipeline.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
)
#: What a spreadsheet reads as a formula, in the wide forms of East Asian keyboards too.
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cost_csv(report: CostReport) -> bytes:
    """The takes as CSV (RFC 4180, UTF-8). Words are joined by `; `; what nobody knows is an empty cell."""
    return csv_table(COLUMNS, map(take_document, report.takes))


def csv_table(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """A head and a line for each of `rows`, which have a value for every column; amounts end in `_usd`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(column, row[column]) for column in columns])
    return text.getvalue().encode()


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

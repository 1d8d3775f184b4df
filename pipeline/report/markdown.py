"""Markdown that shows what it is given: outside text never becomes markup, a link, or another cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipeline.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MARKUP: Final = re.compile(r"[\\`*_{}\[\]#|~@$^]")
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LINKS: Final = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)  # GitHub makes links of bare addresses


def escaped(text: str) -> str:
    """`text` on one line, so that it reads as it is written."""
    line = _MARKUP.sub(lambda match: "\\" + match[0], one_line(text))
    return _LINKS.sub(lambda match: "\\" + match[0], line).translate(_ENTITIES)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> list[str]:
    """A table's lines. The cells are Markdown already; columns numbered in `right` are set flush right."""
    flush = set(right)
    rule = ["---:" if number in flush else "---" for number in range(len(head))]
    return [_row(head), _row(rule), *(_row(row) for row in rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"

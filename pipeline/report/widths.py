"""Text as wide as a terminal shows it: letters of East Asia take two columns, marks that combine none."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ELLIPSIS: Final = "…"
_NO_COLUMN: Final = frozenset({"Mn", "Me", "Cf"})  # marks on the letter before, and signs that are not shown


def display_width(text: str) -> int:
    """How many columns a terminal gives `text`."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def padded(text: str, width: int, *, right: bool = False) -> str:
    """`text` with spaces up to `width` columns, behind it or before it."""
    spaces = " " * max(0, width - display_width(text))
    return spaces + text if right else text + spaces


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` columns, of which the middle goes where it is wider: names differ at their ends."""
    if display_width(text) <= width:
        return text
    if width <= 1:
        return _ELLIPSIS[:width]
    behind = (width - 1) // 2
    before = width - 1 - behind
    end = "".join(reversed(_first(reversed(text), behind)))
    while end and _columns(end[0]) == 0:  # a mark without its letter
        end = end[1:]
    return f"{''.join(_first(text, before))}{_ELLIPSIS}{end}"


def _first(chars: Iterable[str], width: int) -> list[str]:
    """As many of `chars` as fit."""
    fitting: list[str] = []
    used = 0
    for char in chars:
        used += _columns(char)
        if used > width:
            break
        fitting.append(char)
    return fitting


def _columns(char: str) -> int:
    if unicodedata.category(char) in _NO_COLUMN:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1

"""Lines for a terminal: columns, wrapping, and colour where it is wanted."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from pipeline.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_COLOURS: Final = {"+": "32", "~": "33", "!": "31", "-": "35", "=": "2"}
_RESET: Final = "\x1b[0m"
_WIDEST_COLUMN: Final = 40  # a longer name shifts its own line only


def coloured(sign: str, line: str) -> str:
    """`line` in the colour of `sign`."""
    code = _COLOURS.get(sign)
    return line if code is None else f"\x1b[{code}m{line}{_RESET}"


def column_width(words: Iterable[str]) -> int:
    """The width of a column that fits all `words` but the very long ones."""
    return max((len(word) for word in words if len(word) <= _WIDEST_COLUMN), default=0)


def hanging(first: str, text: str, *, width: int) -> list[str]:
    """`first` and `text` on one line where they fit, else `text` wrapped below, indented; nothing is left out."""
    if len(first) + len(text) <= width:
        return [f"{first}{text}".rstrip()]
    return [first.rstrip(), *paragraph(text, width=width, indent=" " * 6, first_indent=" " * 6)]


def paragraph(text: str, *, width: int, indent: str = "  ", first_indent: str = "") -> list[str]:
    """`text` from outside, harmless and wrapped; a word that is too long for a line is left whole."""
    return textwrap.wrap(
        one_line(text),
        width,
        initial_indent=first_indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def listed(words: Sequence[str], most: int = 3) -> str:
    """`a, b, c and 5 more`."""
    rest = len(words) - most
    return ", ".join(words) if rest <= 0 else f"{', '.join(words[:most])} and {rest:,} more"

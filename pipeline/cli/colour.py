"""Whether there is colour, and what it is made of."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as in typing, which costs more to import than a start with nothing to do may
if TYPE_CHECKING:
    from typing import TextIO

#: What begins and ends a colour, as pipeline.report.terminal has them.
CODES = tuple(f"\x1b[{number}m" for number in (0, 2, 31, 32, 33, 35))


def colour_wanted(stream: TextIO | None) -> bool:
    """Colour is for a terminal, and never with NO_COLOR."""
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()

"""Whether there is colour, and what it is made of."""

from __future__ import annotations

import os
import sys

#: What begins and ends a colour, as pipeline.report.terminal has them.
CODES = tuple(f"\x1b[{number}m" for number in (0, 2, 31, 32, 33, 35))


def colour_wanted() -> bool:
    """Colour is for a terminal, and never with NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")

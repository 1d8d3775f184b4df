"""Where a farm is, and what is said where there is none."""

from __future__ import annotations

import re
from typing import Final

EXPECTED: Final = "tcp://scheduler:8786, or tls:// with its certificates in Dask's own configuration"

_ADDRESS: Final = re.compile(r"(?:tcp|tls)://(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(\d{1,5})")
_PORTS: Final = range(1, 1 << 16)


class NoFarm(Exception):
    """A farm that can't be finished on. Its text is one sentence."""


class FarmMistake(NoFarm):
    """A farm's address that is none, or a farm that this installation can't talk to."""


def check_address(text: str) -> str:
    """`text`, where it is the address of a scheduler. Raises FarmMistake."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[1]) not in _PORTS:
        raise FarmMistake(f"{text!r} is no scheduler's address, expected {EXPECTED}")
    return text

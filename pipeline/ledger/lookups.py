"""Many values looked up at once, in as few questions as SQLite's limit on parameters allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MOST_PARAMETERS: Final = 500


def questions(values: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The marks for an `IN (...)` and the parameters that belong to them, until every value has been asked for once."""
    wanted = sorted(set(values))
    for start in range(0, len(wanted), _MOST_PARAMETERS):
        some = wanted[start : start + _MOST_PARAMETERS]
        yield ", ".join("?" * len(some)), some

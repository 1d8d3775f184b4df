"""The fields of a lock's text, each of its kind or one sentence with its place: anybody may have edited the file."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pipeline.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

RESTORE: Final = "restore it from version control"

_LARGEST_COUNT: Final = 1 << 53
_LARGEST_AMOUNT: Final = 1_000_000_000  # USD
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Wrong(Exception):
    """What is wrong, and where in the document; `remedy`: what to do about it."""

    def __init__(self, what: str, remedy: str = RESTORE) -> None:
        super().__init__(what)
        self.remedy = remedy


class Doubled(dict[str, Any]):
    """A mapping that has `key` twice. Which of the two counts is nothing to guess."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.key = next(name for name in names if names.count(name) > 1)


def noticing_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For the JSON decoder, which does not know where in the document it is: whoever reads the mapping does."""
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubled(pairs)


def each(value: Any, at: str, read: Callable[[Any, str], Any]) -> dict[str, Any]:
    return {name: read(one, f"{at}.{shown(name)}") for name, one in mapping(value, at).items()}


def field(document: Mapping[str, Any], key: str, at: str) -> Any:
    if key not in document:
        raise Wrong(f"{at} has no {key}")
    return document[key]


def mapping(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong(f"{at} is {shown(value)}, expected a mapping")
    if isinstance(value, Doubled):
        raise Wrong(
            f"{at} has {shown(value.key)} twice in one place",
            "where a merge ran two entries together, keep both, each whole and in braces of its own, as the two "
            "branches have them, and run again",
        )
    return value


def items(value: Any, at: str) -> list[Any]:
    if not isinstance(value, list):
        raise Wrong(f"{at} is {shown(value)}, expected a list")
    return value


def text(document: Mapping[str, Any], key: str, at: str) -> str:
    value = field(document, key, at)
    if not isinstance(value, str):
        raise expected(key, at, value, "text")
    return value


def text_or_none(document: Mapping[str, Any], key: str, at: str) -> str | None:
    return None if field(document, key, at) is None else text(document, key, at)


def sha256(document: Mapping[str, Any], key: str, at: str) -> str:
    value = text(document, key, at)
    if not _SHA256.fullmatch(value):
        raise expected(key, at, value, "64 hexadecimal digits")
    return value


def time_of(document: Mapping[str, Any], key: str, at: str) -> str:
    value = text(document, key, at)
    if value and moment(value) is None:
        raise expected(key, at, value, "a time such as 2026-03-01T12:00:00Z")
    return value


def one_of(document: Mapping[str, Any], key: str, at: str, words: Iterable[str]) -> str:
    value = text(document, key, at)
    if value not in words:
        raise expected(key, at, value, f"one of {', '.join(words)}")
    return value


def truth(document: Mapping[str, Any], key: str, at: str) -> bool:
    value = field(document, key, at)
    if not isinstance(value, bool):
        raise expected(key, at, value, "true or false")
    return value


def count(document: Mapping[str, Any], key: str, at: str, least: int = 0) -> int:
    value = field(document, key, at)
    if type(value) is not int or not least <= value < _LARGEST_COUNT:
        raise expected(key, at, value, f"a whole number from {least}")
    return value


def number(document: Mapping[str, Any], key: str, at: str) -> Decimal | None:
    value = field(document, key, at)
    if value is None:
        return None
    found = Decimal(str(value)) if not isinstance(value, (bool, str, list, dict)) else None
    if found is None or not found.is_finite() or not 0 <= found <= _LARGEST_AMOUNT:
        raise expected(key, at, value, "a number from 0, or null")
    return found


def figure(document: Mapping[str, Any], key: str, at: str) -> float | None:
    value = number(document, key, at)
    return None if value is None or not math.isfinite(value) else float(value)


def expected(key: str, at: str, value: Any, kind: str) -> Wrong:
    return Wrong(f"{at}.{key} is {shown(value)}, expected {kind}")


def shown(value: Any) -> str:
    """`value` on one line, and short."""
    whole = value if isinstance(value, str) else json.dumps(value, default=str)
    short = whole if len(whole) <= 60 else f"{whole[:60]}..."  # noqa: PLR2004 - enough to find it by
    return short if short.isprintable() else "".join(char if char.isprintable() else "?" for char in short)

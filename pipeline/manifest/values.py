"""What YAML text holds: plain values that know where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from pipeline.manifest.mistakes import Mistake, path_text, quoted
from pipeline.manifest.tracks import Place

if TYPE_CHECKING:
    from pipeline.manifest.mistakes import Fault, KeyPath

Spot = tuple[int, int]  # line and column, from 1


@dataclass(frozen=True, slots=True)
class Plain:
    """An unquoted scalar that is not text: true, false, null or a decimal number, and how it was spelled."""

    spelling: str
    value: bool | Decimal | None


class Mapping(dict[str, "Value"]):
    """A YAML mapping. Every key is its spelling: `on`, `1.10` and `2049` are names like any other."""

    __slots__ = ("keys_at", "values_at")

    def __init__(self) -> None:
        super().__init__()
        self.keys_at: dict[str, Spot] = {}
        self.values_at: dict[str, Spot] = {}

    def put(self, key: str, key_at: Spot, value: Value, value_at: Spot) -> None:
        self[key] = value
        self.keys_at[key] = key_at
        self.values_at[key] = value_at


class Sequence(list["Value"]):
    """A YAML sequence."""

    __slots__ = ("items_at",)

    def __init__(self) -> None:
        super().__init__()
        self.items_at: list[Spot] = []


Value = str | Plain | Mapping | Sequence

# YAML 1.2's core scalars, but that numbers are decimal: 010, 0x1F and 1:30 are text, and so are on, off, yes and no.
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_NUMBER: Final = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][-+]?[0-9]{1,3})?")
_NUMBERS_BEGIN_WITH: Final = frozenset("+-.0123456789")


def resolved(spelling: str) -> str | Plain:
    """What an unquoted scalar is."""
    if spelling in _WORDS:
        return Plain(spelling, _WORDS[spelling])
    if spelling[0] in _NUMBERS_BEGIN_WITH and _NUMBER.fullmatch(spelling):
        return Plain(spelling, Decimal(spelling))
    return spelling


def described(value: object) -> str:
    """`value` as a message names what it found."""
    match value:
        case Plain(value=None):
            return "nothing"
        case Plain(spelling=spelling):
            return spelling
        case str():
            return quoted(value)
        case Mapping() if is_bare_placeholder(value):
            return f'a mapping, as {{ begins one in YAML (put it in quotes: "{{{next(iter(value))}}}")'
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def is_bare_placeholder(value: object) -> bool:
    """Is it what `{boss}` without quotes comes to: a mapping of one key that holds nothing?"""
    return isinstance(value, Mapping) and list(value.values()) == [Plain("", None)]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole YAML file: its root, and the mistakes that reading went on after."""

    file: str
    root: Value
    root_at: Spot = (1, 1)
    mistakes: tuple[Mistake, ...] = ()

    def mistake(self, fault: Fault) -> Mistake:
        place = self.key_place(fault.path) if fault.at_key else self.value_place(fault.path)
        return Mistake(place, path_text(fault.path), fault.message)

    def key_place(self, path: KeyPath) -> Place:
        """Where the last key of `path` stands."""
        holder, spot = self._walk(path[:-1])
        if isinstance(holder, Mapping) and path[-1] in holder.keys_at:
            spot = holder.keys_at[str(path[-1])]
        return Place(self.file, *spot)

    def value_place(self, path: KeyPath) -> Place:
        """Where the value at `path` stands, or as far towards it as the file goes."""
        return Place(self.file, *self._walk(path)[1])

    def _walk(self, path: KeyPath) -> tuple[Value, Spot]:
        value: Value = self.root
        spot = self.root_at
        for step in path:
            if isinstance(value, Mapping) and step in value:
                spot, value = value.values_at[str(step)], value[str(step)]
            elif isinstance(value, Sequence) and isinstance(step, int) and step < len(value):
                spot, value = value.items_at[step], value[step]
            elif not isinstance(step, int):  # a single item may stand where a list of them may
                break
        return value, spot

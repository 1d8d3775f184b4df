"""Reading a mapping strictly: each value by its name and kind, and nothing left over."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection

T = TypeVar("T", bound=str)


#: Seconds, bytes or counts beyond this are a mistake, and so is what is no finite number.
_LARGEST_NUMBER: Final = 1e15


class FaultMistake(ValueError):
    """Something in a faults document that makes no sense. Its text is one sentence."""


class Fields:
    """The values of one mapping: at `path` in the document that messages call `where`. Methods raise FaultMistake."""

    def __init__(self, value: object, where: str, path: str = "") -> None:
        self._where = where
        self._path = path
        if not isinstance(value, dict):
            raise self.mistake("expected a mapping of names to values")
        self._values: dict[Any, Any] = dict(value)
        self._known: list[str] = []

    def part(self, value: object, name: str) -> Fields:
        """The mapping that stands under `name`."""
        return Fields(value, self._where, f"{self._path}.{name}" if self._path else name)

    def mistake(self, what: str, name: str = "") -> FaultMistake:
        """What is wrong, with where it stands."""
        place = ".".join(part for part in (self._path, name) if part)
        return FaultMistake(f"{self._where}: {place}: {what}" if place else f"{self._where}: {what}")

    def take(self, name: str) -> Any:
        """The value as it stands; None where there is none."""
        self._known.append(name)
        return self._values.pop(name, None)

    def peek(self, name: str) -> Any:
        """The value as it stands, which is still to be taken."""
        return self._values.get(name)

    def texts(self) -> dict[str, str]:
        """All of it, where every value is text."""
        for name, value in self._values.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise self.mistake(f"expected names and values in quotes, not {name!r}: {value!r}")
        return self._values

    def number(self, name: str, *, least: float = 0.0, most: float = math.inf) -> float | None:
        value = self.take(name)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER
        if not is_number or not least <= value <= most:
            span = f"{least:g} or more" if math.isinf(most) else f"from {least:g} to {most:g}"
            raise self.mistake(f"expected a number {span}, not {value!r}", name)
        return float(value)

    def whole(self, name: str, *, least: int = 0, most: float = math.inf) -> int | None:
        value = self.number(name, least=least, most=most)
        if value is not None and not value.is_integer():
            raise self.mistake(f"expected a whole number, not {value!r}", name)
        return None if value is None else int(value)

    def text(self, name: str) -> str | None:
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            raise self.mistake(f"expected text, not {value!r}", name)
        return value

    def word(self, name: str, words: Collection[T]) -> T | None:
        value = self.take(name)
        if value is None:
            return None
        for word in words:
            if word == value:
                return word
        raise self.mistake(f"expected one of {', '.join(sorted(words))}, not {value!r}", name)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise self.mistake(f"expected true or false, not {value!r}", name)
        return default if value is None else value

    def many(self, name: str) -> list[Any]:
        """A list; one value alone is a list of it, none an empty one."""
        value = self.take(name)
        return value if isinstance(value, list) else [] if value is None else [value]

    def done(self) -> None:
        """Nothing may be left over."""
        for name in self._values:
            near = difflib.get_close_matches(str(name), self._known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; expected one of {', '.join(self._known)}"
            raise self.mistake(f"there is no {name!r}{hint}")

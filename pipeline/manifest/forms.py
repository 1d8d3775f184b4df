"""The forms that a manifest's values take: each reads one kind of value, and tells editors what it looks like.

Pydantic's own types would accept too much (text that looks like a number) and answer in their own words. A form refuses
with a sentence of this house: what was found, and what was expected.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticCustomError, core_schema

from pipeline.manifest.values import Mapping, Plain, described

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler

JsonSchema = dict[str, Any]

_AGE: Final = re.compile(r"([1-9][0-9]{0,3})([hdw])")
_SECONDS: Final = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CONTROL_OR_BREAK: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def refusal(found: object, expected: str) -> PydanticCustomError:
    return refused(f"found {described(found)}, expected {expected}")


def refused(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("manifest", "{sentence}", {"sentence": sentence})


class Form(ABC):
    """How one value is read, as an annotation of a model's field."""

    @abstractmethod
    def read(self, value: object) -> object:
        """The value as the house holds it. Raises PydanticCustomError."""

    @abstractmethod
    def json_schema(self) -> JsonSchema:
        """What an editor is told."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return self.json_schema()


@dataclass(frozen=True)
class Text(Form):
    """Text, on one line unless `lines`, not blank unless `may_be_blank`."""

    expected: str = "text"
    longest: int = 200
    lines: bool = False
    may_be_blank: bool = False
    pattern: str = ""

    def read(self, value: object) -> str:
        if isinstance(value, Plain) and value.value is not None:
            what = f"found {value.spelling}, which is no text in YAML"
            raise refused(f"{what}, expected {self.expected} (put it in quotes)")
        if not isinstance(value, str):
            raise refusal(value, self.expected)
        if len(value) > self.longest:
            raise refused(f"found {len(value):,} characters, expected at most {self.longest:,}")
        if not self.may_be_blank and not value.strip():
            raise refused(f"is blank, expected {self.expected}")
        if (_CONTROL if self.lines else _CONTROL_OR_BREAK).search(value):
            kind = "control character" if self.lines else "control character or a line break"
            raise refused(f"found a {kind} in {described(value)}, expected {self.expected}")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise refusal(value, self.expected)
        return value.strip() if self.lines else value

    def json_schema(self) -> JsonSchema:
        schema: JsonSchema = {"type": "string", "maxLength": self.longest}
        if not self.may_be_blank:
            schema["minLength"] = 1
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        return schema


@dataclass(frozen=True)
class Spelling(Form):
    """A word, a number, true or false, kept as it is spelled: 1.10 stays 1.10."""

    expected: str
    forbidden: str = ""
    longest: int = 1000
    may_be_blank: bool = False

    def read(self, value: object) -> str:
        spelling = value.spelling if isinstance(value, Plain) and value.value is not None else value
        if not isinstance(spelling, str) or _CONTROL_OR_BREAK.search(spelling):
            raise refusal(value, self.expected)
        if not self.may_be_blank and not spelling.strip():
            raise refused(f"is blank, expected {self.expected}")
        for char in self.forbidden:
            if char in spelling:
                raise refused(f"found '{char}' in {described(value)}, expected {self.expected} without it")
        if len(spelling) > self.longest:
            raise refused(f"found {len(spelling):,} characters, expected at most {self.longest:,}")
        return spelling

    def json_schema(self) -> JsonSchema:
        return {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True)
class Bounded(Form):
    """A decimal number between two bounds, both allowed."""

    low: float
    high: float
    unit: str = ""

    @property
    def expected(self) -> str:
        return f"a number from {self.low:,} to {self.high:,}{self.unit and ' '}{self.unit}"

    def within(self, value: object) -> Decimal:
        """The number that `value` is. Raises PydanticCustomError."""
        number = value.value if isinstance(value, Plain) else None
        if not isinstance(number, Decimal) or not Decimal(str(self.low)) <= number <= Decimal(str(self.high)):
            raise refusal(value, self.expected)
        return number

    def json_schema(self) -> JsonSchema:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Number(Bounded):
    """Seconds, decibels and the like."""

    def read(self, value: object) -> float:
        return float(self.within(value))


@dataclass(frozen=True)
class Exactly(Bounded):
    """An amount of money, exactly as it is spelled."""

    def read(self, value: object) -> Decimal:
        return self.within(value)


@dataclass(frozen=True)
class Whole(Bounded):
    """A whole number."""

    @property
    def expected(self) -> str:
        return f"a whole number from {self.low:,} to {self.high:,}{self.unit and ' '}{self.unit}"

    def read(self, value: object) -> int:
        number = self.within(value)
        if number != number.to_integral_value():
            raise refusal(value, self.expected)
        return int(number)

    def json_schema(self) -> JsonSchema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Age(Form):
    """Hours, days or weeks, in seconds; nothing (`null`) for never."""

    def read(self, value: object) -> float | None:
        if isinstance(value, Plain) and value.value is None:
            return None
        found = _AGE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise refusal(value, "an age in hours, days or weeks, such as 12h, 7d or 2w, or null for never")
        return float(int(found[1]) * _SECONDS[found[2]])

    def json_schema(self) -> JsonSchema:
        return {"type": ["string", "null"], "pattern": f"^(?:{_AGE.pattern})$"}


@dataclass(frozen=True)
class YesNo(Form):
    """`true` or `false`; `yes`, `no`, `on` and `off` are text in YAML 1.2."""

    def read(self, value: object) -> bool:
        if isinstance(value, Plain) and isinstance(value.value, bool):
            return value.value
        raise refusal(value, "true or false")

    def json_schema(self) -> JsonSchema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class OneOf(Form):
    """One of a few words or whole numbers."""

    choices: tuple[str | int, ...]

    def read(self, value: object) -> str | int:
        number = value.value if isinstance(value, Plain) else None
        if isinstance(number, Decimal) and number in self.choices:
            return int(number)
        if isinstance(value, str) and value in self.choices:
            return value
        raise refusal(value, f"{'one of ' if len(self.choices) > 1 else ''}{', '.join(map(str, self.choices))}")

    def json_schema(self) -> JsonSchema:
        return {"enum": list(self.choices)} if len(self.choices) > 1 else {"const": self.choices[0]}


class Wrapped(ABC):
    """A section that may be written in a shorter way."""

    def __init__(self, section: type[BaseModel]) -> None:
        self.section = section

    @abstractmethod
    def read(self, value: object, section: Callable[[object], object]) -> object:
        """The section that `value` stands for. Raises PydanticCustomError, and what reading the section raises."""

    @abstractmethod
    def short_form(self) -> JsonSchema:
        """The shorter way, for editors."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_wrap_validator_function(self.read, handler(self.section))

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return {"anyOf": [self.short_form(), handler(schema)]}


class Switch(Wrapped):
    """`true` for the section with its defaults, `false` for none."""

    def read(self, value: object, section: Callable[[object], object]) -> object:
        if isinstance(value, Mapping):
            return section(value)
        if isinstance(value, Plain) and isinstance(value.value, bool):
            return section({}) if value.value else None
        raise refusal(value, "true, false or a mapping with " + ", ".join(self.section.model_fields))

    def short_form(self) -> JsonSchema:
        return {"type": "boolean"}


class Short(Wrapped):
    """A word for the section that has nothing but `key`."""

    def __init__(self, section: type[BaseModel], key: str, words: tuple[str, ...]) -> None:
        super().__init__(section)
        self.key = key
        self.words = words

    def read(self, value: object, section: Callable[[object], object]) -> object:
        if isinstance(value, Mapping):
            return section(value)
        if isinstance(value, str) and value in self.words:
            return section({self.key: value})
        raise refusal(
            value, f"one of {', '.join(self.words)}, or a mapping with {', '.join(self.section.model_fields)}"
        )

    def short_form(self) -> JsonSchema:
        return {"enum": list(self.words)}


class OrText(Wrapped):
    """Text for the section that has nothing but `key`."""

    def __init__(self, section: type[BaseModel], key: str, text: Text) -> None:
        super().__init__(section)
        self.key = key
        self.text = text

    def read(self, value: object, section: Callable[[object], object]) -> object:
        if isinstance(value, Mapping):
            return section(value)
        if isinstance(value, str):
            return section({self.key: value})
        raise refusal(value, f"{self.text.expected}, or a mapping with {', '.join(self.section.model_fields)}")

    def short_form(self) -> JsonSchema:
        return self.text.json_schema()


class OneOrMore:
    """A list, or the one item that it would have."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def read(self, value: object) -> object:
        return [value] if isinstance(value, (str, Mapping)) else value

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}

"""`{boss}` in a name, a prompt or lyrics takes up a matrix value; `{{` and `}}` are braces themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipeline.manifest.mistakes import nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_TOKEN: Final = re.compile(r"\{\{|\}\}|\{(?P<key>[^{}\n]*)\}|[{}]")
_KEY: Final = re.compile(r"[^\W\d][\w-]*")


def is_key(word: str) -> bool:
    """Can `word` be a matrix key: a letter or _, then letters, digits, _ and -?"""
    return _KEY.fullmatch(word) is not None


def keys_in(text: str) -> tuple[str, ...]:
    """The keys that `text` takes up, in their order, each once."""
    if "{" not in text:
        return ()
    found = (token.group("key") for token in _TOKEN.finditer(text))
    return tuple(dict.fromkeys(key for key in found if key is not None))


def has_stray_brace(text: str) -> bool:
    """Is there a brace that neither belongs to a placeholder nor is doubled?"""
    return any(token.group() in ("{", "}") for token in _TOKEN.finditer(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with its placeholders replaced. Each must have a value; values are not looked through again."""
    if "{" not in text and "}" not in text:
        return text
    return _TOKEN.sub(lambda token: _replacement(token, values), text)


def _replacement(token: re.Match[str], values: Mapping[str, str]) -> str:
    key = token.group("key")
    return values[key] if key is not None else token.group()[0]


def placeholder_faults(text: str, several: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """What keeps `text` from being filled with each of `several` combinations' values."""
    if ("{" in text or "}" in text) and has_stray_brace(text):
        yield "a brace stands alone, expected {key} for a placeholder, or {{ and }} for braces themselves"
    for key in keys_in(text):
        lacking = next((values for values in several if key not in values), None)
        if lacking is not None:
            yield f"{{{shown(key)}}} {_why_no_value(key, lacking, several)}"


def _why_no_value(key: str, lacking: Mapping[str, str], several: Sequence[Mapping[str, str]]) -> str:
    known = dict.fromkeys(known for values in several for known in values)
    if key in known:
        where = ", ".join(f"{name}: {value}" for name, value in lacking.items())
        return f"has no value where {shown(where)}, expected one in every combination"
    if known:
        return f"has no value in the matrix; {nearest(key, known)}"
    return "has no value, expected a matrix with it, or {{ and }} for braces themselves"

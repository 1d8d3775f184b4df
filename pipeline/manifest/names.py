"""Names: which may stand, which collide, and which a pattern picks."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pipeline.manifest.mistakes import quoted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MOST_PARTS: Final = 8
LONGEST_PART_BYTES: Final = 100
LONGEST_NAME_BYTES: Final = 200
LONGEST_SUFFIX_BYTES: Final = 40
_MOST_NAMED: Final = 3

#: Names that need no second look. Whatever Windows keeps for itself is shorter.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{5,40}(?:/[A-Za-z0-9_-]{5,40}){0,3}")

_PUNCTUATION: Final = frozenset(" _-.+()")
# A letter's own marks belong to it: many scripts cannot be written without them.
_MARKS: Final = frozenset({"Mn", "Mc"})
_CATEGORIES: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"}) | _MARKS
_KEPT_BY_WINDOWS: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL"} | {device + digit for device in ("COM", "LPT") for digit in "0123456789"}
)


def normal(name: str) -> str:
    """`name` in Unicode NFC, the one form in which names are kept and compared."""
    return unicodedata.normalize("NFC", name)


def folded(path: str) -> str:
    """What two paths share that are one on some disk: `path` without case, in NFC."""
    return path.lower() if path.isascii() else normal(normal(path).casefold())


def names_of(names: Sequence[str]) -> str:
    """Some names, for a sentence."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def name_fault(name: str, suffixes: Iterable[str] = ()) -> str | None:
    """What keeps `name`, in NFC, from being a track's; None where nothing does.

    `suffixes`: what its outputs add to it.
    """
    if _PLAIN.fullmatch(name):
        return None
    parts = name.split("/")
    if len(parts) > MOST_PARTS:
        return f"{quoted(name)} has {len(parts)} parts, expected at most {MOST_PARTS}"
    for part in parts:
        fault = part_fault(part)
        if fault:
            return fault if len(parts) == 1 else f"{fault} (in {quoted(name)})"
    kept = next((parts[-1] + suffix for suffix in suffixes if _is_kept_by_windows(parts[-1] + suffix)), None)
    if kept is not None:
        return f"{quoted(kept)} is a name that Windows keeps for itself, expected another suffix"
    size = len(name.encode())
    if size > LONGEST_NAME_BYTES:
        return f"{quoted(name)} has {size} bytes, expected at most {LONGEST_NAME_BYTES}"
    return None


def part_fault(part: str) -> str | None:
    """What keeps `part`, in NFC, from being a part of a name; None where nothing does."""
    if not part:
        return "a part of the name is empty, expected letters or digits"
    return next(_part_faults(part), None)


def _part_faults(part: str) -> Iterator[str]:
    strange = _strange_character(part)
    if strange:
        yield strange
    if part[0] in " ." or part[-1] in " .":
        yield f"{quoted(part)} begins or ends with a space or a dot, expected neither"
    if unicodedata.category(part[0]) in _MARKS:
        yield f"{quoted(part)} begins with a mark that belongs on a letter, expected a letter first"
    if _is_kept_by_windows(part):
        yield f"{quoted(part)} is a name that Windows keeps for itself, expected another"
    size = len(part.encode())
    if size > LONGEST_PART_BYTES:
        yield f"{quoted(part)} has {size} bytes, expected at most {LONGEST_PART_BYTES}"


def suffix_fault(suffix: str) -> str | None:
    """What keeps `suffix`, in NFC, from standing between a name and its extension; None where nothing does."""
    size = len(suffix.encode())
    if size > LONGEST_SUFFIX_BYTES:
        return f"{quoted(suffix)} has {size} bytes, expected at most {LONGEST_SUFFIX_BYTES}"
    return _strange_character(suffix)


def _strange_character(part: str) -> str | None:
    strange = next((char for char in part if not _is_allowed(char)), None)
    if strange is None:
        return None
    return f"found '{shown(strange)}' in {quoted(part)}, expected letters, digits, space and _ - . + ( )"


def _is_kept_by_windows(part: str) -> bool:
    """With or without an extension: to Windows `nul.low` is the null device, too."""
    return part.partition(".")[0].rstrip(" ").upper() in _KEPT_BY_WINDOWS


def without_strange_characters(part: str) -> str:
    """`part` with a `-` in place of each character that no name may have."""
    return "".join(char if _is_allowed(char) else "-" for char in part)


def _is_allowed(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char in _PUNCTUATION
    return unicodedata.category(char) in _CATEGORIES


def matches(pattern: str, name: str) -> bool:
    """Does `name` fit the glob `pattern`? `*`, `?` and `[...]` stay within a part of it, `**` goes across parts."""
    return _compiled(normal(pattern)).fullmatch(normal(name)) is not None


def matcher(patterns: Sequence[str]) -> Callable[[str], bool] | None:
    """Does a name fit any of these globs? None where there are none, so that all names are meant."""
    if not patterns:
        return None
    return lambda name: any(matches(pattern, name) for pattern in patterns)


# `**/` where a part begins, `**` elsewhere, a set such as [a-z] or [!a-z], and any other character.
_TOKEN: Final = re.compile(
    r"(?P<folders>(?<![^/])\*{2,}/)|(?P<across>\*{2,})|(?P<set>\[!?\]?[^\]/]+\])|(?P<char>.)", re.DOTALL
)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_translated(token) for token in _TOKEN.finditer(pattern)), re.DOTALL)


def _translated(token: re.Match[str]) -> str:
    text = token.group()
    match token.lastgroup:
        case "folders":  # `**/x` also stands for an `x` in no folder
            return "(?:.*/)?"
        case "across":
            return ".*"
        case "set":
            excluded = text[1] == "!"
            members = re.sub(r"([\\\[\]^&~|]|(?<=-)-)", r"\\\1", text[2:-1] if excluded else text[1:-1])
            return _valid(f"(?!/)[{'^' if excluded else ''}{members}]") or re.escape(text)
        case _:
            return {"*": "[^/]*", "?": "[^/]"}.get(text, re.escape(text))


def _valid(expression: str) -> str | None:
    """`expression`, unless it is none: `[z-a]` stands for itself."""
    try:
        re.compile(expression)
    except re.error:
        return None
    return expression

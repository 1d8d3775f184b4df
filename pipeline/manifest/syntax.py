"""What YAML's parser refuses, said in words that help whoever writes manifests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from pipeline.manifest.mistakes import Mistake, path_text, shown
from pipeline.manifest.tracks import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

DEEPEST_NESTING: Final = 100
TOO_DEEP: Final = f"nested more than {DEEPEST_NESTING} deep, expected at most that"

_QUOTES: Final = "put it in quotes"

_NOWHERE: Final = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# Where a value, an item or a name may begin, and what it begins with: neither can be followed by text in YAML.
_BRACED: Final = re.compile(r"""(?:^|[:\-,\[{])\s*(?P<value>\{[^{}:,"']*\})\s*[^\s,}\]#]""")
_BRACKETED: Final = re.compile(r"""(?:^|[:\-,])\s+(?P<value>\[[^\[\]"']*\])\s*[^\s,}\]#]""")
_QUOTED: Final = re.compile(r"""(?:^|[:\-,])\s+(?P<value>"[^"]*"|'[^']*')\s*[^\s,:}\]#]""")
_COLON: Final = re.compile(r"""^[^#:]*:\s+(?P<value>[^\s"'{\[|>&*!#][^#]*:(?:\s|$))""")

# What YAML libraries say, in libyaml's words and PyYAML's own, and what it mostly means.
_MEANINGS: Final = (
    ("found undefined tag handle", "an ! begins a tag in YAML, expected text (put it in quotes)"),
    ("unexpected end of stream", "the quote that opens here is never closed, expected the closing one"),
    ("tab character", "a tab can't indent in YAML, expected spaces"),
    ("found unknown escape character", r"YAML has no such escape, expected \\ for a backslash, or single quotes"),
    ("mapping values are not allowed", "a `: ` stands where none can, expected an indented `key: value`"),
    ("could not find expected ':'", "a key without its `:`, expected `key: value`"),
    ("expected alphabetic or numeric", f"* and & begin an alias or an anchor in YAML, expected text ({_QUOTES})"),
    ("exceeded maximum nesting depth", TOO_DEEP),  # newer libyaml stops there before any event of ours
    ("sequence entries are not allowed", "a `- ` stands where no list can, expected it on a line of its own"),
)


def syntax_mistake(error: Exception, text: str, file: str, path: Sequence[str | int]) -> Mistake:
    """The one mistake that `error`, raised by YAML's parser while it read `text` at `path`, stands for."""
    if isinstance(error, yaml.MarkedYAMLError):
        marks = [mark for mark in (error.problem_mark, error.context_mark) if mark is not None]
        lines = text.splitlines() or [""]
        if "unexpected end of stream" in str(error.problem):
            marks.reverse()  # where the quote opens says more than where the file ends
        spots = [(min(mark.line, len(lines) - 1), mark.column) for mark in marks] or [(0, 0)]
        (line, column), message = _explained(error, lines, spots)
    else:
        (line, column), message = _unreadable_character(text)
    return Mistake(Place(file, line + 1, column + 1), path_text(tuple(path)), message)


def _explained(
    error: yaml.MarkedYAMLError, lines: list[str], spots: list[tuple[int, int]]
) -> tuple[tuple[int, int], str]:
    for line, _ in spots:
        for pattern, message in (
            (_BRACED, "a value that begins with { is a mapping in YAML, expected text ({quotes})"),
            (_BRACKETED, "a value that begins with [ is a list in YAML, expected text ({quotes})"),
            (_QUOTED, "text follows a closing quote, expected the whole value inside of the quotes"),
            (_COLON, "text with a `: ` inside is a mapping in YAML, expected text ({quotes})"),
        ):
            found = pattern.search(lines[line])
            if found:
                return (line, found.start("value")), message.replace("{quotes}", _QUOTES)
    return spots[0], _meaning(error, lines, spots[0])


def _meaning(error: yaml.MarkedYAMLError, lines: list[str], spot: tuple[int, int]) -> str:
    problem = str(error.problem)
    if "cannot start any token" in problem:
        char = lines[spot[0]][spot[1] : spot[1] + 1]
        if char != "\t":
            return f"text can't begin with {shown(char)} in YAML, expected it in quotes"
        problem = "tab character"
    for words, message in _MEANINGS:
        if words in problem:
            return message
    return f"YAML can't read on from here ({shown(problem)}), expected `key: value` lines, evenly indented"


def _unreadable_character(text: str) -> tuple[tuple[int, int], str]:
    """The first character that YAML allows nowhere; an escape for one, where none stands there itself."""
    found = _NOWHERE.search(text)
    if found is None:
        return (0, 0), r"an escape such as \U00110000 stands for no character, expected text"
    position = found.start()
    line = text.count("\n", 0, position)
    column = position - (text.rfind("\n", 0, position) + 1)
    return (line, column), f"the character U+{ord(found.group()):04X} is not allowed in YAML, expected text"

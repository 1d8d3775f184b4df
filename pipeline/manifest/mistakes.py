"""What is wrong with a manifest: every mistake at once, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.manifest.tracks import Place

KeyPath = tuple[str | int, ...]  # the keys and the places in lists that lead to a value

WHOLE: Final = "manifest"  # stands where a path would, when a mistake is about the manifest as a whole
_LONGEST_SHOWN: Final = 60
_LONGEST_KEY: Final = 200
_MOST_LISTED: Final = 30


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at `path`, before anybody has looked up where that stands in the file."""

    path: KeyPath
    message: str
    at_key: bool = False  # the key is the mistake, not what it holds


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong. `message` says what, and what was expected."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.path or WHOLE}: {self.message}"


class ManifestMistakes(Exception):
    """A manifest that can't be used. Its text has one line for each mistake, in the file's order."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(dict.fromkeys(mistakes), key=_in_order))
        super().__init__(self.mistakes)

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)


def _in_order(mistake: Mistake) -> tuple[str, int, int]:
    return mistake.place.file, mistake.place.line, mistake.place.column


def path_text(path: KeyPath) -> str:
    """`tracks.menu.outputs[0].bitrate`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shown(part, _LONGEST_KEY)}" if text else shown(part, _LONGEST_KEY)
    return text


def shown(text: str, longest: int = _LONGEST_SHOWN) -> str:
    """`text` on one line and not too long: what stands in a manifest may hold anything."""
    short = text if len(text) <= longest else f"{text[:longest]}..."
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in short)


def quoted(text: str) -> str:
    """`text` as a message cites it."""
    return f"'{shown(text)}'"


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about `word`, which is none of `known`: what it may have been meant to be."""
    spellings = {_plainly(one): one for one in known}
    near = get_close_matches(_plainly(word), spellings, n=1)
    if near:
        return f"did you mean {quoted(spellings[near[0]])}?"
    some = [shown(one) for one in list(spellings.values())[:_MOST_LISTED]]
    return f"expected one of {', '.join(some)}" if some else "expected none"


def _plainly(word: str) -> str:
    return word[:_LONGEST_SHOWN].lower().replace("-", "_")

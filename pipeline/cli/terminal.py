"""Words to the terminal: harmless, and never the end of a run because nobody reads them any more."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager, suppress
from threading import Event
from typing import TYPE_CHECKING, Any, Final, TextIO

from pipeline.report.annotations import harmless_to_actions
from pipeline.report.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Has this command begun to print a document? A second one would make both unreadable, whole or cut as the first is.
DOCUMENT_BEGUN: Final = Event()


#: What makes room for words where something stands at the foot of the terminal: bars do, while a run goes on.
_MAKE_ROOM: Final[list[Callable[[], None]]] = []


@contextmanager
def words_above(make_room: Callable[[], None]) -> Iterator[None]:
    """Have `make_room` called before each line while the block lasts."""
    _MAKE_ROOM.append(make_room)
    try:
        yield
    finally:
        _MAKE_ROOM.remove(make_room)


def in_actions() -> bool:
    """Is this a step of a GitHub workflow, whose output is read for commands?"""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def say(text: str) -> None:
    """Progress, words and failures: on standard error."""
    write(sys.stderr, printable(text))


def out(text: str) -> None:
    """What was asked for: on standard output. Whoever reads it may go at any time (`| head`)."""
    write(sys.stdout, text)


def out_document(document: Mapping[str, Any]) -> None:
    """A JSON document on standard output, in ASCII: names are exact, and none of them can move a terminal's cursor.

    Raises OSError as `out_whole` does: half a document is none.
    """
    DOCUMENT_BEGUN.set()
    text = json.dumps(document, indent=1)
    if in_actions():
        text = text.replace("##[", "##\\u005b")  # the same document, and no command
    out_whole(text.encode() + b"\n")


def out_whole(content: bytes) -> None:
    """A document on standard output, byte for byte. Raises OSError where it can't be written whole, as on a full disk.

    Whoever reads it may go at any time all the same.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _give_up(sys.stdout)
    except BaseException:  # also a signal: what is left in the buffer would follow at the end of the process
        _give_up(sys.stdout)
        raise


def write(stream: TextIO | None, line: str) -> None:
    """One line to `stream`; a stream that is closed, full or gone is given up for good."""
    for make_room in _MAKE_ROOM:
        make_room()
    put(stream, (harmless_to_actions(line) if in_actions() else line) + "\n")


def put(stream: TextIO | None, text: str) -> None:
    """`text` to `stream` as it is, and at once; as `write` where that fails."""
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):
        _give_up(stream)


def _give_up(stream: TextIO) -> None:
    """Let the stream lead nowhere, so that what is left in its buffer is no error at the end of the process either."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def printable(text: str) -> str:
    """`text` without control characters, which come from outside and must not reach a terminal; lines are kept."""
    return "".join(char if char == "\n" else harmless(char) for char in text)

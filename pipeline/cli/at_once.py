"""`run` and `plan` with nothing to do: answered from the stamp of the last one, before click is imported.

What is told here is that there is nothing to do, in the words that the long way would have used. Whatever is in doubt
is left to that way.
"""

from __future__ import annotations

import os
import sys
import time

import pipeline
from pipeline.cli.colour import CODES, colour_wanted
from pipeline.noop.looking import still_holds
from pipeline.noop.stamp import key_of, load, save
from pipeline.noop.words import read
from pipeline.version import VERSION

TYPE_CHECKING = False  # as in typing, which costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from pipeline.noop.stamp import Stamp
    from pipeline.noop.words import Asked


def answered(words: Sequence[str]) -> bool:
    """Was there nothing to do, and has that been said?"""
    now_ns = time.time_ns()
    asked = read(words)
    if asked is None or not asked.is_told_briefly:
        return False
    key = stamp_key(asked, os.environ)
    found = None if key is None else load(asked.state, key)
    if found is None or (asked.command == "run" and not _may_run(found)):
        return False
    answer = _answer(found, asked)
    if not all(_can_be_told(text, stream) for text, stream in answer):
        return False
    holding = still_holds(found, asked.output, asked.state, now_ns)
    if holding is None or not _touched(asked, now_ns):
        return False
    if holding is not found:
        _keep(holding, asked.state)
    for text, stream in answer:
        _tell(text, stream)
    return True


def stamp_key(asked: Asked, environment: Mapping[str, str]) -> str | None:
    """What stands for all that a stamp is about and that is in no file: the words, the place, the program, who asks.

    None where there can be no stamp: without a working folder, or where the system has no inodes to go by.
    """
    try:
        place = os.getcwd()
        user = str(os.geteuid())
    except (OSError, AttributeError):
        return None
    program = (VERSION, os.path.dirname(pipeline.__file__), str(sys.hexversion))
    gateway = environment.get("AIGATEWAY_BASE_URL", "") if asked.asks_environment else ""
    return key_of((*program, user, place, gateway, environment.get("AIGATEWAY_ALLOW_HTTP", ""), *asked.parts()))


def _may_run(found: Stamp) -> bool:
    """Would a run come as far as to its plan: is there a key where it needs one, and can it lock its folders?"""
    has_key = not found.needs_key or bool(os.environ.get("AIGATEWAY_API_KEY"))
    return has_key and all(os.access(path, os.W_OK) for path in found.writable)


def _answer(found: Stamp, asked: Asked) -> Sequence[tuple[str, TextIO | None]]:
    """What is said, and where."""
    plan, coloured, ending = found.texts
    shown = (coloured if colour_wanted(sys.stdout) else plan, sys.stdout)
    if asked.command == "plan":
        return (shown,)
    return () if asked.is_quiet else (shown, (ending, sys.stderr))


def without_colour(text: str) -> str:
    """`text` without the program's own colours."""
    for code in CODES:
        text = text.replace(code, "")
    return text


def _can_be_told(text: str, stream: TextIO | None) -> bool:
    """Is it harmless, and something that `stream` can say without a choice of other characters?"""
    if stream is None or not all(line.isprintable() for line in without_colour(text).split("\n")):
        return False
    return text.isascii() or stream.encoding.lower() == "utf-8"


def _touched(asked: Asked, now_ns: int) -> bool:
    """Has make's stamp file, where one was asked for, the time at which this began?"""
    try:
        if "--stamp" in asked.values:
            os.utime(asked.values["--stamp"], ns=(now_ns, now_ns))
    except OSError:
        return False
    return True


def _keep(renewed: Stamp, state: str) -> None:
    try:
        save(renewed, state)
    except (OSError, ValueError):
        pass  # the next start hashes again what this one has hashed


def _tell(text: str, stream: TextIO | None) -> None:
    try:
        assert stream is not None  # noqa: S101 - `_can_be_told` has seen to it
        stream.write(text)
        stream.flush()
    except (OSError, ValueError):
        from pipeline.cli.terminal import write  # noqa: PLC0415 - only where nobody reads it

        write(stream, "")

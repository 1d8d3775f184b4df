"""What people think of takes: a star, a note. It is written into the lock file, and changes nothing else."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.choosing import NoSuchTake, find_generation
from pipeline.history import history_of
from pipeline.picks.values import Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.history import Generation
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.picks.values import LockedTrack, Version
    from pipeline.workspace import Workspace

LONGEST_NOTE: Final = 2_000  # characters
_NO_TEXT: Final = frozenset({"Cc", "Cs"})  # control characters, and halves of characters


class NoNote(Exception):
    """A text that can't be a note. Its text is one sentence."""


def star(workspace: Workspace, manifest: Manifest, track: Track, take: str, *, starred: bool) -> str:
    """Give a take (`2`, or `2.1`) its star, or take it away; what was done, as a sentence.

    Whoever calls it sees to it that no run writes the lock meanwhile. Raises NoSuchTake, LedgerError, LockMistake,
    FolderError and OSError.
    """
    version = _mark(workspace, manifest, track, take, lambda mark: replace(mark, starred=starred))
    return f"{track.name}: take {version} is starred" if starred else f"{track.name}: take {version} has no star now"


def note(workspace: Workspace, manifest: Manifest, track: Track, take: str, text: str) -> str:
    """Write `text` to a take, in place of what was written there; an empty one takes it away.

    Raises NoNote, and what `star` raises.
    """
    text = _checked(text)
    version = _mark(workspace, manifest, track, take, lambda mark: replace(mark, note=text))
    return f"{track.name}: the note on take {version} is {'kept' if text else 'gone'}"


def _mark(workspace: Workspace, manifest: Manifest, track: Track, take: str, change: Callable[[Mark], Mark]) -> Version:
    if track.prompt is None:
        raise NoSuchTake(f"{track.name} is a recording (file), which has no takes")
    generation = find_generation(history_of(workspace, manifest, track), take)
    workspace.locks.of(manifest).update({track.name: lambda entry: _marked(entry, generation, change)})
    return generation.version


def _marked(entry: LockedTrack, generation: Generation, change: Callable[[Mark], Mark]) -> LockedTrack:
    if generation.source is None:  # what has come home has one
        return entry
    before = generation.mark or Mark(
        generation.fingerprint, 0, 0, generation.source, placeholder=generation.placeholder
    )
    after = replace(change(before), **generation.version._asdict())
    marks = [*(mark for mark in entry.marks if mark != before), *([] if after.says_nothing else [after])]
    return replace(entry, marks=tuple(sorted(marks, key=lambda mark: (mark.fingerprint, mark.version))))


def _checked(text: str) -> str:
    """`text` as it is kept: its lines end in one way. Raises NoNote."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > LONGEST_NOTE:
        raise NoNote(f"the note has {len(text):,} characters; it may have {LONGEST_NOTE:,}: say it shorter")
    wrong = next((char for char in text if char not in "\n\t" and unicodedata.category(char) in _NO_TEXT), None)
    if wrong is not None:
        raise NoNote(f"the note has the control character U+{ord(wrong):04X} in it: leave it out")
    return text

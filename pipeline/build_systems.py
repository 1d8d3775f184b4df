"""What a build system is left: what the assets depend on, in the syntax that make and ninja share, and a stamp file.

Where the two differ, a path is refused: a dependency that one of them reads as another would be missed in silence.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from pipeline.files import Folder
from pipeline.planning.plans import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.workspace import Plan

#: What both read as it stands, or behind the escape that both know.
_PLAIN: Final = re.compile(r"(?!~)[A-Za-z0-9_+,./@!{}()~ #$:\x80-\U0010ffff-]*[A-Za-z0-9_+,./@!{}~#$\x80-\U0010ffff-]")
_ESCAPED: Final = {" ": "\\ ", "#": "\\#", "$": "$$", ":": "\\:"}


#: What `depfile_text` makes: a rule, and its dependencies' own.
_DEPFILE: Final = re.compile(r"[^\n]+: \\\n(?:  [^\n]+ \\\n)*  [^\n]+\n(?:[^\n]+:\n)+")
_LONGEST_DEPFILE: Final = 64 << 20


class Unwritable(Exception):
    """A path that can't be written, or not where make and ninja would both read it. Its text is one sentence."""


def depfile_text(plan: Plan, lock_files: Iterable[Path], target: Path | None) -> str:
    """`target: dependencies`, as a compiler would leave it: manifests, lock files that are there, and recordings.

    `target` None: every asset that the plan is about. Each dependency is a rule of its own too, without a recipe: so
    make does not ask how to make one that is gone. Raises Unwritable.
    """
    targets = _assets(plan) if target is None else [target]
    given = [part.manifest.path for part in plan.manifests]
    locks = (path for path in lock_files if path.exists())
    needed = [_written(path) for path in dict.fromkeys((*given, *locks, *_recordings(plan)))]
    rule = " ".join(_written(path) for path in targets) + ":" + "".join(f" \\\n  {path}" for path in needed)
    return "\n".join([rule, *(f"{path}:" for path in needed), ""])


def _assets(plan: Plan) -> Sequence[Path]:
    """What the plan's tracks are made into, but for the intros that may be split off them."""
    tracks = (track for part in plan.manifests for track in part.tracks if track.action is not Action.SKIP)
    return [plan.request.output / asset.path for track in tracks for asset in track.assets]


def _recordings(plan: Plan) -> Iterable[Path]:
    tracks = (track for part in plan.manifests for track in part.tracks if track.action is not Action.SKIP)
    return (track.track.file for track in tracks if track.track.file is not None)


def _written(path: Path) -> str:
    text = str(path)
    if not _PLAIN.fullmatch(text):
        raise Unwritable(
            f"--depfile: make and ninja can't both read {text!r} in it; "
            "expected a path of letters, digits, spaces and _ + , . / @ ! { } ( ) ~ # $ : -, and no bracket, space or "
            "colon at its end"
        )
    return "".join(_ESCAPED.get(char, char) for char in text)


def check_places(depfile: Path | None, stamp: Path | None, own: Iterable[Path]) -> None:
    """Would the two take the place of something else? `own`: the files that the run itself reads or writes.

    A depfile is written over nothing but a depfile: a mistyped name must not cost a manifest, or the books. Raises
    Unwritable, and OSError.
    """
    taken = {os.path.realpath(path) for path in own}
    for option, path in (("--depfile", depfile), ("--stamp", stamp)):
        if path is not None and os.path.realpath(path) in taken:
            raise Unwritable(f"{option} {path}: a run has that file for something else; name another")
    if depfile is None:
        return
    if stamp is not None and os.path.realpath(depfile) == os.path.realpath(stamp):
        raise Unwritable(f"--depfile {depfile}: it is the --stamp too; name another, such as {stamp}.d")
    if os.path.lexists(depfile) and not _is_depfile(depfile):
        raise Unwritable(f"--depfile {depfile}: it is there and no depfile; name another, or move it away")


def _is_depfile(path: Path) -> bool:
    """Is it one, or an empty file, as a build system may have made in its place?"""
    if not path.is_file() or path.stat().st_size > _LONGEST_DEPFILE:
        return False
    text = path.read_text("utf-8", "surrogateescape")
    return not text or _DEPFILE.fullmatch(text) is not None


def write_depfile(path: Path, text: str) -> None:
    """Put `text` at `path`, unless it stands there already. Raises OSError and FolderError."""
    Folder(path.parent.absolute()).write(path.name, text.encode("utf-8", "surrogateescape"))


def touch(path: Path, began_ns: int) -> None:
    """Make the file at `path` where it is missing, and give it the time at which the work *began*. Raises OSError.

    So what is saved while the work goes on is newer than it, and made again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    os.close(descriptor)
    os.utime(path, ns=(began_ns, began_ns))

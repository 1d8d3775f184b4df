"""The files that can be heard: assets by their rows, takes by the history of their track, and nothing else."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from starlette.responses import FileResponse

from pipeline.review.refusals import NotThere
from pipeline.sources import take_path
from pipeline.times import moment

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.history import Generation, History
    from pipeline.workspace import Workspace

#: What is served, by a file's extension: sound and nothing else, whatever an index names.
_MEDIA_TYPES: Final = {
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """A take as it can be heard."""

    path: Path
    root: Path  # the folder that it has to lie in
    address: str  # relative to the page's
    is_finished: bool = True  # False: it is the source, as the gateway delivered it


def served(path: Path, root: Path) -> FileResponse:
    """The file, or the part of it that a player asks for. Raises NotThere, also for what a link leads out of `root`."""
    media_type = _MEDIA_TYPES.get(path.suffix.lower())
    try:
        real = path.resolve(strict=True)
        status = real.stat()
        is_shown = real.is_relative_to(root.resolve()) and stat.S_ISREG(status.st_mode)
    except (OSError, ValueError, RuntimeError):  # ValueError: a zero byte in it; RuntimeError: a link to itself
        is_shown = False
    if media_type is None or not is_shown:
        raise NotThere("there is no such file")
    return FileResponse(real, media_type=media_type, stat_result=status)


def heard(workspace: Workspace, history: History, one: Generation) -> Heard | None:
    """How a take is heard: as the asset, as it lies finished beside the pick, or else as its source."""
    address = f"take?{urlencode({'manifest': history.manifest.name, 'track': history.track.name, 'take': exact(one)})}"
    output, state = workspace.output.folder.root, workspace.state.root
    row = history.stands
    if row is not None and row.purchase == (one.fingerprint, *one.version) and workspace.output.folder.holds(row.path):
        return Heard(output / row.path, output, quote(row.path))
    beside = _beside(workspace, history, one)
    if beside is not None:
        return Heard(beside, state, address)
    if one.kept and one.source is not None:
        return Heard(workspace.sources.path(one.source, one.source_format), state, address, is_finished=False)
    return None


def find_heard(workspace: Workspace, history: History, take: str) -> Heard:
    """How the take is heard that an address means (`2.0`). Raises NotThere."""
    one = next((one for one in history.current if exact(one) == take), None)
    sound = None if one is None else heard(workspace, history, one)
    if sound is None:
        raise NotThere("there is no such take to be heard")
    return sound


def exact(one: Generation) -> str:
    """`2.0`: that generation and no other, whatever generates the take again meanwhile."""
    return f"{one.version.take}.{one.version.regeneration}"


def _beside(workspace: Workspace, history: History, one: Generation) -> Path | None:
    """Where a take lies finished beside the pick.

    One place serves all generations of a take, and what lay there before: what lies there is of the newest one that is
    fit, and only where it is younger than that one's source.
    """
    same = (other for other in history.current if other.version.take == one.version.take and other.unfit is None)
    came = moment(one.date or "")
    if max(same, key=lambda other: other.version, default=None) != one or came is None:
        return None
    for output in history.track.outputs:
        path = workspace.state.path(take_path(history.track, one.version.take, output))
        try:
            if path.stat().st_mtime >= came:
                return path
        except OSError:
            continue
    return None

"""A stamp is held against the disk: is everything that decides what it was? Any doubt is a no."""

from __future__ import annotations

import os

from pipeline.noop.stamp import Seen, Stamp, hashed, is_young, listing, statuses_of

#: More than that takes longer to hash here than the long way does.
_MOST_HASHED = 32 << 20


def still_holds(stamp: Stamp, output: str, state: str, now_ns: int) -> Stamp | None:
    """`stamp`, or a renewed one where a file had to be hashed; None where anything may be otherwise.

    `now_ns`: from before anything is looked at.
    """
    if now_ns < stamp.taken_ns or 0 < stamp.until_ns <= now_ns:
        return None
    try:
        if not _is_in_place(stamp, [output, state]):
            return None
        here = os.open(".", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.chdir(output)
            changed = _changed(stamp.sure)
            return _renewed(stamp, changed, now_ns) if changed or stamp.young.paths else stamp
        finally:
            os.fchdir(here)
            os.close(here)
    except (OSError, ValueError):
        return None


def _is_in_place(stamp: Stamp, folders: list[str]) -> bool:
    """Is all there that has to be, and nothing else? Raises OSError, and ValueError for a line that is none."""
    for path in stamp.present:
        os.stat(path)
    return (
        [str(os.stat(folder).st_ino) for folder in folders] == stamp.folders
        and not any(_is_there(path) for path in stamp.absent)
        and all(listing(*line.split("\t", 2)[:2]) == line for line in stamp.listed)
    )


def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _changed(sure: Seen) -> list[int]:
    """The places of the files of which the file system says something else now."""
    now = statuses_of(sure.paths)
    if sure.is_as(now):
        return []
    return [place for place, both in enumerate(zip(now, sure.stats, strict=True)) if both[0] != both[1]]


def _renewed(stamp: Stamp, changed: list[int], now_ns: int) -> Stamp | None:
    """`stamp` of now, where every file in question has the content that it had. Raises OSError."""
    left = _MOST_HASHED
    looked_at = [(path, sha256) for path, sha256 in zip(stamp.young.paths, stamp.young.hashes, strict=True)]
    looked_at += [(stamp.sure.paths[place], stamp.sure.hashes[place]) for place in changed]
    out = set(changed)
    sure = stamp.sure.kept(place for place in range(len(stamp.sure.paths)) if place not in out)
    young = Seen([], [], [])
    for path, sha256 in looked_at:
        status, found = hashed(path, left)
        if found != sha256:
            return None
        left -= int(status.partition(" ")[0])
        (young if is_young(status, now_ns) else sure).add(path, status, sha256)
    return stamp.renewed(now_ns, sure, young)

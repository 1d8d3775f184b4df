"""A stamp is held against the disk: is everything that decides what it was? Any doubt is a no."""

from __future__ import annotations

import os

from pipeline.noop.stamp import Seen, Stamp, hashed, is_young, listing, status_of

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
        changed = _changed(stamp.sure)
        return _renewed(stamp, changed, now_ns) if changed or stamp.young.paths else stamp
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
    stat = os.stat
    now = [status_of(stat(path)) for path in sure.paths]
    if now == sure.stats:
        return []
    return [place for place, status in enumerate(now) if status != sure.stats[place]]


def _renewed(stamp: Stamp, changed: list[int], now_ns: int) -> Stamp | None:
    """`stamp` of now, where every file in question has the content that it had. Raises OSError."""
    left = _MOST_HASHED
    looked_at = [(path, sha256) for path, sha256 in zip(stamp.young.paths, stamp.young.hashes, strict=True)]
    looked_at += [(stamp.sure.paths[place], stamp.sure.hashes[place]) for place in changed]
    out = set(changed)
    kept = [place for place in range(len(stamp.sure.paths)) if place not in out]
    before = stamp.sure
    sure = Seen(*([column[place] for place in kept] for column in (before.paths, before.stats, before.hashes)))
    young = Seen([], [], [])
    for path, sha256 in looked_at:
        status, found = hashed(path, left)
        if found != sha256:
            return None
        left -= int(status.partition(" ")[0])
        (young if is_young(status, now_ns) else sure).add(path, status, sha256)
    return Stamp(
        key=stamp.key,
        taken_ns=now_ns,
        until_ns=stamp.until_ns,
        needs_key=stamp.needs_key,
        folders=stamp.folders,
        absent=stamp.absent,
        present=stamp.present,
        listed=stamp.listed,
        writable=stamp.writable,
        sure=sure,
        young=young,
        texts=stamp.texts,
    )

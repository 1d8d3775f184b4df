"""The stamp: what a plan with nothing to do was decided from, as a text file in the state folder.

This is its one definition, for those who take stamps and for those who look at them again. A stamp is written whole or
not at all, and believed only if it is just what was written. It holds no key, and nothing made of one.
"""

from __future__ import annotations

import os
import stat
from binascii import crc32

try:
    from _sha2 import sha256
except ImportError:
    try:
        from _sha256 import sha256  # Python 3.11
    except ImportError:  # a Python that was built without either
        from hashlib import sha256

TYPE_CHECKING = False  # as in typing, which costs more to import than all of this
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER = "stamps"
#: A file that changed so soon before it was looked at may change again without a trace: its clock ticks too slowly.
YOUNG_NS = 2_000_000_000

_MAGIC = "music-asset-pipeline stamp 1"
_MOST_BYTES = 256 << 20
_CHUNK = 1 << 20
_SECTION = "\f"
_LINE = "\n"
_TEXT = "utf-8"
_AS_BYTES = "surrogateescape"  # file names that are no text


class Seen:
    """Files as they were: path, what the file system says of each, and its SHA-256. Three lists in step.

    Paths are absolute, or relative to the output folder: of thousands of assets the shorter way is a third faster.
    A column that came from a file is one text until somebody asks for its lines: with nothing to do only paths are.
    """

    __slots__ = ("_columns",)

    def __init__(self, paths: str | list[str], stats: str | list[str], hashes: str | list[str]) -> None:
        self._columns = [paths, stats, hashes]

    @property
    def paths(self) -> list[str]:
        return self._column(0)

    @property
    def stats(self) -> list[str]:
        return self._column(1)

    @property
    def hashes(self) -> list[str]:
        return self._column(2)

    def _column(self, number: int) -> list[str]:
        column = self._columns[number]
        if isinstance(column, str):
            column = self._columns[number] = _lines(column)
        return column

    @property
    def texts(self) -> list[str]:
        """The columns, a line for each file."""
        return [column if isinstance(column, str) else _LINE.join(column) for column in self._columns]

    def is_as(self, stats: list[str]) -> bool:
        """Does the file system say `stats` of the files, in their order?"""
        return self.texts[1] == _LINE.join(stats)

    def kept(self, places: Iterable[int]) -> Seen:
        """The files at some places."""
        places = list(places)
        return Seen(*([column[place] for place in places] for column in (self.paths, self.stats, self.hashes)))

    def without(self, paths: Sequence[str]) -> Seen:
        """All but the files at `paths`."""
        return self.kept(place for place, path in enumerate(self.paths) if path not in paths)

    def add(self, path: str, status: str, sha256: str) -> None:
        self.paths.append(path)
        self.stats.append(status)
        self.hashes.append(sha256)


class Stamp:
    """What decides, and what there is to say as long as it has not changed."""

    __slots__ = (
        *("absent", "folders", "key", "listed", "needs_key", "present", "standing", "sure", "taken_ns", "texts"),
        *("until_ns", "writable", "young"),
    )

    def __init__(
        self,
        *,
        key: str,
        taken_ns: int,  # before anything was looked at
        until_ns: int,  # from then on it may be otherwise though nothing has changed; 0: never
        needs_key: bool,  # a run stops where no key is set
        folders: Sequence[str],  # the inodes of the output folder and the state folder
        absent: Sequence[str],  # what must not be there
        present: Sequence[str],  # what must be there, whatever it is
        listed: Sequence[str],  # of a folder all names with one ending: folder, ending, names, with tabs between
        writable: Sequence[str],  # what a run must be able to write to
        sure: Seen,  # files that are what they were as long as the file system says so
        young: Seen,  # files that had changed only just: they are hashed
        texts: Sequence[str],  # what is printed: the plan, the plan in colour, the end of a run
        standing: str = "",  # digests of the tracks, a line each, of whoever plans only what has changed
    ) -> None:
        self.key = key
        self.taken_ns = taken_ns
        self.until_ns = until_ns
        self.needs_key = needs_key
        self.folders = folders
        self.absent = absent
        self.present = present
        self.listed = listed
        self.writable = writable
        self.sure = sure
        self.young = young
        self.texts = texts
        self.standing = standing

    def renewed(self, taken_ns: int, sure: Seen, young: Seen) -> Stamp:
        """The stamp with what was seen of its files at another time."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return Stamp(**values | {"taken_ns": taken_ns, "sure": sure, "young": young})


def status_of(status: os.stat_result) -> str:
    """What the file system says of a file, as far as another content would show in it.

    The time of the last change of the file's own record (ctime) is in it since nobody can set that one back.
    """
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def statuses_of(paths: Sequence[str]) -> list[str]:
    """`status_of` what is at each path. Raises OSError."""
    return [status_of(status) for status in map(os.stat, paths)]


def is_young(status: str, taken_ns: int) -> bool:
    """Had it changed too short a time before `taken_ns` for its status to show another change?"""
    _, modified, changed, _ = status.split(" ")
    return max(int(modified), int(changed)) > taken_ns - YOUNG_NS


def listing(folder: str, ending: str) -> str:
    """All names in `folder` that have this ending, as a line. Raises OSError."""
    return "\t".join([folder, ending, *sorted(name for name in os.listdir(folder) if name.endswith(ending))])


def key_of(parts: Iterable[str]) -> str:
    """The name of what one stamp stands for."""
    return str(sha256("\0".join(parts).encode(_TEXT, _AS_BYTES)).hexdigest())


def hashed(path: str, most: int) -> tuple[str, str]:
    """A file's status and its SHA-256. Raises OSError, also for one that is longer than `most` or that changes.

    No link is followed, and nothing waited for: what is no plain file is refused.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size > most:
            raise OSError(None, "not a plain file, or too long")
        digest = sha256()
        while chunk := os.read(descriptor, _CHUNK):
            digest.update(chunk)
        status = status_of(before)
        if status_of(os.fstat(descriptor)) != status:
            raise OSError(None, "changed while it was read")
    finally:
        os.close(descriptor)
    return status, digest.hexdigest()


# --- its file ---------------------------------------------------------------------------------------------------------


def load(state: str, key: str) -> Stamp | None:
    """The stamp of `key` in the state folder; None where there is none that can be believed."""
    try:
        folder = os.open(os.path.join(state, FOLDER), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            content = _content(key, folder)
        finally:
            os.close(folder)
        found = _stamp(content)
    except (OSError, ValueError):
        return None
    return found if found.key == key else None


def _content(name: str, folder: int) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST_BYTES:
            raise ValueError
        return file.read()


def save(stamp: Stamp, state: str) -> None:
    """Put `stamp` into the state folder, in place of the one of its key.

    It is not synced: one that a power failure takes or tears is not believed, and taken anew. Raises OSError, and
    ValueError for what can't be written down.
    """
    content = _bytes(stamp)
    parent = os.path.join(state, FOLDER)
    try:
        os.mkdir(parent)
    except FileExistsError:
        pass
    folder = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    temporary = f".{stamp.key}.{os.getpid()}.part"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o666, dir_fd=folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.replace(temporary, stamp.key, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(temporary, dir_fd=folder)
            raise
    finally:
        os.close(folder)


def _bytes(stamp: Stamp) -> bytes:
    head = (stamp.key, str(stamp.taken_ns), str(stamp.until_ns), str(int(stamp.needs_key)), *stamp.folders)
    lists = (head, stamp.absent, stamp.present, stamp.listed, stamp.writable)
    files = (*stamp.young.texts, *stamp.sure.texts)
    sections = [*map(_LINE.join, lists), *files, *stamp.texts, stamp.standing]
    names = (*stamp.absent, *stamp.present, *stamp.listed, *stamp.writable, *stamp.young.paths, *stamp.sure.paths)
    if any(_LINE in name for name in names) or any(_SECTION in section for section in sections):
        raise ValueError("a path with a line break can't be written down")
    body = _SECTION.join(sections).encode(_TEXT, _AS_BYTES)
    return _first_line(crc32(body)) + body


def _first_line(checksum: int) -> bytes:
    return f"{_MAGIC} {checksum:08x}\n".encode()


def _stamp(content: bytes) -> Stamp:
    """The stamp that `content` is. Raises ValueError where it is none, or not whole."""
    at = content.find(b"\n") + 1
    body = memoryview(content)[at:]
    if content[:at] != _first_line(crc32(body)):
        raise ValueError
    head, absent, present, listed, writable, *files, plan, coloured, ending, standing = str(
        body, _TEXT, _AS_BYTES
    ).split(_SECTION)
    young_paths, young_stats, young_hashes, paths, stats, hashes = files
    key, taken, until, needs_key, *folders = _lines(head)
    for columns in ((young_paths, young_stats, young_hashes), (paths, stats, hashes)):
        if len({column.count(_LINE) + bool(column) for column in columns}) != 1:
            raise ValueError
    return Stamp(
        key=key,
        taken_ns=int(taken),
        until_ns=int(until),
        needs_key=needs_key != "0",
        folders=folders,
        absent=_lines(absent),
        present=_lines(present),
        listed=_lines(listed),
        writable=_lines(writable),
        sure=Seen(paths, stats, hashes),
        young=Seen(young_paths, young_stats, young_hashes),
        texts=(plan, coloured, ending),
        standing=standing,
    )


def _lines(section: str) -> list[str]:
    return section.split(_LINE) if section else []

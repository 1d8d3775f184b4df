"""Files that appear whole or not at all, and never outside of the folder they were meant for."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CHUNK: Final = 1 << 20
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
#: What whoever reads an error can do about it, by what the system said.
_REMEDIES: Final = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room there"),
    errno.EFBIG: "lift the limit on the size of files",
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "make it writable"),
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP), "move away what stands there"),
    errno.ENOENT: "put it back",
}


class FolderError(Exception):
    """A folder that can't be used as one. Its text is one sentence."""


class Folder:
    """A folder that files are put into, by paths relative to it with `/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._made: FileIdentity | None = None

    def make(self) -> None:
        """Make the folder where it is not there; from then on, another one in its place is noticed.

        Raises FolderError.
        """
        missing = [folder for folder in (self.root, *self.root.parents) if not os.path.lexists(folder)]
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._made = identity(self.root)
        except OSError as error:
            raise FolderError(f"{self.root}: {reason(error)}; make it a writable folder, or name another") from error
        for folder in missing:
            with suppress(OSError):  # where its names can't be synced, what is in it still is
                sync_folder(folder.parent)

    def path(self, relative: str) -> Path:
        return self.root / PurePosixPath(relative)

    @contextmanager
    def writing(self, relative: str) -> Iterator[BinaryIO]:
        """Open a file that takes its place at `relative` when the block ends well, and else leaves no trace.

        Its content is on disk before its name is. Raises FolderError where a link leads outside of the folder.
        """
        temporary = self.temporary(relative)
        try:
            with naming(temporary), _create(temporary) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            self.place(temporary, relative)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def write(self, relative: str, content: bytes) -> bool:
        """Put `content` at `relative`, unless exactly that stands there already. True where it was written."""
        final = self.path(relative)
        with suppress(OSError):
            if not final.is_symlink() and final.read_bytes() == content:
                return False
        with self.writing(relative) as file:
            file.write(content)
        return True

    def write_pieces(self, relative: str, pieces: Iterable[bytes]) -> bool:
        """`write`, for what may be long: it is never in memory as a whole."""
        temporary = self.temporary(relative)
        try:
            with naming(temporary), _create(temporary) as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            is_new = not _is_same(temporary, self.path(relative))
            if is_new:
                self.place(temporary, relative)
            else:
                temporary.unlink()
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        return is_new

    def temporary(self, relative: str) -> Path:
        """A name beside `relative` to write under until it is whole; what a killed run left there is removed.

        One name for each target, so that nothing piles up: the folder's lock keeps others away from it.
        """
        final = self.path(relative)
        self._check_standing()
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(trouble(error)) from error
        self._check_inside(final.parent)
        temporary = final.with_name(f".{final.name}.part")
        with suppress(FileNotFoundError):
            temporary.unlink()
        return temporary

    def place(self, temporary: Path, relative: str) -> Path:
        """Give a finished file, already on disk, its final name at `relative`."""
        final = self.path(relative)
        self._check_inside(final.parent)
        temporary.replace(final)
        return final

    def bring(self, source: Path, relative: str) -> Path:
        """Move a finished file from elsewhere to `relative`, by a copy where it lies on another disk.

        Where the very same bytes stand there already they stay, with the time at which they were made: what is built
        from them is not built again.
        """
        temporary = self.temporary(relative)
        if _is_same(source, self.path(relative)):
            source.unlink()
            return self.path(relative)
        try:
            try:
                source.replace(temporary)
            except OSError:
                _copy(source, temporary)
            return self.place(temporary, relative)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def holds(self, relative: str) -> bool:
        """Does anything stand at `relative`?"""
        return os.path.lexists(self.path(relative))

    def is_one_file(self, one: str, other: str) -> bool:
        """Do both paths lead to one file, as where case counts for nothing?"""
        try:
            return identity(self.path(one)) == identity(self.path(other))
        except OSError:
            return False

    def move(self, relative: str, to: str, *, over: bool = False) -> None:
        """Give the file at `relative` another place, at once and whole; `over` what stands there, if that is ours.

        Raises FolderError where something stands there, and OSError.
        """
        old, new = self.path(relative), self.path(to)
        self._check_standing()
        self._check_inside(old.parent)
        if not self.holds(relative):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(old))
        new.parent.mkdir(parents=True, exist_ok=True)
        self._check_inside(new.parent)
        if self.holds(to) and not over and not self.is_one_file(relative, to):
            raise FolderError(f"{new} is there and no run made it: move it away, and run again")
        try:
            old.replace(new)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with old.open("rb") as coming, self.writing(to) as file:
                shutil.copyfileobj(coming, file, _CHUNK)
            old.unlink()

    def remove(self, relative: str) -> None:
        """Remove the file at `relative`, if it is there. Raises FolderError where a link leads outside, and OSError."""
        path = self.path(relative)
        self._check_standing()
        self._check_inside(path.parent)
        path.unlink(missing_ok=True)

    def remove_empty_above(self, relative: str) -> None:
        """Remove the folders on the way to `relative` that hold nothing, but never this one."""
        folder = self.path(relative).parent
        with suppress(OSError):
            while folder != self.root:
                folder.rmdir()
                folder = folder.parent

    def sync(self, relative: str) -> None:
        """Make the name `relative` durable, and those of the folders on the way to it: for what was paid for.

        Measured on ext4: 0.3 ms for its own folder, and 0.2 ms for the two above it.
        """
        folder = self.path(relative).parent
        while folder != self.root:
            sync_folder(folder)
            folder = folder.parent
        sync_folder(self.root)

    def _check_standing(self) -> None:
        """What is put into a folder that took this one's place would be missed in it, and be under nobody's lock."""
        if self._made is None:
            return
        with suppress(OSError):
            if identity(self.root) == self._made:
                return
        raise FolderError(f"{self.root}: it was moved, removed or replaced during the run; put it back, and run again")

    def _check_inside(self, folder: Path) -> None:
        root = os.path.realpath(self.root)
        real = os.path.realpath(folder)
        if os.path.commonpath([root, real]) != root:
            raise FolderError(f"{folder}: leads outside of {self.root} ({real}); remove the link")


def _is_same(source: Path, final: Path) -> bool:
    """Is `final` a plain file with just the content of `source`?"""
    with suppress(FileNotFoundError):
        status = final.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size != source.stat().st_size:
            return False
        with source.open("rb") as coming, final.open("rb") as standing:
            while (chunk := coming.read(_CHUNK)) == standing.read(_CHUNK):
                if not chunk:
                    return True
    return False


def _copy(source: Path, target: Path) -> None:
    """For another disk: a whole copy, on disk, before the original goes."""
    with naming(target), source.open("rb") as coming, _create(target) as file:
        shutil.copyfileobj(coming, file, _CHUNK)
        file.flush()
        os.fsync(file.fileno())
    source.unlink()


def _create(path: Path) -> BinaryIO:
    """Create `path` for writing: never one that is there already, never through a link."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o666)
    return os.fdopen(descriptor, "w+b")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hex. Raises OSError, for what is no plain file too: it may never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(None, "not a plain file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def plain_size(path: Path) -> int:
    """A plain file's size in bytes. Raises OSError for anything else too: a pipe or a device may never end."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(None, "not a plain file")
    return status.st_size


class FileIdentity(NamedTuple):
    """Which file or folder it is, whatever it is called."""

    device: int
    number: int


def identity(path: Path) -> FileIdentity:
    """The identity of what stands at `path` now. Raises OSError."""
    status = path.stat()
    return FileIdentity(status.st_dev, status.st_ino)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. Raises OSError."""
    if os.name == "nt":
        return
    with naming(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an OSError that names no file, as a full disk's does, the name of the file it is about."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def trouble(error: OSError) -> str:
    """What is wrong with a file, a folder or the disk, and what to do, as one sentence."""
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{where}{reason(error)}; nothing that was paid for is lost: {remedy(error)}, and run again"


def remedy(error: OSError) -> str:
    """What to do about an error of the system, as a few words that go on with `and` or `or`."""
    return _REMEDIES.get(error.errno or 0, "see to the disk")


def reason(error: OSError) -> str:
    """Why the system refused, in its own words, without a path or a number."""
    return (error.strerror or str(error)).lower()

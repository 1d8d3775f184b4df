"""Where a manifest's lock lies, and how it is read and changed: beside the manifest, whole or not at all."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pipeline.files import Folder, FolderError, plain_size, reason, remedy
from pipeline.picks.document import LockMistake, lock_pieces, read_lock
from pipeline.picks.values import Lock, LockedTrack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pipeline.manifest.tracks import Manifest
    from pipeline.picks.values import Renaming

SUFFIX: Final = ".lock.json"
_LARGEST_BYTES: Final = 256_000_000
_MANIFESTS: Final = (".yaml", ".yml", "")


def lock_path(manifest: Path) -> Path:
    """`ad-jingles.lock.json` beside `ad-jingles.yaml`."""
    return manifest.with_name(f"{manifest.stem}{SUFFIX}")


def manifest_of(lock: Path) -> Path | None:
    """The manifest beside which a lock lies; None where there is none."""
    stem = lock.name.removesuffix(SUFFIX)
    beside = (lock.with_name(stem + ending) for ending in _MANIFESTS)
    return next((path for path in beside if os.path.lexists(path)), None)


class LockFile:
    """The lock of one manifest."""

    def __init__(self, manifest: Manifest) -> None:
        self.path = lock_path(manifest.path)
        self._name = manifest.name
        self._folder = Folder(self.path.absolute().parent)
        self._read: tuple[tuple[int, int, int], Lock] | None = None  # what the file was when it was read last

    @property
    def length(self) -> int:
        """How many tracks it named when it was last read or written; 0 where it was not."""
        return 0 if self._read is None else len(self._read[1].tracks)

    def read(self) -> Lock:
        """What it says; nothing where there is none. Raises LockMistake, and FolderError where it can't be read."""
        try:
            stamp = self._stamp()
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, read_lock(self._content(), str(self.path))
            return self._read[1]
        except FileNotFoundError:
            self._check_no_link()
            self._check_not_left_behind()
            return Lock(self._name)
        except OSError as error:
            raise FolderError(f"{self.path}: the lock can't be read ({reason(error)}); {remedy(error)}") from error

    def update(
        self, changes: Mapping[str, Callable[[LockedTrack], LockedTrack]], renamings: Sequence[Renaming] = ()
    ) -> bool:
        """Change the entries of some tracks, once those of renamed ones have their new names. True where that did.

        The file is read again before: somebody's pick, or what version control brought, may have come meanwhile. It is
        written whole, and on disk when this returns. Raises LockMistake, FolderError and OSError; it is then what it
        was.
        """
        before = self.read()
        renamed = before.renamed(renamings)
        tracks = dict(renamed.tracks)
        for name, change in changes.items():
            entry = change(renamed.track(name))
            if entry.is_empty:
                tracks.pop(name, None)
            else:
                tracks[name] = entry
        after = Lock(self._name, tracks)
        if after == before:
            return False
        self._folder.write_pieces(self.path.name, lock_pieces(after))
        self._folder.sync(self.path.name)
        self._read = self._stamp(), after
        return True

    def forget(self) -> None:
        """Hold nothing of it in memory: it will be read again where it is asked for."""
        self._read = None

    def check_writable(self) -> None:
        """Raises FolderError where nothing could be written to it: what is bought then would be named nowhere."""
        try:
            temporary = self._folder.temporary(self.path.name)
            temporary.touch(exist_ok=False)
            temporary.unlink()
        except OSError as error:
            raise FolderError(
                f"{self.path}: the lock, which keeps what is bought from being bought twice, can't be written there "
                f"({reason(error)}), so nothing is bought; {remedy(error)}, and run again"
            ) from error

    def _stamp(self) -> tuple[int, int, int]:
        status = self.path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
            raise FolderError(
                f"{self.path}: this is {what}, and no lock: move it away, restore the lock from version control if "
                "there was one, and run again; nothing was bought"
            )
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _content(self) -> bytes:
        if plain_size(self.path) > _LARGEST_BYTES:
            raise LockMistake(f"{self.path}: it is larger than {_LARGEST_BYTES // 1_000_000} MB, and so no lock file")
        return self.path.read_bytes()

    def _check_no_link(self) -> None:
        """What a link leads to may be on a disk that is not there now: without it, all would be bought again."""
        if self.path.is_symlink():
            raise FolderError(
                f"{self.path}: this is a link to {self.path.readlink()}, where no file is: put the lock back there, or "
                "remove the link, and run again; nothing was bought"
            )

    def _check_not_left_behind(self) -> None:
        """A manifest whose file was renamed has its lock under the old name: without it, all would be bought again."""
        for other in sorted(self._folder.root.glob(f"*{SUFFIX}")):
            if manifest_of(other) is None and self._is_ours(other):
                raise LockMistake(
                    f"{self.path.with_name(other.name)}: this is the lock of manifest {self._name!r}, whose file has "
                    f"another name now: rename it to {self.path.name}, and run again; nothing was bought"
                )

    def _is_ours(self, other: Path) -> bool:
        with suppress(LockMistake, OSError):
            plain_size(other)  # a pipe may never end
            return read_lock(other.read_bytes(), str(other)).manifest == self._name
        return False


class LockFiles:
    """The locks of the manifests that a workspace is given."""

    def __init__(self) -> None:
        self._files: dict[Path, LockFile] = {}

    def of(self, manifest: Manifest) -> LockFile:
        """The lock file beside a manifest."""
        return self._files.setdefault(manifest.path, LockFile(manifest))

    def read(self, manifests: Iterable[Manifest]) -> dict[str, Lock]:
        """What they say, by the manifest's name. Raises LockMistake, and FolderError."""
        locks: dict[str, Lock] = {}
        whose: dict[Path, Manifest] = {}
        for manifest in manifests:
            file = self.of(manifest)
            other = whose.setdefault(file.path.absolute(), manifest)
            if other is not manifest:
                raise LockMistake(
                    f"{manifest.path} and {other.path} would have one lock, {file.path.name}: rename one of them"
                )
            locks[manifest.name] = file.read()
        return locks

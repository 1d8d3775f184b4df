"""Disks: a quick one, and real ones in trouble (small, read-only) where the machine lets a test mount them."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


_MEMORY: Final = Path("/dev/shm")
_ROOM_BYTES: Final = 1 << 30  # a container's has 64 MB, unless it is told otherwise


def in_memory() -> str | None:
    """A folder in memory, for many small files that are removed again; None where none is large enough.

    Nor where nothing in it may be executed: some tests write commands.
    """
    try:
        status = os.statvfs(_MEMORY)
    except OSError:
        return None
    is_fit = not status.f_flag & os.ST_NOEXEC and status.f_bavail * status.f_frsize >= _ROOM_BYTES
    return str(_MEMORY) if is_fit and os.access(_MEMORY, os.W_OK | os.X_OK) else None


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Disk]:
    """A file system of its own at `folder`, in memory, of so many kilobytes. Skips where mounting is not allowed."""
    folder.mkdir(exist_ok=True)
    _mount_or_skip("-t", "tmpfs", "-o", f"size={kilobytes}k,mode=777", "tmpfs", str(folder))
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Disk:
    """A mounted disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, but_bytes: int = 0) -> None:
        """Leave no more than `but_bytes` free."""
        left = shutil.disk_usage(self.folder).free - but_bytes
        with self._filler.open("ab") as file:
            file.write(bytes(max(left, 0)))

    def make_room(self) -> None:
        self._filler.unlink()

    def make_read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)

    def make_writable(self) -> None:
        subprocess.run(["mount", "-o", "remount,rw", str(self.folder)], check=True)


def _mount_or_skip(*words: str) -> None:
    if shutil.which("mount") is None or shutil.which("umount") is None:
        pytest.skip("there is no mount here, so no full or read-only disk can be made")
    ended = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if ended.returncode:
        pytest.skip(f"mounting is not allowed here, so no full or read-only disk can be made ({ended.stderr.strip()})")

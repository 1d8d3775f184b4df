"""One run at a time for each state and output folder: the operating system's locks, freed with the process."""

from __future__ import annotations

import errno
import json
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from pipeline.files import FolderError, reason, remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import FileLock

LOCK_NAME: Final = ".pipeline.lock"
HOLDER_NAME: Final = ".pipeline.lock-holder"
_NO_LOCKS: Final = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP})


class FolderBusy(Exception):
    """Another run holds a folder. Its text says who."""


@contextmanager
def held(folder: Path, *, wait: bool = False, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold `folder` for the length of the block.

    Raises FolderBusy where another run holds it, unless `wait`: then `say` is told once, and the lock is waited for.
    Raises FolderError where the folder's file system has no locks or can't be written.
    """
    from filelock import FileLock  # noqa: PLC0415 - a plan holds nothing

    # Never a file whose mere existence is the lock: it would outlive a killed run, and hold nobody off for sure.
    lock = FileLock(folder / LOCK_NAME, fallback_to_soft=False)
    try:
        _acquire(lock, folder, wait=wait, say=say)
    except (OSError, NotImplementedError) as error:
        raise FolderError(_cannot_lock(lock.lock_file, error)) from error
    try:
        _sign(folder)
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER_NAME).unlink()
        lock.release()


def _acquire(lock: FileLock, folder: Path, *, wait: bool, say: Callable[[str], None]) -> None:
    from filelock import Timeout  # noqa: PLC0415 - as above

    try:
        lock.acquire(timeout=0)
    except Timeout:
        busy = f"{folder}: held by another run ({_holder(folder)})"
        if not wait:
            raise FolderBusy(f"{busy}; wait for it to end, or use --wait") from None
        say(f"{busy}; waiting for it to end")
        lock.acquire()


def _cannot_lock(path: str, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
        return f"{path}: it can't be locked ({reason(error)}); {remedy(error)}, or name a folder on a local disk"
    return f"{path}: its file system has no locks, so two runs could buy the same; name a folder on a local disk"


def _sign(folder: Path) -> None:
    """Say who holds the folder: for the message of whoever comes second, and no more than that."""
    import socket  # noqa: PLC0415 - as above

    holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
    with suppress(OSError):
        (folder / HOLDER_NAME).write_text(json.dumps(holder), encoding="utf-8")


def _holder(folder: Path) -> str:
    try:
        holder = json.loads((folder / HOLDER_NAME).read_text(encoding="utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(holder["since"])))
        return f"process {int(holder['pid'])} on {str(holder['host'])[:80]!r} since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it did not say who it is"

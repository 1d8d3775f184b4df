"""How a process dies in a simulation: from one moment on, nothing that it does has any effect.

No `finally` can tidy up then: what is sent, written to the ledger or done to a file raises Dead instead. Python's own
audit events stand before every file that is opened, renamed or removed, so that no way around them is forgotten.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from boundaries import watched
from scenarios import AtBoundary, AtEffect

from pipeline.ledger.writing import InlineWriter
from pipeline.locks import LOCK_NAME
from pipeline.workspace import LEDGER_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from boundaries import When
    from scenarios import End

    from pipeline.ledger.ledger import Ledger

T = TypeVar("T")

_CHANGING = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Dead(BaseException):
    """The process is no more. No handler of the program's may catch it."""


class Mortal:
    """One process, and whether it still lives. It counts what it comes to, and dies where its end says."""

    def __init__(self, end: End, deaths: Counter[str]) -> None:
        self.dead = False
        self._end = end
        self._deaths = deaths
        self._effects = 0
        self._reached: Counter[tuple[str, When]] = Counter()

    def effect(self) -> None:
        """Something is about to be sent, written down, or done to a file. Raises Dead."""
        self.stay_alive()
        self._effects += 1
        if isinstance(self._end, AtEffect) and self._effects == self._end.nth:
            self.die("at an effect")

    def reach(self, name: str, when: When) -> None:
        """A boundary. Raises Dead."""
        self.stay_alive()
        self._reached[name, when] += 1
        nth = self._reached[name, when]
        if isinstance(self._end, AtBoundary) and (name, when, nth) == (self._end.name, self._end.when, self._end.nth):
            self.die(f"{when} {name}")

    def die(self, where: str) -> None:
        """Raises Dead, now and whenever anything is done from now on."""
        self.dead = True
        self._deaths[where] += 1
        raise Dead

    def stay_alive(self) -> None:
        """Raises Dead where it is not."""
        if self.dead:
            raise Dead


class MortalWriter(InlineWriter):
    """The ledger's writer of one life: without fsync, and without effect once that is over."""

    def __init__(self, path: Path, mortal: Mortal) -> None:
        super().__init__(path, durable=False)
        self._mortal = mortal

    @property
    def ledger(self) -> Ledger:
        return self._books.ledger

    async def write(self, change: Callable[[Ledger], T], *, durable: bool = False) -> T:
        self._mortal.effect()
        return await super().write(change, durable=durable)


# --- files ----------------------------------------------------------------------------------------------------------


class Disk:
    """What happens to files below `root` while a life lasts: nothing without it, and no name before the content."""

    def __init__(self, root: Path, mortal: Mortal, tell: Callable[[str], None]) -> None:
        self._root = f"{root}{os.sep}"
        self._mortal = mortal
        self._tell = tell
        self._synced: dict[int, tuple[int, int]] = {}  # inode -> (size, time of the last change) when it was synced

    def sync(self, descriptor: int) -> None:
        """In the place of `os.fsync`: takes note, and does nothing slow."""
        state = os.fstat(descriptor)
        self._synced[state.st_ino] = (state.st_size, state.st_mtime_ns)

    def before(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit event. Raises Dead."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITING and self._is_mine(path):
                self._mortal.effect()
        elif event in _CHANGING and self._is_mine(arguments[0]):
            self._mortal.effect()
            if event == "os.rename":
                self._check_synced(Path(arguments[0]), Path(arguments[1]))

    def _is_mine(self, path: object) -> bool:
        if not isinstance(path, (str, os.PathLike)):
            return False
        text = os.fspath(path)
        # The kernel frees a dead process's locks, and who held them is no more than a remark.
        return isinstance(text, str) and text.startswith(self._root) and LOCK_NAME not in text

    def _check_synced(self, source: Path, target: Path) -> None:
        if target.suffix == ".part" or target.name == LEDGER_NAME:
            return  # not its final name yet; and SQLite syncs its own, but not for a simulation
        state = source.stat()
        if self._synced.get(state.st_ino) != (state.st_size, state.st_mtime_ns):
            self._tell(f"{target} got its name before its content was on disk: a power failure would leave it empty")


_disks: list[Disk] = []


def _audited(event: str, arguments: tuple[Any, ...]) -> None:
    if _disks:
        _disks[-1].before(event, arguments)


sys.addaudithook(_audited)  # for the life of this interpreter: it can't be taken off, and does nothing between lives


@contextmanager
def living(mortal: Mortal, root: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Everything done while the block lasts is done by `mortal`, to files below `root`. `tell`: what is done wrong."""
    disk = Disk(root, mortal, tell)
    real_fsync, os.fsync = os.fsync, disk.sync
    _disks.append(disk)
    try:
        with watched(mortal.reach):
            yield
    finally:
        _disks.pop()
        os.fsync = real_fsync

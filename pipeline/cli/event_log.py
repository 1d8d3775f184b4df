"""`--log-file`: a line for each event, appended to a file; a disk that fails never stops the run."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from pipeline.build_systems import Unwritable
from pipeline.cli.terminal import say
from pipeline.clock import SystemClock
from pipeline.files import reason
from pipeline.report.event_record import ending_record, event_record, is_record, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.clock import Clock
    from pipeline.runner.events import Event
    from pipeline.runner.results import RunResult

_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_LONGEST_LINE: Final = 1 << 16


@contextmanager
def event_log(path: Path | None, clock: Clock | None = None) -> Iterator[EventLog | None]:
    """The log at `path` for as long as the block lasts; none where none was asked for. Raises Unwritable."""
    if path is None:
        yield None
        return
    log = EventLog(path, clock or SystemClock())
    try:
        yield log
    finally:
        log.close()


class EventLog:
    """Appends to a log of its own kind, or begins one. Raises Unwritable where that can't be."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._descriptor: int | None = _opened(path)

    def observe(self, event: Event) -> None:
        """Write down what happened."""
        self._write(line_of(event_record(event, self._clock.now())))

    def end(self, result: RunResult) -> None:
        """Write down how it went."""
        self._write(line_of(ending_record(result, self._clock.now())))

    def close(self) -> None:
        """Nothing more is written."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _write(self, line: bytes) -> None:
        if self._descriptor is None:
            return
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError as error:
            self.close()
            say(f"note: --log-file {self._path}: {reason(error)}; the run goes on, and writes no more of it")


def _opened(path: Path) -> int:
    """A descriptor at the end of the log at `path`, through no link, and on a new line."""
    descriptor = None
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _NO_FOLLOW, 0o666)
        size = os.fstat(descriptor).st_size
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unwritable(f"--log-file {path}: it is no plain file; name another")
        if size and not is_record(os.read(descriptor, _LONGEST_LINE).partition(b"\n")[0]):
            raise Unwritable(f"--log-file {path}: it is there and no log of a run; name another, or move it away")
        if size:
            os.lseek(descriptor, -1, os.SEEK_END)
            if os.read(descriptor, 1) != b"\n":  # a full disk broke its last line off
                os.write(descriptor, b"\n")
    except BaseException as error:
        if descriptor is not None:
            os.close(descriptor)
        if isinstance(error, OSError):
            raise Unwritable(f"--log-file {path}: {reason(error)}; name a file that can be written") from error
        raise
    return descriptor

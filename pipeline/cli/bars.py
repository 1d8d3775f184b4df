"""Bars at the foot of a terminal: takes, tracks, and a line of money and time left; words scroll by above them.

tqdm draws the bars. Where they stand is seen to here: the cursor rests before their first letter, so that a terminal
that is made narrower, and breaks their lines, leaves nothing of them behind.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from threading import Event as Flag
from threading import RLock, Thread
from typing import TYPE_CHECKING, Final, TextIO

from tqdm import tqdm

from pipeline.cli.terminal import printable, put, words_above, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.cli.standing import Standing
    from pipeline.runner.events import Event

_TICK_S: Final = 1.0  # time left goes down while nothing happens
_BETWEEN_DRAWINGS_S: Final = 0.2
_LAYOUT: Final = "{desc:<7}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}"
_NARROWEST: Final = 30  # below it there is no room for a bar
_CLEAR: Final = "\r\x1b[J"
_TO_THE_LINES_END: Final = "\x1b[K"
_UP: Final = "\x1b[A"


@contextmanager
def bars_on(stream: TextIO, standing: Standing) -> Iterator[Bars]:
    """Bars at the foot of `stream`'s terminal until the block ends; nothing of them stays."""
    bars = Bars(stream, standing)
    stopped = Flag()

    def tick() -> None:
        while not stopped.wait(_TICK_S):
            bars.draw()

    ticking = Thread(target=tick, daemon=True)
    with words_above(bars.clear):
        ticking.start()
        try:
            yield bars
        finally:
            stopped.set()
            ticking.join()
            bars.clear()


class Bars:
    """What is shown of `standing`. Safe to be called from two threads."""

    def __init__(self, stream: TextIO, standing: Standing) -> None:
        self._stream = stream
        self._standing = standing
        self._lock = RLock()
        self._drawn_at = 0.0
        self._columns = 0
        self._is_shown = False
        self._ascii = not (stream.encoding or "").lower().startswith("utf")

    def observe(self, event: Event) -> None:
        """Move on by an event."""
        with self._lock:
            self._standing.observe(event, time.monotonic())
            if time.monotonic() - self._drawn_at >= _BETWEEN_DRAWINGS_S:
                self.draw()

    def say(self, text: str) -> None:
        """A line above the bars."""
        with self._lock:
            write(self._stream, printable(text))
            self.draw()

    def draw(self) -> None:
        """Show how the run stands now."""
        with self._lock:
            columns = _columns(self._stream)
            now = self._drawn_at = time.monotonic()
            lines = self._lines(columns - 1, now)  # the last column makes some terminals begin a new line
            shown = "\n".join(f"{line}{_TO_THE_LINES_END}" for line in lines)
            begin = "\r" if columns == self._columns else _CLEAR
            self._columns, self._is_shown = columns, True
            put(self._stream, f"{begin}{shown}\x1b[J{_UP * (len(lines) - 1)}\r")

    def clear(self) -> None:
        """Make room for words; the next drawing brings the bars back."""
        with self._lock:
            if self._is_shown:
                self._is_shown = False
                put(self._stream, _CLEAR)

    def _lines(self, width: int, now: float) -> list[str]:
        standing = self._standing
        failed = f", {standing.tracks_failed:,} failed" if standing.tracks_failed else ""
        bars = []
        if width >= _NARROWEST:
            bars = [
                self._bar(name, done, total, width, postfix)
                for name, done, total, postfix in (
                    ("takes", standing.takes_done, standing.takes, ""),
                    ("tracks", standing.tracks_done, standing.tracks, failed),
                )
                if total
            ]
        return [*bars, standing.sentence(now, width)]

    def _bar(self, name: str, done: int, total: int, width: int, postfix: str) -> str:
        layout = f"{_LAYOUT}{postfix}"
        return str(tqdm.format_meter(done, total, 0.0, ncols=width, prefix=name, ascii=self._ascii, bar_format=layout))


def _columns(stream: TextIO) -> int:
    try:
        return max(2, os.get_terminal_size(stream.fileno()).columns)
    except (OSError, ValueError):
        return 80

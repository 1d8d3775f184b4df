"""What a run shows while it goes on: bars on a terminal, one plain line a track elsewhere."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from pipeline.cli.explaining import Explainer
from pipeline.cli.standing import Standing
from pipeline.cli.terminal import printable, write
from pipeline.runner.events import Event, Notice, RunStarted, TrackFailed, TrackFinished, TrackMoved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SILENCE_S: Final = 60.0  # after so long without a line a log says how the run stands
_LOG_COLUMNS: Final = 100


@contextmanager
def progress_for(
    stream: TextIO | None, *, quiet: bool, verbose: bool, budget_microusd: int | None = None
) -> Iterator[Callable[[Event], None]]:
    """An observer that fits `stream`. `budget_microusd`: what the run may commit to, where somebody has said."""
    if quiet or stream is None:
        yield lambda _: None
    elif stream.isatty() and _has_room(stream):
        from pipeline.cli.bars import bars_on  # noqa: PLC0415 - only a terminal has bars

        with bars_on(stream, Standing(budget_microusd)) as bars:
            yield OnATerminal(bars.observe, bars.say, verbose=verbose).observe
    else:
        yield Lines(stream, Standing(budget_microusd), verbose=verbose).observe


def _has_room(stream: TextIO) -> bool:
    """A terminal without columns (a recorder's), or one that only prints, has no room for bars."""
    try:
        return os.get_terminal_size(stream.fileno()).columns > 0 and os.environ.get("TERM") != "dumb"
    except OSError:
        return False


class OnATerminal:
    """Bars, and above them what somebody should read now; tracks that are done stand in the table at the end."""

    def __init__(self, move: Callable[[Event], None], say: Callable[[str], None], *, verbose: bool) -> None:
        self._move = move
        self._say = say
        self._explainer = Explainer() if verbose else None

    def observe(self, event: Event) -> None:
        """Move the bars on, and say what there is to say of `event`."""
        self._move(event)
        match event:
            case TrackFailed():
                self._say(f"{event.track}: failed: {event.error}")
            case TrackMoved():
                self._say(_moved(event))
            case Notice():
                self._say(f"note: {event.text}")
            case TrackFinished() if self._explainer is not None:
                self._say(f"{event.track}: {', '.join(event.paths)}")
            case _ if self._explainer is not None:
                text = self._explainer.explanation(event)
                if text is not None:
                    self._say(text)


class Lines:
    """One plain line a track, as a log wants it. `now`: a clock that only goes forward, in seconds."""

    def __init__(
        self, stream: TextIO, standing: Standing, *, verbose: bool, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._standing = standing
        self._now = now
        self._explainer = Explainer(now) if verbose else None
        self._said_at = now()

    def observe(self, event: Event) -> None:
        """Say what a log should keep of `event`."""
        self._standing.observe(event, self._now())
        match event:
            case RunStarted():
                self._said_at = self._now()
            case TrackFinished():
                self._count(f"{event.track}: {', '.join(event.paths)}")
            case TrackFailed():
                self._count(f"{event.track}: failed: {event.error}")
            case TrackMoved():
                self._write(_moved(event))
            case Notice():
                self._write(f"note: {event.text}")
            case _ if self._explainer is not None:
                text = self._explainer.explanation(event)
                if text is not None:
                    self._write(text)
        if self._now() - self._said_at >= _SILENCE_S:
            standing = self._standing
            takes = f"{standing.takes_done:,} of {standing.takes:,} takes are here"
            self._write(f"{takes}; {standing.sentence(self._now(), _LOG_COLUMNS)}")

    def _count(self, text: str) -> None:
        self._write(f"[{self._standing.tracks_done}/{self._standing.tracks}] {text}")

    def _write(self, text: str) -> None:
        self._said_at = self._now()
        write(self._stream, printable(text))


def _moved(event: TrackMoved) -> str:
    return f"{event.track}: moved from {event.old_name}: {', '.join(event.paths)}"

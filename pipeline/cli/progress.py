"""What a run shows while it goes on: bars on a terminal, one plain line a track elsewhere."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TextIO

from pipeline.cli.terminal import printable, write
from pipeline.money import dollars
from pipeline.runner.events import (
    Event,
    MoneyMoved,
    Notice,
    RunStarted,
    TakeDownloaded,
    TakeFailed,
    TakeGenerated,
    TakeSubmitted,
    TrackFailed,
    TrackFinished,
    TrackMoved,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress_for(stream: TextIO, *, quiet: bool, verbose: bool) -> Iterator[Callable[[Event], None]]:
    """An observer that fits `stream`."""
    if quiet:
        yield lambda _: None
    elif stream.isatty() and _has_width(stream):
        with _bars(stream, verbose=verbose) as observe:
            yield observe
    else:
        lines = Lines(stream, verbose=verbose)
        yield lines.observe


def _has_width(stream: TextIO) -> bool:
    """A terminal without columns (a recorder's) has no room for bars."""
    try:
        return os.get_terminal_size(stream.fileno()).columns > 0
    except OSError:
        return False


class Lines:
    """One plain line a track, as a log wants it."""

    def __init__(self, stream: TextIO, *, verbose: bool) -> None:
        self._stream = stream
        self._verbose = verbose
        self._done = 0
        self._tracks = 0

    def observe(self, event: Event) -> None:
        """Say what a log should keep of `event`."""
        match event:
            case RunStarted():
                self._tracks = event.tracks
            case TrackFinished():
                self._count(f"{event.track}: {', '.join(event.paths)}")
            case TrackFailed():
                self._count(f"{event.track}: failed: {event.error}")
            case TrackMoved():
                self._write(_moved(event))
            case Notice():
                self._write(f"note: {event.text}")
            case _ if self._verbose:
                self._explain(event)

    def _count(self, text: str) -> None:
        self._done += 1
        self._write(f"[{self._done}/{self._tracks}] {text}")

    def _explain(self, event: Event) -> None:
        text = explanation(event)
        if text is not None:
            self._write(text)

    def _write(self, text: str) -> None:
        write(self._stream, printable(text))


def _moved(event: TrackMoved) -> str:
    return f"{event.track}: moved from {event.old_name}: {', '.join(event.paths)}"


def explanation(event: Event) -> str | None:
    """What `--verbose` says about an event that has no line of its own."""
    match event:
        case Waiting():
            return f"{event.what} in {event.seconds:.1f} s: {event.why}"
        case TakeSubmitted():
            return f"{event.track} take {event.take}: submitted as {event.job_id}"
        case TakeGenerated():
            bill = "" if event.cost_microusd is None else f", billed {dollars(event.cost_microusd)}"
            return f"{event.track} take {event.take}: generated{bill}"
        case TakeDownloaded():
            return f"{event.track} take {event.take}: downloaded {event.size:,} bytes, {event.duration_s:.1f} s"
        case TakeFailed():
            return f"{event.track} take {event.take}: {event.error}"
        case _:
            return None


@contextmanager
def _bars(stream: TextIO, *, verbose: bool) -> Iterator[Callable[[Event], None]]:
    from tqdm import tqdm  # noqa: PLC0415 - only a terminal has bars

    layout = "{desc:<11}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}"
    bars = {
        name: tqdm(total=0, desc=name, file=stream, position=number, leave=True, bar_format=layout, dynamic_ncols=True)
        for number, name in enumerate(_BAR_OF.values())
    }
    try:
        yield Bars(bars, verbose=verbose).observe
    finally:
        for bar in bars.values():
            bar.close()


_BAR_OF: Final[dict[type, str]] = {
    TakeSubmitted: "submitted",
    TakeGenerated: "generated",
    TakeDownloaded: "downloaded",
    TrackFinished: "finished",
}


class Bars:
    """Four bars: submitted, generated, downloaded, finished; money so far behind the last."""

    def __init__(self, bars: dict[str, Any], *, verbose: bool) -> None:
        self._bars = bars
        self._verbose = verbose

    def observe(self, event: Event) -> None:
        """Move the bars on."""
        match event:
            case RunStarted():
                self._begin(event)
            case MoneyMoved():
                billed, reserved = dollars(event.commitment.billed), dollars(event.commitment.reserved)
                self._bars["finished"].set_postfix_str(f"billed {billed}, reserved {reserved}")
            case TrackFailed():
                self._write(f"{event.track}: failed: {event.error}")
            case TrackMoved():
                self._write(_moved(event))
            case TrackFinished():
                self._write(f"{event.track}: {', '.join(event.paths)}")
                self._advance(event)
            case Notice():
                self._write(f"note: {event.text}")
            case _:
                self._advance(event)

    def _advance(self, event: Event) -> None:
        if type(event) in _BAR_OF:
            self._bars[_BAR_OF[type(event)]].update()
        text = explanation(event) if self._verbose else None
        if text is not None:
            self._write(text)

    def _begin(self, event: RunStarted) -> None:
        takes = event.submits + event.collects
        for name, total in (("submitted", event.submits), ("generated", takes), ("downloaded", takes)):
            self._bars[name].reset(total=total)
        self._bars["finished"].reset(total=event.tracks)

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # nobody reads it any more
            self._bars["finished"].write(printable(text), file=self._bars["finished"].fp)

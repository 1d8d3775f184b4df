"""What a run shows while it goes on: on a terminal, in a log, and with --verbose."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from pipeline.cli.bars import bars_on
from pipeline.cli.explaining import Explainer
from pipeline.cli.progress import Lines
from pipeline.cli.standing import Standing
from pipeline.cli.terminal import write
from pipeline.jobs import Commitment
from pipeline.runner.events import (
    MoneyMoved,
    RunStarted,
    TakeDownloaded,
    TrackFailed,
    TrackFinished,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def screen(text: str) -> list[str]:
    """What a terminal shows after `text`: letters, line ends, the cursor up, and what clears."""
    lines, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[\w|[\r\n]|.", text):
        if part == "\r":
            column = 0
        elif part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[A":
            row -= 1
        elif part in ("\x1b[K", "\x1b[J"):
            lines[row] = lines[row][:column]
            if part == "\x1b[J":
                del lines[row + 1 :]
        else:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


def going_on() -> Iterable[tuple[float, object]]:
    """Two of three takes are here after half a minute, and one track has failed."""
    yield 0.0, RunStarted(3, 0, 3, 3)
    yield 0.0, MoneyMoved(Commitment(20_000, 10_000, 40_000))
    for name in "ab":
        yield 30.0, TakeDownloaded("game", name, 1, 1000, 2.0)
    yield 31.0, TrackFailed("game", "a", "silent")


def test_bars_stand_below_words_and_leave_nothing_behind() -> None:
    """Takes, tracks, and money; a line that somebody writes stands above them; no bar is wider than the terminal."""
    stream = io.StringIO()
    standing = Standing(1_000_000)
    with bars_on(stream, standing) as bars:
        for moment, event in going_on():
            standing.observe(event, moment)
        bars.draw()
        write(stream, "a word")
        bars.draw()
        word, takes, tracks, money = screen(stream.getvalue())
    assert word == "a word"
    assert re.fullmatch(r"takes +67%\|.*\| 2/3", takes)
    assert re.fullmatch(r"tracks +33%\|.*\| 1/3, 1 failed", tracks)
    assert money.startswith("billed $0.0400; reserved $0.0200; possible duplicates $0.0100")
    assert max(map(len, (takes, tracks, money))) < 80
    assert screen(stream.getvalue()) == ["a word", ""]


def test_where_there_is_no_room_the_money_and_the_time_left_stay() -> None:
    """What matters least goes first."""
    standing = Standing(1_000_000)
    for moment, event in going_on():
        standing.observe(event, moment)
    whole = standing.sentence(31.0, 100)
    assert re.search(r"budget \$1.0000; about \d+ (s|min) left$", whole)
    assert "reserved" not in standing.sentence(31.0, 62)
    assert re.fullmatch(r"billed \$0.0400; about \d+ (s|min) left", standing.sentence(31.0, 40))
    assert len(standing.sentence(31.0, 5)) <= 5


def test_a_log_has_a_line_a_track_and_hears_of_a_silent_minute() -> None:
    """So nobody takes a slow night for one that hangs."""
    stream, now = io.StringIO(), [0.0]
    lines = Lines(stream, Standing(), verbose=False, now=lambda: now[0])
    for moment, event in going_on():
        now[0] = moment
        lines.observe(event)
    now[0] = 95.0
    lines.observe(MoneyMoved(Commitment(0, 0, 60_000)))
    lines.observe(TrackFinished("game", "b", ("b.wav",)))
    said = stream.getvalue().splitlines()
    assert (said[0], said[2]) == ("[1/3] a: failed: silent", "[2/3] b: b.wav")
    assert said[1].startswith("2 of 3 takes are here; billed $0.0600")


def test_each_wait_is_a_line_but_never_more_than_can_be_read() -> None:
    """One for a pause that many meet; polls at most once a second."""
    now = [0.0]
    explain = Explainer(lambda: now[0]).explanation
    refused = [Waiting(f"t{number}: submit", 12.0, "too many requests", "refused") for number in range(64)]
    polls = [Waiting(f"t{number}", 9.0, "the gateway says: queued", "poll") for number in range(64)]
    assert [line for line in map(explain, refused) if line] == ["429: 12 s (t0: submit: too many requests)"]
    assert [line for line in map(explain, polls) if line] == ["poll in 9 s: t0, the gateway says: queued"]
    now[0] = 1.0
    assert explain(polls[0]) == "poll in 9 s: t0, the gateway says: queued; 63 other polls since the line before"
    assert explain(Waiting("every request", 10.46, "600 requests a minute are the limit", "limit")) == (
        "rate limit: 10.5 s (every request: 600 requests a minute are the limit)"
    )
    assert explain(Waiting("t9", None, "as many jobs are in flight as may be", "slot")) == (
        "t9 waits for a slot: as many jobs are in flight as may be"
    )
    assert explain(Waiting("t9: submit", 2.0, "503")) == "t9: submit again in 2 s: 503"

"""What a re-roll says while it goes on, a line for each thing that happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.money import dollars
from pipeline.report.text import one_line
from pipeline.runner.events import (
    Notice,
    TakeDownloaded,
    TakeFailed,
    TakeGenerated,
    TakeSubmitted,
    TrackFailed,
    TrackFinished,
    Waiting,
)

if TYPE_CHECKING:
    from pipeline.runner.events import Event


def line_of(event: Event) -> str | None:  # noqa: PLR0911 - a table
    """The line for `event`; None where nobody needs one."""
    match event:
        case TakeSubmitted():
            return f"take {event.take}: asked for, as {one_line(event.job_id)}"
        case TakeGenerated():
            bill = "" if event.cost_microusd is None else f", billed {dollars(event.cost_microusd)}"
            return f"take {event.take}: generated{bill}"
        case TakeDownloaded():
            return f"take {event.take}: here, {event.duration_s:.1f} s"
        case TakeFailed():
            return f"take {event.take}: {one_line(event.error)}"
        case TrackFinished():
            return "finished"
        case TrackFailed():
            return f"failed: {one_line(event.error)}"
        case Waiting(cause="poll"):
            return None  # the next look at a job that is being made: there are many
        case Waiting():
            when = "" if event.seconds is None else f" in {event.seconds:.0f} s"
            return f"{one_line(event.what)}{when}: {one_line(event.why)}"
        case Notice():
            return one_line(event.text)
        case _:
            return None

"""How a run stands while it goes on: what is done, the money, and the time left, as the bars and the lines say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.jobs import Commitment
from pipeline.money import dollars
from pipeline.report.text import rough_length
from pipeline.runner.events import (
    MoneyMoved,
    RunStarted,
    TakeDownloaded,
    TakeFailed,
    TrackFailed,
    TrackFinished,
)
from pipeline.runner.time_left import TimeLeft

if TYPE_CHECKING:
    from pipeline.runner.events import Event

_BETWEEN: Final = "; "


class Standing:
    """A run's figures, from its events. `budget_microusd`: what it may commit to, where somebody has said."""

    def __init__(self, budget_microusd: int | None = None) -> None:
        self.takes = self.takes_done = 0
        self.tracks = self.tracks_done = self.tracks_failed = 0
        self._budget = budget_microusd
        self._money = Commitment()
        self._time_left = TimeLeft()

    def observe(self, event: Event, now: float) -> None:
        """Learn from an event that happened `now`, on a clock that only goes forward."""
        self._time_left.observe(event, now)
        match event:
            case RunStarted():
                self.takes, self.tracks = event.submits + event.collects, event.tracks
            case TakeDownloaded() | TakeFailed():
                self.takes_done = min(self.takes, self.takes_done + 1)
            case TrackFinished():
                self.tracks_done += 1
            case TrackFailed():
                self.tracks_done += 1
                self.tracks_failed += 1
            case MoneyMoved():
                self._money = event.commitment

    def sentence(self, now: float, width: int) -> str:
        """Money and time left in at most `width` columns; where that is too little, what matters least goes first."""
        money, left = self._money, self._time_left.seconds(now)
        parts = [
            (1, f"billed {dollars(money.billed)}"),
            (3, f"reserved {dollars(money.reserved)}" if money.reserved else ""),
            (2, f"possible duplicates {dollars(money.unknown)}" if money.unknown else ""),
            (4, f"budget {dollars(self._budget)}" if self._budget is not None else ""),
            (0, f"about {rough_length(left)} left" if left is not None else ""),
        ]
        parts = [(rank, text) for rank, text in parts if text]
        while len(parts) > 1 and len(_BETWEEN.join(text for _, text in parts)) > width:
            parts.remove(max(parts))
        return _BETWEEN.join(text for _, text in parts)[:width]

"""The submits that are about to follow on polls: room is kept for them. Pure.

Without it many polls at once would take all the room there is, and the slots that they free would stand empty.
"""

from __future__ import annotations

from collections import deque
from typing import Final

#: The submit that fills a slot follows within so many seconds on the answer that has found it free.
REFILLED_WITHIN_S: Final = 0.5


class Refills:
    """How many submits are to be expected, in the mean: each poll brings one with the chance that it frees a slot."""

    def __init__(self) -> None:
        self._after_answers = 0.0  # of polls that are on their way
        self._soon: deque[tuple[float, float]] = deque()  # of polls that are answered: until when, and how many
        self._soon_in_all = 0.0

    def left(self, number: float) -> None:
        """A request has left that so many submits follow on."""
        self._after_answers += number

    def answered(self, number: float, now: float) -> None:
        """It is answered, or never will be."""
        if number:
            self._after_answers = max(0.0, self._after_answers - number)
            self._add(now + REFILLED_WITHIN_S, number)

    def came(self) -> None:
        """A submit has left."""
        rest = 1.0
        while self._soon and rest > 0:
            until, number = self._take()
            if number > rest:
                self._soon.appendleft((until, number - rest))
                self._soon_in_all += number - rest
            rest -= number

    def expected(self, now: float) -> float:
        """How many may still come."""
        while self._soon and self._soon[0][0] <= now:
            self._take()
        return self._after_answers + self._soon_in_all

    def _add(self, until: float, number: float) -> None:
        self._soon.append((until, number))
        self._soon_in_all += number

    def _take(self) -> tuple[float, float]:
        first = self._soon.popleft()
        self._soon_in_all = self._soon_in_all - first[1] if self._soon else 0.0  # so that no rounding adds up
        return first

"""A store that falters is asked again, and in the end a run stops for it, or does without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import anyio

from pipeline.runner.events import Notice, Waiting
from pipeline.runner.results import EXIT_FOLDER, Stop, Unsent
from pipeline.runner.retrying import pause_s
from pipeline.store.objects import StoreTrouble

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pipeline.runner.tools import Tools
    from pipeline.store.team import Held, Team

T = TypeVar("T")

#: A store that can't be asked is asked again for so long, in seconds.
PATIENCE_S: Final = 120.0


class Silenced(Exception):
    """The store can't be asked, and the run does without it."""


class Patience:
    """How long a run bears with its stores."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._silent: set[str] = set()  # the addresses of stores that the run does without

    def is_over(self, team: Team) -> bool:
        """Does the run do without that store by now?"""
        return team.choice.address in self._silent

    async def answer(self, team: Team, name: str, ask: Callable[[], Awaitable[T]]) -> T:
        """What the store answers in the end. Raises StoreTrouble."""
        began, tries = anyio.current_time(), 0
        while True:
            try:
                return await ask()
            except StoreTrouble as error:
                tries += 1
                pause = pause_s(tries)
                if anyio.current_time() + pause - began > PATIENCE_S or self.is_over(team):
                    raise
                self._tools.observe(Waiting(f"{name}: the team's store", pause, str(error)))
                await anyio.sleep(pause)

    async def answer_before_buying(
        self, team: Team, name: str, ask: Callable[[], Awaitable[T]], held: Held | None = None
    ) -> T:
        """What the store answers in the end, before anything is bought on that.

        Where it does not, the run does without it, raising Silenced; unless it is required, or it is known that
        somebody else is buying just this: then nothing is sent, and Unsent is raised.
        """
        try:
            return await self.answer(team, name, ask)
        except StoreTrouble as error:
            self._despair(team, error, held)

    def _despair(self, team: Team, error: StoreTrouble, held: Held | None) -> NoReturn:
        if team.choice.required:
            stop = Stop(EXIT_FOLDER, f"{error}; the store is required, so nothing more is bought")
            self._tools.control.stop_submitting(stop)
            raise Unsent(f"not sent: {stop.message}") from error
        if held is not None:
            raise Unsent(f"not sent: {held.machine} is buying it, and {error}") from error
        self._silence(team, f"{error}; the run goes on without the store: what is bought is put there by a later one")
        raise Silenced from error

    def _silence(self, team: Team, notice: str) -> None:
        if not self.is_over(team):
            self._silent.add(team.choice.address)
            self._tools.observe(Notice(notice))

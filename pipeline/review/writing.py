"""What the page changes for nothing: the pick, stars and notes. One write at a time, under the folders' locks."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import anyio

from pipeline.choosing import Chooser
from pipeline.marking import note, star
from pipeline.review.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pipeline.choosing import Chosen
    from pipeline.review.hands import Brakes, Hands
    from pipeline.review.library import At, Library
    from pipeline.workspace import Workspace


class Folders:
    """The folders, and whose turn it is: two requests at once are one after the other."""

    def __init__(self, library: Library, brakes: Brakes) -> None:
        self.one_at_a_time = anyio.Lock()
        self._library = library
        self._brakes = brakes
        self._held_for: str | None = None

    @asynccontextmanager
    async def turn(self, *, beside: bool = False) -> AsyncIterator[Workspace]:
        """A turn of one's own, with the folders' locks.

        `beside`: it needs none beside a re-roll of ours, which holds them already: nothing but this thread writes then,
        and each change to a lock file reads it before. Raises Refusal, FolderBusy and FolderError.
        """
        async with self.one_at_a_time:
            if beside and self._held_for is not None:
                self._brakes.check()
                yield self._library.workspace()
                return
            with self.held() as workspace:
                yield workspace

    @contextmanager
    def held(self, held_for: str | None = None) -> Iterator[Workspace]:
        """The folders under their locks, for whoever has the turn. `held_for`: a sentence, where it is for longer.

        Raises as `turn` does.
        """
        self._brakes.check()
        if self._held_for is not None:
            raise Refusal(f"{self._held_for}: wait for it to end")
        workspace = self._library.workspace()
        with workspace.locked():
            self._held_for = held_for
            try:
                yield workspace
            finally:
                self._held_for = None


class Writing:
    """Picks, stars and notes."""

    def __init__(self, library: Library, folders: Folders, hands: Hands, brakes: Brakes) -> None:
        self._library = library
        self._folders = folders
        self._hands = hands
        self._brakes = brakes

    async def pick(self, at: At, take: str) -> Chosen:
        """What `pipeline pick` does. Raises NotThere, Refusal and what `Chooser.pick` raises."""
        hands = self._hands
        manifest, track = self._library.find(at)
        async with self._folders.turn() as workspace:
            with self._brakes.control() as control:
                chooser = Chooser(workspace, hands.clock, hands.finisher, control=control, ledger=hands.ledger)
                return await chooser.pick(manifest, track, take)

    async def star(self, at: At, take: str, *, starred: bool) -> str:
        """Raises NotThere, Refusal and what `marking.star` raises."""
        manifest, track = self._library.find(at)
        async with self._folders.turn(beside=True) as workspace:
            return star(workspace, manifest, track, take, starred=starred)

    async def note(self, at: At, take: str, text: str) -> str:
        """Raises NotThere, Refusal and what `marking.note` raises."""
        manifest, track = self._library.find(at)
        async with self._folders.turn(beside=True) as workspace:
            return note(workspace, manifest, track, take, text)

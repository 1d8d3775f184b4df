"""How a run is told to stop: nothing more submitted, nothing more at all, or now."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.runner.results import EXIT_FOLDER, EXIT_KEY, EXIT_MONEY, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How long POSTs that have left may bring their ids home after a first interrupt, in seconds.
ANSWER_GRACE_S: Final = 1.5
_WORST_FIRST: Final = (
    EXIT_KEY,
    EXIT_MONEY,
    EXIT_FOLDER,
)  # of two causes, the one whose exit status stands first here is told


class Control:
    """The run's brakes. Whoever sees a cause to stop says so here; the scopes do the rest."""

    def __init__(self, *, cancel_queued: bool = False) -> None:
        """`cancel_queued`: an interrupt cancels what is still queued at the gateway."""
        self.cancel_queued = cancel_queued
        self.stop: Stop | None = None
        self.submitting = True
        self.interrupted = False
        self._preflight = anyio.CancelScope()  # questions before anything is sent
        self._jobs = anyio.CancelScope()  # submits, polls, downloads
        self._finishing = anyio.CancelScope()
        self._drawing = anyio.CancelScope()  # for the report, of what stood before
        self._posts: set[anyio.CancelScope] = set()

    def stop_submitting(self, stop: Stop) -> None:
        """Send nothing more; what is paid for is still collected (402, budget)."""
        self._remember(stop)
        self.submitting = False

    def halt(self, stop: Stop) -> None:
        """Stop everything at the gateway (the key, the ledger, a folder); POSTs that have left get their answers."""
        self.stop_submitting(stop)
        self._preflight.cancel()
        self._jobs.cancel()

    def interrupt(self, stop: Stop) -> None:
        """Stop everything, finishing too; POSTs that have left get a moment to bring their ids home."""
        self.halt(stop)
        self.interrupted = True
        self._finishing.cancel()
        self._drawing.cancel()
        for scope in self._posts:
            scope.deadline = anyio.current_time() + ANSWER_GRACE_S

    @property
    def preflight_scope(self) -> anyio.CancelScope:
        return self._preflight

    @property
    def jobs_scope(self) -> anyio.CancelScope:
        return self._jobs

    @property
    def finishing_scope(self) -> anyio.CancelScope:
        return self._finishing

    @property
    def drawing_scope(self) -> anyio.CancelScope:
        return self._drawing

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """A block from an intent to its recorded answer: nothing cancels it but the grace after an interrupt."""
        with anyio.CancelScope(shield=True) as scope:
            if self.interrupted:
                scope.deadline = anyio.current_time() + ANSWER_GRACE_S
            self._posts.add(scope)
            try:
                yield
            finally:
                self._posts.discard(scope)

    def _remember(self, stop: Stop) -> None:
        if self.stop is None or _rank(stop) < _rank(self.stop):
            self.stop = stop


def _rank(stop: Stop) -> int:
    if stop.exit > 128:  # noqa: PLR2004 - a signal, as shells count: somebody wanted it to end
        return -1
    return _WORST_FIRST.index(stop.exit)

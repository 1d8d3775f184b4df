"""Composing in worker processes, so that the gateway answers while music is being made."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_process

from pipeline.local_gateway.composition import CompositionFailed

if TYPE_CHECKING:
    from pipeline.local_gateway.composition import CompositionRequest

_MOST_WORKERS: Final = 4


class ProcessComposer:
    """The house's composer, in as many processes as there are cores, at most four.

    Whoever runs the event loop blocks SIGINT in its thread first (`serving` does): workers are born with that mask, so
    that a Ctrl-C on the terminal does not reach them.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or min(os.cpu_count() or 1, _MOST_WORKERS)
        self._limiter: anyio.CapacityLimiter | None = None

    async def compose(self, request: CompositionRequest) -> bytes:
        if self._limiter is None:  # one belongs to the event loop that first uses it
            self._limiter = anyio.CapacityLimiter(self._workers)
        words = (request.prompt, request.lyrics, request.duration_s, request.format, request.variation)
        try:
            return await anyio.to_process.run_sync(_compose, *words, cancellable=True, limiter=self._limiter)
        except anyio.BrokenWorkerProcess as error:
            raise CompositionFailed("the process that composed it died; ask for it again") from error
        except Exception as error:
            raise CompositionFailed(f"the composer gave up: {error}") from error


def _compose(prompt: str, lyrics: str, duration_s: float, audio_format: str, variation: int) -> bytes:
    """Runs in the worker; numpy is imported there, and only there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from pipeline.local_gateway.composer import compose  # noqa: PLC0415

    return compose(prompt, lyrics, duration_s, audio_format, variation)

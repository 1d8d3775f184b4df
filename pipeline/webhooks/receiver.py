"""`Webhooks`: all that a run needs to be told by the gateway, in one value."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pipeline.clock import SystemClock
from pipeline.runner.hints import Hints
from pipeline.webhooks.addresses import NoWebhooks, checked_url, host_and_port, path_of, without_query
from pipeline.webhooks.app import WebhookApp
from pipeline.webhooks.signatures import Signatures

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeline.clock import Clock


class Webhooks:
    """Where the gateway tells one run that its jobs have ended, and the secret by which it is known.

    `url` is the address as the gateway reaches it; `listen`, HOST:PORT, the one of this machine that it leads to. None:
    nobody listens, and a server of yours, on the run's event loop, has `app` (ASGI) answer what comes to the url.
    Raises NoWebhooks where an address can't be used, or the secret is empty.
    """

    def __init__(self, url: str, secret: str, listen: str | None = None, *, clock: Clock | None = None) -> None:
        self.url = checked_url(url)
        self.secret = secret.strip()
        if not self.secret:
            raise NoWebhooks("webhooks need the secret that the gateway signs them with: set AIGATEWAY_WEBHOOK_SECRET")
        self.hints = Hints(self.url)
        self.app = WebhookApp(path_of(self.url), Signatures(self.secret, clock or SystemClock()), self.hints.tell)
        self._listen = None if listen is None else host_and_port(listen)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Listen while the block lasts. Raises NoWebhooks, before anything else, where that can't be."""
        if self._listen is None:
            yield
            return
        from pipeline.webhooks.server import serving  # noqa: PLC0415 - whoever has a server needs none of it

        async with serving(self.app, *self._listen):
            yield

    @property
    def trouble(self) -> str | None:
        """What somebody should know who has set them up, once the run has ended; None where they came."""
        said = []
        if self.hints.untold and not self.hints.told:
            jobs = "1 job, which was" if self.hints.untold == 1 else f"{self.hints.untold} jobs, which were"
            there = without_query(self.url)
            said.append(f"no webhook came in time for {jobs} polled for instead; check that {there} leads here")
        if self.app.refused:
            said.append(f"webhooks refused: {self.app.refused}, the last because {self.app.why}")
        return "; ".join(said) or None

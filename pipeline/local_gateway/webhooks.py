"""Telling a webhook that a job has ended."""

from __future__ import annotations

import http.client
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import anyio.to_thread

from pipeline.local_gateway.orders import LOOPBACK
from pipeline.local_gateway.signing import webhook_headers

if TYPE_CHECKING:
    from pipeline.clock import Clock
    from pipeline.local_gateway.gateway import LocalGateway
    from pipeline.local_gateway.jobs import Job

#: Posts a body to an address, and gives the status of the answer. Raises OSError where there was none.
Post = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]

_TIMEOUT_S: Final = 10.0


class Herald:
    """Posts each finished job to its webhook, once, and notes in the books what came of it."""

    def __init__(
        self, gateway: LocalGateway, clock: Clock, document: Callable[[Job, float], dict[str, Any]], post: Post
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._document = document
        self._post = post

    async def tell(self, job: Job, url: str) -> None:
        """Post `job`, signed in both documented forms."""
        now = self._clock.now()
        body = json.dumps(self._document(job, now)).encode()
        headers = webhook_headers(self._gateway.options.webhook_secret, body, now)
        note: dict[str, Any] = {"job": job.id, "url": url, "status": None, "error": None}
        try:
            note["status"] = await self._post(url, {"Content-Type": "application/json", **headers}, body)
        except OSError as error:
            note["error"] = str(error)
        self._gateway.books.webhooks.append(note)


async def post_on_loopback(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Post in a thread, to this machine only: a placeholder gateway has nothing to tell anybody else."""
    if urlsplit(url).hostname not in LOOPBACK:
        raise OSError("not sent: the local gateway tells webhooks on loopback only")
    return await anyio.to_thread.run_sync(_post, url, headers, body, abandon_on_cancel=True)


def _post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT_S)
    try:
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("POST", target, body, dict(headers))
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(f"no readable answer: {error!r}") from error
    finally:
        connection.close()

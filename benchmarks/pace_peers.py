"""What a user would run instead: a worker for each job in flight, which submits, waits, fetches, and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
import httpx
from aigateway import AIgatewayError, AsyncAIgateway
from pace_limits import PerfectPacer
from pace_world import BASE_URL, KEY, MEDIA_URL, MODEL, RETRY_AFTER_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pace_world import PaceWorld

_INTERVAL_S: Final = 3.0  # the documented one
_TOO_MANY: Final = 429


class Official:
    """The official client. What it raises its user answers: a pause, and the same job again.

    Its `wait` parses the empty body of a 304 and dies of it; it never hears of Retry-After, which its user is told of.
    """

    def __init__(self, world: PaceWorld, poll_interval_s: float | None = None) -> None:
        self._client = AsyncAIgateway(KEY, BASE_URL, MEDIA_URL, transport=world.wire)
        self._options = {} if poll_interval_s is None else {"poll_interval_seconds": poll_interval_s}
        self.crashes = 0

    async def have(self, job: int) -> None:
        """From a prompt to its audio."""
        words = {"model": MODEL, "prompt": f"p{job}", "duration": 2, "format": "wav"}
        made = await self._had(lambda: self._client.jobs.create_music(**words))
        done = await self._had(lambda: self._client.jobs.wait(made.id, **self._options))
        name = httpx.URL(done.result["url"]).path.rpartition("/")[2]
        await self._had(lambda: self._client.files.download(made.id, name))

    async def _had(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        while True:
            try:
                return await ask()
            except AIgatewayError as error:
                await anyio.sleep(RETRY_AFTER_S.get() if error.status_code == _TOO_MANY else _INTERVAL_S)
            except httpx.TransportError:
                await anyio.sleep(_INTERVAL_S)
            except TypeError:  # of the 304
                self.crashes += 1
                await anyio.sleep(_INTERVAL_S)

    async def close(self) -> None:
        await self._client.close()


class FixedInterval:
    """Bare httpx: a poll every 3 s, and pauses where they are asked for. `paced`: behind a limiter that never errs."""

    crashes = 0

    def __init__(self, world: PaceWorld, *, paced: bool = False) -> None:
        self._pacer = PerfectPacer(world.regime) if paced else None
        self._queue = anyio.Lock()  # first come, first served
        headers = {"Authorization": f"Bearer {KEY}"}
        self._client = httpx.AsyncClient(base_url=BASE_URL, transport=world.wire, headers=headers)

    async def have(self, job: int) -> None:
        """From a prompt to its audio."""
        words = {"model": MODEL, "prompt": f"p{job}", "duration": 2, "format": "wav"}
        made = await self._had("POST", "/v1/audio/music", json=words)
        state = {"status": "queued"}
        while state["status"] != "completed":
            await anyio.sleep(_INTERVAL_S)
            answer = await self._had("GET", f"/v1/jobs/{made.json()['id']}")
            if answer.status_code != httpx.codes.NOT_MODIFIED:
                state = answer.json()
        await self._had("GET", state["result"]["url"])

    async def _had(self, method: str, url: str, **options: object) -> httpx.Response:
        while True:
            if self._pacer is not None and url.startswith("/"):
                await self._turn(self._pacer)
            try:
                answer = await self._client.request(method, url, **options)
            except httpx.TransportError:
                await anyio.sleep(_INTERVAL_S)
                continue
            if not answer.is_error:
                return answer
            await anyio.sleep(float(answer.headers.get("retry-after", _INTERVAL_S)))

    async def _turn(self, pacer: PerfectPacer) -> None:
        async with self._queue:
            await anyio.sleep_until(max(anyio.current_time(), pacer.earliest()))
            pacer.sent(anyio.current_time())

    async def close(self) -> None:
        await self._client.aclose()


async def play_peer(peer: Official | FixedInterval, world: PaceWorld) -> int:
    """All jobs, in their order. How often the peer crashed."""
    jobs = iter(range(world.regime.jobs))
    try:
        async with anyio.create_task_group() as workers:
            for _ in range(world.regime.concurrency):
                workers.start_soon(_work, peer, jobs)
    finally:
        await peer.close()
    return peer.crashes


async def _work(peer: Official | FixedInterval, jobs: Iterator[int]) -> None:
    for job in jobs:
        await peer.have(job)

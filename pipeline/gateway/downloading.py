"""Audio is fetched: from where it may come, whole, and no more of it than there can be.

The key goes along only to the API's own origin; every other one is asked by requests that know nothing of it.
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import anyio
import httpx

from pipeline.gateway.addresses import MediaRules, job_file, origin_of, without_query
from pipeline.gateway.answers import read_signed_address
from pipeline.gateway.api import USER_AGENT
from pipeline.gateway.audio_checks import AudioCheck
from pipeline.gateway.audio_streams import AudioStream
from pipeline.gateway.errors import LONGEST_WAIT_S, AddressExpired, DownloadFailed, WaitTooLong
from pipeline.gateway.exchanges import TRANSPORT_ERRORS, Body, lost_by, timeouts
from pipeline.gateway.verdicts import Lost, described, wait_asked_s

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from pipeline.gateway.answers import Answer
    from pipeline.gateway.api import Api, Timeouts

_MOST_REDIRECTS: Final = 3
_KEY_WANTED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_EXPIRED: Final = _KEY_WANTED | {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_MAY_PASS: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_SIGNED_FOR_S: Final = 3600
_READ_OF_A_FAILURE: Final = 4_000


@dataclass(frozen=True, slots=True)
class _Step:
    """Where the way to the audio has led so far."""

    url: httpx.URL
    redirects: int = 0
    is_signed: bool = False  # the gateway gave it for a file that wanted the key


class Downloader:
    """Fetches audio for one gateway."""

    def __init__(
        self,
        api: Api,
        transport: httpx.AsyncBaseTransport,
        media_hosts: Sequence[str],
        limits: Timeouts,
        *,
        most_at_once: int,
    ) -> None:
        self._api = api
        self._transport = transport
        self._rules = MediaRules(api.base, media_hosts)
        self._limits = limits
        self._permits = anyio.Semaphore(most_at_once)  # so that none queues for a connection while its time runs
        self._headers = httpx.Headers({"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"})

    async def download(self, address: str, *, limit_bytes: int) -> AsyncGenerator[bytes, None]:
        """The audio at `address`, piece by piece. Raises DownloadFailed."""
        try:
            async with aclosing(self._pieces(_Step(self._rules.checked(address)), limit_bytes)) as pieces:
                async for piece in pieces:
                    yield piece
        except DownloadFailed as error:
            error.args = (self._api.without_key(str(error)),)  # a redirect may have led to an address with the key
            raise

    async def _pieces(self, step: _Step, limit_bytes: int) -> AsyncGenerator[bytes, None]:
        async with self._permits:
            response, place = await self._open(step)
            body = Body(response)
            try:
                check = AudioCheck(place, response.headers, limit_bytes)
                audio = AudioStream(body, check, stall_s=self._limits.stall_s, total_s=self._limits.download_s)
                while piece := await audio.read():
                    yield piece
            finally:
                await body.aclose()

    async def _open(self, step: _Step) -> tuple[httpx.Response, str]:
        """The response that holds the audio, and where it came from; redirects are followed by hand, each checked."""
        while True:
            response = await self._send(step)
            place = without_query(step.url)
            if response.status_code == HTTPStatus.OK:
                return response, place
            answer = await self._failure(response, step)
            step = await self._next_step(step, answer, place)

    async def _next_step(self, step: _Step, answer: Answer, place: str) -> _Step:
        """Where to go from an answer that is not the audio. Raises DownloadFailed where there is no way on."""
        location = answer.headers.get("location")
        if answer.is_redirect and location is not None:
            if step.redirects == _MOST_REDIRECTS:
                raise DownloadFailed(
                    f"the audio's address leads on and on: {place} is the fourth that names another", code="redirects"
                )
            return replace(step, url=self._rules.checked(location, step.url), redirects=step.redirects + 1)
        path = job_file(step.url)
        if answer.status in _KEY_WANTED and path is not None and not step.is_signed:
            return _Step(self._rules.checked(await self._signed(path)), is_signed=True)
        raise _failed(answer, place)

    async def _signed(self, path: str) -> str:
        """The signed address of a job's file, by the API."""
        asked = f"{path}/signed?expires_in={_SIGNED_FOR_S}"
        async with self._turn():
            answer = await self._api.send("GET", asked, total_s=self._limits.question_s)
        if isinstance(answer, Lost):
            raise _not_fetched(answer, f"{self._api.origin}{path}")
        address = read_signed_address(answer)
        if address is None:
            raise _failed(answer, f"{self._api.origin}{path}")
        return address

    async def _send(self, step: _Step) -> httpx.Response:
        """The response of one address, its body unread."""
        limits = self._limits
        is_api = origin_of(step.url) == self._api.origin
        request = self._request(step, with_key=is_api and not step.is_signed)
        lost = Lost(sent=True, reason=f"no answer within {limits.stall_s:g} s")
        async with self._turn() if is_api else nullcontext():
            with anyio.move_on_after(limits.connect_s + limits.connection_s + limits.stall_s):
                try:
                    return await self._transport.handle_async_request(request)
                except TRANSPORT_ERRORS as error:
                    lost = lost_by(error)
        raise _not_fetched(lost, without_query(step.url))

    def _request(self, step: _Step, *, with_key: bool) -> httpx.Request:
        limits = self._limits
        if with_key:
            return self._api.request("GET", step.url, read_s=limits.stall_s)
        extensions = timeouts(
            connect_s=limits.connect_s, read_s=limits.stall_s, wait_for_connection_s=limits.connection_s
        )
        return httpx.Request("GET", step.url, headers=self._headers, extensions=extensions)

    async def _failure(self, response: httpx.Response, step: _Step) -> Answer:
        """An answer that is not the audio, with the beginning of what it says."""
        body, said = Body(response), b""
        with anyio.move_on_after(self._limits.stall_s):
            try:
                said = await body.read_up_to(_READ_OF_A_FAILURE)
            except TRANSPORT_ERRORS:
                said = b""
            finally:
                await body.aclose()
        answer = self._api.answer(response, said)
        if origin_of(step.url) == self._api.origin:
            self._api.learn(answer)
        return answer

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with self._api.turn():
                yield
        except WaitTooLong as error:
            raise DownloadFailed(str(error), code=error.code, retry_after_s=error.retry_after_s) from None


def _failed(answer: Answer, place: str) -> DownloadFailed:
    said, status = f"{place} answered {described(answer)}", answer.status
    if status in _EXPIRED:
        return AddressExpired(f"{said}: the audio's address has expired", status=status, code="address_expired")
    wait_s = wait_asked_s(answer)
    may_pass = status in _MAY_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if wait_s is not None and wait_s > LONGEST_WAIT_S:
        said, may_pass = f"{said}: it asks to wait {wait_s:,.0f} s, longer than a run waits", False
    return DownloadFailed(said, status=status, code="download_failed", retry_after_s=wait_s, retryable=may_pass)


def _not_fetched(lost: Lost, place: str) -> DownloadFailed:
    return DownloadFailed(f"{place} could not be asked for the audio ({lost.reason})", code="no_answer", retryable=True)

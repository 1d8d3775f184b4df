"""The API's client: what the runner talks to."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

from pipeline.gateway.answers import (
    Accepted,
    JobAnswer,
    TagSpend,
    read_accepted,
    read_balance,
    read_job,
    read_price,
    read_usage,
)
from pipeline.gateway.api import Api, Timeouts
from pipeline.gateway.connections import Network, keep_addresses_out_of_logs
from pipeline.gateway.documents import LARGEST_ANSWER
from pipeline.gateway.downloading import Downloader
from pipeline.gateway.errors import KeyRefused
from pipeline.gateway.pacing import SURELY
from pipeline.gateway.verdicts import Lost, poll_error, submit_error, usage_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from contextlib import AbstractAsyncContextManager
    from decimal import Decimal
    from types import TracebackType

    import httpx

    from pipeline.clock import Clock
    from pipeline.gateway.answers import Answer
    from pipeline.gateway.pacing import Pacer, Worth
    from pipeline.gateway.requests import SubmitRequest

#: What says that a route, or its method, is missing: the other documented way of cancelling is tried.
_NO_SUCH_ROUTE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_CANNOT_BE_CANCELLED: Final = _NO_SUCH_ROUTE | {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.CONFLICT,
    HTTPStatus.GONE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
#: A month's spending has a row for each cost tag, so for each track: room for some 100,000, in bytes.
_LARGEST_USAGE: Final = 20_000_000
#: Each download holds a connection and a file, and a process is often allowed no more than 1,024 of both together.
_MOST_DOWNLOADS: Final = 256
_DEFAULT_TIMEOUTS: Final = Timeouts()


class Gateway:
    """One gateway, with one key. It opens nothing before its first request, and sends nothing twice by itself.

    Use it as an asynchronous context manager. Every failure is a GatewayError; `pipeline.gateway.errors` says what
    each one proves.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        pacer: Pacer,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        media_hosts: Sequence[str] = (),
        concurrency: int = 8,
        timeouts: Timeouts = _DEFAULT_TIMEOUTS,
    ) -> None:
        """`transport` stands in for the network, and stays open: it belongs to whoever made it.

        `media_hosts`: hosts that audio may come from, besides the gateway's own. `concurrency`: how many downloads may
        be in flight, up to 256. Raises ValueError where `base_url` is no address.
        """
        keep_addresses_out_of_logs()
        self._network = Network() if transport is None else None
        sender = transport or self._network
        assert sender is not None  # noqa: S101 - one of the two is there
        self._timeouts = timeouts
        self._api = Api(base_url, key, transport=sender, pacer=pacer, clock=clock, limits=timeouts)
        self._downloader = Downloader(
            self._api, sender, media_hosts, timeouts, most_at_once=min(concurrency, _MOST_DOWNLOADS)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._network is not None:
            await self._network.aclose()

    def __repr__(self) -> str:
        return f"<Gateway {self._api.origin}>"

    @property
    def requests_per_minute(self) -> int | None:
        """How many requests may be sent, beside what others send with the same key; None: no limit is known."""
        return self._api.requests_per_minute

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Wait until a submit may leave; the block ends with its answer. Every other method waits for its own turn.

        Raises WaitTooLong.
        """
        return self._api.turn()

    async def submit(self, request: SubmitRequest) -> Accepted:
        """Ask for a job, at once: the caller has had its turn, and has written down what it is about to do.

        Raises NotTaken where surely no job was made, AnswerUnknown where nobody knows.
        """
        headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", request.idempotency_key),
            ("X-Request-Id", request.request_id),
            ("x-aig-tag", request.cost_tag),
            ("x-cache", "skip" if request.fresh else "auto"),
        ]
        total_s = self._timeouts.submit_s
        answer = await self._api.send("POST", "/v1/audio/music", total_s=total_s, body=request.body, headers=headers)
        accepted = None if isinstance(answer, Lost) else read_accepted(answer)
        if accepted is None:
            raise submit_error(answer)
        return accepted

    async def poll(self, job_id: str, worth: Worth = SURELY) -> JobAnswer | None:
        """How a job stands; None where nothing is new (304, or asked too soon).

        `worth`: the chance that it has ended, by which polls and submits wait for their turns where the limit is tight.
        Raises JobNotFound, KeyRefused, WaitTooLong, and what may be asked again: PollFailed, RateLimited,
        ConnectionNotMade.
        """
        answer = await self._ask("GET", f"/v1/jobs/{quote(job_id, safe='')}", worth=worth)
        if isinstance(answer, Lost):
            raise poll_error(answer)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None
        job = read_job(answer, job_id)
        if job is None:
            raise poll_error(answer)
        return job

    async def cancel(self, job_id: str) -> bool:
        """Cancel a job: whether the gateway says that it did. Raises what `poll` raises, but for JobNotFound."""
        path = f"/v1/jobs/{quote(job_id, safe='')}"
        answer = await self._ask("DELETE", path)
        if not isinstance(answer, Lost) and answer.status in _NO_SUCH_ROUTE:
            answer = await self._ask("POST", f"{path}/cancel")
        if isinstance(answer, Lost) or not (answer.is_success or answer.status in _CANNOT_BE_CANCELLED):
            raise poll_error(answer)
        return answer.is_success

    async def balance(self) -> int | None:
        """What the wallet holds, in micro-dollars; None where the gateway does not say. Raises KeyRefused."""
        answer = await self._known("/v1/balance")
        return None if answer is None else read_balance(answer)

    async def price(self, model: str) -> Decimal | None:
        """A model's price in dollars a second of audio; None where the gateway does not say. Raises KeyRefused."""
        answer = await self._known(f"/v1/models/{quote(model)}")
        return None if answer is None else read_price(answer)

    async def usage_by_tag(self, month: str) -> list[TagSpend]:
        """What was spent under each cost tag in `month` (YYYY-MM); none where nothing was.

        Raises KeyRefused, ConnectionNotMade, WaitTooLong, and PollFailed where no answer came that can be read.
        """
        answer = await self._ask("GET", f"/v1/usage/by-tag?month={quote(month)}", limit_bytes=_LARGEST_USAGE)
        spends = None if isinstance(answer, Lost) else read_usage(answer)
        if spends is None:
            raise usage_error(answer)
        return spends

    def download(self, address: str, *, limit_bytes: int) -> AsyncGenerator[bytes, None]:
        """The audio at `address`, piece by piece, at most `limit_bytes` of it. Raises DownloadFailed.

        Whoever may stop before the end closes it: `async with aclosing(gateway.download(...)) as chunks`.
        """
        return self._downloader.download(address, limit_bytes=limit_bytes)

    async def _ask(
        self, method: str, path: str, *, limit_bytes: int = LARGEST_ANSWER, worth: Worth = SURELY
    ) -> Answer | Lost:
        async with self._api.turn(worth):
            return await self._api.send(method, path, total_s=self._timeouts.question_s, limit_bytes=limit_bytes)

    async def _known(self, path: str) -> Answer | None:
        """An answer that is nice to have; None where it can't be had. A key that is refused is refused for all."""
        answer = await self._ask("GET", path)
        if isinstance(answer, Lost):
            return None
        if answer.status == HTTPStatus.UNAUTHORIZED:
            error = poll_error(answer)
            assert isinstance(error, KeyRefused)  # noqa: S101 - that is what a 401 is
            raise error
        return answer

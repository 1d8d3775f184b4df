"""Requests to the API's own origin: the one place that knows the key, and it can send it nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import httpx

from pipeline.gateway.addresses import Origin, base_address, origin_of
from pipeline.gateway.answers import Answer
from pipeline.gateway.documents import LARGEST_ANSWER, unpacked
from pipeline.gateway.errors import KeyRefused
from pipeline.gateway.exchanges import exchange, timeouts
from pipeline.gateway.headers import rate_facts
from pipeline.gateway.pacing import SURELY
from pipeline.gateway.verdicts import Lost, wait_asked_s

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from pipeline.clock import Clock
    from pipeline.gateway.pacing import Pacer, Worth

USER_AGENT: Final = "music-asset-pipeline"
_SENDABLE_KEY: Final = re.compile(r"[\x21-\x7e]{1,1000}")
_SHORTEST_SECRET: Final = 8
_KEYS_BEGIN: Final = "sk-aig-"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each thing may take, in seconds."""

    connect_s: float = 10.0
    connection_s: float = 20.0  # waiting for a free connection
    submit_s: float = 60.0  # a whole submit, from connecting to the last byte of its answer
    question_s: float = 30.0  # any other request to the API, likewise
    stall_s: float = 30.0  # a download: until its headers, and from one piece to the next
    download_s: float = 900.0  # a whole download


class Api:
    """The API at one address, with one key."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        transport: httpx.AsyncBaseTransport,
        pacer: Pacer,
        clock: Clock,
        limits: Timeouts,
    ) -> None:
        self.base = base_address(base_url)
        self.origin: Origin = origin_of(self.base)
        self._prefix = str(self.base).rstrip("/")
        self._transport = transport
        self._pacer = pacer
        self._clock = clock
        self._limits = limits
        key = key.strip()
        self._has_sendable_key = _SENDABLE_KEY.fullmatch(key) is not None
        # As it is, and without what all keys begin with: what an answer echoes of it is not repeated.
        self._secret = _secret(key)
        self._bare_secret = _secret(key.removeprefix(_KEYS_BEGIN))
        # httpx hides the value of this header wherever it shows headers.
        self._headers = httpx.Headers(
            {
                "Authorization": f"Bearer {key}" if self._has_sendable_key else "",
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            }
        )

    @property
    def requests_per_minute(self) -> int | None:
        """How many requests may be sent here; None: no limit is known."""
        return self._pacer.share

    def turn(self, worth: Worth = SURELY) -> AbstractAsyncContextManager[None]:
        """Wait for leave to send one request here, which ends with the block. Raises WaitTooLong."""
        return self._pacer.turn(worth)

    async def send(
        self,
        method: str,
        path: str,
        *,
        total_s: float,
        body: bytes | None = None,
        headers: Sequence[tuple[str, str]] = (),
        limit_bytes: int = LARGEST_ANSWER,
    ) -> Answer | Lost:
        """Send one request at once, and read its answer. `path` begins with `/` and is percent-encoded.

        Raises KeyRefused, before anything is sent, where the key is none.
        """
        request = self.request(method, f"{self._prefix}{path}", read_s=total_s, body=body, headers=headers)
        result = await exchange(self._transport, request, total_s=total_s, limit_bytes=limit_bytes)
        if isinstance(result, Lost):
            return result
        answer = self.answer(*result)
        self.learn(answer)
        return answer

    def request(
        self,
        method: str,
        url: httpx.URL | str,
        *,
        read_s: float,
        body: bytes | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> httpx.Request:
        """A request to an address at this origin, with the key."""
        if not self._has_sendable_key:
            raise KeyRefused(
                "the key is empty or holds characters that no key has; check AIGATEWAY_API_KEY and run again",
                code="key_unusable",
            )
        url = httpx.URL(url)
        if origin_of(url) != self.origin:
            raise ValueError(f"the key stays at {self.origin}: not sent to {origin_of(url)}")
        sent = self._headers
        if headers:
            sent = self._headers.copy()
            sent.update(dict(headers))
        limits = self._limits
        extensions = timeouts(connect_s=limits.connect_s, read_s=read_s, wait_for_connection_s=limits.connection_s)
        return httpx.Request(method, url, headers=sent, content=body, extensions=extensions)

    def answer(self, response: httpx.Response, body: bytes) -> Answer:
        """An answer as a value, by our clock; where it echoes the key, that is not quoted."""
        raw = response.headers.raw
        headers = {name.decode("latin-1").lower(): self.without_key(value.decode("latin-1")) for name, value in raw}
        body = unpacked(body, headers.get("content-encoding", ""))
        for secret in (self._secret, self._bare_secret):
            if secret is not None and secret in body:
                body = body.replace(secret, b"[key]")
        return Answer(response.status_code, headers, body, self._clock.now())

    def without_key(self, text: str) -> str:
        """`text` from outside, which may echo the key."""
        for secret in (self._secret, self._bare_secret):
            text = text if secret is None else text.replace(secret.decode(), "[key]")
        return text

    def learn(self, answer: Answer) -> None:
        """Tell the pacer what an answer from here says about the limit."""
        self._pacer.observe(rate_facts(answer.headers))
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._pacer.refused(wait_asked_s(answer))


def _secret(text: str) -> bytes | None:
    """`text` as it may be echoed; None where it is so short that it may stand anywhere."""
    return text.encode("utf-8", "replace") if len(text) >= _SHORTEST_SECRET else None

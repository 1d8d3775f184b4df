"""The ASGI app that webhooks come to: who says it is checked, which jobs it names is passed on, all else refused."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from pipeline.webhooks.signatures import BadSignature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import Receive, Scope, Send

    from pipeline.webhooks.signatures import Signatures

_MOST_BYTES: Final = 256 << 10
#: What says that the job goes on: no news for whoever waits for its end.
_UNDER_WAY: Final = frozenset({"queued", "running"})


class _Refused(Exception):
    """A request that is not answered as it was meant. Its text is one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class WebhookApp:
    """Takes POSTs at one path, and tells which jobs they name. `refused`: how many posts there were not believed."""

    def __init__(self, path: str, signatures: Signatures, tell: Callable[[str], None]) -> None:
        self._path = path
        self._signatures = signatures
        self._tell = tell
        self.refused = 0
        self.why = ""  # the last of them was

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            await self._take(request)
        except _Refused as refused:
            headers = {"Allow": "POST"} if refused.status == 405 else None  # noqa: PLR2004 - what that status asks for
            return PlainTextResponse(f"{refused}\n", refused.status, headers)
        except ClientDisconnect:
            pass  # nobody waits for an answer
        except Exception:  # noqa: BLE001 - a defect of ours is no reason to disturb a run: the job is polled for
            return PlainTextResponse("it could not be taken\n", 500)
        return Response(status_code=204)

    async def _take(self, request: Request) -> None:
        if request.scope["path"] != self._path:
            raise _Refused(404, "webhooks do not come here")
        if request.method != "POST":
            raise _Refused(405, "a webhook is a POST")
        body = await _content(request)
        try:
            self._signatures.check(request.headers, body)
        except BadSignature as bad:
            self.refused += 1
            self.why = str(bad)
            raise _Refused(401, str(bad)) from bad
        for job_id in _ended_jobs(body):
            self._tell(job_id)


async def _content(request: Request) -> bytes:
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:9]) > _MOST_BYTES:  # nothing of it is read
        raise _too_much()
    content = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            content += chunk
            if len(content) > _MOST_BYTES:
                raise _too_much()
    return bytes(content)


def _too_much() -> _Refused:
    return _Refused(413, f"a webhook has at most {_MOST_BYTES >> 10} KB")


def _ended_jobs(body: bytes) -> list[str]:
    """The jobs that a body speaks of; none of those that go on. Raises _Refused where it speaks of none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Refused(400, "the body is no JSON") from error
    jobs = list(_jobs(document))
    if not jobs:
        raise _Refused(400, "the body names no job")
    return [job_id for job_id, status in jobs if status not in _UNDER_WAY]


def _jobs(document: Any) -> Iterator[tuple[str, Any]]:
    """Names and statuses: of the job itself, as is documented, or of one in the envelope that many gateways use.

    An envelope's own id is none of ours, and told like another run's job: nobody waits for it.
    """
    members = document if isinstance(document, dict) else {}
    for part in (members, members.get("data"), members.get("job")):
        if not isinstance(part, dict):
            continue
        status = part.get("status") if isinstance(part.get("status"), str) else None
        yield from ((part[key], status) for key in ("id", "job_id") if isinstance(part.get(key), str))

"""An answer on its way out, spoilt where a fault says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from pipeline.local_gateway.refusals import ReplyLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.responses import Response
    from starlette.types import Send

    from pipeline.local_gateway.faults.rules import Spoil, Truncation

_CHUNK: Final = 1 << 16


async def send_spoilt(response: Response, spoil: Spoil, method: str, send: Send) -> None:
    """Send `response` as `spoil` has it. Raises ReplyLost where the connection breaks in the middle."""
    if spoil.replace is not None:
        response.body, response.status_code = spoil.replace.body, 200
        response.headers["content-type"] = spoil.replace.content_type
        response.headers["content-length"] = str(len(spoil.replace.body))
    whole, sent = _sizes(bytes(response.body), spoil)
    if whole is None:
        del response.headers["content-length"]
    else:
        response.headers["content-length"] = str(whole)
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    if method != "HEAD":
        async for chunk in _chunks(bytes(response.body), sent, spoil):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if whole is not None and sent < whole:
            raise ReplyLost
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _sizes(body: bytes, spoil: Spoil) -> tuple[int | None, int]:
    """What Content-Length says, None for nothing, and how many bytes are sent."""
    declared: int | None = len(body)
    sent = len(body)
    if spoil.oversize is not None:
        sent = max(sent, spoil.oversize.size)
        declared = sent if spoil.oversize.declared else None
    if spoil.truncate is not None:
        sent = _cut(sent, spoil.truncate)
        declared = declared if spoil.truncate.declared else None
    return declared, sent


def _cut(size: int, truncation: Truncation) -> int:
    kept = truncation.size if truncation.size is not None else int(size * (truncation.share or 0))
    return min(size, kept)


async def _chunks(body: bytes, size: int, spoil: Spoil) -> AsyncIterator[bytes]:
    """`size` bytes: of the body, and zeros once it has come to its end."""
    step = spoil.dribble.size if spoil.dribble else _CHUNK
    for start in range(0, size, step):
        if spoil.dribble is not None:
            await anyio.sleep(spoil.dribble.pause_s)
        length = min(step, size - start)
        yield body[start : start + length].ljust(length, b"\0")

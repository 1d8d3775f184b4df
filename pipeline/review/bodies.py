"""What a write says: JSON, not much of it, each field of its kind."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipeline.review.refusals import BadRequest, NoJson, TooMuch
from pipeline.review.security import check_same_origin

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES: Final = 64 << 10
_LARGEST_COUNT: Final = 1 << 53


@dataclass(frozen=True, slots=True)
class Body:
    """The fields of a request, asked for by name. Raises BadRequest where one is not there, or of another kind."""

    fields: dict[str, Any]

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise BadRequest(f"{name} is missing, or is no text")
        return value

    def truth(self, name: str) -> bool:
        value = self.fields.get(name)
        if not isinstance(value, bool):
            raise BadRequest(f"{name} is missing, or is neither true nor false")
        return value

    def count(self, name: str) -> int:
        value = self.fields.get(name)
        if type(value) is not int or not 0 <= value < _LARGEST_COUNT:
            raise BadRequest(f"{name} is missing, or is no whole number from 0")
        return value


async def body_of(request: Request) -> Body:
    """The body of a write that comes from the page.

    Raises Forbidden where it does not, NoJson and TooMuch before it is read to its end, and BadRequest.
    """
    check_same_origin(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise NoJson("a write is application/json")
    try:
        document = json.loads(await _content(request))
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is no JSON") from error
    if not isinstance(document, dict):
        raise BadRequest("the body is no JSON object")
    return Body(document)


async def _content(request: Request) -> bytes:
    content = b""
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            content += chunk
            if len(content) > MOST_BYTES:
                raise TooMuch(f"a write has at most {MOST_BYTES >> 10} KB")
    return content

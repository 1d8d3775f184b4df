"""One request on its way through the gateway, and the table of what can be asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from starlette.responses import Response
from starlette.routing import compile_path

from pipeline.local_gateway.fates import USUAL, Fate
from pipeline.local_gateway.refusals import InvalidRequest, MethodNotAllowed, NotFound

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request

    from pipeline.local_gateway.rate_limits import Standing

Origin = Literal["api", "media"]
Handler = Callable[["Call"], Awaitable[Response]]

_LONGEST_BODY: Final = 1 << 20
_API: Final[frozenset[Origin]] = frozenset({"api"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something that can be asked for. `name` is what faults and books call it."""

    name: str
    method: str
    path: str  # as in an OpenAPI document; `{id:path}` takes slashes too
    handler: Handler
    origins: frozenset[Origin] = _API
    wants_key: bool = True  # and counts against the key's limit, on the API's origin


@dataclass(slots=True)
class Call:
    """A request, and what the door learned about it on its way in."""

    request: Request
    endpoint: Endpoint
    params: Mapping[str, str]
    origin: Origin
    now: float
    key: str = ""
    fate: Fate = USUAL
    standing: Standing | None = None
    content: bytes | None = None  # the body, once it was read

    async def body(self) -> bytes:
        """The whole body. Raises InvalidRequest where it is longer than any request has to be."""
        if self.content is None:
            content = bytearray()
            size = 0
            async for chunk in self.request.stream():
                size += len(chunk)
                if size <= _LONGEST_BODY:  # what is too long is still read to its end, so that its sender is answered
                    content += chunk
            if size > _LONGEST_BODY:
                raise InvalidRequest("the body is longer than 1 MB", code="body_too_long")
            self.content = bytes(content)
        return self.content


class Table:
    """Finds the endpoint that a method and a path mean."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._plain: dict[tuple[Origin, str], dict[str, Endpoint]] = {}
        self._patterns: dict[Origin, list[tuple[re.Pattern[str], dict[str, Endpoint]]]] = {"api": [], "media": []}
        for endpoint in endpoints:
            for origin in endpoint.origins:
                self._methods(origin, endpoint.path)[endpoint.method] = endpoint

    def find(self, origin: Origin, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint, and the values in its path. Raises NotFound, MethodNotAllowed."""
        methods = self._plain.get((origin, path))
        params: dict[str, str] = {}
        if methods is None:
            methods, params = self._match(origin, path)
        endpoint = methods.get("GET" if method == "HEAD" else method)
        if endpoint is None:
            raise MethodNotAllowed(f"{method} is not for {path}", headers={"Allow": ", ".join(sorted(methods))})
        return endpoint, params

    def _match(self, origin: Origin, path: str) -> tuple[dict[str, Endpoint], dict[str, str]]:
        for pattern, methods in self._patterns[origin]:
            match = pattern.match(path)
            if match:
                return methods, match.groupdict()
        raise NotFound(f"there is nothing at {path}")

    def _methods(self, origin: Origin, path: str) -> dict[str, Endpoint]:
        """The endpoints at a path, by method."""
        if "{" not in path:
            return self._plain.setdefault((origin, path), {})
        wanted = compile_path(path)[0]
        for pattern, methods in self._patterns[origin]:
            if pattern.pattern == wanted.pattern:
                return methods
        self._patterns[origin].append((wanted, {}))
        return self._patterns[origin][-1][1]

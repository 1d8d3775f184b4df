"""A local gateway in this process, on virtual time, whose every answer is held against its own OpenAPI document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from jsonschema import Draft202012Validator

from pipeline.clock import EventLoopClock
from pipeline.local_gateway.app import GatewayApp, create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.faults.reading import read_faults
from pipeline.local_gateway.openapi import openapi_document
from pipeline.local_gateway.options import GatewayOptions
from pipeline.local_gateway.refusals import ReplyLost

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

API = "http://gateway.local"
MEDIA = "http://media.gateway.local"
MODEL = "sony-ai/mmaudio-v2-text-to-audio"


class ContractCheck:
    """Holds answers against the OpenAPI document: the path, the status, the content type and the body's schema."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.paths = [(_pattern(path), item) for path, item in document["paths"].items()]

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        operation = self._operation(request)
        if operation is None:
            assert response.status_code in {404, 405}, f"{request.method} {request.url.path} is not in the document"
            return
        answer = operation["responses"].get(str(response.status_code))
        assert answer is not None, f"{request.method} {request.url.path} answered {response.status_code}"
        content = answer.get("content")
        kind = response.headers.get("content-type")
        if not content:
            assert response.content == b"", response.content
            return
        assert kind in content, f"{request.url.path} answered {kind}"
        if "schema" in content[kind]:
            schema = content[kind]["schema"] | {"components": self.document["components"]}
            Draft202012Validator(schema).validate(response.json())

    def _operation(self, request: httpx.Request) -> dict[str, Any] | None:
        on_media = str(request.url).startswith(MEDIA)
        for pattern, item in self.paths:
            servers = [server["url"] for server in item.get("servers", self.document["servers"])]
            is_there = (MEDIA if on_media else "/") in servers
            if is_there and pattern.fullmatch(request.url.path) and request.method.lower() in item:
                return item[request.method.lower()]
        return None


def _pattern(path: str) -> re.Pattern[str]:
    slug = ".+" if path.startswith("/v1/models") else "[^/]+"
    return re.compile(re.sub(r"\{\w+\}", slug, path))


class CheckedTransport(httpx.AsyncBaseTransport):
    """To the app and back; a lost reply is a read error, as on a socket."""

    def __init__(self, app: GatewayApp, check: ContractCheck) -> None:
        self._app = httpx.ASGITransport(app)
        self._check = check
        self.checking = True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await self._app.handle_async_request(request)
        except ReplyLost as error:
            raise httpx.ReadError("the connection was closed", request=request) from error
        await response.aread()
        if self.checking and not request.url.path.startswith("/__"):
            self._check.check(request, response)
        return response


class Bench:
    """A gateway, and a client of it with a good key."""

    def __init__(
        self, *, state: Path | None = None, composer: Any = None, post: Any = None, latency: Any = None, **options: Any
    ) -> None:
        self.options = GatewayOptions(**({"sigma": 0.0, "latency_s": 10.0, "rpm": None} | options))
        self.clock = EventLoopClock()
        given = {} if post is None else {"post": post}
        composer = composer or CannedComposer(1000)
        self.app = create_app(self.options, clock=self.clock, composer=composer, state=state, latency=latency, **given)
        self.transport = CheckedTransport(self.app, ContractCheck(openapi_document(self.options)))
        self.http = httpx.AsyncClient(
            transport=self.transport, base_url=API, headers={"Authorization": "Bearer sk-aig-test"}
        )

    @property
    def books(self) -> Any:
        self.app.state.gateway.advance(self.clock.now())
        return self.app.state.gateway.books

    async def submit(self, prompt: str = "a tune", *, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        body = {"model": MODEL, "prompt": prompt, "duration": 2, "format": "wav"} | fields
        return await self.http.post("/v1/audio/music", json=body, headers=headers)

    async def job(self, prompt: str = "a tune", **given: Any) -> str:
        """The id of a new job."""
        response = await self.submit(prompt, **given)
        assert response.status_code == self.options.forms.submit_status, response.text
        return response.json()["id"]

    async def poll(self, job_id: str) -> httpx.Response:
        return await self.http.get(f"/v1/jobs/{job_id}")

    async def completed(self, prompt: str = "a tune", **given: Any) -> dict[str, Any]:
        """A job's last document, once its time has passed."""
        job_id = await self.job(prompt, **given)
        await anyio.sleep(self.options.latency_s + 3)
        return (await self.poll(job_id)).json()

    def play(self, faults: str) -> None:
        """Ask for faults; answers that they make are nobody's contract."""
        plan = read_faults(faults, "faults")
        self.app._controls._player.load(plan)
        self.transport.checking = False


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    """A gateway with options of the test's own."""
    return Bench


@pytest.fixture
def bench() -> Bench:
    """A gateway whose jobs take 10 s each, without a limit a minute."""
    return Bench()

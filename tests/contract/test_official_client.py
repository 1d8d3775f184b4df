"""The gateway's official Python client works against the local gateway as it is: another reading of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from aigateway import AIgateway, AIgatewayError, AsyncAIgateway
from virtual_time import virtual_backend

from pipeline.clock import EventLoopClock
from pipeline.local_gateway.app import create_app
from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.options import AnswerForms, GatewayOptions
from pipeline.local_gateway.serving import LocalGatewayThread

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "sony-ai/mmaudio-v2-text-to-audio"


@pytest.fixture(scope="module")
def served() -> Iterator[LocalGatewayThread]:
    """On real sockets, two origins, jobs that are done at once."""
    options = GatewayOptions(latency_s=0.0, rpm=None, min_poll_interval_s=0.0)
    with LocalGatewayThread(options, composer=CannedComposer()) as gateway:
        yield gateway


@pytest.fixture
def client(served: LocalGatewayThread) -> Iterator[AIgateway]:
    with AIgateway("sk-aig-test", base_url=served.base_url, media_base_url=served.media_base_url, tag="demo") as made:
        yield made


def test_it_submits_waits_and_downloads(client: AIgateway) -> None:
    """From a prompt to the bytes of a piece, by its own methods."""
    job = client.jobs.create_music(model=MODEL, prompt="lo-fi piano with light rain", duration=2, format="wav")
    assert job.status in ("queued", "running")
    done = client.jobs.wait(job.id, poll_interval_seconds=0.05)
    assert (done.status, done.result["duration"]) == ("completed", 2)
    name = httpx.URL(done.result["url"]).path.rsplit("/", 1)[-1]
    audio = client.files.download(job.id, name)
    assert audio[:4] == b"RIFF"
    signed = client.files.signed_url(job.id, name)["url"]
    assert httpx.get(signed).content == audio


def test_it_cancels() -> None:
    """A job that is cancelled says so."""
    slow = GatewayOptions(latency_s=600.0, rpm=None)
    with (
        LocalGatewayThread(slow, composer=CannedComposer()) as gateway,
        AIgateway("sk-aig-test", gateway.base_url) as own,
    ):
        job = own.jobs.create_music(model=MODEL, prompt="never heard")
        assert own.jobs.cancel(job.id).status == "cancelled"


def test_it_lists_models(client: AIgateway) -> None:
    """With their prices."""
    assert MODEL in {model["id"] for model in client.models.list()}
    assert client.models.get(MODEL)["pricing"]["per_second_usd"] == 0.001


@pytest.mark.parametrize(
    ("ask", "status", "kind"),
    [
        (lambda client: client.jobs.get("job_nobody"), 404, "not_found"),
        (lambda client: client.jobs.create_music(model="nobody/nothing", prompt="x"), 404, "model_not_found"),
        (lambda client: client.jobs.create_music(model=MODEL), 400, "invalid_request_error"),
        (lambda client: client.sub_accounts.list(), 404, "not_found"),
    ],
    ids=["unknown job", "unknown model", "no prompt", "unknown endpoint"],
)
def test_its_typed_errors_are_typed(client: AIgateway, ask, status: int, kind: str) -> None:
    """Status and type, as the contract has them."""
    with pytest.raises(AIgatewayError) as failure:
        ask(client)
    assert (failure.value.status_code, failure.value.type) == (status, kind)


def test_a_wrong_key_is_told(served: LocalGatewayThread) -> None:
    """401 authentication_error."""
    with AIgateway("wrong", base_url=served.base_url) as stranger, pytest.raises(AIgatewayError) as failure:
        stranger.models.list()
        stranger.jobs.create_music(model=MODEL, prompt="x")
    assert (failure.value.status_code, failure.value.type) == (401, "authentication_error")


class TestAsync:
    """Its asynchronous half, in this process and on virtual time."""

    @pytest.fixture
    def anyio_backend(self, request: pytest.FixtureRequest):
        return virtual_backend("asyncio")

    @pytest.mark.anyio
    @pytest.mark.parametrize("result", ["result.url", "result_url"])
    async def test_it_waits_as_slowly_as_the_gateway_wants(self, result: str) -> None:
        """At least 3 s between two polls: a faster one gets a 304, which has no body."""
        options = GatewayOptions(
            latency_s=30.0, rpm=None, media_base_url="http://media.test", forms=AnswerForms(result=result)
        )
        app = create_app(options, clock=EventLoopClock(), composer=CannedComposer(), state=None)
        transport = httpx.ASGITransport(app)
        async with AsyncAIgateway("sk-aig-test", "http://api.test", "http://media.test", transport=transport) as client:
            job = await client.jobs.create_music(model=MODEL, prompt="calm", duration=2, format="wav")
            done = await client.jobs.wait(job.id, poll_interval_seconds=3.5)
            assert done.status == "completed"
            url = done.result["url"] if result == "result.url" else done.result_url
            name = httpx.URL(url).path.rsplit("/", 1)[-1]
            assert (await client.files.download(job.id, name))[:4] == b"RIFF"

"""The listener: what it answers to whom, and that no crowd before it harms the run behind it."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from hooks import SECRET, Standing, body_of, signed

from pipeline.webhooks.addresses import NoWebhooks
from pipeline.webhooks.receiver import Webhooks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

pytestmark = pytest.mark.anyio

URL = "https://hooks.example.com/music/h%C3%B6rbar?for=us"
THERE = "/music/h%C3%B6rbar"
GOOD = body_of()


@pytest.fixture
def webhooks() -> Webhooks:
    return Webhooks(URL, SECRET, clock=Standing())


async def posted(webhooks: Webhooks, content: bytes, headers: Mapping[str, str] | None = None, **how: Any):
    transport = httpx.ASGITransport(webhooks.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hooks.example.com") as client:
        headers = signed(content) if headers is None else headers
        return await client.request(how.get("method", "POST"), how.get("path", THERE), content=content, headers=headers)


def remembered(webhooks: Webhooks) -> list[str]:
    return list(webhooks.hints._remembered)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (body_of(), ["job_1"]),
        (body_of(status="failed"), ["job_1"]),
        (b'{"job_id": "job_2"}', ["job_2"]),
        (b'{"id": "evt_9", "type": "job.completed", "data": {"id": "job_3"}}', ["evt_9", "job_3"]),
        (body_of(status="running"), []),
        (body_of(id="j" * 300), []),
    ],
)
async def test_the_jobs_that_a_webhook_names_are_told(webhooks: Webhooks, body: bytes, told: list[str]) -> None:
    """By the job itself or in an envelope; one that goes on is no news, and an endless name is none."""
    answer = await posted(webhooks, body)
    assert (answer.status_code, answer.content, remembered(webhooks)) == (204, b"", told)


REFUSED: dict[str, tuple[int, bytes, dict[str, Any]]] = {
    "another path": (404, GOOD, {"path": "/"}),
    "a longer path": (404, GOOD, {"path": f"{THERE}/"}),
    "another method": (405, GOOD, {"method": "GET"}),
    "unsigned": (401, GOOD, {"headers": {}}),
    "forged": (401, GOOD, {"headers": signed(GOOD, secret="forged")}),
    "too much": (413, b" " * 1_000_000, {}),
    "no JSON": (400, b"{", {}),
    "nested without end": (400, b"[" * 100_000, {}),
    "no job": (400, b'{"id": 7, "data": null}', {}),
    "a list": (400, b"[]", {}),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_whatever_else_comes_is_refused_with_a_short_sentence(webhooks: Webhooks, case: str) -> None:
    """And tells of nothing."""
    status, body, how = REFUSED[case]
    answer = await posted(webhooks, body, **how)
    assert (answer.status_code, remembered(webhooks)) == (status, [])
    assert answer.text.endswith("\n")
    assert 0 < len(answer.text) < 120
    assert SECRET not in answer.text


async def test_the_secret_is_in_no_trouble_and_no_representation(webhooks: Webhooks) -> None:
    """The trouble with webhooks is told with what was wrong with the last, and without the address's query."""
    await posted(webhooks, GOOD, signed(GOOD, secret="forged"))
    webhooks.hints.ended("job_1")
    assert webhooks.trouble == (
        "no webhook came in time for 1 job, which was polled for instead; check that "
        "https://hooks.example.com/music/h%C3%B6rbar leads here; webhooks refused: 1, the last because the signature "
        "is wrong: the secret here is not the one that it was made with"
    )
    assert SECRET not in repr(webhooks)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example.com/", "http"),
        ("ftp://hooks.example.com/", "can't be used"),
        ("https://", "can't be used"),
        ("https://me:whsec_1@hooks.example.com/?whsec_2", "can't be used"),
        ("https://hooks.example.com:99999/", "can't be used"),
        ("https://hooks.example.com/#there", "can't be used"),
        ("https://hooks.example.com/a b", "can't be used"),
        ("https://hooks.example.com/" + "a" * 2048, "can't be used"),
    ],
)
def test_an_address_that_can_not_be_is_said_before_anything_is_sent(url: str, why: str) -> None:
    """In one sentence, without what may be secret of it; plain http is for this very machine."""
    with pytest.raises(NoWebhooks, match=why) as caught:
        Webhooks(url, SECRET)
    assert "whsec" not in str(caught.value)
    for own in ("http://127.0.0.1:9/hook", "http://localhost/", "http://[::1]:9/"):
        assert Webhooks(own, SECRET).url == own


@pytest.mark.parametrize("listen", ["", "9999", "127.0.0.1", "127.0.0.1:", ":1", "host:0", "host:65536", "::1:9"])
def test_a_place_to_listen_is_a_host_and_a_port(listen: str) -> None:
    """An IPv6 address stands in brackets."""
    with pytest.raises(NoWebhooks, match="HOST:PORT"):
        Webhooks(URL, SECRET, listen)


class TestOnSockets:
    """On a real socket."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def port(self) -> int:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            return taken.getsockname()[1]

    async def test_a_crowd_that_says_nothing_is_turned_away(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """It holds a bounded number of connections, none of them for long: then a webhook arrives again."""
        monkeypatch.setattr("pipeline.webhooks.server._MOST_CONNECTIONS", 5)
        monkeypatch.setattr("pipeline.webhooks.server._A_REQUEST_WITHIN_S", 0.3)
        webhooks = Webhooks(URL, SECRET, f"127.0.0.1:{port}", clock=Standing())
        with ExitStack() as crowd:
            async with webhooks.at_work():
                silent = [crowd.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(20)]
                for one in silent:
                    one.setblocking(False)
                await anyio.sleep(0.1)
                assert sum(map(_is_open, silent)) == 5
                await anyio.sleep(0.4)
                assert sum(map(_is_open, silent)) == 0
                async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                    for content in (GOOD, body_of(id="job_2")):  # over one connection
                        answer = await client.post(THERE, content=content, headers=signed(content))
                        assert (answer.status_code, answer.text) == (204, "")
                assert remembered(webhooks) == ["job_1", "job_2"]

    async def test_a_body_without_end_is_refused_on_its_way(self, port: int) -> None:
        """One that does not say how long it is, too."""
        async with (
            Webhooks(URL, SECRET, f"127.0.0.1:{port}").at_work(),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
        ):
            answer = await client.post(THERE, content=_chunks(), headers=signed(GOOD))
            assert (answer.status_code, answer.text) == (413, "a webhook has at most 256 KB\n")

    async def test_a_port_that_is_taken_is_said_in_a_sentence(self, port: int) -> None:
        """Before anything else is done."""
        webhooks = Webhooks(URL, SECRET, f"127.0.0.1:{port}")
        told = rf"127\.0\.0\.1:{port} .*--webhook-listen"
        with socket.create_server(("127.0.0.1", port)), pytest.raises(NoWebhooks, match=told):
            async with webhooks.at_work():
                pass


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(6):
        yield b" " * 50_000


def _is_open(connection: socket.socket) -> bool:
    """Has the other side neither ended nor reset it?"""
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


class TestUnderTrio:
    """The listener is asyncio's."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "trio"

    async def test_another_event_loop_is_told_what_to_do(self, webhooks: Webhooks) -> None:
        """Without `listen` any loop will do."""
        async with webhooks.at_work():
            pass
        with pytest.raises(NoWebhooks, match="asyncio"):
            async with Webhooks(URL, SECRET, "127.0.0.1:9").at_work():
                pass

"""Webhooks: the finished job is posted, signed in both documented forms."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pipeline.local_gateway.webhooks import post_on_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = pytest.mark.anyio

HOOK = "https://example.com/hook"
FAILS = "faults: [{endpoint: submit, job: {fail: true}}]"


class Mailbox:
    """Takes what is posted, and answers with a status or not at all."""

    def __init__(self, status: int | None = 200) -> None:
        self.status = status
        self.posts: list[tuple[str, Mapping[str, str], bytes]] = []

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.posts.append((url, headers, body))
        if self.status is None:
            raise OSError("connection refused")
        return self.status


def signature(moment: str, body: bytes, secret: str = "whsec_local") -> str:
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


async def test_a_completed_job_is_posted_when_it_completes(make_bench: Callable[..., Any]) -> None:
    """Without anybody asking, with the address of its audio in it."""
    mailbox = Mailbox()
    bench = make_bench(post=mailbox)
    async with bench.app.at_work():
        job_id = await bench.job(webhook_url=HOOK)
        await anyio.sleep(10.5)
    [(url, headers, body)] = mailbox.posts
    job = json.loads(body)
    assert (url, headers["Content-Type"]) == (HOOK, "application/json")
    assert (job["id"], job["status"]) == (job_id, "completed")
    assert (await bench.http.get(job["result"]["url"])).status_code == 200
    assert bench.books.webhooks == [{"job": job_id, "url": HOOK, "status": 200, "error": None}]


async def test_both_forms_of_the_signature_are_sent_and_true(make_bench: Callable[..., Any]) -> None:
    """HMAC-SHA256 over `{t}.{raw body}`, with the gateway's own time."""
    mailbox = Mailbox()
    bench = make_bench(post=mailbox, webhook_secret="secret")
    async with bench.app.at_work():
        await bench.job(webhook_url=HOOK)
        await anyio.sleep(11)
    [(_, headers, body)] = mailbox.posts
    moment = headers["aig-timestamp"]
    expected = signature(moment, body, "secret")
    assert int(moment) == 1_790_000_010
    assert headers["aig-signature"] == expected
    assert headers["X-Gateway-Signature"] == f"t={moment},v1={expected}"


async def test_a_failed_job_is_posted_too_and_a_cancelled_one_is_not(make_bench: Callable[..., Any]) -> None:
    """Who cancels knows it."""
    mailbox = Mailbox()
    bench = make_bench(post=mailbox)
    async with bench.app.at_work():
        await bench.http.delete(f"/v1/jobs/{await bench.job('one', webhook_url=HOOK)}")
        bench.play(FAILS)
        await bench.job("two", webhook_url=HOOK)
        await anyio.sleep(11)
    [(_, _, body)] = mailbox.posts
    assert json.loads(body)["status"] == "failed"


async def test_a_webhook_that_is_not_there_harms_nothing(make_bench: Callable[..., Any]) -> None:
    """The books say so, and the job is as it would be."""
    bench = make_bench(post=Mailbox(status=None))
    async with bench.app.at_work():
        assert (await bench.completed(webhook_url=HOOK))["status"] == "completed"
    assert bench.books.webhooks[0]["error"] == "connection refused"


class TestRealPosts:
    """Over a socket, on this machine only."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def server(self) -> Iterator[HTTPServer]:
        received: list[tuple[str, str, bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((self.path, self.headers["aig-signature"], body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            server.received = received
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            yield server
            server.shutdown()
            thread.join()

    async def test_a_post_arrives_with_its_headers_and_body(self, server: Any) -> None:
        """The path and the query too."""
        url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
        status = await post_on_loopback(url, {"aig-signature": "abc"}, b"{}")
        assert (status, server.received) == (204, [("/hook?x=1", "abc", b"{}")])

    @pytest.mark.parametrize("url", ["https://example.com/hook", "http://127.0.0.1:1/"])
    async def test_a_post_that_can_not_arrive_says_why(self, url: str) -> None:
        """Nothing is sent to anybody but this machine, and a refused connection is an OSError."""
        with pytest.raises(OSError, match=r"."):
            await post_on_loopback(url, {}, b"{}")

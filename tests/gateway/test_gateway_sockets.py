"""The client over real sockets: what the network itself can do to a request."""

from __future__ import annotations

import json
import logging
import socket
import struct
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pipeline.clock import SystemClock
from pipeline.gateway.client import Gateway
from pipeline.gateway.errors import (
    AnswerUnknown,
    ConnectionNotMade,
    DownloadFailed,
    NotAudio,
    PollFailed,
    TooLarge,
    Truncated,
)
from pipeline.gateway.pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from anyio.abc import SocketStream

pytestmark = pytest.mark.anyio

KEY = "sk-aig-a-secret-that-must-not-be-seen"
AUDIO = b"RIFF" + bytes(200_000)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both backends, in real time: sockets know no other."""
    return request.param


class Server:
    """A server that does with each request what a test says, and counts connections."""

    def __init__(self, serve: Callable[[SocketStream, str], Awaitable[bool | None]]) -> None:
        self.serve = serve
        self.connections = 0
        self.requests: list[str] = []
        self.url = ""
        self.hung_up = anyio.Event()

    async def handle(self, stream: SocketStream) -> None:
        self.connections += 1
        self.hung_up = anyio.Event()
        async with stream:
            await self._converse(stream)
        self.hung_up.set()

    async def _converse(self, stream: SocketStream) -> None:
        try:
            while True:
                head = await self._head(stream)
                self.requests.append(head)
                if await self.serve(stream, head) is False:
                    return
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def _head(self, stream: SocketStream) -> str:
        received = b""
        while b"\r\n\r\n" not in received:
            received += await stream.receive()
        head, _, body = received.partition(b"\r\n\r\n")
        text = head.decode().lower()
        if "content-length:" in text:
            length = int(text.split("content-length:")[1].split("\r\n")[0])
            while len(body) < length:
                body += await stream.receive()
        return head.decode()


@asynccontextmanager
async def serving(serve: Callable[[SocketStream, str], Awaitable[bool | None]]) -> AsyncIterator[Server]:
    server = Server(serve)
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        server.url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        tasks.start_soon(listener.serve, server.handle)
        yield server
        tasks.cancel_scope.cancel()


def client(url: str, **options: Any) -> Gateway:
    return Gateway(url, KEY, pacer=Pacer(None), clock=SystemClock(), **options)


def answer(body: Any, status: str = "200 OK", *, length: int | None = None, headers: str = "") -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = len(content) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n".encode() + content


async def fetched(gateway: Gateway, address: str, limit_bytes: int = 10**6) -> bytes:
    async with aclosing(gateway.download(address, limit_bytes=limit_bytes)) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_requests_share_a_connection_that_is_kept_alive(order) -> None:
    """A submit and ten polls, one after another, need one."""

    async def serve(stream: SocketStream, head: str) -> None:
        await stream.send(answer({"id": "job_1", "status": "queued"}))

    async with serving(serve) as server, client(server.url) as gateway:
        assert (await gateway.submit(order)).job_id == "job_1"
        for _ in range(10):
            job = await gateway.poll("job_1")
            assert job is not None
            assert job.status == "queued"
        assert (server.connections, len(server.requests)) == (1, 11)


async def test_a_refused_connection_proves_that_nothing_was_sent(order) -> None:
    """Nobody listens there."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with client(f"http://127.0.0.1:{reserved.getsockname()[1]}") as gateway:
            with pytest.raises(ConnectionNotMade):
                await gateway.submit(order)
            with pytest.raises(ConnectionNotMade):
                await gateway.poll("job_1")


async def reset(stream: SocketStream, head: str) -> bool:
    raw = stream.extra(anyio.abc.SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


async def hang_up(stream: SocketStream, head: str) -> bool:
    return False


async def half_a_head(stream: SocketStream, head: str) -> bool:
    await stream.send(b"HTTP/1.1 202 Accepted\r\nContent-Le")
    return False


async def half_an_answer(stream: SocketStream, head: str) -> bool:
    await stream.send(answer({"id": "job_1"}, length=1_000))
    return False


async def half_a_chunk(stream: SocketStream, head: str) -> bool:
    await stream.send(b'HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"id": ')
    return False


async def no_http(stream: SocketStream, head: str) -> bool:
    await stream.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    return False


async def an_endless_head(stream: SocketStream, head: str) -> bool:
    await stream.send(b"HTTP/1.1 200 OK\r\n" + b"x-more: and more\r\n" * 20_000)
    return False


@pytest.mark.parametrize(
    "serve",
    [reset, hang_up, half_a_head, half_an_answer, half_a_chunk, no_http, an_endless_head],
    ids=lambda f: f.__name__,
)
async def test_an_answer_that_the_network_lost_is_unknown(order, serve) -> None:
    """The request was read: a job may have been made. A poll may be asked again."""
    async with serving(serve) as server, client(server.url) as gateway:
        with pytest.raises(AnswerUnknown):
            await gateway.submit(order)
        with pytest.raises(PollFailed):
            await gateway.poll("job_1")
        assert len(server.requests) == 2


async def test_a_server_that_closed_an_idle_connection_costs_no_request(order) -> None:
    """It is noticed before the next one goes out: a POST must not be lost for that."""

    async def serve(stream: SocketStream, head: str) -> bool:
        await stream.send(answer({"id": "job_1", "status": "queued"}))
        return False

    async with serving(serve) as server, client(server.url) as gateway:
        for _ in range(5):
            await gateway.submit(order)
            await server.hung_up.wait()
        assert server.connections == 5


async def test_audio_comes_over_a_socket_whole(order) -> None:
    """200 kB, in as many pieces as it takes."""

    async def serve(stream: SocketStream, head: str) -> None:
        await stream.send(answer(AUDIO, headers="Content-Type: audio/wav\r\n"))

    async with serving(serve) as server, client(server.url) as gateway:
        for _ in range(3):
            assert await fetched(gateway, "/a.wav") == AUDIO
        assert server.connections == 1


async def test_a_download_cut_short_is_truncated() -> None:
    """By a hang-up before the announced length, or in the middle of a chunk."""

    async def short(stream: SocketStream, head: str) -> bool:
        await stream.send(answer(AUDIO, length=len(AUDIO) + 1))
        return False

    async def chunked(stream: SocketStream, head: str) -> bool:
        await stream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" + AUDIO[:5_000])
        return False

    for serve in (short, chunked):
        async with serving(serve) as server, client(server.url) as gateway:
            with pytest.raises(Truncated, match="of audio"):
                await fetched(gateway, "/a.wav")


async def test_a_download_that_is_given_up_half_way_leaves_nothing_behind(order) -> None:
    """Too large, not audio, or no room on the disk: its connection is closed, and nothing is left to the collector."""

    async def endless(stream: SocketStream, head: str) -> None:
        kind = b"text/html" if "page" in head else b"audio/wav"
        await stream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: " + kind + b"\r\n\r\n")
        piece = b"<html>" if "page" in head else AUDIO[:1_000]
        while True:
            await stream.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    async with serving(endless) as server, client(server.url) as gateway:
        with pytest.raises(TooLarge):
            await fetched(gateway, "/a.wav", limit_bytes=50_000)
        with pytest.raises(NotAudio):
            await fetched(gateway, "/page")
        with pytest.raises(OSError, match="disk full"):
            async with aclosing(gateway.download("/a.wav", limit_bytes=10**9)) as pieces:
                async for _ in pieces:
                    raise OSError("disk full")
        with pytest.raises(AnswerUnknown, match="200"):
            await gateway.submit(order)
        assert server.connections == 4


async def test_a_cancelled_download_closes_its_connection() -> None:
    """The others go on."""
    began = anyio.Event()

    async def stall(stream: SocketStream, head: str) -> None:
        if "stalls" not in head:
            await stream.send(answer(AUDIO))
            return
        await stream.send(answer(AUDIO[:70_000], length=len(AUDIO)))
        began.set()
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await stream.receive()
        raise anyio.EndOfStream

    async with serving(stall) as server, client(server.url) as gateway:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fetched, gateway, "/stalls.wav")
            await began.wait()
            tasks.cancel_scope.cancel()
        assert await fetched(gateway, "/a.wav") == AUDIO
        assert server.connections == 2


async def test_a_redirect_and_a_signature_leave_no_trace_in_any_log(caplog) -> None:
    """At level DEBUG, with every library speaking."""
    caplog.set_level(logging.DEBUG)

    async def serve(stream: SocketStream, head: str) -> None:
        if "/a.wav" in head:
            await stream.send(answer(b"", "302 Found", headers="Location: /b.wav?sig=SIGNATURE\r\n"))
        else:
            await stream.send(answer(AUDIO))

    async with serving(serve) as server, client(server.url) as gateway:
        assert await fetched(gateway, "/a.wav?sig=SIGNATURE") == AUDIO
        assert KEY in server.requests[0]
    assert "receive_response_headers.complete" in caplog.text
    assert "SIGNATURE" not in caplog.text
    assert KEY not in caplog.text


async def test_two_origins_have_connections_of_their_own() -> None:
    """The media origin is another port: it gets no key, and takes none of the API's connections."""

    async def media(stream: SocketStream, head: str) -> None:
        await stream.send(answer(AUDIO))

    async def api(stream: SocketStream, head: str) -> None:
        await stream.send(
            answer({"id": "job_1", "status": "completed", "result": {"url": f"{media_server.url}/a.wav"}})
        )

    async with serving(media) as media_server, serving(api) as server, client(server.url) as gateway:
        for _ in range(3):
            job = await gateway.poll("job_1")
            assert job is not None
            assert await fetched(gateway, str(job.audio_url)) == AUDIO
        assert (server.connections, media_server.connections) == (1, 1)
        assert not any(KEY in head for head in media_server.requests)


async def test_many_requests_at_once_are_all_answered() -> None:
    """Sixty-four, over as many connections at most."""

    async def serve(stream: SocketStream, head: str) -> None:
        await stream.send(answer({"id": head.split()[1].rpartition("/")[2], "status": "running"}))

    async with serving(serve) as server, client(server.url, concurrency=64) as gateway:
        async with anyio.create_task_group() as tasks:
            for number in range(64):
                tasks.start_soon(gateway.poll, f"job_{number}")
        assert len(server.requests) == 64
        assert server.connections <= 64


async def test_a_media_host_that_is_down_is_a_failed_download() -> None:
    """To be tried again."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with client(f"http://127.0.0.1:{reserved.getsockname()[1]}") as gateway:
            with pytest.raises(DownloadFailed) as caught:
                await fetched(gateway, "/a.wav")
            assert caught.value.retryable

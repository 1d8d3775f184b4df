"""Audio is fetched whole, from where it may come, and no more than there can be."""

from __future__ import annotations

from contextlib import aclosing

import anyio
import httpx
import pytest

from pipeline.gateway.errors import AddressExpired, DownloadFailed, HostRefused, NotAudio, TooLarge, Truncated

pytestmark = pytest.mark.anyio

MEDIA = "https://media.aigateway.sh/music/a.wav?sig=secret"
FILE = "https://media.aigateway.sh/v1/files/jobs/job_1/a.wav"
AUDIO = b"RIFF" + bytes(range(256)) * 40
WAV = {"Content-Type": "audio/wav", "Content-Length": str(len(AUDIO))}


async def fetched(it, address: str = MEDIA, limit_bytes: int = 1_000_000) -> bytes:
    async with aclosing(it.gateway.download(address, limit_bytes=limit_bytes)) as pieces:
        return b"".join([piece async for piece in pieces])


async def test_audio_arrives_byte_for_byte_without_the_key(world, played) -> None:
    """The media host is another origin: it learns nothing."""
    it = world(played(200, [AUDIO[:5], b"", AUDIO[5:70], AUDIO[70:]], WAV))
    assert await fetched(it) == AUDIO
    (request,) = it.transport.requests
    assert str(request.url) == MEDIA
    assert "authorization" not in request.headers
    assert request.headers["accept-encoding"] == "identity"
    assert it.transport.bodies[0].is_closed


async def test_the_apis_own_origin_is_asked_with_the_key(world, played) -> None:
    """It serves the same files, and wants it."""
    it = world(played(200, AUDIO, WAV))
    assert await fetched(it, "https://api.aigateway.sh/v1/files/jobs/job_1/a.wav") == AUDIO
    assert "authorization" in it.transport.requests[0].headers


@pytest.mark.parametrize(
    ("address", "with_key"),
    [
        ("http://127.0.0.1:8787/v1/files/jobs/job_1/a.wav", True),
        ("http://127.0.0.1:8788/v1/files/jobs/job_1/a.wav", False),
        ("http://localhost:8787/v1/files/jobs/job_1/a.wav", False),
    ],
    ids=["the API", "another port", "another name"],
)
async def test_another_port_is_another_origin(world, played, address, with_key) -> None:
    """A local gateway's media origin is the same machine and does not get the key."""
    it = world(played(200, AUDIO, WAV), base_url="http://127.0.0.1:8787")
    assert await fetched(it, address) == AUDIO
    assert ("authorization" in it.transport.requests[0].headers) is with_key


@pytest.mark.parametrize("status", [401, 403])
async def test_a_file_that_wants_the_key_is_fetched_by_a_signed_address(world, played, status) -> None:
    """The API signs one; what it gives is fetched without the key."""
    it = world([played(status), played(200, {"url": MEDIA}), played(200, AUDIO, WAV)])
    assert await fetched(it, FILE) == AUDIO
    assert it.transport.paths == [
        "GET /v1/files/jobs/job_1/a.wav",
        "GET /v1/files/jobs/job_1/a.wav/signed?expires_in=3600",
        "GET /music/a.wav?sig=secret",
    ]
    assert ["authorization" in request.headers for request in it.transport.requests] == [False, True, False]


async def test_a_signed_address_at_the_apis_own_origin_is_fetched_without_the_key(world, played) -> None:
    """It opens by its signature."""
    signed = "https://api.aigateway.sh/v1/files/jobs/job_1/a.wav?sig=secret"
    it = world([played(403), played(200, {"url": signed}), played(200, AUDIO, WAV)])
    assert await fetched(it, FILE) == AUDIO
    assert "authorization" not in it.transport.requests[2].headers


async def test_a_signed_address_that_is_refused_is_not_signed_again(world, played) -> None:
    """Polling the job gives a fresh one."""
    it = world([played(403), played(200, {"url": FILE + "?sig=1"}), played(403)])
    with pytest.raises(AddressExpired):
        await fetched(it, FILE)
    assert len(it.transport.requests) == 3


@pytest.mark.parametrize(
    ("answer", "error", "retryable"),
    [
        ((401, {"error": {"message": "no", "type": "authentication_error"}}), AddressExpired, True),
        ((404, b""), AddressExpired, True),
        ((503, b""), DownloadFailed, True),
        ((200, {"href": "x"}), DownloadFailed, False),
        ((200, {"url": "https://evil.example/a.wav"}), HostRefused, False),
    ],
    ids=["401", "404", "503", "another form", "another host"],
)
async def test_an_address_that_can_not_be_signed_is_that_takes_error(world, played, answer, error, retryable) -> None:
    """A signed address is checked like any other."""
    it = world([played(403), played(*answer)])
    with pytest.raises(error) as caught:
        await fetched(it, FILE)
    assert caught.value.retryable is retryable


async def test_redirects_are_followed_within_the_rules(world, played) -> None:
    """Three of them, relative ones too."""
    it = world(
        [
            played(302, b"moved", {"Location": "/b.wav"}),
            played(307, b"", {"Location": "https://api.aigateway.sh/c.wav"}),
            played(301, b"", {"Location": "https://media.aigateway.sh/d.wav"}),
            played(200, AUDIO, WAV),
        ]
    )
    assert await fetched(it) == AUDIO
    assert ["authorization" in request.headers for request in it.transport.requests] == [False, False, True, False]


async def test_a_fourth_redirect_is_one_too_many(world, played) -> None:
    """A ring of them does not hold up the night."""
    it = world(played(302, b"", {"Location": MEDIA}))
    with pytest.raises(DownloadFailed, match="leads on and on") as caught:
        await fetched(it)
    assert len(it.transport.requests) == 4
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "location",
    ["https://evil.example/a.wav", "http://media.aigateway.sh/a.wav", "file:///etc/passwd", "//evil.example"],
)
async def test_a_redirect_leads_nowhere_that_an_address_may_not(world, played, location) -> None:
    """Each is checked before it is asked."""
    it = world(played(302, b"", {"Location": location}))
    with pytest.raises(HostRefused):
        await fetched(it)
    assert len(it.transport.requests) == 1


async def test_an_unknown_host_is_not_even_asked(world, played) -> None:
    """The sentence names the key to add."""
    it = world(played(200, AUDIO, WAV))
    with pytest.raises(HostRefused, match=r"cdn\.example.*gateway\.media_hosts"):
        await fetched(it, "https://cdn.example/a.wav")
    assert it.transport.requests == []
    assert await fetched(world(played(200, AUDIO, WAV), media_hosts=["cdn.example"]), "https://cdn.example/a.wav")


@pytest.mark.parametrize(
    ("status", "headers", "error", "retryable", "wait_s"),
    [
        (401, {}, AddressExpired, True, None),
        (403, {}, AddressExpired, True, None),
        (404, {}, AddressExpired, True, None),
        (410, {}, AddressExpired, True, None),
        (429, {"Retry-After": "5"}, DownloadFailed, True, 5.0),
        (429, {"Retry-After": "500"}, DownloadFailed, False, 500.0),
        (408, {}, DownloadFailed, True, None),
        (500, {}, DownloadFailed, True, None),
        (503, {"Retry-After": "9"}, DownloadFailed, True, 9.0),
        (206, {}, DownloadFailed, False, None),
        (204, {}, DownloadFailed, False, None),
        (304, {}, DownloadFailed, False, None),
        (302, {}, DownloadFailed, False, None),
        (400, {}, DownloadFailed, False, None),
    ],
)
async def test_each_status_of_the_media_host_is_one_kind_of_error(
    world, played, *, status, headers, error, retryable, wait_s
) -> None:
    """Expired addresses are fetched anew by polling; what may pass is tried again."""
    with pytest.raises(error) as caught:
        await fetched(world(played(status, b"<h1>Sorry</h1>", headers)))
    assert type(caught.value) is error
    assert (caught.value.retryable, caught.value.retry_after_s) == (retryable, wait_s)
    assert "Sorry" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (b"", {}, NotAudio),
        (b"", {"Content-Length": "0", "Content-Type": "audio/wav"}, NotAudio),
        (b"<!DOCTYPE html><p>Log in", {"Content-Type": "text/html; charset=utf-8"}, NotAudio),
        ([b" ", b"\n<", b"html>"], {"Content-Type": "audio/wav"}, NotAudio),
        (b'{"error": {"message": "no"}}', {"Content-Type": "application/octet-stream"}, NotAudio),
        (b"Not found", {"Content-Type": "text/plain"}, NotAudio),
        (b"<?xml version='1.0'?><Error/>", {"Content-Type": "application/xml"}, NotAudio),
        (AUDIO, {"Content-Encoding": "gzip"}, NotAudio),
        (AUDIO, {"Content-Length": "5000000"}, TooLarge),
        ([AUDIO] * 200, {}, TooLarge),
        (AUDIO, {"Content-Length": str(len(AUDIO) + 1)}, Truncated),
        (AUDIO, {"Content-Length": str(len(AUDIO) - 1)}, Truncated),
        ([AUDIO, httpx.RemoteProtocolError("peer closed connection")], {}, Truncated),
        ([AUDIO[:3], httpx.ReadError("reset")], {}, Truncated),
    ],
    ids=[
        *("empty", "announced empty", "HTML", "HTML called audio", "JSON", "words", "XML", "compressed"),
        *("announced too large", "endless", "short", "long", "broken off", "broken off at once"),
    ],
)
async def test_what_is_not_the_whole_audio_is_an_error_of_its_take(world, played, body, headers, error) -> None:
    """Truncated, empty, oversized, and a page instead of audio."""
    it = world(played(200, body, headers))
    with pytest.raises(error) as caught:
        await fetched(it)
    assert type(caught.value) is error
    assert caught.value.retryable is (error is not TooLarge)
    assert "secret" not in str(caught.value)
    assert it.transport.bodies[0].is_closed


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "text/plain"}, {}, {"Content-Encoding": "aws-chunked"}, {"Content-Encoding": "identity"}],
)
async def test_audio_is_known_by_how_it_begins_whatever_it_is_called(world, played, headers) -> None:
    """Careless hosts call it text."""
    assert await fetched(world(played(200, AUDIO, headers))) == AUDIO


async def test_audio_of_exactly_the_limit_is_taken(world, played) -> None:
    """One byte more is not."""
    it = world(played(200, AUDIO))
    assert await fetched(it, limit_bytes=len(AUDIO)) == AUDIO
    with pytest.raises(TooLarge):
        await fetched(it, limit_bytes=len(AUDIO) - 1)


@pytest.mark.parametrize(
    "failure",
    [httpx.ConnectError("refused"), httpx.ReadTimeout(""), OSError("broken record")],
    ids=["connect", "read", "TLS"],
)
async def test_a_media_host_that_can_not_be_asked_is_asked_again_later(world, failure) -> None:
    """The audio is still there."""
    with pytest.raises(DownloadFailed) as caught:
        await fetched(world(failure))
    assert caught.value.retryable


class Slow(httpx.AsyncByteStream):
    """A body whose pieces come every so many seconds."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s

    async def __aiter__(self):
        yield AUDIO
        while True:
            await anyio.sleep(self.every_s)
            yield AUDIO


@pytest.mark.parametrize(
    ("every_s", "ends_after_s", "words"), [(3_600, 30, "nothing came for 30 s"), (20, 900, "it took over 900 s")]
)
async def test_a_download_that_stalls_or_drips_comes_to_an_end(world, played, every_s, ends_after_s, words) -> None:
    """Half a minute without a byte, a quarter of an hour at all."""
    it = world(played(200))
    it.transport.stream = lambda _: Slow(every_s)
    began = anyio.current_time()
    with pytest.raises(Truncated, match=words):
        await fetched(it, limit_bytes=10**9)
    assert anyio.current_time() - began == pytest.approx(ends_after_s)


async def test_a_media_host_that_never_answers_is_given_up(world, played) -> None:
    """Within a minute."""
    it = world(played(200, AUDIO, after_s=3_600))
    with pytest.raises(DownloadFailed, match="no answer") as caught:
        await fetched(it)
    assert anyio.current_time() <= 60
    assert caught.value.retryable


async def test_no_more_downloads_run_at_once_than_there_are_connections(world, played) -> None:
    """The others wait before they ask, so that none of them is late while it waits."""
    running, most = 0, 0

    class Counted(Slow):
        async def __aiter__(self):
            nonlocal running, most
            running += 1
            most = max(most, running)
            yield AUDIO
            await anyio.sleep(10)
            running -= 1

    it = world(played(200))
    it.transport.stream = lambda _: Counted(0)
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(fetched, it)
    assert most == 8
    assert anyio.current_time() == pytest.approx(30.0)


async def test_a_download_that_is_left_half_way_is_closed(world, played) -> None:
    """A full disk must not leave the connection open."""
    it = world(played(200, [AUDIO] * 10))
    with pytest.raises(OSError, match="disk full"):
        async with aclosing(it.gateway.download(MEDIA, limit_bytes=1_000_000)) as pieces:
            async for _ in pieces:
                raise OSError("disk full")
    assert it.transport.bodies[0].is_closed


async def test_only_the_apis_own_origin_counts_requests(world, played) -> None:
    """The media host does not: ten downloads from it take no turn."""
    it = world(played(200, AUDIO, WAV), requests_per_minute=1)
    for _ in range(10):
        await fetched(it)
    assert anyio.current_time() == 0
    for _ in range(2):
        await fetched(it, "https://api.aigateway.sh/a.wav")
    assert anyio.current_time() >= 60


async def test_a_pause_that_nobody_waits_for_is_a_failed_download(world, played) -> None:
    """What is paid for is fetched by the next run."""
    it = world(played(429, b"", {"Retry-After": "3600"}))
    for _ in range(2):
        with pytest.raises(DownloadFailed) as caught:
            await fetched(it, "https://api.aigateway.sh/a.wav")
        assert not caught.value.retryable
    assert len(it.transport.requests) == 1


@pytest.mark.parametrize(
    "body", [AUDIO, b"ID3\x04\x00" + AUDIO, bytes(range(128, 256)) * 9], ids=["wav", "mp3", "noise"]
)
async def test_audio_with_an_odd_status_is_not_quoted(world, played, body) -> None:
    """A part of it, say: what is no text is called so."""
    with pytest.raises(DownloadFailed) as caught:
        await fetched(world(played(206, body, WAV)))
    assert "206 with something that is no text" in str(caught.value)


async def test_a_text_in_another_encoding_is_quoted_without_what_can_not_be_read(world, played) -> None:
    """The words around it are worth more than none."""
    with pytest.raises(DownloadFailed, match='"Acc s refus pour ce fichier"'):
        await fetched(world(played(400, "Accès refusé pour ce fichier".encode("latin-1"), {})))

"""The key and signed addresses appear in no error, log, traceback or representation."""

from __future__ import annotations

import logging
import traceback
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipeline.gateway.errors import GatewayError
from pipeline.gateway.excerpts import LONGEST_EXCERPT, excerpt

if TYPE_CHECKING:
    from collections.abc import Awaitable

pytestmark = pytest.mark.anyio

KEY = "sk-aig-a-secret-that-must-not-be-seen"
OTHER_KEY = "another form of key without that beginning".replace(" ", "-")
SIGNED = "https://media.aigateway.sh/music/a.wav?sig=SIGNATURE&expires=1"


async def told(attempt: Awaitable[Any]) -> str:
    """All that an error shows: itself, and its traceback with every local variable."""
    with pytest.raises(GatewayError) as caught:
        await attempt
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in shown.stack if "/pipeline/" in frame.filename]
    assert ours
    shown.stack[:] = ours  # the test's own locals know the key
    assert shown.__cause__ is None
    return f"{caught.value} {caught.value!r} {vars(caught.value)} {''.join(shown.format())}"


@pytest.mark.parametrize(
    "answer",
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}", "type": "authentication_error"}}),
        (400, {"error": {"message": f"echo {KEY}", "type": KEY, "code": KEY}}),
        (502, f"<html>Authorization: Bearer {KEY}</html>".encode()),
        (200, f"<html>{KEY}</html>".encode()),
        (500, {"error": KEY}),
    ],
    ids=["refused", "in every member", "HTML", "under 200", "as text"],
)
async def test_a_gateway_that_echoes_the_key_is_not_quoted(world, played, order, answer) -> None:
    """Not in messages, codes, or tracebacks with their variables."""
    assert KEY not in await told(world(played(*answer)).gateway.submit(order))
    assert KEY not in await told(world(played(*answer)).gateway.poll("job_1"))


async def test_a_key_of_any_form_is_not_quoted(world, played, order) -> None:
    """A gateway that is not the real one may have others."""
    it = world(played(400, {"error": {"message": f"echo {OTHER_KEY}", "type": "x"}}), key=OTHER_KEY)
    assert OTHER_KEY not in await told(it.gateway.submit(order))


async def test_a_job_that_failed_does_not_quote_the_key_or_an_address(world, played) -> None:
    """Its reason goes into the ledger and the reports."""
    reason = f"could not store {SIGNED} for {KEY}"
    it = world(played(200, {"id": "job_1", "status": "failed", "error": reason}))
    job = await it.gateway.poll("job_1")
    assert job.error == "could not store https://media.aigateway.sh/music/a.wav?… for [key]"


@pytest.mark.parametrize(
    "failure",
    [httpx.ConnectError("refused"), httpx.ReadError("reset"), httpx.ReadTimeout(""), OSError("broken")],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_network_failure_shows_no_headers(world, order, failure) -> None:
    """The transport's error, which knows the request, is not chained."""
    assert KEY not in await told(world(failure).gateway.submit(order))
    assert KEY not in await told(world(failure).gateway.poll("job_1"))


async def test_a_defect_of_a_transport_shows_no_key_either(world, order) -> None:
    """Its traceback goes through us, with every local variable of ours."""
    with pytest.raises(ZeroDivisionError) as caught:
        await world(lambda _: 1 / 0).gateway.submit(order)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown.stack[:] = [frame for frame in shown.stack if "/pipeline/" in frame.filename]
    assert "transport.handle_async_request(request)" in "".join(shown.format())
    assert KEY not in "".join(shown.format())


async def test_no_representation_shows_the_key(world, played) -> None:
    """Of the client and of all that it holds."""
    gateway = world(played()).gateway
    seen, held = set(), [gateway]
    while held:
        thing = held.pop()
        if id(thing) in seen or isinstance(thing, (str, bytes, type(None))):
            continue
        seen.add(id(thing))
        assert KEY not in repr(thing)
        assert KEY not in str(thing)
        if type(thing).__module__.startswith("pipeline."):
            held += vars(thing).values() if hasattr(thing, "__dict__") else []


@pytest.mark.parametrize(
    "answers",
    [
        [(403, b"<Error>SignatureDoesNotMatch https://media.aigateway.sh/a?sig=SIGNATURE</Error>")],
        [(302, b"", {"Location": "https://evil.example/?sig=SIGNATURE"})],
        [(302, b"", {"Location": "https://media.aigateway.sh/b?sig=SIGNATURE"})] * 4,
        [(200, b"<html>SIG</html>")],
        [(200, b"RIFF", {"Content-Length": "9999"})],
    ],
    ids=["expired", "another host", "a ring", "a page", "truncated"],
)
async def test_a_failed_download_tells_no_signature(world, played, answers) -> None:
    """Its message names the address without the query."""
    it = world([played(*answer) for answer in answers])
    with pytest.raises(GatewayError) as caught:
        async with aclosing(it.gateway.download(SIGNED, limit_bytes=10**6)) as pieces:
            async for _ in pieces:
                pass
    assert "SIGNATURE" not in str(caught.value)


async def test_nothing_is_logged(world, played, order, caplog) -> None:
    """httpx would write each address, signed or not, to its log at level INFO."""
    caplog.set_level(logging.DEBUG)
    it = world(
        [
            played(202, {"id": "job_1"}),
            played(200, {"id": "job_1", "status": "completed", "result": {"url": SIGNED}}),
            played(302, b"", {"Location": SIGNED}),
            played(200, b"RIFF" + bytes(100)),
        ]
    )
    await it.gateway.submit(order)
    job = await it.gateway.poll("job_1")
    async with aclosing(it.gateway.download(job.audio_url, limit_bytes=10**6)) as pieces:
        assert [len(piece) async for piece in pieces] == [104]
    ours = [record for record in caplog.records if not record.name.startswith("asyncio")]
    assert ours == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("  two\n lines\t", "two lines"),
        ("\x1b]0;title\x07\x1b[31mred", "]0;title [31mred"),
        ("a\u202eb\u200bc\ud800d", "a b c d"),
        ("<script>alert(1)</script><b>bold</b>", "bold"),
        ("see HTTPS://a.b/c?d=e#f, http://x/y#z", "see HTTPS://a.b/c?… http://x/y?…"),
        ("at /a.wav?sig=1&x=2 or ?sig=3", "at /a.wav?… or ?sig=…"),
        ("why? because a=b", "why? because a=b"),
        ("key sk-aig-abc.DEF_1-2!", "key [key]!"),
        ("", ""),
    ],
    ids=[
        "plain",
        "lines",
        "escapes",
        "invisible",
        "markup",
        "addresses",
        "relative addresses",
        "a question",
        "a key",
        "empty",
    ],
)
def test_an_excerpt_is_fit_for_a_terminal_and_a_report(text, shown) -> None:
    """One line of printable characters."""
    assert excerpt(text) == shown


def test_an_excerpt_is_short() -> None:
    """Two hundred characters of what somebody else wrote."""
    assert len(excerpt("word " * 1_000_000)) <= LONGEST_EXCERPT
    assert excerpt("x" * 1_000).endswith("x…")

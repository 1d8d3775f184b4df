"""Who is let in: the token, the names that the server goes by, and the page alone where something is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reviews import HOST, MENU, ORIGIN, TOKEN

from pipeline.review.bodies import MOST_BYTES
from pipeline.review.security import Names, new_token

if TYPE_CHECKING:
    from reviews import Bench

pytestmark = pytest.mark.anyio

ON_EVERY_ANSWER = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "frame-ancestors 'none'",
}


def test_every_start_has_a_token_of_its_own() -> None:
    """Long enough that nobody guesses it."""
    assert new_token() != new_token()
    assert len(new_token()) == 32


async def test_without_the_token_nothing_is_there(bench: Bench) -> None:
    """Every address looks the same then, whether there is something under it or not."""
    async with bench.review() as review:
        for path in ("", "/", "/x/", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/", f"//{TOKEN}/", f"/x/{TOKEN}/", "/\u00e4/"):
            answer = await review.client.get(f"{ORIGIN}{path}")
            assert (answer.status_code, answer.text) == (404, "not found"), path
        write = await review.client.post(f"{ORIGIN}/x/api/pick", json=MENU | {"take": "2"}, headers={"Origin": ORIGIN})
        assert write.status_code == 404
        bare = await review.client.get(f"{ORIGIN}/{TOKEN}")
        assert (bare.status_code, bare.headers["location"]) == (307, f"/{TOKEN}/")
        assert "menu/title" in (await review.get()).text


@pytest.mark.parametrize(
    ("host", "is_known"),
    [(HOST, True), ("localhost:8000", True), ("LOCALHOST:8000", True), ("[::1]:8000", True), ("127.0.0.1", False),
     ("127.0.0.1:8001", False), ("evil.example:8000", False), ("localhost.evil.example:8000", False), ("", False)],
)  # fmt: skip
async def test_it_answers_to_its_own_names_only(bench: Bench, host: str, *, is_known: bool) -> None:
    """A page whose own name leads to this machine reads nothing, though its browser connects."""
    async with bench.review() as review:
        answer = await review.get(headers={"Host": host})
    assert answer.status_code == (200 if is_known else 403)


def test_what_host_says_is_a_name_too() -> None:
    """Beside those of loopback; and on port 80, which browsers leave out, all of them without it."""
    assert Names.of("fe80::7", 9).hosts == {"127.0.0.1:9", "localhost:9", "[::1]:9", "[fe80::7]:9"}
    assert {"studio.lan", "studio.lan:80", "localhost"} < Names.of("Studio.lan", 80).hosts


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ""}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:8000"}, 403),
        ({"Origin": "http://127.0.0.1:8001"}, 403),
        ({"Origin": "http://localhost:8000"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "application/jsonx"}, 415),
    ],
    ids=lambda value: " ".join(map(": ".join, value.items())) if isinstance(value, dict) else "",
)
async def test_only_the_page_changes_something(bench: Bench, headers: dict[str, str], status: int) -> None:
    """Not another site, not a form, not this server under its other name."""
    before = bench.files()
    async with bench.review() as review:
        answer = await review.post("api/pick", headers=headers, **MENU, take="2")
        assert (answer.status_code, answer.json()["ok"]) == (status, False)
        same = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json; charset=utf-8"}
        assert bench.files() == before
        assert (await review.post("api/star", headers=same, **MENU, take="2", starred=True)).status_code == 200


async def test_a_write_without_an_origin_is_none(bench: Bench) -> None:
    """Whatever sends it is no page of a browser's."""
    async with bench.review() as review:
        answer = await review.client.post(f"{ORIGIN}/{TOKEN}/api/reroll/price", json=MENU)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"{", 400), (b"[]", 400), (b"\xff", 400), (b"[" * 60_000, 400), (b"{}", 400),
     (b'{"manifest": 1, "track": "menu/title", "take": "2"}', 400),
     (b'{"manifest": "game", "track": "menu/title", "take": 2}', 400),
     (b'{"manifest": "game", "track": "nobody", "take": "2"}', 404),
     (b'{"manifest": "film", "track": "menu/title", "take": "2"}', 404),
     (b'{"x": "%s"}' % (b"x" * MOST_BYTES), 413)],
    ids=lambda value: value[:50].decode("latin-1") if isinstance(value, bytes) else "",
)  # fmt: skip
async def test_what_is_no_wish_is_told(bench: Bench, content: bytes, status: int) -> None:
    """In one sentence, as JSON."""
    headers = {"Origin": ORIGIN, "Content-Type": "application/json"}
    async with bench.review() as review:
        answer = await review.client.post(f"{ORIGIN}/{TOKEN}/api/pick", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_every_answer_has_the_headers_that_keep_it_here(bench: Bench) -> None:
    """Nothing is kept, guessed at, framed or read by another site, not even a refusal; and no site is told it may."""
    async with bench.review() as review:
        answers: list[Any] = [
            await review.get(),
            await review.get("battle.wav", headers={"Range": "bytes=0-9"}),
            await review.get("nothing"),
            await review.get(headers={"Host": "evil.example"}),
            await review.post("battle.wav"),
            await review.post("api/star", **MENU, take="9", starred=True),
            await review.client.options(f"{ORIGIN}/{TOKEN}/api/pick", headers={"Origin": "http://evil.example"}),
        ]
    assert [answer.status_code for answer in answers] == [200, 206, 404, 403, 405, 409, 405]
    for answer in answers:
        assert ON_EVERY_ANSWER.items() <= dict(answer.headers).items(), answer
        assert not [name for name in answer.headers if name.startswith(("access-control", "set-cookie"))]

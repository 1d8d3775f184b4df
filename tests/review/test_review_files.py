"""What can be heard: the assets of the given manifests, and the takes of their tracks. Nothing else is served."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from reviews import MENU, ORIGIN, TOKEN

from pipeline.files import sha256_of

if TYPE_CHECKING:
    from reviews import Bench, Review

pytestmark = pytest.mark.anyio

TAKE = "take?manifest=game&track=menu%2Ftitle&take="


async def raw(review: Review, path: str) -> int:
    """The status of an answer to a path that no browser would send: no client has tidied it up."""
    messages: list[Any] = []
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8000")], "http_version": "1.1", "scheme": "http",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await review.app(scope, receive, send)
    return messages[0]["status"]


def add_rows(bench: Bench, *paths: str, manifest: str = "game") -> None:
    """Rows that somebody has written into the index."""
    file = bench.path("output/assets.json")
    index = json.loads(file.read_text())
    index["assets"] += [bench.index["battle.wav"] | {"path": path, "manifest": manifest} for path in paths]
    file.write_text(json.dumps(index))


async def test_an_asset_is_served_whole_and_in_parts(bench: Bench) -> None:
    """As a player asks when somebody jumps into the middle; and by its head."""
    content = bench.path("output/menu/title.wav").read_bytes()
    async with bench.review() as review:
        whole = await review.get("menu/title.wav")
        assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, content, "audio/wav")
        assert whole.headers["accept-ranges"] == "bytes"
        part = await review.get("menu/title.wav", headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, content[1000:2000])
        assert part.headers["content-range"] == f"bytes 1000-1999/{len(content)}"
        assert (await review.get("menu/title.wav", headers={"Range": "bytes=-100"})).content == content[-100:]
        beyond = await review.get("menu/title.wav", headers={"Range": f"bytes={len(content)}-"})
        assert beyond.status_code == 416
        head = await review.client.head(f"{ORIGIN}/{TOKEN}/menu/title.wav")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(content)))


async def test_each_format_has_its_media_type(bench: Bench) -> None:
    """So that a browser that guesses nothing plays it."""
    kinds = {
        "ogg": "audio/ogg", "opus": "audio/ogg", "mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac",
        "m4a": "audio/mp4",
    }  # fmt: skip
    names = {f"a (b) + c%41.{ending}": kind for ending, kind in kinds.items()}
    for name in names:
        bench.path(f"output/{name}").write_bytes(b"sound")
    add_rows(bench, *names)
    async with bench.review() as review:
        for name, kind in names.items():
            answer = await review.get(quote(name))
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind), name


async def test_what_no_row_of_a_given_manifest_names_is_not_there(bench: Bench) -> None:
    """Neither the index, nor the reports, nor another manifest's sound."""
    bench.path("output/stranger.wav").write_bytes(b"sound")
    bench.path("output/film.wav").write_bytes(b"sound")
    add_rows(bench, "film.wav", manifest="film")
    async with bench.review() as review:
        for path in ("assets.json", "cost-report.json", "stranger.wav", "film.wav", "menu", "menu/", "theme.ogg"):
            assert (await review.get(path)).status_code == 404, path


async def test_no_way_leads_out_of_the_folder(bench: Bench) -> None:
    """Not by dots, however they are written, nor by what a hostile index names, or a link; nor to what is no sound."""
    bench.path("secret.wav").write_bytes(b"secret")
    bench.path("output/link.wav").symlink_to(bench.path("secret.wav"))
    bench.path("output/inside.wav").symlink_to("battle.wav")
    bench.path("output/folder").symlink_to(bench.folder)
    bench.path("output/round.wav").symlink_to("round.wav")
    bench.path("output/page.html").write_bytes(b"<script>")
    bench.path("output/dir.wav").mkdir()
    os.mkfifo(bench.path("output/pipe.wav"))
    hostile = ["../secret.wav", str(bench.path("secret.wav")), "link.wav", "folder/secret.wav", "round.wav",
               "page.html", "dir.wav", "pipe.wav", "x\0.wav", "menu/../../secret.wav", "assets.json"]  # fmt: skip
    add_rows(bench, *hostile, "inside.wav")
    async with bench.review() as review:
        for path in [*hostile, "menu/../battle.wav", "./battle.wav", "..\\secret.wav", f"../{TOKEN}/battle.wav"]:
            assert await raw(review, f"/{TOKEN}/{path}") == 404, path
        for path in [*map(quote, hostile), "..%2fsecret.wav", "%2e%2e/secret.wav", "%252e%252e/secret.wav"]:
            assert (await review.get(path)).status_code == 404, path
        assert (await review.get("inside.wav")).status_code == 200


async def test_a_take_beside_the_pick_is_heard_as_it_was_finished(bench: Bench) -> None:
    """The pick is its asset; the address of another take has its exact generation in it, and no other is there."""
    async with bench.review() as review:
        first, second = await review.takes()
        assert (first["audio"], first["is_pick"], first["finished"]) == ("menu/title.wav", True, True)
        assert (second["audio"], second["is_pick"], second["finished"]) == (f"{TAKE}2.0", False, True)
        answer = await review.get(second["audio"])
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.content == bench.path("state/takes/game/menu/title.take2.wav").read_bytes()
        for take in ("3.0", "2.1", "2", "x", "", "../2.0", "1.0&track=nobody"):
            assert (await review.get(f"{TAKE}{take}")).status_code == 404, take
        assert (await review.get("take?manifest=game")).status_code == 400


async def test_where_only_the_source_is_kept_that_is_heard(bench: Bench) -> None:
    """It says so; and what lies in the place of the finished take from before its source came is not taken for it."""
    finished = bench.path("state/takes/game/menu/title.take2.wav")
    source = bench.lock["menu/title"]["purchases"].popitem()[1]["takes"][1]["source"]
    async with bench.review() as review:
        os.utime(finished, (1, 1))
        second = (await review.takes())[1]
        assert (second["finished"], second["kept"]) == (False, True)
        bench.path("heard.wav").write_bytes((await review.get(second["audio"])).content)
        assert sha256_of(bench.path("heard.wav")) == source
        finished.unlink()
        next(bench.path("state/sources").glob(f"??/{source}.wav")).unlink()
        second = (await review.takes())[1]
        assert (second["audio"], second["finished"], second["kept"]) == (None, False, False)
        assert (await review.get(f"{TAKE}2.0")).status_code == 404


async def test_takes_are_told_with_what_is_known_of_them(bench: Bench) -> None:
    """Measured, so that they are heard at one loudness; once for each state of a file."""
    async with bench.review() as review:
        first, second = await review.takes()
        assert first["lufs"] == pytest.approx(bench.index["menu/title.wav"]["lufs"], abs=0.02)
        assert second["lufs"] == pytest.approx(first["lufs"], abs=0.2)
        assert second | {"lufs": 0, "true_peak_dbtp": 0, "date": 0} == {
            "take": "2", "version": "2.0", "audio": f"{TAKE}2.0", "finished": True, "is_pick": False, "lufs": 0,
            "true_peak_dbtp": 0, "duration": 2.0, "cost_usd": 0.002, "cost_basis": "usage", "date": 0,
            "placeholder": False, "unfit": None, "starred": False, "note": "", "kept": True, "status": "collected",
            "drawing": None,
        }  # fmt: skip
        bench.finisher.remeasure = None  # nothing is measured again
        assert (await review.takes())[0] == first
        assert await review.takes("theme") == []
        assert (await review.get("api/takes?manifest=game&track=nobody")).status_code == 404
        assert (await review.get("api/takes", params={"manifest": MENU["manifest"]})).status_code == 400


async def test_an_older_generation_has_an_address_of_its_own(bench: Bench) -> None:
    """Its finished file has given way to the newer one's: it is heard as it came."""
    await bench.run(regenerate=["menu/title"])
    async with bench.review() as review:
        takes = await review.takes()
        assert [(one["take"], one["is_pick"], one["finished"]) for one in takes] == [
            ("1", False, False), ("1.1", True, True), ("2", False, False), ("2.1", False, True),
        ]  # fmt: skip
        heard = [(await review.get(one["audio"])).content for one in takes]
        assert len(set(heard)) == 4

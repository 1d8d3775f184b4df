"""What the page changes: the pick, a star, a note. Each leaves what the command line would, under the same locks."""

from __future__ import annotations

import errno
import os
import shutil
from typing import Any

import pytest
from reviews import MANIFEST, MENU, Bench

from pipeline.choosing import Chooser
from pipeline.clock import SystemClock
from pipeline.manifest import load_manifest
from pipeline.workspace import Workspace

pytestmark = pytest.mark.anyio


def without_times(document: Any) -> Any:
    """A lock or an index without when somebody chose."""
    if isinstance(document, dict):
        return {key: without_times(value) for key, value in document.items() if key != "at"}
    return [without_times(one) for one in document] if isinstance(document, list) else document


async def test_a_pick_leaves_what_the_command_leaves(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The asset, the index, the lock and the reports; and the answer says what the command says."""
    other = Bench(tmp_path_factory.mktemp("other"))
    shutil.copytree(bench.folder, other.folder, dirs_exist_ok=True)
    workspace = Workspace(other.path("output"), other.path("state"))
    manifest = load_manifest(other.path("game.yaml"))
    with workspace.locked():
        chosen = await Chooser(workspace, SystemClock(), other.finisher).pick(manifest, manifest.tracks[0], "2")
    before = bench.path("output/menu/title.wav").read_bytes()
    async with bench.review() as review:
        answer = await review.post("api/pick", **MENU, take="2.0")
        assert (answer.status_code, answer.json()["ok"]) == (200, True), answer.text
        assert answer.json()["sentence"] == chosen.sentence
        assert "menu/title.wav" in answer.json()["row"]
        first, second = await review.takes()
        assert (first["is_pick"], second["is_pick"], second["audio"]) == (False, True, "menu/title.wav")
    assert bench.path("output/menu/title.wav").read_bytes() != before
    assert without_times(bench.lock) == without_times(other.lock)
    assert bench.index == other.index
    assert bench.files().keys() == other.files().keys()


async def test_what_cant_be_picked_changes_nothing(bench: Bench) -> None:
    """The sentence that the command says, and every file as it was."""
    source = bench.lock["menu/title"]["purchases"].popitem()[1]["takes"][1]["source"]
    next(bench.path("state/sources").glob(f"??/{source}.wav")).unlink()
    before = bench.files()
    async with bench.review() as review:
        for at, take, said in (
            (MENU, "9", "menu/title has no take 9; it has 1, 2"),
            (MENU, "2", "menu/title: the source of take 2 is gone from here"),
            (MENU, "two", "'two' is no take"),
            ({"manifest": "game", "track": "theme"}, "1", "theme is a recording"),
        ):
            answer = await review.post("api/pick", **at, take=take)
            assert answer.status_code == 409
            assert said in answer.json()["error"]
    assert bench.files() == before


async def test_a_star_and_a_note_are_read_as_they_were_written(bench: Bench) -> None:
    """Of that take and no other; and are taken back."""
    async with bench.review() as review:
        text = "the <b>oboe</b>\nat 0:12"
        answers = [
            await review.post("api/star", **MENU, take="2.0", starred=True),
            await review.post("api/note", **MENU, take="2.0", note=text),
        ]
        assert [answer.json()["sentence"] for answer in answers] == [
            "menu/title: take 2 is starred",
            "menu/title: the note on take 2 is kept",
        ]
        told = [(one["starred"], one["note"]) for one in await review.takes()]
        assert told == [(False, ""), (True, text)]
        await review.post("api/star", **MENU, take="2.0", starred=False)
        await review.post("api/note", **MENU, take="2.0", note="")
        assert "marks" not in bench.lock["menu/title"]
        for note in ("x" * 2_001, "\x1b[2J"):
            answer = await review.post("api/note", **MENU, take="2.0", note=note)
            assert (answer.status_code, "the note has" in answer.json()["error"]) == (409, True)


async def test_a_pick_that_a_full_disk_stops_is_told(bench: Bench) -> None:
    """It is chosen, which the lock says, and is finished by the next run: never an answer that all is well."""

    async def full(_: object) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    bench.finisher.finish = full
    async with bench.review() as review:
        answer = await review.post("api/pick", **MENU, take="2")
    assert (answer.status_code, answer.json()["ok"]) == (409, False)
    assert "menu/title: take 2 is chosen, and finished by the next run: somewhere: no space" in answer.json()["error"]


async def test_folders_that_a_run_holds_are_waited_for_by_nobody(bench: Bench) -> None:
    """The page says who holds them; what was heard stays to be heard."""
    before = bench.files()
    async with bench.review() as review:
        with Workspace(bench.path("output"), bench.path("state")).locked():
            for address, fields in (("pick", {"take": "2"}), ("star", {"take": "2", "starred": True})):
                answer = await review.post(f"api/{address}", **MENU, **fields)
                assert answer.status_code == 409
                assert "something else is working in these folders" in answer.json()["error"]
            assert len(await review.takes()) == 2
        assert bench.files() == before
        assert (await review.post("api/pick", **MENU, take="2")).status_code == 200


async def test_a_manifest_that_changes_is_read_again(bench: Bench) -> None:
    """A mistake in it is told with its place, and nothing has to be started anew once it is mended."""
    async with bench.review() as review:
        bench.path("game.yaml").write_text(MANIFEST.replace("takes: 2", "takes: two"))
        page, write = await review.get(), await review.post("api/pick", **MENU, take="2")
        assert (page.status_code, write.status_code) == (409, 409)
        assert "game.yaml:6:" in page.text
        assert "game.yaml:6:" in write.json()["error"]
        bench.path("game.yaml").write_text(MANIFEST.replace("battle", "siege"))
        assert "siege" in (await review.get()).text

"""A gateway with a state folder goes on where it was."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pipeline.local_gateway.composition import CannedComposer, CompositionRequest
from pipeline.local_gateway.studio import FolderShelf, MemoryShelf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio


class Composer(CannedComposer):
    """Counts."""

    def __init__(self) -> None:
        super().__init__(1000)
        self.composed = 0

    async def compose(self, request: CompositionRequest) -> bytes:
        self.composed += 1
        return await super().compose(request)


async def test_jobs_go_on_over_a_restart(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    """One that runs completes at its time; one that was done is still there, charged once, under its old address."""
    first = make_bench(state=tmp_path)
    done = await first.completed("one")
    running = await first.job("two")
    second = make_bench(state=tmp_path)
    assert (await second.poll(running)).json()["status"] == "queued"
    await anyio.sleep(10)
    assert (await second.poll(running)).json()["status"] == "completed"
    assert (await second.poll(done["id"])).json()["status"] == "completed"
    assert (await second.http.get(done["result"]["url"])).status_code == 200
    assert second.books.charged_microusd == 4000


async def test_keys_results_and_variations_are_kept(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    """A replay is one, a cached result is one, and a fresh take is not one that was given before."""
    first = make_bench(state=tmp_path)
    job_id = await first.job(headers={"Idempotency-Key": "once"})
    await first.job(headers={"x-cache": "skip"})
    await anyio.sleep(11)
    second = make_bench(state=tmp_path)
    assert await second.job(headers={"Idempotency-Key": "once"}) == job_id
    assert (await second.submit()).headers["x-cache"] == "hit"
    await second.job(headers={"x-cache": "skip"})
    assert [job.piece.variation for job in second.books.jobs] == [0, 1, 0, 2]


async def test_a_failed_jobs_reason_is_kept(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    """And it stays free."""
    first = make_bench(state=tmp_path)
    first.play("faults: [{endpoint: submit, job: {fail: {code: odd, message: no}}}]".replace("no}", "'no'}"))
    job_id = await first.job()
    second = make_bench(state=tmp_path)
    await anyio.sleep(10)
    assert (await second.poll(job_id)).json()["error"] == {"code": "odd", "message": "no"}


async def test_audio_that_was_composed_is_not_composed_again(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    """Unless it is gone: then it is composed again, the same."""
    composer = Composer()
    first = make_bench(state=tmp_path, composer=composer)
    job = await first.completed()
    audio = (await first.http.get(job["result"]["url"])).content
    second = make_bench(state=tmp_path, composer=composer)
    assert (await second.http.get(job["result"]["url"])).content == audio
    assert composer.composed == 1
    for path in (tmp_path / "audio").iterdir():
        path.unlink()
    assert (await second.http.get(job["result"]["url"])).content == audio
    assert composer.composed == 2


async def test_at_work_again_an_unfinished_job_is_composed(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    """What was being composed when the process died is composed again."""
    first = make_bench(state=tmp_path)
    job_id = await first.job()
    second = make_bench(state=tmp_path)
    async with second.app.at_work():
        await anyio.sleep(11)
        assert (await second.poll(job_id)).json()["status"] == "completed"


async def test_a_torn_line_and_an_unknown_one_are_passed_over(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    """A process killed while writing loses at most what nobody was told."""
    first = make_bench(state=tmp_path)
    job_id = await first.job()
    journal = tmp_path / "jobs.jsonl"
    [line] = journal.read_text().splitlines()
    later = json.dumps(json.loads(line) | {"id": "job_later", "a_field_of_a_later_version": 1})
    journal.write_text(f'{line}\n[]\n{{"id": 1}}\n{later}\n{line[: len(line) // 2]}')
    second = make_bench(state=tmp_path)
    assert [job.id for job in second.books.jobs] == [job_id, "job_later"]
    assert await second.job("another")
    assert len(make_bench(state=tmp_path).books.jobs) == 3


async def test_jobs_of_long_ago_are_forgotten(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    """The journal does not grow for ever."""
    await make_bench(state=tmp_path).job()
    await anyio.sleep(63 * 86_400)
    assert make_bench(state=tmp_path).books.jobs == []
    assert (tmp_path / "jobs.jsonl").read_text() == ""


async def test_the_secret_is_the_owners(make_bench: Callable[..., Any], tmp_path: Path) -> None:
    """Nobody else can read it, and no API key stands anywhere."""
    bench = make_bench(state=tmp_path / "state")
    await bench.completed()
    secret = tmp_path / "state" / "signing-secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    assert "sk-aig" not in (tmp_path / "state" / "jobs.jsonl").read_text()


class TestShelves:
    """Audio is kept while there is room."""

    def test_memory_keeps_what_was_used_last(self) -> None:
        """And always the newest, however large."""
        shelf = MemoryShelf(10)
        shelf.put("a", b"aaaa")
        shelf.put("b", b"bbbb")
        shelf.get("a")
        shelf.put("c", b"cccc")
        assert [shelf.get(name) for name in "abc"] == [b"aaaa", None, b"cccc"]
        shelf.put("d", b"d" * 100)
        assert [shelf.get(name) for name in "acd"] == [None, None, b"d" * 100]

    def test_a_folder_keeps_the_newest(self, tmp_path: Path) -> None:
        """Counting what an earlier process left there."""
        FolderShelf(tmp_path, 10).put("a.wav", b"aaaaaa")
        shelf = FolderShelf(tmp_path, 10)
        shelf.put("b.wav", b"bbbbbb")
        assert [shelf.get(name) for name in ("a.wav", "b.wav")] == [None, b"bbbbbb"]
        assert [path.name for path in tmp_path.iterdir()] == ["b.wav"]

    def test_a_folder_that_takes_nothing_is_no_failure(self, tmp_path: Path) -> None:
        """What is not kept is composed again."""
        shelf = FolderShelf(tmp_path / "gone")
        shelf.put("a.wav", b"a")
        assert shelf.get("a.wav") is None

"""The lock file of a run: what is bought is pinned in it, and never bought again where nothing else is left."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from disks import small_disk
from test_picking import NOTHING_HEARD, is_audio, silence
from worlds import HEAD, KEY, First, World, error, is_poll, is_submit, status

from pipeline.files import sha256_of
from pipeline.fingerprints import asked_fingerprint
from pipeline.manifest import parse_manifest
from pipeline.picks.document import LockMistake, read_lock
from pipeline.runner.events import Notice
from pipeline.runner.results import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx
    from disks import Disk

pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"
TWO = "  menu: {prompt: calm menu, takes: 2}\n"
BOTH = TWO + "  battle: {prompt: a battle}\n"


def lock_of(world: World, name: str = "game") -> dict[str, Any]:
    """The tracks of a lock, as JSON has them."""
    return json.loads((world.folder / f"{name}.lock.json").read_text())["tracks"]


def forget(world: World, *, output: bool = False) -> None:
    """A clone: neither ledger nor sources are there, nor, if so, anything that was delivered."""
    shutil.rmtree(world.state)
    if output:
        shutil.rmtree(world.output)
    world.network.requests.clear()


async def test_what_was_bought_is_pinned(world: World) -> None:
    """Each take with its source, its job and its cost; the pick; and the hash of each asset."""
    await world.run(TWO)
    entry = lock_of(world)["menu"]
    row = world.index["menu.wav"]
    assert entry["assets"] == {"menu.wav": {"sha256": row["sha256"], "finishing": row["finishing_fingerprint"]}}
    assert sha256_of(world.output / "menu.wav") == row["sha256"]
    (pick,) = entry["picks"]
    assert (pick["take"], pick["regeneration"], pick["by"], pick["at"]) == (1, 0, "run", row["provenance"]["date"])
    (purchase,) = entry["purchases"].values()
    jobs = {job.key.take: job for job in world.jobs}
    for take in purchase["takes"]:
        job = jobs[take["take"]]
        assert (take["source"], take["job_id"]) == (job.source, job.job_id)
        assert (take["cost_usd"], take["cost_basis"], take["seconds"]) == (0.002, "usage", 2.0)
    assert [take["take"] for take in purchase["takes"]] == [1, 2]


async def test_the_lock_proves_what_was_asked_for(world: World) -> None:
    """The paid fingerprint follows from the words beside it."""
    await world.run("  menu: {prompt: calm menu, lyrics: la la, duration: 2.5}\n")
    lock = read_lock((world.folder / "game.lock.json").read_bytes(), "")
    ((fingerprint, purchase),) = lock.tracks["menu"].purchases.items()
    assert asked_fingerprint(purchase.asked) == fingerprint == world.index["menu.wav"]["paid_fingerprint"]


async def test_neither_key_nor_address_is_in_it(world: World) -> None:
    """It is meant for version control."""
    await world.run(BOTH)
    text = (world.folder / "game.lock.json").read_text()
    assert KEY not in text
    assert "http" not in text


async def test_a_run_with_nothing_to_do_leaves_it_alone(world: World) -> None:
    """And one that only finishes anew changes the asset's hash in it, and nothing else."""
    await world.run(BOTH)
    before = lock_of(world)
    os.utime(world.folder / "game.lock.json", (1, 1))
    await world.run(BOTH)
    assert (world.folder / "game.lock.json").stat().st_mtime == 1
    await world.run(BOTH.replace("takes: 2", "takes: 2, loudness: mobile"))
    after = lock_of(world)
    assert after["menu"]["assets"] != before["menu"].pop("assets")
    after["menu"].pop("assets")
    assert after == before


async def test_placeholders_are_not_pinned(world: World) -> None:
    """They were never paid for, so there is nothing to prove."""
    await world.run(BOTH, kind="local")
    assert not (world.folder / "game.lock.json").exists()


class TestAFreshClone:
    """Lock and assets came from version control; the ledger did not."""

    async def test_nothing_is_bought_and_nothing_written(self, world: World) -> None:
        """0 submits, $0: no request at all."""
        await world.run(BOTH)
        forget(world)
        stamps = {path: path.stat().st_mtime_ns for path in world.folder.rglob("*") if path.is_file()}
        plan = world.plan(BOTH)
        assert (plan.nothing_to_do, plan.estimate_microusd) == (True, 0)
        result = await world.run(BOTH)
        assert (result.exit, result.counts["kept"], result.committed.total) == (0, 2, 0)
        assert world.network.requests == []
        assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())

    async def test_the_lock_alone_keeps_an_asset_whose_hash_fits(self, world: World) -> None:
        """The index is gone too: it is made again from the files, with the same figures."""
        await world.run(BOTH + "  map: {prompt: a map, loop: true, outputs: [wav, ogg]}\n")
        before = world.index
        forget(world)
        (world.output / "assets.json").unlink()
        result = await world.run(BOTH + "  map: {prompt: a map, loop: true, outputs: [wav, ogg]}\n")
        assert (result.exit, result.counts["kept"], world.network.requests) == (0, 3, [])
        told = {"warnings", "limited_db", "source_marks"}  # what only finishing has seen
        for path, row in world.index.items():
            assert {**row, **dict.fromkeys(told)} == {**before[path], **dict.fromkeys(told)}
        assert (await world.run(BOTH)).counts["kept"] == 2

    async def test_a_local_run_puts_no_placeholder_over_it(self, world: World) -> None:
        """The lock says that it is real, though no index does."""
        await world.run(ONE)
        forget(world)
        (world.output / "assets.json").unlink()
        content = (world.output / "menu.wav").read_bytes()
        result = await world.run(ONE, kind="local")
        assert (status(result), (world.output / "menu.wav").read_bytes()) == ("kept", content)
        assert world.index["menu.wav"]["placeholder"] is False

    @pytest.mark.parametrize("index", ["older", "gone"])
    async def test_a_file_that_is_not_the_locks_is_not_taken_for_it(self, world: World, index: str) -> None:
        """It is missed, not bought, and not replaced."""
        await world.run(ONE)
        forget(world)
        if index == "gone":
            (world.output / "assets.json").unlink()
        (world.output / "menu.wav").write_bytes(b"something else")
        result = await world.run(ONE)
        assert (result.exit, len(world.network.submits)) == (1, 0)
        assert (world.output / "menu.wav").read_bytes() == b"something else"

    async def test_what_is_gone_is_missed_and_not_bought(self, world: World) -> None:
        """`! source missing`, with what it would cost; `--regenerate` is the word for it."""
        await world.run(BOTH)
        forget(world, output=True)
        result = await world.run(BOTH)
        assert (result.exit, world.network.submits) == (1, [])
        assert error(result) == "source missing: generating again costs $0.0040 (--regenerate)"
        assert (await world.run(BOTH, regenerate=["menu"])).counts["generated"] == 1
        assert len(world.network.submits) == 2

    async def test_an_edited_prompt_is_bought_and_the_old_takes_stay(self, world: World) -> None:
        """What the old ones were asked for and what they cost is still in the lock."""
        await world.run(ONE)
        ((old, purchase),) = lock_of(world)["menu"]["purchases"].items()
        forget(world)
        result = await world.run(ONE.replace("calm", "wild"))
        assert (status(result), len(world.network.submits)) == ("generated", 1)
        after = lock_of(world)["menu"]
        assert after["purchases"][old] == purchase
        assert (len(after["purchases"]), len(after["picks"])) == (2, 2)


async def test_a_project_from_before_gets_its_lock_by_the_next_run(world: World) -> None:
    """From its ledger and its index, without a request."""
    await world.run(BOTH)
    before = (world.folder / "game.lock.json").read_bytes()
    (world.folder / "game.lock.json").unlink()
    world.network.requests.clear()
    plan = world.plan(BOTH)
    assert (plan.nothing_to_do, plan.estimate_microusd) == (False, 0)
    result = await world.run(BOTH)
    assert (result.exit, result.counts["kept"], world.network.requests) == (0, 2, [])
    assert (world.folder / "game.lock.json").read_bytes() == before
    assert world.plan(BOTH).nothing_to_do


async def test_a_renamed_tracks_entry_goes_with_it(world: World) -> None:
    """What was bought stays bought under the new name, without a ledger too."""
    await world.run(BOTH)
    before = lock_of(world)["menu"]
    forget(world)
    renamed = BOTH.replace("menu:", "title:")
    result = await world.run(renamed)
    assert (result.exit, world.network.requests, set(lock_of(world))) == (0, [], {"title", "battle"})
    after = lock_of(world)["title"]
    assert (after["picks"], after["purchases"]) == (before["picks"], before["purchases"])
    assert after["assets"]["title.wav"] == before["assets"]["menu.wav"]
    assert world.plan(renamed).nothing_to_do


async def test_a_take_that_failed_its_gate_is_pinned_with_what_it_failed(world: World) -> None:
    """It was paid for, and it is in nobody's way."""
    world.network.after.append(First(is_audio, silence))
    await world.run(TWO, concurrency=1)
    entry = lock_of(world)["menu"]
    (purchase,) = entry["purchases"].values()
    assert [take["unfit"] for take in purchase["takes"]] == [NOTHING_HEARD, None]
    assert entry["picks"][-1]["take"] == 2


async def test_a_track_without_a_fit_take_has_its_takes_pinned(world: World) -> None:
    """No asset, no pick; and still never bought again."""
    world.network.after.append(First(is_audio, silence))
    await world.run(ONE)
    entry = lock_of(world)["menu"]
    assert (entry["assets"], entry["picks"]) == ({}, [])
    forget(world, output=True)
    assert (await world.run(ONE)).exit == 1
    assert world.network.submits == []


async def test_a_regeneration_that_failed_its_gates_is_known_to_be_unfit(world: World) -> None:
    """The last good asset stays the pick, is finished anew where that is wanted, and the failed one is not tried again.

    The index says what it failed.
    """
    await world.run(ONE)
    world.network.after.append(First(is_audio, silence))
    assert (await world.run(ONE, regenerate=["menu"])).exit == 1
    (pick,) = lock_of(world)["menu"]["picks"]
    assert (pick["take"], pick["regeneration"]) == (1, 0)
    row = world.index["menu.wav"]
    assert (row["provenance"]["regeneration"], row["unfit"][0]["regeneration"]) == (0, 1)
    warning = {"code": "take_failed", "message": f"take 1, generated again, is not fit to be its pick: {NOTHING_HEARD}"}
    assert warning in row["warnings"]
    assert world.plan(ONE).nothing_to_do
    result = await world.run(ONE.replace("prompt", "loudness: mobile, prompt"))
    assert (result.exit, status(result)) == (1, "failed")  # judged again, since more than its gates changed
    result = await world.run(ONE.replace("prompt", "loudness: mobile, prompt"))
    assert (result.exit, status(result), len(world.network.submits)) == (0, "finished", 2)
    assert world.index["menu.wav"]["lufs"] == pytest.approx(-18, abs=0.2)


class TestALockThatCantBeUsed:
    """One sentence, and nothing bought."""

    @pytest.mark.parametrize("content", ["<<<<<<< HEAD\n", "{", '{"version": 2}'])
    async def test_it_is_refused_before_anything_is_sent(self, world: World, content: str) -> None:
        """By a plan, by a run, and by a local one."""
        (world.folder / "game.lock.json").write_text(content)
        for kind in ("real", "local"):
            with pytest.raises(LockMistake, match=r"game\.lock\.json"):
                await world.run(ONE, kind=kind)
        assert world.network.requests == []
        assert not world.state.exists()

    async def test_a_conflict_that_comes_up_during_a_run_stops_it(self, world: World) -> None:
        """What is paid for comes home, the lock is left to whoever resolves it, and the next run goes on."""
        path = world.folder / "game.lock.json"

        def merge(request: httpx.Request) -> None:
            if is_submit(request):
                path.write_text("<<<<<<< HEAD\n")

        world.network.before.append(merge)
        three = BOTH + "  map: {prompt: a map}\n"
        result = await world.run(three, concurrency=1)
        assert (result.exit, "a merge left its conflict marks" in str(result.stop)) == (5, True)
        assert (path.read_text(), len(world.network.submits)) == ("<<<<<<< HEAD\n", 3)
        assert set(world.index) == {"menu.wav", "battle.wav"}
        world.network.before.clear()
        path.unlink()
        assert (await world.run(three)).exit == 0
        assert (len(world.network.submits), set(lock_of(world))) == (4, {"menu", "battle", "map"})

    async def test_two_manifests_have_two_locks(self, world: World) -> None:
        """In one folder and one command; two whose files would share one are a mistake."""
        other = world.manifest(HEAD.replace("game", "film") + "  scene: {prompt: a scene}\n")
        await world.run(ONE, beside=[other])
        assert set(lock_of(world)) == {"menu"}
        assert set(lock_of(world, "other")) == {"scene"}
        same = parse_manifest(HEAD.replace("game", "film") + "  scene: {prompt: a scene}\n", world.folder / "game.yml")
        with pytest.raises(LockMistake, match=r"would have one lock, game\.lock\.json: rename one"):
            world.plan(ONE, beside=[same])


class TestAManifestFolderThatCantBeWritten:
    """A read-only checkout: what would be bought there could be named nowhere."""

    @pytest.fixture
    def checkout(self, world: World, tmp_path: Path) -> Iterator[Disk]:
        """A disk of its own for the manifest and its lock."""
        with small_disk(tmp_path / "disk", 64) as disk:
            world.folder, world.elsewhere = disk.folder, tmp_path
            yield disk

    async def test_nothing_is_bought(self, world: World, checkout: Disk) -> None:
        """Exit 5 with one sentence, before the first submit."""
        checkout.make_read_only()
        result = await world.run(ONE)
        assert (result.exit, world.network.submits) == (5, [])
        assert "game.lock.json: the lock, which keeps what is bought from being bought twice" in str(result.stop)
        assert "can't be written there (read-only file system), so nothing is bought" in str(result.stop)

    async def test_what_is_paid_for_comes_home(self, world: World, checkout: Disk) -> None:
        """A job that has an id is collected; that its lock is not written is said."""
        world.network.delay_s = lambda request: 100.0 if is_poll(request) else 0.0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.run, ONE)
            await anyio.sleep(10)
            world.control.interrupt(Stop(130, "interrupted"))
        world.network.delay_s = lambda _: 0.0
        checkout.make_read_only()
        result = await world.run(ONE)
        assert (result.exit, status(result), len(world.network.submits)) == (0, "generated", 1)
        said = [event.text for event in world.events if isinstance(event, Notice)]
        assert any(text.startswith("the lock is not written: ") for text in said)

    async def test_what_is_free_is_done(self, world: World, checkout: Disk) -> None:
        """Finishing from kept sources, and placeholders."""
        await world.run(ONE)
        checkout.make_read_only()
        result = await world.run(ONE.replace("prompt", "loudness: mobile, prompt"))
        assert (result.exit, status(result)) == (0, "finished")
        result = await world.run(BOTH.replace("takes: 2", "loudness: mobile"), kind="local")
        assert (result.exit, status(result, "battle")) == (0, "generated")

"""Pruning two real folders: what goes is gone with all that belongs to it, and nothing of it is ever bought again."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import anyio
import pytest
from worlds import HEAD, World, error

from pipeline.ledger.writing import InlineWriter
from pipeline.manifest import parse_manifest
from pipeline.picks.document import LockMistake
from pipeline.picks.lockfile import LockFile
from pipeline.picks.values import Asked, Lock, LockedPurchase, LockedTake, LockedTrack
from pipeline.pruning import find_prunable, prune, sources_that_locks_name, unknown_sources
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.planning.prunes import Pruning

pytestmark = pytest.mark.anyio

DAY = 24 * 3600.0
MONTH = 31 * DAY
TWO = "  menu: {prompt: calm menu}\n  battle: {prompt: loud battle}\n"
MENU = "  menu: {prompt: calm menu}\n"
SIDECARS = (".import", ".uid", ".meta")


def found(world: World, *texts: str, now: float | None = None, at_once: bool = False) -> Pruning:
    manifests = [parse_manifest(text, world.folder / "game.yaml") for text in texts]
    workspace = Workspace(world.output, world.state)
    return find_prunable(workspace, manifests, world.clock.now() if now is None else now, at_once=at_once)


async def pruned(world: World, *texts: str, after: float = 0.0, at_once: bool = False) -> Pruning:
    """What a prune so many seconds from now has done."""
    now = world.clock.now() + after
    pruning = found(world, *texts, now=now, at_once=at_once)
    workspace = Workspace(world.output, world.state)
    with workspace.locked():
        ledger = InlineWriter(workspace.ledger_path) if workspace.ledger_path.exists() else None
        try:
            await prune(workspace, pruning, ledger, now)
        finally:
            if ledger is not None:
                ledger.close()
    return pruning


def a_take(number: int = 1, *, source: str) -> LockedTake:
    return LockedTake(number, 0, source, "2026-03-01T12:00:00Z")


def a_track(*takes: LockedTake) -> LockedTrack:
    asked = Asked("maker/model", "calm", "", refine_lyrics=False, duration=2.0, source_format="wav")
    return LockedTrack(purchases={"f" * 64: LockedPurchase(asked, takes)})


def sources(world: World) -> set[str]:
    return {path.stem for path in (world.state / "sources").glob("??/*")}


async def test_an_orphan_goes_with_its_sidecars_its_row_and_its_empty_folder(world: World) -> None:
    """Its source stays while it is new: everything could be made again, free."""
    text = TWO.replace("battle:", "boss/deep/battle:")
    await world.run(text)
    for sidecar in SIDECARS:
        (world.output / f"boss/deep/battle.wav{sidecar}").write_text("uid")
    (world.output / "boss/notes.txt").write_text("mine")
    before = sources(world)
    await world.run(MENU)
    await pruned(world, HEAD + MENU)
    assert {path for path in world.files if path.startswith(("boss", "menu"))} == {"menu.wav", "boss/notes.txt"}
    assert not (world.output / "boss/deep").exists()
    assert (list(world.index), sources(world)) == (["menu.wav"], before)
    world.network.requests.clear()
    assert (await world.run(text)).exit == 0
    assert world.network.requests == []
    assert "boss/deep/battle.wav" in world.files


async def test_a_pruned_source_is_missing_and_never_bought_again(world: World) -> None:
    """The plan says when it went; its row and its bill are still in the ledger."""
    await world.run(TWO)
    await world.run(MENU)
    await anyio.sleep(MONTH)
    await pruned(world, HEAD + MENU)
    (job,) = [job for job in world.jobs if job.intent.track == "battle"]
    assert (job.source not in sources(world), len(sources(world)), job.cost_microusd) == (True, 1, 2_000)
    result = await world.run(TWO)
    assert (result.exit, len(world.network.submits)) == (1, 2)
    assert error(result, "battle").startswith("source missing (pruned on ")
    assert "generating again costs $0.0020 (--regenerate)" in error(result, "battle")
    assert (await world.run(TWO, regenerate=("battle",))).exit == 0
    assert len(world.network.submits) == 3
    assert world.plan(TWO).nothing_to_do


async def test_what_the_gateway_still_has_is_fetched_again_after_a_prune(world: World) -> None:
    """For seven days, free; and then it is no longer pruned."""
    await world.run(TWO)
    await world.run(MENU)
    await pruned(world, HEAD + MENU, at_once=True)
    assert len(sources(world)) == 1
    result = await world.run(TWO)
    assert (result.exit, len(world.network.submits), len(sources(world))) == (0, 2, 2)
    shutil.rmtree(world.state / "sources")
    await anyio.sleep(MONTH)
    result = await world.run(TWO.replace("loud battle", "loud battle, fade_out: 0.5"))
    assert error(result, "battle").startswith("source missing: ")


async def test_what_is_new_and_paid_for_stays_and_says_until_when(world: World) -> None:
    """Thirty days from when it came."""
    await world.run(TWO)
    await world.run(MENU)
    await pruned(world, HEAD + MENU, after=29 * DAY)
    assert len(sources(world)) == 2
    (fate,) = found(world, HEAD + MENU, now=world.clock.now() + 29 * DAY).sources
    assert fate.why.startswith("paid for: kept until ")
    await pruned(world, HEAD + MENU, after=MONTH)
    assert len(sources(world)) == 1


async def test_placeholders_go_at_once_with_their_sources(world: World) -> None:
    """They cost nothing."""
    await world.run(TWO, kind="local")
    await world.run(MENU, kind="local")
    await pruned(world, HEAD + MENU)
    assert ("battle.wav" in world.files, len(sources(world))) == (False, 1)
    assert not any(folder for folder in (world.state / "sources").glob("??") if not any(folder.iterdir()))


async def test_a_second_prune_finds_nothing_and_rewrites_nothing(world: World) -> None:
    """Neither the index nor the ledger."""
    await world.run(TWO)
    await world.run(MENU)
    await pruned(world, HEAD + MENU, after=MONTH)
    before = (world.output / "assets.json").stat().st_mtime_ns
    again = await pruned(world, HEAD + MENU, after=MONTH)
    assert (again.orphans, again.sources) == ((), ())
    assert (world.output / "assets.json").stat().st_mtime_ns == before
    assert world.plan(MENU).nothing_to_do


async def test_only_what_is_just_what_its_row_says_goes(world: World) -> None:
    """An edited asset, a link, and a damaged source stay, and that is said."""
    await world.run("  a: {prompt: a}\n  b: {prompt: b}\n  c: {prompt: c}\n  menu: {prompt: calm menu}\n")
    (world.output / "a.wav").write_bytes(b"edited")
    (world.output / "b.wav").rename(world.output / "elsewhere")
    (world.output / "b.wav").symlink_to("elsewhere")
    damaged = next(job.source for job in world.jobs if job.intent.track == "c")
    next((world.state / "sources").glob(f"??/{damaged}.wav")).write_bytes(b"damaged")
    await world.run(MENU)
    pruning = await pruned(world, HEAD + MENU, after=MONTH)
    assert {"a.wav", "b.wav", "elsewhere"} <= world.files
    assert damaged in sources(world)
    assert {one.row.path: one.why for one in pruning.orphans if not one.goes} == dict.fromkeys(
        ("a.wav", "b.wav"), "changed since it was made: remove it by hand"
    )
    assert [one.why for one in pruning.sources if not one.goes] == ["not what was recorded: remove it by hand"]


async def test_without_a_ledger_the_only_copy_of_what_was_paid_for_stays_for_a_month(world: World) -> None:
    """A clone has nothing to make it of; no ledger is made for a prune."""
    await world.run(TWO)
    await world.run(MENU)
    shutil.rmtree(world.state)
    await pruned(world, HEAD + MENU)
    assert "battle.wav" in world.files
    await pruned(world, HEAD + MENU, after=MONTH)
    assert ("battle.wav" in world.files, list(world.index)) == (False, ["menu.wav"])
    assert not (world.state / "ledger.sqlite3").exists()


async def test_what_a_rename_will_need_stays_until_a_run_has_moved_it(world: World) -> None:
    """Whoever prunes first loses nothing."""
    await world.run(TWO)
    renamed = "  title: {prompt: calm menu}\n  battle: {prompt: loud battle}\n"
    await pruned(world, HEAD + renamed, after=MONTH, at_once=True)
    assert ("menu.wav" in world.files, len(sources(world))) == (True, 2)
    assert (await world.run(renamed)).exit == 0
    assert (len(world.network.submits), "title.wav" in world.files) == (2, True)


async def test_of_two_manifests_in_one_state_folder_only_what_is_given_goes(world: World) -> None:
    """The other's sources are counted; given both, both go."""
    film = HEAD.replace("name: game", "name: film")
    scene = "  scene: {prompt: a scene}\n"
    await world.run(TWO, beside=[world.manifest(f"{film}{scene}  end: {{prompt: the end}}\n")])
    await world.run(MENU, beside=[world.manifest(f"{film}{scene}  end: {{prompt: curtain}}\n")])
    (world.folder / "other.lock.json").unlink()  # which would name all that its tracks ever were
    await anyio.sleep(MONTH)
    pruning = await pruned(world, HEAD + MENU)
    assert (pruning.elsewhere, len(sources(world))) == ({"film": 1}, 4)
    assert {"end.wav", "scene.wav"} <= world.files
    both = find_prunable(
        Workspace(world.output, world.state),
        [world.manifest(film + scene), parse_manifest(HEAD + MENU, world.folder / "game.yaml")],
        world.clock.now(),
        at_once=False,
    )
    assert ([one.row.path for one in both.orphans], len(both.sources), both.elsewhere) == (["end.wav"], 2, {})


async def test_a_purchase_that_another_manifest_shares_stays(world: World) -> None:
    """It is on the books of whoever asked first, and in the ledger stands whose assets are made of it."""
    film = HEAD.replace("name: game", "name: film")
    await world.run(TWO)
    await world.run("  scene: {prompt: loud battle}\n", head=film)
    assert len(world.network.submits) == 2
    await world.run(MENU)
    shutil.rmtree(world.output)  # another folder's index is all that would tell, but for the ledger
    await pruned(world, HEAD + MENU, after=MONTH, at_once=True)
    assert len(sources(world)) == 2


async def test_what_an_open_run_has_fetched_stays(world: World) -> None:
    """It was interrupted, and goes on with it."""
    with anyio.move_on_after(7.0):
        await world.run("  a: {prompt: a}\n  b: {prompt: b, duration: 600}\n", concurrency=1)
    assert len(sources(world)) == 1
    await pruned(world, HEAD + MENU, after=MONTH, at_once=True)
    assert len(sources(world)) == 1


async def test_source_files_that_no_ledger_knows_are_counted_and_stay(world: World) -> None:
    """They may be all that is left of a ledger that was lost."""
    await world.run(TWO)
    for path in world.state.glob("ledger*"):
        path.unlink()
    await pruned(world, HEAD + MENU, after=MONTH, at_once=True)
    assert (len(sources(world)), unknown_sources(Workspace(world.output, world.state))) == (2, 2)


class TestLocks:
    """What a lock names for a track that there is stays, so that every take of it can be picked."""

    async def test_takes_of_an_earlier_prompt_stay(self, world: World) -> None:
        """Whoever takes the new prompt back has them."""
        await world.run(TWO)
        await world.run(TWO.replace("loud battle", "louder"))
        await pruned(world, HEAD + TWO.replace("loud battle", "louder"), after=MONTH, at_once=True)
        assert len(sources(world)) == 3
        (world.folder / "game.lock.json").unlink()
        await pruned(world, HEAD + TWO.replace("loud battle", "louder"), after=MONTH, at_once=True)
        assert len(sources(world)) == 2

    async def test_the_entry_of_a_track_that_is_gone_proves_and_keeps_nothing(self, world: World) -> None:
        """Its source goes; that it was bought stays known, also without a ledger."""
        await world.run(TWO)
        await world.run(MENU)
        await pruned(world, HEAD + MENU, after=MONTH)
        assert len(sources(world)) == 1
        shutil.rmtree(world.state)
        result = await world.run(TWO)
        assert (len(world.network.submits), error(result, "battle").split(":")[0]) == (2, "source missing")

    async def test_a_lock_that_cant_be_read_holds_up_everything(self, world: World) -> None:
        """What it names is not known then."""
        await world.run(TWO)
        (world.folder / "game.lock.json").write_text("<<<<<<< HEAD\n")
        with pytest.raises(LockMistake):
            found(world, HEAD + MENU)

    async def test_each_manifest_has_a_lock_of_its_own(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Those of both are read, for the tracks that they have."""
        fake = {
            "game": Lock("game", {"menu": a_track(a_take(source="1" * 64)), "gone": a_track(a_take(source="2" * 64))}),
            "film": Lock("film", {"menu": a_track(a_take(source="3" * 64), a_take(2, source="4" * 64))}),
        }
        monkeypatch.setattr(LockFile, "read", lambda self: fake[self._name])
        film = HEAD.replace("name: game", "name: film")
        given = [parse_manifest(head + MENU, world.folder / "any.yaml") for head in (HEAD, film)]
        assert sources_that_locks_name(given) == {"1" * 64, "3" * 64, "4" * 64}

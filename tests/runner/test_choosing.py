"""Somebody chooses a take: it is finished from its kept source, for nothing, and stays until they choose again."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from test_locks import lock_of
from test_picking import First, is_audio, silence
from worlds import HEAD, World, is_poll, status

from pipeline.choosing import CantBeChosen, Chooser, Chosen, NoSuchTake
from pipeline.history import history_of
from pipeline.manifest import parse_manifest
from pipeline.runner.results import Stop
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.history import History

pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"
TWO = "  menu: {prompt: calm menu, takes: 2}\n"


async def choose(world: World, tracks: str, take: str | int | None = "", *, name: str = "menu") -> Chosen:
    """`pick NAME TAKE`; with a number, or None, `rollback NAME [NUMBER]`."""
    workspace, manifest = (
        Workspace(world.output, world.state),
        parse_manifest(HEAD + tracks, world.folder / "game.yaml"),
    )
    (track,) = (track for track in manifest.tracks if track.name == name)
    chooser = Chooser(workspace, world.clock, world.finisher, world.events.append)
    with workspace.locked():
        if isinstance(take, str):
            return await chooser.pick(manifest, track, take)
        return await chooser.rollback(manifest, track, None if take is None else str(take))


def history(world: World, tracks: str, name: str = "menu") -> History:
    manifest = parse_manifest(HEAD + tracks, world.folder / "game.yaml")
    (track,) = (track for track in manifest.tracks if track.name == name)
    return history_of(Workspace(world.output, world.state), manifest, track)


def made_of(world: World, path: str = "menu.wav") -> tuple[int, int]:
    """Which take and regeneration an asset is made of, by the index and the file itself."""
    row = world.index[path]
    return row["provenance"]["take"], row["provenance"]["regeneration"]


def picks(world: World) -> list[tuple[str, int, int]]:
    return [(pick["by"], pick["take"], pick["regeneration"]) for pick in lock_of(world)["menu"]["picks"]]


class TestPick:
    """`pipeline pick TRACK N`."""

    async def test_a_take_becomes_the_pick_at_once_and_for_nothing(self, world: World) -> None:
        """Its asset is finished from the kept source: another file, another hash in lock and index, not one request."""
        await world.run(TWO)
        first = (world.output / "menu.wav").read_bytes()
        world.network.requests.clear()
        chosen = await choose(world, TWO, "2")
        assert (chosen.error, str(chosen.pick), str(chosen.was)) == (None, "2", "1")
        assert (world.output / "menu.wav").read_bytes() != first
        assert (made_of(world), world.network.requests) == ((2, 0), [])
        assert picks(world) == [("run", 1, 0), ("pick", 2, 0)]
        assert lock_of(world)["menu"]["assets"]["menu.wav"]["sha256"] == world.index["menu.wav"]["sha256"]
        assert world.plan(TWO).nothing_to_do
        await choose(world, TWO, "1")
        assert (world.output / "menu.wav").read_bytes() == first

    async def test_it_survives_whatever_a_run_does(self, world: World) -> None:
        """Another loudness, one more take, fewer takes: the choice stands."""
        await world.run(TWO)
        await choose(world, TWO, "2")
        await world.run(TWO.replace("takes", "loudness: mobile, takes"))
        assert (made_of(world), world.index["menu.wav"]["lufs"]) == ((2, 0), pytest.approx(-18, abs=0.2))
        await world.run(TWO.replace("2", "3"))
        assert (made_of(world), len(world.network.submits)) == ((2, 0), 3)
        assert world.plan(ONE).nothing_to_do

    async def test_choosing_what_stands_pins_it(self, world: World) -> None:
        """Nothing is finished; from now on nobody but a person replaces it."""
        await world.run(TWO)
        finished = len(world.finisher.finished)
        chosen = await choose(world, TWO, "1")
        assert (chosen.result, len(world.finisher.finished)) == (None, finished)
        assert picks(world) == [("run", 1, 0), ("pick", 1, 0)]
        await choose(world, TWO, "1")
        assert picks(world) == [("run", 1, 0), ("pick", 1, 0)]

    async def test_a_take_that_fails_its_gate_can_be_chosen_once_the_gate_lets_it(self, world: World) -> None:
        """Until then the choice is taken back, with the reason, and what stood stands."""
        world.network.after.append(First(is_audio, silence))
        await world.run(TWO, concurrency=1)
        before = (world.output / "menu.wav").read_bytes(), lock_of(world)
        chosen = await choose(world, TWO, "1")
        assert "take 1, which was picked, is not fit: silent: nothing in it" in str(chosen.error)
        assert str(chosen.error).endswith("nothing was changed")
        assert ((world.output / "menu.wav").read_bytes(), lock_of(world)) == before
        assert world.plan(TWO).nothing_to_do
        loose = TWO.replace("takes", "gates: {silent: warn}, takes")
        assert (await choose(world, loose, "1")).error is None
        assert made_of(world) == (1, 0)

    async def test_a_stricter_gate_does_not_move_a_choice(self, world: World) -> None:
        """The track fails with a sentence, and its last good asset stands."""
        loose = TWO.replace("takes", "gates: {silent: warn}, takes")
        world.network.after.append(First(is_audio, silence))
        await world.run(loose, concurrency=1)
        await choose(world, loose, "1")
        result = await world.run(TWO)
        assert (result.exit, status(result), made_of(world)) == (1, "failed", (1, 0))
        assert picks(world)[-1] == ("pick", 1, 0)

    async def test_a_source_that_is_gone_is_said_and_nothing_changed(self, world: World) -> None:
        """Neither the lock nor a file; and nothing is asked of the gateway, which may still have it."""
        await world.run(TWO)
        gone = next(job for job in world.jobs if job.key.take == 2)
        next((world.state / "sources").glob(f"??/{gone.source}.wav")).unlink()
        before = {path: path.read_bytes() for path in world.folder.glob("*.json")} | {"": world.index}
        world.network.requests.clear()
        with pytest.raises(CantBeChosen, match=r"menu: the source of take 2 is gone.*nothing was changed \(kept: 1\)"):
            await choose(world, TWO, "2")
        assert {path: path.read_bytes() for path in world.folder.glob("*.json")} | {"": world.index} == before
        assert world.network.requests == []

    async def test_a_damaged_source_is_no_source(self, world: World) -> None:
        """What is finished is what was paid for."""
        await world.run(TWO)
        spoilt = next(job for job in world.jobs if job.key.take == 2)
        path = next((world.state / "sources").glob(f"??/{spoilt.source}.wav"))
        path.write_bytes(path.read_bytes()[::-1])
        with pytest.raises(CantBeChosen, match="the source of take 2 is gone"):
            await choose(world, TWO, "2")

    @pytest.mark.parametrize(
        ("take", "said"),
        [("3", "menu has no take 3; it has 1, 2"), ("2.1", "menu has no take 2.1"),
         ("0", "menu has no take 0; it has 1, 2"), ("9" * 23, "menu has no take 9{23}; it has 1, 2"),
         ("1.9999999999999", "menu has no take 1.9{13}; it has 1, 2"),
         ("two", "'two' is no take; expected its number, such as 2"), ("1.", "'1.' is no take")],
    )  # fmt: skip
    async def test_what_is_no_take_of_the_track_is_a_mistake(self, world: World, take: str, said: str) -> None:
        """With those that there are."""
        await world.run(TWO)
        with pytest.raises(NoSuchTake, match=said):
            await choose(world, TWO, take)

    async def test_a_track_without_takes_says_so(self, world: World) -> None:
        """Neither one that was never run, nor a recording."""
        with pytest.raises(NoSuchTake, match="has no takes to choose from yet: `pipeline run` generates them"):
            await choose(world, TWO, "1")
        (world.folder / "theme.wav").write_bytes(b"")
        with pytest.raises(NoSuchTake, match=r"menu is a recording"):
            await choose(world, "  menu: {file: theme.wav}\n", "1")

    async def test_placeholders_are_chosen_alike(self, world: World) -> None:
        """The choice stands in the lock, and nothing else of them; the real thing is chosen anew."""
        await world.run(TWO, kind="local")
        await choose(world, TWO, "2")
        assert (made_of(world), picks(world)) == ((2, 0), [("run", 1, 0), ("pick", 2, 0)])
        assert (lock_of(world)["menu"]["purchases"], lock_of(world)["menu"]["assets"]) == ({}, {})
        assert world.plan(TWO, kind="local").nothing_to_do
        await world.run(TWO, kind="local", regenerate=["menu"])
        assert (made_of(world), picks(world)[-1]) == ((1, 1), ("run", 1, 1))
        await world.run(TWO)
        assert (made_of(world), picks(world)) == ((1, 0), [("run", 1, 0)])

    async def test_an_open_run_is_left_open(self, world: World) -> None:
        """What is still at the gateway is the next run's to collect."""
        tracks = TWO + "  battle: {prompt: a battle}\n"
        await world.run(TWO)
        world.network.delay_s = lambda request: 100.0 if is_poll(request) else 0.0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.run, tracks)
            await anyio.sleep(10)
            world.control.interrupt(Stop(130, "interrupted"))
        world.network.delay_s = lambda _: 0.0
        await choose(world, tracks, "2")
        assert world.plan(tracks).manifests[0].continues_run
        result = await world.run(tracks)
        assert (result.exit, len(world.network.submits), made_of(world)) == (0, 3, (2, 0))

    async def test_in_a_fresh_clone_only_what_stands_can_be_chosen(self, world: World) -> None:
        """No source is there; the lock knows the takes."""
        await world.run(TWO)
        shutil.rmtree(world.state)
        with pytest.raises(CantBeChosen, match="the source of take 2 is gone"):
            await choose(world, TWO, "2")
        assert (await choose(world, TWO, "1")).error is None
        assert picks(world)[-1] == ("pick", 1, 0)
        world.network.requests.clear()
        assert ((await world.run(TWO)).counts["kept"], world.network.requests) == (1, [])

    async def test_a_colleagues_choice_comes_with_the_lock(self, world: World) -> None:
        """Whoever has the sources finishes it with the next run."""
        await world.run(TWO)
        await choose(world, TWO, "2")
        chosen = (world.folder / "game.lock.json").read_bytes()
        await choose(world, TWO, "1")
        (world.folder / "game.lock.json").write_bytes(chosen)
        assert [track.why for track in world.plan(TWO).manifests[0].tracks] == ["take 2 was picked"]
        assert (status(await world.run(TWO)), made_of(world)) == ("finished", (2, 0))
        assert (world.folder / "game.lock.json").read_bytes() == chosen


class TestRollback:
    """`pipeline rollback TRACK [N]`."""

    async def test_it_goes_back_step_by_step(self, world: World) -> None:
        """To the pick before, and then to the one before that."""
        three = TWO.replace("2", "3")
        await world.run(three)
        files = {}
        for take in ("1", "2", "3"):
            await choose(world, three, take)
            files[take] = (world.output / "menu.wav").read_bytes()
        for take in ("2", "1"):
            chosen = await choose(world, three, None)
            assert (str(chosen.pick), (world.output / "menu.wav").read_bytes()) == (take, files[take])
        with pytest.raises(CantBeChosen, match="menu has had no other pick to go back to; nothing was changed"):
            await choose(world, three, None)
        assert len(world.network.submits) == 3

    async def test_it_undoes_a_regeneration_that_came_out_worse(self, world: World) -> None:
        """Free: what was there before has its own source; and the new one can be chosen again."""
        await world.run(ONE)
        old = (world.output / "menu.wav").read_bytes()
        await world.run(ONE, regenerate=["menu"])
        new = (world.output / "menu.wav").read_bytes()
        assert made_of(world) == (1, 1)
        await choose(world, ONE, None)
        assert (made_of(world), (world.output / "menu.wav").read_bytes()) == ((1, 0), old)
        assert world.plan(ONE).nothing_to_do
        await choose(world, ONE, "1.1")
        assert (made_of(world), (world.output / "menu.wav").read_bytes()) == ((1, 1), new)
        await choose(world, ONE, "1.0")
        assert (made_of(world), len(world.network.submits)) == ((1, 0), 2)

    async def test_a_number_is_that_of_the_history(self, world: World) -> None:
        """The first pick is 1."""
        await world.run(TWO)
        await choose(world, TWO, "2")
        await choose(world, TWO, 1)
        assert (made_of(world), picks(world)[-1]) == ((1, 0), ("rollback", 1, 0))
        await choose(world, TWO, 2)
        assert made_of(world) == (2, 0)
        for number in (9, 0, 10**22):
            with pytest.raises(NoSuchTake, match=f"menu has had no pick number {number}; there were 4"):
                await choose(world, TWO, number)

    async def test_an_earlier_prompts_pick_comes_back_with_its_words(self, world: World) -> None:
        """A lock can't make the manifest say something else; with the old words it is there, for nothing."""
        await world.run(ONE)
        wild = ONE.replace("calm", "wild")
        await world.run(wild)
        with pytest.raises(CantBeChosen, match="no other pick to go back to; what an earlier prompt brought comes"):
            await choose(world, wild, None)
        with pytest.raises(CantBeChosen, match="pick 1 was made of what the manifest asked for then"):
            await choose(world, wild, 1)
        result = await world.run(ONE)
        assert (status(result), len(world.network.submits)) == ("finished", 2)

    async def test_placeholders_go_back_too(self, world: World) -> None:
        """The pick that nobody had written down is the first."""
        await world.run(TWO, kind="local")
        await choose(world, TWO, "2")
        await choose(world, TWO, None)
        assert made_of(world) == (1, 0)


class TestHistory:
    """`pipeline history TRACK`."""

    async def test_every_take_is_told_with_what_is_known_of_it(self, world: World) -> None:
        """When, what it cost and how that is known, what its gates said, and whether its source is kept."""
        world.network.after.append(First(is_audio, silence))
        await world.run(TWO, concurrency=1)
        first, second = history(world, TWO).generations
        assert (str(first.unfit).startswith("silent"), first.kept, first.is_pick) == (True, True, False)
        assert (second.unfit, second.kept, second.is_pick) == (None, True, True)
        assert (second.cost_microusd, second.cost_basis, second.seconds) == (2000, "usage", 2.0)
        assert second.date == world.index["menu.wav"]["provenance"]["date"]

    async def test_without_a_ledger_the_lock_tells_it(self, world: World) -> None:
        """But for the sources, which are gone."""
        await world.run(TWO)
        before = history(world, TWO)
        shutil.rmtree(world.state)
        after = history(world, TWO)
        assert [one.kept for one in after.generations] == [False, False]
        told: list[Any] = [(one.version, one.date, one.cost_microusd, one.source) for one in before.generations]
        assert [(one.version, one.date, one.cost_microusd, one.source) for one in after.generations] == told
        assert after.picks == before.picks

    async def test_what_was_asked_for_before_is_told_too(self, world: World) -> None:
        """With its prompt, after what is current."""
        await world.run(ONE)
        await world.run(ONE.replace("calm", "wild"))
        told = history(world, ONE.replace("calm", "wild")).generations
        assert [(one.prompt, one.is_current, one.is_pick) for one in told] == [
            ("wild menu", True, True),
            ("calm menu", False, False),
        ]

"""A re-roll: one more take, paid for once whatever happens on the way, beside those there are."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import anyio
import pytest
from test_choosing import choose, lock_of, made_of
from test_picking import First, is_audio, silence
from worlds import HEAD, World, error, failure, is_poll, is_submit, status

from pipeline.choosing import CantBeChosen, NoSuchTake
from pipeline.jobs import State
from pipeline.rerolling import rerolled_take
from pipeline.runner.results import Stop

if TYPE_CHECKING:
    from pipeline.runner.results import RunResult

pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"
TWO = "  menu: {prompt: calm menu, takes: 2}\n"
BOTH = ONE + "  battle: {prompt: a battle}\n"


async def reroll(world: World, tracks: str, **options: object) -> RunResult:
    return await world.run(tracks, only=["menu"], reroll=["menu"], **options)


def takes(world: World) -> list[int]:
    return sorted(job.key.take for job in world.jobs if job.intent.track == "menu" and job.state is State.COLLECTED)


async def test_it_buys_one_more_take_and_leaves_the_pick(world: World) -> None:
    """Finished beside the pick, so that it can be heard; asked for as a fresh generation; pinned in the lock."""
    await world.run(TWO)
    before = (world.output / "menu.wav").read_bytes()
    plan = world.plan(TWO, only=["menu"], reroll=["menu"])
    assert (plan.estimate_microusd, rerolled_take(plan, "menu").number) == (2000, 3)
    assert plan.manifests[0].tracks[0].why == "one more take"
    result = await reroll(world, TWO)
    assert (result.exit, status(result), result.committed.billed) == (0, "generated", 2000)
    assert ((world.output / "menu.wav").read_bytes(), made_of(world), takes(world)) == (before, (1, 0), [1, 2, 3])
    assert world.network.submits[-1].headers["x-cache"] == "skip"
    assert (world.state / "takes/game/menu.take3.wav").is_file()
    (purchase,) = lock_of(world)["menu"]["purchases"].values()
    assert [take["take"] for take in purchase["takes"]] == [1, 2, 3]
    assert world.index["menu.wav"]["provenance"]["takes"] == 3


async def test_each_re_roll_is_one_more(world: World) -> None:
    """Said again once it is done, it is a new wish; none is ever overwritten."""
    await world.run(ONE)
    for _ in range(3):
        await reroll(world, ONE)
    assert (takes(world), len(world.network.submits)) == ([1, 2, 3, 4], 4)
    assert world.plan(ONE).nothing_to_do


async def test_a_later_run_knows_it_and_a_larger_takes_asks_for_it(world: World) -> None:
    """It is finished anew with the rest, and `takes: 2` to `3` buys nothing where it is the third."""
    await world.run(TWO)
    await reroll(world, TWO)
    finished = len(world.finisher.finished)
    await world.run(TWO.replace("takes", "loudness: mobile, takes"))
    assert len(world.finisher.finished) == finished + 3
    await world.run(TWO.replace("2", "3"))
    await world.run(TWO.replace("2", "4"))
    assert (takes(world), len(world.network.submits)) == ([1, 2, 3, 4], 4)


async def test_a_clone_knows_it_too(world: World) -> None:
    """By its lock: the next number is another, and nothing is bought again."""
    await world.run(TWO)
    await reroll(world, TWO)
    shutil.rmtree(world.state)
    world.network.requests.clear()
    assert (world.plan(TWO).nothing_to_do, world.plan(TWO.replace("2", "3")).nothing_to_do) == (True, True)
    assert rerolled_take(world.plan(TWO, reroll=["menu"]), "menu").number == 4


async def test_it_can_be_chosen(world: World) -> None:
    """For nothing; and stays the pick though the manifest asks for fewer takes."""
    await world.run(ONE)
    await reroll(world, ONE)
    await choose(world, ONE, "2")
    assert (made_of(world), world.plan(ONE).nothing_to_do, len(world.network.submits)) == ((2, 0), True, 2)


async def test_where_no_take_is_fit_it_becomes_the_pick(world: World) -> None:
    """The pick is the first take without a failed gate, however it came."""
    world.network.after.append(First(is_audio, silence))
    assert (await world.run(ONE)).exit == 1
    result = await reroll(world, ONE)
    assert (result.exit, status(result), made_of(world)) == (0, "generated", (2, 0))
    assert world.plan(ONE).nothing_to_do


async def test_one_that_fails_its_gate_leaves_the_pick(world: World) -> None:
    """That is told; it was paid for, and is kept."""
    await world.run(ONE)
    world.network.after.append(First(is_audio, silence))
    result = await reroll(world, ONE)
    assert (result.exit, made_of(world)) == (0, (1, 0))
    assert "take_failed" in {warning["code"] for warning in world.index["menu.wav"]["warnings"]}


async def test_a_failed_job_is_not_charged_and_its_number_is_free(world: World) -> None:
    """The next re-roll asks for the same take anew."""
    await world.run(ONE)
    refuse = First(is_submit, lambda _: failure(400, "invalid_request_error"))
    world.network.before.append(refuse)
    result = await reroll(world, ONE)
    assert (result.exit, result.committed.total, made_of(world)) == (1, 0, (1, 0))
    assert (await world.run(ONE)).counts["kept"] == 1
    assert (await reroll(world, ONE)).exit == 0
    assert takes(world) == [1, 2]


class TestTheSameWordsAgain:
    """A re-roll that was stopped is one wish, however often its words are repeated until it is done."""

    async def interrupted(self, world: World, tracks: str, delayed: object) -> None:
        world.network.delay_s = lambda request: 100.0 if delayed(request) else 0.0
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reroll, world, tracks)
            await anyio.sleep(10)
            world.control.interrupt(Stop(130, "interrupted"))
        world.network.delay_s = lambda _: 0.0

    async def test_what_was_asked_for_is_collected(self, world: World) -> None:
        """It has an id: it is polled."""
        await world.run(BOTH)
        await self.interrupted(world, BOTH, is_poll)
        result = await reroll(world, BOTH)
        assert (result.exit, takes(world), len(world.network.submits)) == (0, [1, 2], 3)

    async def test_a_run_without_the_words_brings_it_home_too(self, world: World) -> None:
        """It was granted: an open run carries it to its end."""
        await world.run(BOTH)
        await self.interrupted(world, BOTH, is_poll)
        result = await world.run(BOTH)
        assert (result.exit, takes(world), len(world.network.submits)) == (0, [1, 2], 3)
        assert (world.state / "takes/game/menu.take2.wav").is_file()

    async def test_what_was_held_back_is_bought_once(self, world: World) -> None:
        """An empty wallet: the same words, and then `run`, buy the one that was meant."""
        await world.run(BOTH)
        empty = First(is_submit, lambda _: failure(402, "insufficient_credits"), times=2)
        world.network.before.append(empty)
        for _ in range(2):
            assert (await reroll(world, BOTH)).exit == 3
        assert takes(world) == [1]
        assert (await world.run(BOTH)).exit == 0
        assert takes(world) == [1, 2]
        assert world.plan(BOTH).nothing_to_do

    async def test_one_that_is_done_is_not_gone_on_with(self, world: World) -> None:
        """Though its run is open still for something else: the next words are a new wish."""
        three = BOTH + "  map: {prompt: a map}\n"
        await world.run(ONE)
        empty = First(is_submit, lambda _: failure(402, "insufficient_credits"))
        world.network.before.append(empty)
        assert (await world.run(three, concurrency=1)).exit == 3
        for _ in range(2):
            assert (await reroll(world, three)).exit == 0
            assert world.plan(three).manifests[0].continues_run
        assert takes(world) == [1, 2, 3]


class TestMoney:
    """The same road as every purchase."""

    async def test_over_the_budget_nothing_is_sent(self, world: World) -> None:
        """Both figures, exit 3; `--budget` replaces the manifest's."""
        head = HEAD.replace("defaults", "budget: 0.001\ndefaults")
        await world.run(ONE)
        result = await world.run(ONE, head=head, only=["menu"], reroll=["menu"])
        assert (result.exit, len(world.network.submits)) == (3, 1)
        assert "the plan costs $0.0020" in str(result.stop)
        from decimal import Decimal

        result = await world.run(ONE, head=head, only=["menu"], reroll=["menu"], budget_usd=Decimal("0.01"))
        assert (result.exit, takes(world)) == (0, [1, 2])

    async def test_placeholders_are_re_rolled_for_nothing(self, world: World) -> None:
        """The local gateway makes one more."""
        await world.run(ONE, kind="local")
        result = await reroll(world, ONE, kind="local")
        assert (result.exit, result.committed.total, takes(world)) == (0, 0, [1, 2])


class TestWhatIsNoReRoll:
    """One sentence, before anything is bought."""

    async def test_takes_that_the_manifest_asks_for_come_first(self, world: World) -> None:
        """One more than none is what a run is for."""
        with pytest.raises(NoSuchTake, match=r"menu: takes 1, 2 .* still have to be generated: `pipeline run .*--only"):
            rerolled_take(world.plan(TWO, reroll=["menu"]), "menu")

    async def test_a_track_that_is_held_back_says_why(self, world: World) -> None:
        """Its source is missing: `--regenerate` is the word for that."""
        await world.run(ONE)
        shutil.rmtree(world.state)
        (world.output / "menu.wav").unlink()
        with pytest.raises(CantBeChosen, match="menu: source missing: generating again costs"):
            rerolled_take(world.plan(ONE, reroll=["menu"]), "menu")
        assert (await reroll(world, ONE)).exit == 1
        assert error(await world.run(ONE)).startswith("source missing")

    async def test_a_local_run_adds_no_placeholder_to_the_real_thing(self, world: World) -> None:
        """Nor is a recording re-rolled."""
        await world.run(ONE)
        with pytest.raises(NoSuchTake, match="menu has a real asset, which a local run leaves alone"):
            rerolled_take(world.plan(ONE, kind="local", reroll=["menu"]), "menu")
        (world.folder / "theme.wav").write_bytes(b"")
        with pytest.raises(NoSuchTake, match="menu is a recording"):
            rerolled_take(world.plan("  menu: {file: theme.wav}\n", reroll=["menu"]), "menu")

"""Nights with `refresh`: what has grown old is generated again, and what stands is replaced only by what is fit."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest
from test_choosing import choose, lock_of, made_of, picks
from test_picking import NOTHING_HEARD, First, is_audio, silence
from worlds import World, error, failure, is_poll, is_submit, status

from pipeline.runner.results import Stop

if TYPE_CHECKING:
    from pipeline.runner.results import RunResult

pytestmark = pytest.mark.anyio

DAY = 24 * 3600.0
WEEKLY = "  menu: {prompt: calm menu, refresh: 7d}\n"
TWO = "  menu: {prompt: calm menu, takes: 2, refresh: 7d}\n"


async def night(world: World, tracks: str = WEEKLY, *, days: float = 1, **options: object) -> RunResult:
    """Some days later, the same run as every night."""
    await anyio.sleep(days * DAY)
    return await world.run(tracks, **options)


async def test_a_week_later_it_is_another_piece(world: World) -> None:
    """Bought once, as a fresh generation, within the run's budget; what it replaces can be gone back to."""
    await world.run(WEEKLY)
    old = (world.output / "menu.wav").read_bytes()
    assert world.plan(WEEKLY).good_until == pytest.approx(world.clock.now() + 7 * DAY, abs=60)
    for _ in range(6):
        assert (await night(world)).counts["kept"] == 1
    result = await night(world)
    assert (result.exit, status(result), result.committed.billed) == (0, "generated", 2000)
    assert (made_of(world), picks(world)) == ((1, 1), [("run", 1, 0), ("run", 1, 1)])
    assert (world.output / "menu.wav").read_bytes() != old
    assert world.network.submits[-1].headers["x-cache"] == "skip"
    for _ in range(6):
        assert (await night(world)).counts["kept"] == 1
    assert len(world.network.submits) == 2
    await choose(world, WEEKLY, None)
    assert (world.output / "menu.wav").read_bytes() == old


async def test_one_that_fails_its_gate_leaves_what_stands_and_is_tried_once_a_night(world: World) -> None:
    """Each night says so, with exit 1, and buys one; in between nothing is bought, however often a run is started."""
    await world.run(WEEKLY)
    good = (world.output / "menu.wav").read_bytes()
    world.network.after.append(First(is_audio, silence, times=2))
    for tries in (1, 2):
        result = await night(world, days=8 if tries == 1 else 1)
        assert (result.exit, status(result), len(world.network.submits)) == (1, "failed", 1 + tries)
        assert error(result) == f"take 1, generated again, is not fit: {NOTHING_HEARD}; what stood before stays"
        assert ((world.output / "menu.wav").read_bytes(), made_of(world)) == (good, (1, 0))
        warnings = [one["message"] for one in world.index["menu.wav"]["warnings"] if one["code"] == "take_failed"]
        assert warnings == [f"take 1, generated again, is not fit to be its pick: {NOTHING_HEARD}"]
        result = await world.run(WEEKLY)
        assert (result.exit, status(result), len(world.network.submits)) == (0, "kept", 1 + tries)
    (purchase,) = lock_of(world)["menu"]["purchases"].values()
    assert [take["unfit"] for take in purchase["takes"]] == [None, NOTHING_HEARD, NOTHING_HEARD]
    failed = [take for take in world.index["menu.wav"]["unfit"] if take["take"] == 1]
    assert [take["regeneration"] for take in failed] == [1, 2]
    result = await night(world)
    assert (result.exit, made_of(world), len(world.network.submits)) == (0, (1, 3), 4)


async def test_the_index_tells_of_the_last_failure_only(world: World) -> None:
    """However many nights fail, and whatever each is like."""
    await world.run(WEEKLY)
    for frames in (2400, 4800):
        world.network.after.append(First(is_audio, partial(silence, frames=frames)))
        assert (await night(world, days=8)).exit == 1
    failures = [one["message"] for one in world.index["menu.wav"]["warnings"] if one["code"] == "take_failed"]
    assert len(failures) == 1
    assert "0.6" in failures[0]


async def test_what_stands_can_be_finished_anew_after_a_failed_try(world: World) -> None:
    """The failed one is judged again where the settings changed, and then what stands is finished by them."""
    await world.run(WEEKLY)
    world.network.after.append(First(is_audio, silence))
    await night(world, days=8)
    louder = WEEKLY.replace("prompt", "loudness: mobile, prompt")
    await world.run(louder)
    await world.run(louder)
    assert (made_of(world), world.index["menu.wav"]["lufs"]) == ((1, 0), pytest.approx(-18, abs=0.2))
    assert len(world.network.submits) == 2


async def test_another_take_does_not_step_in(world: World) -> None:
    """The take that is the pick is generated again; where that fails, what stands stays, and no other take."""
    await world.run(TWO)
    world.network.after.append(First(is_audio, silence))
    result = await night(world, TWO, days=8)
    assert (result.exit, made_of(world), len(world.network.submits)) == (1, (1, 0), 3)
    assert picks(world) == [("run", 1, 0)]
    result = await night(world, TWO)
    assert (result.exit, made_of(world), picks(world)[-1]) == (0, (1, 2), ("run", 1, 2))


async def test_whoever_goes_back_keeps_it_until_they_say_otherwise(world: World) -> None:
    """No night undoes what somebody has chosen; `--regenerate` does, and from then on it grows old again."""
    await world.run(WEEKLY)
    await night(world, days=8)
    await choose(world, WEEKLY, None)
    assert (await night(world, days=30)).counts["kept"] == 1
    assert made_of(world) == (1, 0)
    await night(world, regenerate=("menu",))
    assert (await night(world)).counts["kept"] == 1
    await night(world, days=7)
    assert (made_of(world), len(world.network.submits)) == ((1, 3), 4)


async def test_a_job_that_fails_is_not_charged_and_not_tried_twice_in_one_run(world: World) -> None:
    """What stands stays; the next run asks again."""
    await world.run(WEEKLY)
    world.network.before.append(First(is_submit, lambda _: failure(400, "invalid_request_error"), times=9))
    result = await night(world, days=8)
    assert (result.exit, result.committed.total, len(world.network.submits), made_of(world)) == (1, 0, 2, (1, 0))
    world.network.before.clear()
    assert (await night(world)).exit == 0
    assert made_of(world) == (1, 1)


async def test_over_the_budget_nothing_is_replaced(world: World) -> None:
    """Exit 3, both figures; the asset stands."""
    await world.run(WEEKLY)
    result = await night(world, days=8, budget_usd=Decimal("0.001"))
    assert (result.exit, len(world.network.submits), made_of(world)) == (3, 1, (1, 0))
    assert "the plan costs $0.0020" in str(result.stop)


async def test_a_night_that_is_stopped_is_gone_on_with(world: World) -> None:
    """By the next, which buys nothing twice."""
    await world.run(TWO)
    world.network.delay_s = lambda request: 100.0 if is_poll(request) else 0.0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: night(world, TWO, days=8))
        await anyio.sleep(8 * DAY + 10)
        world.control.interrupt(Stop(130, "interrupted"))
    world.network.delay_s = lambda _: 0.0
    result = await night(world, TWO)
    assert (result.exit, made_of(world), len(world.network.submits)) == (0, (1, 1), 3)


async def test_members_of_a_group_stay_at_one_gain(world: World) -> None:
    """What is generated again is levelled with the others, which are finished again with it, free."""
    group = "loudness: {group: all}"
    tracks = f"  menu: {{prompt: calm menu, refresh: 7d, {group}}}\n  battle: {{prompt: a battle, {group}}}\n"
    await world.run(tracks)
    result = await night(world, tracks, days=8)
    assert (result.exit, made_of(world), len(world.network.submits)) == (0, (1, 1), 3)
    assert len({world.index[path]["group"]["gain_db"] for path in ("menu.wav", "battle.wav")}) == 1
    assert world.plan(tracks).nothing_to_do


async def test_two_tracks_with_one_purchase_are_refreshed_once_for_both(world: World) -> None:
    """As they are regenerated, whichever of them says so: it is one purchase, and stays one."""
    tracks = WEEKLY + "  title: {prompt: calm menu}\n"
    await world.run(tracks)
    result = await night(world, tracks, days=8)
    assert (result.exit, made_of(world), made_of(world, "title.wav")) == (0, (1, 1), (1, 1))
    assert len(world.network.submits) == 2
    assert world.plan(tracks).nothing_to_do


async def test_placeholders_are_refreshed_for_nothing(world: World) -> None:
    """A night can be rehearsed."""
    await world.run(WEEKLY, kind="local")
    result = await night(world, days=8, kind="local")
    assert (result.exit, result.committed.total, made_of(world)) == (0, 0, (1, 1))

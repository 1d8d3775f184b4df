"""Two machines that both bought a take 2, and the lock that came of it: neither purchase is lost, or bought again."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from test_choosing import choose, history
from test_locks import lock_of

from pipeline.choosing import CantBeChosen
from pipeline.picks.document import LockMistake

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from worlds import World

pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"
Takes = list[dict[str, Any]]


class Machines:
    """Two clones of one world: the state folder of each, and the take that each has bought beside the first."""

    def __init__(self, world: World, first: Path) -> None:
        self._world, self._first, self._second = world, first, first.with_name("second")
        self.mine: dict[str, Any] = {}
        self.theirs: dict[str, Any] = {}

    async def buy(self) -> None:
        """A take 2 on each of them; this is the second one then."""
        world = self._world
        await world.run(ONE)
        before = self._first.with_name("before")
        shutil.copytree(world.folder, before)
        await world.run(ONE, only=["menu"], reroll=["menu"])
        self.theirs = self._take_2()
        shutil.copytree(world.state, self._first)
        shutil.copytree(before, world.folder, dirs_exist_ok=True)
        shutil.rmtree(world.state)
        shutil.copytree(before / world.state.name, world.state)
        await world.run(ONE, only=["menu"], reroll=["menu"])
        self.mine = self._take_2()
        assert self.mine["job_id"] != self.theirs["job_id"]

    def be_the_first(self) -> None:
        shutil.rmtree(self._world.state)
        shutil.copytree(self._first, self._world.state)

    def merge(self, merged: Callable[[dict[str, Any]], Takes]) -> None:
        """Write a lock whose takes are the first one and those that `merged` makes of it."""
        path = self._world.folder / "game.lock.json"
        document = json.loads(path.read_text())
        (purchase,) = document["tracks"]["menu"]["purchases"].values()
        purchase["takes"] = merged(purchase["takes"][0])
        path.write_text(json.dumps(document))

    def _take_2(self) -> dict[str, Any]:
        (purchase,) = lock_of(self._world)["menu"]["purchases"].values()
        return next(take for take in purchase["takes"] if take["take"] == 2)


@pytest.fixture
async def machines(world: World, tmp_path_factory: pytest.TempPathFactory) -> Machines:
    found = Machines(world, tmp_path_factory.mktemp("machines") / "first")
    await found.buy()
    return found


def jobs_by_number(world: World) -> list[tuple[int, str | None]]:
    (purchase,) = lock_of(world)["menu"]["purchases"].values()
    return [(take["take"], take["job_id"]) for take in purchase["takes"]]


def told(world: World) -> list[tuple[int, str | None, bool]]:
    return [(one.version.take, one.job_id, one.kept) for one in history(world, ONE).generations]


async def test_two_of_one_number_are_refused_before_anything_is_sent(world: World, machines: Machines) -> None:
    """By a run, a re-roll, and whoever looks or chooses: one of them would be known to nobody."""
    machines.merge(lambda first: [first, machines.theirs, machines.mine])
    sent = len(world.network.requests)
    said = r'menu has two purchases with the number of take 2 .*, "take": 3, and run again; nothing was bought'
    for options in ({}, {"only": ["menu"], "reroll": ["menu"]}):
        with pytest.raises(LockMistake, match=said):
            await world.run(ONE, **options)
    with pytest.raises(LockMistake, match=said):
        await choose(world, ONE, "2")
    with pytest.raises(LockMistake, match=said):
        history(world, ONE)
    assert len(world.network.requests) == sent


@pytest.mark.parametrize("is_mine_renumbered", [True, False])
@pytest.mark.parametrize("is_first", [True, False])
async def test_a_renumbered_take_is_what_it_was_on_both_machines(
    world: World, machines: Machines, *, is_mine_renumbered: bool, is_first: bool
) -> None:
    """Whatever number their ledgers bought it under: each tells three takes, and can pick those that it has."""
    second, third = (machines.theirs, machines.mine) if is_mine_renumbered else (machines.mine, machines.theirs)
    if is_first:
        machines.be_the_first()
    machines.merge(lambda first: [first, second, third | {"take": 3}])
    numbers, bought = jobs_by_number(world), len(world.network.submits)
    has_third = is_mine_renumbered is not is_first
    assert told(world)[1:] == [(2, second["job_id"], not has_third), (3, third["job_id"], has_third)]
    assert (await world.run(ONE)).exit == 0
    assert (await world.run(ONE.replace("}", ", takes: 3}"))).exit == 0
    assert (jobs_by_number(world), len(world.network.submits)) == (numbers, bought)
    own, other = ("3", "2") if has_third else ("2", "3")
    with pytest.raises(CantBeChosen, match=f"the source of take {other} is gone"):
        await choose(world, ONE, other)
    await choose(world, ONE, own)
    row = world.index["menu.wav"]["provenance"]
    assert (row["take"], row["job_id"]) == (int(own), (third if has_third else second)["job_id"])
    assert (jobs_by_number(world), len(world.network.submits)) == (numbers, bought)


async def test_where_one_side_was_dropped_its_ledger_brings_the_take_back(world: World, machines: Machines) -> None:
    """Under the next free number: a merge that took the other side whole has lost no purchase where it was made."""
    machines.merge(lambda first: [first, machines.theirs])
    bought = len(world.network.submits)
    for _ in range(2):
        assert (await world.run(ONE)).exit == 0
        assert jobs_by_number(world)[1:] == [(2, machines.theirs["job_id"]), (3, machines.mine["job_id"])]
    assert told(world)[1:] == [(2, machines.theirs["job_id"], False), (3, machines.mine["job_id"], True)]
    assert len(world.network.submits) == bought
    await choose(world, ONE, "3")
    assert world.index["menu.wav"]["provenance"]["job_id"] == machines.mine["job_id"]


async def test_the_next_re_roll_has_a_number_of_its_own(world: World, machines: Machines) -> None:
    """On either machine: beyond all that both have bought."""
    machines.merge(lambda first: [first, machines.mine | {"take": 3}, machines.theirs])
    await world.run(ONE, only=["menu"], reroll=["menu"])
    assert [take for take, _ in jobs_by_number(world)] == [1, 2, 3, 4]
    assert [take for take, _, _ in told(world)] == [1, 2, 3, 4]

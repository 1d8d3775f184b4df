"""Nights in which everything goes wrong that can, on virtual time: sixty, and more for who has time.

`make soak SEEDS=10000` tells more of them, `make plants` breaks the program on purpose and looks who notices.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from boundaries import BOUNDARIES
from nights import FATES, Tally, simulate
from plants import PLANTS
from roads import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

SEEDS = 60
MORE_SEEDS = 240
CHUNK = 20
ENOUGH = 0.05  # times that each thing has to happen, for each seed


@pytest.fixture
def tallies(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that the whole test run shares, however many processes it has."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "tallies"
    folder.mkdir(exist_ok=True)
    return folder


def chunks(first: int, seeds: int) -> pytest.MarkDecorator:
    starts = range(first, first + seeds, CHUNK)
    return pytest.mark.parametrize("start", starts, ids=lambda start: f"seeds {start} to {start + CHUNK - 1}")


@chunks(0, SEEDS)
def test_every_promise_is_kept_whatever_goes_wrong(start: int, tallies: Path) -> None:
    """Whoever tells the last of the seeds also holds that enough has gone wrong in all of them."""
    _tell(start, tallies / "some", SEEDS)


@pytest.mark.long
@chunks(SEEDS, MORE_SEEDS)
def test_every_promise_is_kept_in_more_nights(start: int, tallies: Path) -> None:
    """The same, with other seeds."""
    _tell(start, tallies / "more", MORE_SEEDS)


def _tell(start: int, tallies: Path, seeds: int) -> None:
    tallies.mkdir(exist_ok=True)
    tally = Tally()
    for seed in range(start, start + CHUNK):
        tally.add(simulate(seed))
    (tallies / f"{start}.json").write_text(json.dumps([tally.deaths, tally.faults]))
    told = [json.loads(path.read_text()) for path in tallies.glob("*.json")]
    if len(told) == seeds // CHUNK:
        _check_that_enough_went_wrong(told, int(ENOUGH * seeds))


def _check_that_enough_went_wrong(told: list[list[dict[str, int]]], enough: int) -> None:
    """Each fault was fired, and each boundary died at, before and after."""
    deaths, faults = Counter[str](), Counter[str]()
    for some_deaths, some_faults in told:
        deaths.update(some_deaths)
        faults.update(some_faults)
    places = [f"{when} {name}" for name in BOUNDARIES for when in ("before", "after")]
    wanted = {*(fault for kinds in FAULTS.values() for fault in kinds), *FATES}
    assert {place: deaths[place] for place in places if deaths[place] < enough} == {}
    assert {fault: faults[fault] for fault in wanted if faults[fault] < enough} == {}


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__.replace("_", " "))
def test_every_plant_still_finds_its_ground(plant: Callable[[], AbstractContextManager[object]]) -> None:
    """What it breaks is still there to be broken."""
    with plant():
        pass

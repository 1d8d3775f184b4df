"""Shards: a library made by several runs, each of its part; and what of the whole each may use."""

from __future__ import annotations

import math
import struct
import wave
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from worlds import HEAD, World, status

from pipeline.entry import make_plan
from pipeline.jobs import State
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect
from pipeline.manifest import parse_manifest
from pipeline.planning.shards import NoShard, Shard
from pipeline.runner.budgets import budget_of, requests_per_minute_of, too_expensive
from pipeline.runner.events import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

EIGHT = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(8))
LIBRARY = EIGHT + (
    "  credits: {prompt: piece 0, outputs: [ogg, wav]}\n"  # one purchase with t0
    "  battle/low: {prompt: low, loudness: {group: battle}}\n"
    "  battle/high: {prompt: high, loudness: {group: battle}}\n"
    "  theme: {file: theme.wav}\n"
    "  town/{at}: {matrix: {at: [day, night]}, prompt: 'town by {at}', takes: 2}\n"
)


def inside(tracks: str, shard: str) -> set[str]:
    """The tracks of a manifest that are in a shard."""
    number, of = map(int, shard.split("/"))
    return {one.name for one in parse_manifest(HEAD + tracks, Path("game.yaml")).tracks if Shard(number, of).has(one)}


def record_theme(folder: Path) -> None:
    with wave.open(str(folder / "theme.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", round(8000 * math.sin(n / 5))) for n in range(8000)))


def delivered(world: World) -> dict[str, str]:
    """path -> SHA-256 of every asset."""
    return {path: row["sha256"] for path, row in world.index.items()}


def made(world: World) -> dict[str, dict[str, Any]]:
    """path -> row of every asset, without what says which job it was: that is in the file too."""
    rows = {path: dict(row) for path, row in world.index.items()}
    for row in rows.values():
        row["provenance"] = row["provenance"] | {"job_id": None, "date": None}
        row |= {"sha256": None, "size": None}
    return rows


def open_run(world: World) -> int | None:
    ledger = Ledger(connect(world.state / "ledger.sqlite3", durable=False))
    try:
        run = ledger.find_open_run("game", "real")
        return None if run is None else run.id
    finally:
        ledger.close()


# --- together they make all of it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["real", "local"])
async def test_three_shards_in_folders_of_their_own_make_just_what_one_run_makes(world: World, kind: str) -> None:
    """The same assets, each by one shard, for the same money and with as many jobs."""
    record_theme(world.folder)
    assert (await world.run(LIBRARY, kind=kind)).exit == 0
    whole, submits = made(world), len(world.network.submits)
    billed = world.report["to_date"]["billed_usd"]
    world.restart_gateway()
    parts: list[dict[str, Any]] = []
    spent = []
    for number in range(1, 4):
        world.elsewhere = world.folder / str(number)
        (world.folder / "game.lock.json").unlink(missing_ok=True)  # as in a checkout of its own
        assert (await world.run(LIBRARY, kind=kind, shard=f"{number}/3")).exit == 0
        parts.append(made(world))
        spent.append(world.report["to_date"]["billed_usd"])
    assert sum(map(len, parts)) == len(whole)
    assert {path: row for part in parts for path, row in part.items()} == whole
    assert (len(world.network.submits), sum(spent)) == (submits, pytest.approx(billed))


async def test_two_shards_one_after_the_other_in_one_folder_make_all_of_it(world: World) -> None:
    """The second leaves the first one's as they are, in index and reports; then a run of all has nothing to do."""
    record_theme(world.folder)
    first = await world.run(LIBRARY, shard="1/2")
    mine = inside(LIBRARY, "1/2")
    assert {row["name"] for row in world.index.values()} == mine
    assert (first.counts["skipped"], first.exit) == (len(inside(LIBRARY, "2/2")), 0)
    before = delivered(world)
    second = await world.run(LIBRARY, shard="2/2")
    assert {path: sha for path, sha in delivered(world).items() if path in before} == before
    assert (second.counts["skipped"], second.exit) == (len(mine), 0)
    assert {take["track"] for take in world.report["takes"]} >= inside(EIGHT, "1/1")
    assert world.plan(LIBRARY).nothing_to_do
    assert all(world.plan(LIBRARY, shard=f"{number}/2").nothing_to_do for number in (1, 2))


async def test_an_empty_shard_is_well_and_sends_nothing(world: World) -> None:
    """There may be more shards than tracks."""
    one = "  menu: {prompt: calm}\n"
    (empty,) = (f"{number}/2" for number in (1, 2) if not inside(one, f"{number}/2"))
    result = await world.run(one, shard=empty)
    assert (result.exit, status(result), world.network.requests) == (0, "skipped", [])


async def test_the_only_shard_is_everything(world: World) -> None:
    """With the whole budget, and with orphans."""
    await world.run("  old: {prompt: old}\n")
    head = HEAD.replace("name: game", "name: game\nbudget: 0.016")
    plan = world.plan(EIGHT, head=head, shard="1/1")
    assert [row.path for row in plan.manifests[0].orphans] == ["old.wav"]
    assert (await world.run(EIGHT, head=head, shard="1/1")).exit == 0
    assert world.plan(EIGHT, head=head).nothing_to_do


async def test_only_the_shards_own_are_regenerated(world: World) -> None:
    """By a pattern that means all of them."""
    await world.run(EIGHT)
    result = await world.run(EIGHT, shard="2/2", regenerate=["**"])
    generated = {track.plan.track.name for track in result.tracks if track.status == "generated"}
    assert generated == inside(EIGHT, "2/2")
    assert len(world.network.submits) == 8 + len(generated)


async def test_a_renamed_track_is_moved_by_its_shard(world: World) -> None:
    """It asks for the same, so it is where it was; the others leave it alone."""
    await world.run("  t0: {prompt: piece 0}\n")
    renamed = "  x: {prompt: piece 0}\n"
    (mine,) = (f"{number}/2" for number in (1, 2) if inside(renamed, f"{number}/2"))
    (other,) = {"1/2", "2/2"} - {mine}
    assert world.plan(renamed, shard=other).nothing_to_do
    assert (await world.run(renamed, shard=mine)).exit == 0
    assert (set(world.index), len(world.network.submits)) == ({"x.wav"}, 1)


async def test_a_word_that_is_no_shard_is_a_mistake(world: World) -> None:
    """From Python too, before anything is read."""
    with pytest.raises(NoShard, match="'9/8' is no shard"):
        make_plan([], shard="9/8")


# --- an open run ----------------------------------------------------------------------------------------------------


async def test_a_run_stays_open_for_what_other_shards_have_not_come_to(world: World) -> None:
    """A run of all was killed: each shard goes on with its part, and the last one closes it."""
    with anyio.move_on_after(2.0):
        await world.run(EIGHT)
    run = open_run(world)
    assert run is not None
    assert (await world.run(EIGHT, shard="1/2")).exit == 0
    assert open_run(world) == run
    outstanding = {job.intent.track for job in world.jobs if job.state is not State.COLLECTED}
    assert outstanding <= inside(EIGHT, "2/2")
    assert (await world.run(EIGHT, shard="2/2")).exit == 0
    assert open_run(world) is None
    assert (len(world.network.submits), world.plan(EIGHT).nothing_to_do) == (8, True)


async def test_a_shard_that_came_to_its_end_closes_its_run(world: World) -> None:
    """What was never asked of it is not left: the next shard has a run, and a share of the budget, of its own."""
    head = HEAD.replace("name: game", "name: game\nbudget: 0.024")
    for shard in ("1/2", "2/2"):
        assert (await world.run(EIGHT, head=head, shard=shard)).exit == 0
        assert open_run(world) is None


# --- what it may use ------------------------------------------------------------------------------------------------


def budgets(world: World, *budgets: str, **options: Any) -> list[int | None]:
    """What the manifests that have these budgets may commit to."""
    first, *others = budgets
    heads = enumerate(_with_budget(usd, f"game{number}") for number, usd in enumerate(others))
    beside = [world.manifest(head + f"  other{number}: {{prompt: other}}\n") for number, head in heads]
    plan = world.plan(EIGHT, head=_with_budget(first), beside=beside, **options)
    return [budget_of(plan, part) for part in plan.manifests]


def _with_budget(usd: str, name: str = "game") -> str:
    return HEAD.replace("name: game", f"name: {name}" + (f"\nbudget: {usd}" if usd else ""))


@pytest.mark.parametrize(
    ("given", "options", "expected"),
    [
        (["1.00"], {}, [1_000_000]),
        (["1.00"], {"shard": "1/1"}, [1_000_000]),
        (["1.00"], {"shard": "2/8"}, [125_000]),
        (["1.00"], {"shard": "1/3"}, [333_333]),
        (["0.000005"], {"shard": "1/8"}, [0]),
        ([""], {"shard": "1/8"}, [None]),
        (["1.00"], {"shard": "2/8", "budget_usd": Decimal("0.70")}, [700_000]),
        (["1.00", "2.00"], {"shard": "2/8"}, [125_000, 250_000]),
        (["1.00", "2.00"], {"shard": "2/8", "budget_usd": Decimal("0.70")}, [125_000, 250_000]),
    ],
    ids=str,
)  # fmt: skip
async def test_a_manifests_budget_is_shared_and_the_command_lines_is_not(
    world: World, given: list[str], options: dict[str, Any], expected: list[int | None]
) -> None:
    """Rounded down to micro-dollars: all shards together never have more than was written."""
    assert budgets(world, *given, **options) == expected


async def test_a_shard_that_costs_more_than_its_share_sends_nothing(world: World) -> None:
    """Exit 3, with both figures and where the smaller one comes from; `--budget` is taken as it is."""
    mine = 2_000 * len(inside(EIGHT, "1/2"))
    head = _with_budget(str(Decimal(2 * mine - 2) / 1_000_000))
    result = await world.run(EIGHT, head=head, shard="1/2")
    assert (result.exit, world.network.requests) == (3, [])
    whole, share = (f"${Decimal(amount) / 1_000_000:.6f}" for amount in (2 * mine - 2, mine - 1))
    assert f"over the budget of {share} (the manifest's {whole}, shared by 2 shards)" in result.stop.message
    result = await world.run(EIGHT, head=head, shard="1/2", budget_usd=Decimal(mine) / 1_000_000)
    assert (result.exit, len(world.network.submits)) == (0, mine // 2_000)
    assert world.report["manifests"][0]["budget_usd"] == pytest.approx(mine / 1e6)


async def test_the_report_of_a_shard_has_its_share_of_the_budget(world: World) -> None:
    """What is left of it is what this run may still spend."""
    assert (await world.run(EIGHT, head=_with_budget("1.00"), shard="1/2")).exit == 0
    assert world.report["manifests"][0]["budget_usd"] == pytest.approx(0.5)


async def test_what_the_command_line_gives_is_never_told_as_shared(world: World) -> None:
    """It was said for this run."""
    plan = world.plan(EIGHT, head=_with_budget("1.00"), shard="1/2", budget_usd=Decimal("0.001"))
    told = too_expensive(plan, {})
    assert told is not None
    assert "over the budget of $0.0010; nothing is bought" in told


@pytest.mark.parametrize(
    ("configured", "shard", "given", "expected"),
    [
        (600, None, None, 600),
        (600, "1/8", None, 75),
        (600, "1/7", None, 85),
        (5, "1/8", None, 1),
        (600, "1/1", None, 600),
        (600, "1/8", 300, 300),
        (600, None, 900, 900),
    ],
)
async def test_requests_a_minute_are_shared_unless_they_are_given(
    world: World, configured: int, shard: str | None, given: int | None, expected: int
) -> None:
    """At least one for each shard."""
    head = HEAD.replace("concurrency: 4", f"concurrency: 4, requests_per_minute: {configured}")
    assert requests_per_minute_of(world.plan(EIGHT, head=head, shard=shard), given) == expected


async def test_a_local_gateway_of_the_runs_own_has_no_limit_but_a_given_one(world: World) -> None:
    """It is asked as often as one likes."""
    plan = world.plan(EIGHT, kind="local", shard="1/8")
    assert (requests_per_minute_of(plan, None), requests_per_minute_of(plan, 10)) == (None, 10)


async def test_given_requests_a_minute_hold(make_world: Callable[..., World]) -> None:
    """With a limit of six a minute, eight submits take longer than a minute, and the wait is explained."""
    world = make_world(latency_s=1.0)
    began = world.clock.now()
    assert (await world.run(EIGHT, requests_per_minute=6)).exit == 0
    assert world.clock.now() - began > 60
    waits = [event.why for event in world.events if isinstance(event, Waiting)]
    assert "6 requests a minute are the limit" in waits

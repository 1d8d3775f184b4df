"""A run's pace: polls that pay, slots that are refilled at once, and what is remembered of job times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from worlds import HEAD, World, is_media, is_poll, is_submit

from pipeline.gateway_choice import GatewayChoice
from pipeline.runner.expecting import first_median_s

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

ALIKE = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(24))
MORE = "".join(f"  u{number}: {{prompt: another {number}}}\n" for number in range(8))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, latency_s=30.0)


def moments(world: World, kind: Any) -> list[tuple[float, str]]:
    """When each request of a kind left, from now on: filled as the run goes on."""
    seen: list[tuple[float, str]] = []

    def note(request: Any) -> None:
        if kind(request):
            seen.append((anyio.current_time(), request.url.path))

    world.network.before.append(note)
    return seen


async def test_a_free_slot_is_filled_in_the_moment_in_which_its_job_is_found_done(world: World) -> None:
    """However long its download takes: that holds no slot."""
    submits = moments(world, is_submit)
    world.network.delay_s = lambda request: 25.0 if is_media(request) else 0.0
    result = await world.run(ALIKE, concurrency=4)
    assert result.exit == 0
    ended = sorted(job.ended_at - world.clock.now() + anyio.current_time() for job in world.jobs)
    assert [at for at, _ in submits[4:]] == [pytest.approx(at, abs=0.01) for at in ended[:-4]]


async def test_a_later_run_polls_by_what_earlier_ones_saw(world: World) -> None:
    """The ledger remembers between which polls each job was done, by model and length."""
    head = HEAD.replace("concurrency: 4", "concurrency: 4, requests_per_minute: 12")
    await world.run(ALIKE, head=head)
    assert all(job.unfinished_at is None or job.accepted_at < job.unfinished_at < job.ended_at for job in world.jobs)
    assert any(job.unfinished_at for job in world.jobs)
    await anyio.sleep(3600)
    polls, began = moments(world, is_poll), anyio.current_time()
    result = await world.run(ALIKE + MORE, head=head)
    assert result.exit == 0
    assert len(polls) <= 10
    assert polls[0][0] - began > 20.0


async def test_where_the_limit_leaves_room_a_job_is_found_within_the_interval(world: World) -> None:
    """Polls cost nothing then."""
    await world.run(ALIKE, concurrency=2)
    found = {job.job_id: job.ended_at for job in world.jobs}
    late = [found[job.id] - job.ended_at for job in world.app.state.gateway.books.jobs]
    assert sum(late) / len(late) < 2.2


async def test_a_gateway_that_insists_on_its_interval_is_not_asked_sooner_again(world: World) -> None:
    """One 304 shows it: from then on every job's polls are three seconds apart."""
    head = HEAD.replace("concurrency: 4", "concurrency: 4, poll_interval: 0.5")
    await world.run(ALIKE, head=head)
    assert world.app.state.gateway.books.early_polls <= 4  # those that were asleep already


@pytest.mark.parametrize(
    ("base_url", "kind", "median_s"),
    [
        ("https://api.aigateway.sh/v1", "real", 45.0),
        ("http://127.0.0.1:8787/v1", "real", 3.0),
        ("http://localhost:8787/v1", "real", 3.0),
        ("http://gateway.studio.lan/v1", "local", 3.0),
        (None, "local", 3.0),
    ],
)
async def test_a_gateway_on_this_machine_is_expected_to_be_the_quick_one(
    base_url: str | None, kind: Any, median_s: float
) -> None:
    """Whoever serves the local gateway for several runs does not wait for it as for the real one."""
    assert first_median_s(GatewayChoice(kind, base_url)) == median_s

"""Runs that are told by webhooks: what a hint brings forward, what it does not decide, and what is sent for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from worlds import HEAD, First, Network, World, is_poll, is_submit, lost, status

from pipeline.local_gateway.app import create_app
from pipeline.runner.events import Notice
from pipeline.runner.hints import Hints
from pipeline.webhooks.receiver import Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pipeline.runner.results import RunResult

pytestmark = pytest.mark.anyio

URL = "https://hooks.example.com/music"
SECRET = "whsec_local"
EIGHT = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(8))
ONE = "  menu: {prompt: calm menu}\n"

Posted = tuple[str, "Mapping[str, str]", bytes]


@dataclass
class Post:
    """Brings a gateway's webhooks to the run in the same process; `deliver` says as what, and how often."""

    webhooks: Webhooks
    deliver: Callable[[Posted], list[Posted]] = lambda posted: [posted]
    answers: list[int] = field(default_factory=list)

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.webhooks.app)) as client:
            for address, signed, content in self.deliver((url, headers, body)):
                answer = await client.post(address, headers=dict(signed), content=content)
                self.answers.append(answer.status_code)
        return 204


class Told:
    """A world whose gateway tells webhooks, on virtual time."""

    def __init__(self, folder: Path, deliver: Callable[[Posted], list[Posted]] | None = None, **options: Any) -> None:
        self.world = World(folder, **({"latency_s": 20.0, "sigma": 0.25} | options))
        self.webhooks = Webhooks(URL, SECRET, clock=self.world.clock)
        self.post = Post(self.webhooks, *([] if deliver is None else [deliver]))
        world = self.world
        world.app = create_app(world.options, clock=world.clock, composer=world.composer, state=None, post=self.post)
        world.network = Network(world.app)

    async def run(self, tracks: str, **options: Any) -> RunResult:
        async with self.world.app.at_work():
            return await self.world.run(tracks, webhooks=self.webhooks, **options)

    @property
    def jobs(self) -> list[Any]:
        return self.world.app.state.gateway.books.jobs

    @property
    def counts(self) -> tuple[int, int]:
        return self.webhooks.hints.told, self.webhooks.hints.untold


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Told]:
    return lambda *deliver, **options: Told(tmp_path, *deliver, **options)


async def test_a_job_that_a_webhook_reports_is_found_at_once_by_one_poll(told: Callable[..., Told]) -> None:
    """Eight jobs, eight polls, each in the moment in which its job ended, however long the interval."""
    world = told()
    result = await world.run(EIGHT, head=HEAD.replace("concurrency", "poll_interval: 60, concurrency"))
    assert result.exit == 0
    assert world.counts == (8, 0)
    assert [job.polls for job in world.jobs] == [1] * 8
    assert max(job.last_polled_at - job.ended_at for job in world.jobs) < 0.1
    assert world.post.answers == [204] * 8
    assert not [event for event in world.world.events if isinstance(event, Notice)]


async def test_jobs_of_which_no_webhook_tells_are_polled_for(told: Callable[..., Told]) -> None:
    """At the usual pace once it is clear that none comes; and somebody is told why."""
    world = told(lambda _: [])
    result = await world.run(EIGHT)
    assert result.exit == 0
    assert world.counts == (0, 8)
    (said,) = [event.text for event in world.world.events if isinstance(event, Notice)]
    assert said == f"no webhook came in time for 8 jobs, which were polled for instead; check that {URL} leads here"
    assert max(job.last_polled_at - job.ended_at for job in world.jobs[4:]) <= 4


async def test_what_others_tell_decides_nothing(told: Callable[..., Told]) -> None:
    """A job is not done because somebody says so, nor failed, nor is another run's ours; the poll's answer decides."""
    world = told(lambda posted: [posted, posted, (posted[0], {}, posted[2]), _about_another(posted)])
    world.world.network.after.append(_tells_early(world))
    result = await world.run(EIGHT)
    assert result.exit == 0
    assert world.counts == (8, 0)
    assert {job.polls for job in world.jobs} == {2}  # the first found it running
    assert all(job.early_polls == 0 for job in world.jobs)
    assert world.post.answers == [204, 401, 401, 401] * 8


def _about_another(posted: Posted) -> Posted:
    """The same signature over another job's body."""
    url, headers, body = posted
    return url, headers, json.dumps(json.loads(body) | {"id": "job_of_another_run", "status": "failed"}).encode()


def _tells_early(world: Told) -> Callable[[httpx.Request, httpx.Response], None]:
    """A hint that is here before the submit's answer, about a job that has not begun."""

    def tell(request: httpx.Request, response: httpx.Response) -> None:
        if is_submit(request):
            world.webhooks.hints.tell(world.jobs[-1].id)

    return tell


async def test_the_address_is_no_part_of_what_is_paid_for(told: Callable[..., Told]) -> None:
    """It is sent, and written down with the intent; a run without it, or with another, has nothing to do."""
    world = told()
    await world.run(ONE)
    (submit,) = world.world.network.submits
    assert json.loads(submit.content)["webhook_url"] == URL
    assert [job.intent.body for job in world.world.jobs] == [submit.content]
    assert world.world.plan(ONE).nothing_to_do


@pytest.mark.parametrize("other", [None, "https://elsewhere.example.com/"], ids=["none", "another address"])
async def test_a_lost_submit_is_sent_again_with_its_old_address(told: Callable[..., Told], other: str | None) -> None:
    """Byte for byte: a key stands for one body. Nobody waits for a webhook that goes elsewhere."""
    world = told()
    world.world.network.after.append(First(is_submit, lost, times=9))
    head = HEAD.replace("tracks:", "budget: 1.00\ntracks:")
    await world.run(ONE, head=head)
    (first, *_) = world.world.network.submits
    later = None if other is None else Webhooks(other, SECRET, clock=world.world.clock)
    world.world.network.after.clear()
    world.world.network.requests.clear()
    result = await world.world.run(ONE, head=head, webhooks=later)
    (again,) = world.world.network.submits
    assert status(result) == "generated"
    assert (again.content, again.headers["idempotency-key"]) == (first.content, first.headers["idempotency-key"])
    assert json.loads(again.content)["webhook_url"] == URL
    assert later is None or (later.hints.told, later.hints.untold) == (0, 0)
    assert len(world.jobs) == 1


async def test_a_hint_does_not_shorten_a_pause_that_the_gateway_asked_for(told: Callable[..., Told]) -> None:
    """It waits its time out, and is not lost by it: the job has ended meanwhile."""
    world = told()
    busy = httpx.Response(429, json={"error": {"message": "slow"}}, headers={"retry-after": "40"})
    polled_at: list[float] = []

    def noted(request: httpx.Request) -> None:
        if is_poll(request):
            polled_at.append(anyio.current_time())

    world.world.network.before += [noted, First(is_poll, lambda _: busy)]
    world.world.network.after.append(_tells_early(world))
    result = await world.run(ONE)
    assert status(result) == "generated"
    assert world.counts == (1, 0)
    assert [after - before for before, after in pairwise(polled_at)] == [pytest.approx(40.0)]


class TestHints:
    """By themselves."""

    @pytest.fixture
    def hints(self) -> Hints:
        return Hints(URL)

    async def test_a_sleeper_is_woken_by_a_hint_or_its_moment(self, hints: Hints) -> None:
        """Whichever comes first."""
        now = anyio.current_time()

        async def tell() -> None:
            await anyio.sleep(2)
            hints.tell("job_1")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tell)
            assert await hints.sleep_until("job_1", now + 10)
            assert anyio.current_time() == pytest.approx(now + 2)
            hints.goes_on("job_1")
            assert not await hints.sleep_until("job_1", now + 10)
            assert anyio.current_time() == pytest.approx(now + 10)

    async def test_a_hint_lasts_until_a_poll_has_answered_it(self, hints: Hints) -> None:
        """One that comes while a poll is on its way is for the next: that answer may be older."""
        hints.tell("job_1")
        assert await hints.sleep_until("job_1", 0.0)
        assert await hints.sleep_until("job_1", 0.0)  # the poll failed
        hints.goes_on("job_1")
        assert not await hints.sleep_until("job_1", 0.0)
        hints.tell("job_1")
        hints.goes_on("job_1")
        assert await hints.sleep_until("job_1", 0.0)

    async def test_a_hint_that_came_too_early_does_not_count_as_told(self, hints: Hints) -> None:
        """It says nothing of whether the end is told of."""
        for job_id in ("job_1", "job_2"):
            hints.tell(job_id)
            await hints.sleep_until(job_id, 0.0)
        hints.goes_on("job_2")
        for job_id in ("job_1", "job_2", "job_3"):
            hints.ended(job_id)
        assert (hints.told, hints.untold) == (1, 2)

    async def test_what_nobody_waits_for_takes_little_memory(self, hints: Hints) -> None:
        """The oldest are forgotten, and endless names are not remembered at all."""
        for number in range(20_000):
            hints.tell(f"job_{number}")
            hints.tell("j" * 1000 + str(number))
        assert len(hints._remembered) == 10_000
        assert await hints.sleep_until("job_19999", 0.0)
        assert not await hints.sleep_until("job_1", 0.0)

    async def test_without_webhooks_a_sleep_is_a_sleep(self) -> None:
        """It ends when its time has come."""
        hints = Hints()
        assert not await hints.sleep_until("job_1", anyio.current_time() + 3)

"""A team's store, on virtual time: two machines with folders of their own, one gateway, and one store."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from memory_store import MemoryStores, Shelf, offline
from worlds import KEY, World, error, is_media, is_poll, is_submit, status

from pipeline.clock import EventLoopClock
from pipeline.jobs import State
from pipeline.runner.events import Notice
from pipeline.runner.results import EXIT_FOLDER, EXIT_MONEY, Stop
from pipeline.store.objects import Unconditional
from pipeline.store_choice import NoStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runner.results import RunResult

pytestmark = pytest.mark.anyio

HEAD = """\
version: 1
name: game
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, concurrency: 4}
store: {url: 's3://bucket/team', lease: 100}
defaults: {duration: 2, outputs: [wav]}
tracks:
"""
REQUIRED = HEAD.replace("lease: 100", "lease: 100, required: true")
MENU = "  menu: {prompt: calm menu}\n"
BOTH = MENU + "  battle: {prompt: fierce battle}\n"
MANY = "".join(f"  tune-{number:02}: {{prompt: tune number {number}}}\n" for number in range(20))


class Machine(World):
    """A world of its own, but for the gateway and the store."""

    async def run(self, tracks: str, *, head: str = HEAD, **options: Any) -> RunResult:
        return await super().run(tracks, head=head, **options)

    @property
    def notices(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice)]


class Team:
    """Machines by name, the gateway that they all ask, and their store."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.shelf = Shelf()
        self._options = options
        self._first: Machine | None = None

    def machine(self, name: str) -> Machine:
        folder = self.folder / name
        folder.mkdir()
        machine = Machine(folder, **self._options)
        if self._first is None:
            self._first = machine
        machine.app = self._first.app
        machine.network.app = machine.app
        machine.network.__post_init__()
        machine.clock = self._first.clock
        machine.stores = MemoryStores(self.shelf)
        return machine

    @property
    def bought(self) -> Counter[str]:
        """How many jobs the gateway made of each prompt."""
        assert self._first is not None
        books = self._first.app.state.gateway.books
        return Counter(job.request.prompt for job in books.jobs)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


@pytest.fixture
def make_team(tmp_path: Path) -> Callable[..., Team]:
    return lambda **options: Team(tmp_path, **options)


# --- one after the other ----------------------------------------------------------------------------------------------


async def test_what_one_machine_paid_for_the_second_has_free(team: Team) -> None:
    """Its plan says so, its budget is not asked, and its lock is what the first one's is."""
    first, second = team.machine("first"), team.machine("second")
    assert (await first.run(BOTH)).exit == 0
    plan = second.plan(BOTH, head=HEAD + "", budget_usd=None)
    assert [track.why.partition(" bought")[0] for track in plan.manifests[0].tracks] == ["from the team's store:"] * 2
    assert plan.estimate_microusd == 0
    result = await second.run(BOTH, head=HEAD.replace("store:", "budget: 0\nstore:"))
    assert (result.exit, result.committed.total, status(result)) == (0, 0, "finished")
    assert team.bought == {"calm menu": 1, "fierce battle": 1}
    assert second.network.submits == []
    assert {path: row["sha256"] for path, row in second.index.items()} == {
        path: row["sha256"] for path, row in first.index.items()
    }
    assert (second.folder / "game.lock.json").read_bytes() == (first.folder / "game.lock.json").read_bytes()


async def test_a_source_is_there_before_the_record_that_names_it(team: Team) -> None:
    """Whoever finds a record can fetch what it is about."""
    first = team.machine("first")
    order: list[str] = []
    first.stores.fault = lambda verb, path: order.append(f"{verb} {path.partition('/')[0]}")
    await first.run(MENU)
    shared = [step for step in order if step.endswith(("sources", "takes"))]
    assert shared == ["look up takes", "get takes", "push sources", "create takes"]


async def test_nothing_is_asked_of_the_store_where_there_is_nothing_to_do(team: Team) -> None:
    """A build that finds everything in place needs no network."""
    first = team.machine("first")
    await first.run(MENU)
    before = team.shelf.asked.copy()
    assert (await first.run(MENU)).exit == 0
    assert team.shelf.asked == before


async def test_a_run_at_the_local_gateway_leaves_the_store_alone(team: Team) -> None:
    """Placeholders cost nothing, and are nobody's."""
    first = team.machine("first")
    await first.run(MENU, kind="local")
    assert (team.shelf.asked, team.shelf.objects) == (Counter(), {})


async def test_what_comes_from_the_store_costs_nothing_and_says_who_paid(team: Team) -> None:
    """In the ledger, in the report, and at the end of the run."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)
    await second.run(MENU)
    (job,) = second.jobs
    assert (job.cost_microusd, job.bought_microusd, job.sends) == (0, 2000, 0)
    assert job.bought_by is not None
    totals = second.report["run"]
    assert (totals["billed_usd"], totals["stored_usd"], totals["stored_takes"], totals["generated"]) == (0, 0.002, 1, 0)
    (take,) = second.report["takes"]
    assert (take["bought_by"], take["bought_usd"], take["attempts"]) == (job.bought_by, 0.002, 0)
    assert "Paid by others: takes from the team's store" in (second.output / "cost-report.md").read_text()


async def test_a_source_that_is_gone_here_comes_from_the_store(team: Team) -> None:
    """Though the gateway has forgotten it long ago, finishing it anew costs nothing."""
    first = team.machine("first")
    await first.run(MENU)
    for path in (first.state / "sources").rglob("*.wav"):
        path.unlink()
    await anyio.sleep(30 * 24 * 3600)
    result = await first.run("  menu: {prompt: calm menu, fade_out: 1}\n")
    assert (result.exit, status(result)) == (0, "finished")
    assert team.bought == {"calm menu": 1}


async def test_what_was_bought_before_there_was_a_store_is_put_there(team: Team) -> None:
    """By the first run that has one, though there is nothing else to do."""
    first, second = team.machine("first"), team.machine("second")
    without = HEAD.replace("store:", "# store:")
    await first.run(BOTH, head=without)
    assert team.shelf.objects == {}
    assert (await first.run(BOTH)).exit == 0
    assert len(team.shelf.under("takes")) == 2
    before = team.shelf.asked.copy()
    assert (await first.run(BOTH)).exit == 0
    assert team.shelf.asked == before
    await second.run(BOTH)
    assert team.bought == {"calm menu": 1, "fierce battle": 1}


# --- at the same moment -----------------------------------------------------------------------------------------------


async def test_two_machines_that_start_at_the_same_moment_buy_each_take_once(team: Team) -> None:
    """Each has all of it in the end, and what both have paid is what the gateway billed."""
    machines = [team.machine("first"), team.machine("second")]
    results: list[RunResult] = []

    async def run(machine: Machine) -> None:
        results.append(await machine.run(MANY))

    async with anyio.create_task_group() as tasks:
        for machine in machines:
            tasks.start_soon(run, machine)
    assert [result.exit for result in results] == [0, 0]
    assert (len(team.bought), set(team.bought.values())) == (20, {1})
    assert sum(result.committed.billed for result in results) == 20 * 2000
    assert all(len(machine.index) == 20 for machine in machines)
    assert all(len([job for job in machine.jobs if job.bought_by is None]) > 0 for machine in machines)
    assert team.shelf.under("runs") == []


async def test_whoever_waits_for_another_holds_no_slot(team: Team) -> None:
    """With one slot, and the first tracks bought elsewhere, the others are bought here meanwhile."""
    first, second = team.machine("first"), team.machine("second")
    first.network.after.append(lambda request, response: None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: first.run(MENU))
        await anyio.sleep(1)
        result = await second.run(BOTH, concurrency=1)
    assert result.exit == 0
    assert team.bought == {"calm menu": 1, "fierce battle": 1}


# --- machines that die ------------------------------------------------------------------------------------------------


async def dying(machine: Machine, tracks: str, at: Callable[[Any], bool], *, after: bool = False) -> None:
    """Run until a request is `at`; then the machine is gone: it says no goodbye, and its folder is never seen again."""
    with anyio.CancelScope() as life:

        def die(request: Any, response: Any = None) -> None:
            if at(request):
                life.cancel()

        (machine.network.after if after else machine.network.before).append(die)
        machine.stores.fault = lambda verb, path: offline(verb, path) if life.cancel_called else None
        await machine.run(tracks)
    assert life.cancelled_caught


@pytest.mark.parametrize(
    ("at", "after"),
    [(is_submit, False), (is_submit, True), (is_poll, False), (is_poll, True), (is_media, True)],
    ids=["before the POST", "after the POST", "before a poll", "after a poll", "after the download"],
)
async def test_what_a_dead_machine_had_begun_another_goes_on_with(
    team: Team, at: Callable[[Any], bool], *, after: bool
) -> None:
    """Under its key, as its job: whatever it had sent, the gateway makes one job of the take."""
    first, second = team.machine("first"), team.machine("second")
    await dying(first, MENU, at, after=after)
    result = await second.run(MENU)
    assert (result.exit, team.bought) == (0, {"calm menu": 1})
    assert len({request.headers["idempotency-key"] for request in first.network.submits + second.network.submits}) == 1
    assert any("goes on with what" in notice for notice in second.notices)


async def test_a_machine_that_is_alive_is_waited_for_however_long_its_jobs_take(make_team: Callable[..., Team]) -> None:
    """Its lease is renewed all the while."""
    team = make_team(latency_s=900.0)
    first, second = team.machine("first"), team.machine("second")
    results = []
    async with anyio.create_task_group() as tasks:

        async def run(machine: Machine) -> None:
            results.append(await machine.run(MENU))

        tasks.start_soon(run, first)
        await anyio.sleep(5)
        tasks.start_soon(run, second)
    assert [result.exit for result in results] == [0, 0]
    assert (team.bought, len(second.network.submits)) == ({"calm menu": 1}, 0)


@pytest.mark.parametrize("off_s", [-600.0, 600.0], ids=["behind", "ahead"])
async def test_a_machine_whose_clock_is_off_takes_nobody_for_dead(make_team: Callable[..., Team], off_s: float) -> None:
    """How old a lease is, the store's clock says."""
    team = make_team(latency_s=300.0)
    first, second = team.machine("first"), team.machine("second")

    class Off(EventLoopClock):
        def now(self) -> float:
            return super().now() + off_s

    second.clock = Off()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: first.run(MENU))
        await anyio.sleep(5)
        result = await second.run(MENU)
    assert (result.exit, team.bought, len(second.network.submits)) == (0, {"calm menu": 1}, 0)
    assert second.notices == []


async def test_a_machine_that_was_taken_for_dead_yields_to_who_went_on(make_team: Callable[..., Team]) -> None:
    """Its store was silent for longer than its lease: it finds that its claim is another's, and waits for its record."""
    team = make_team(latency_s=1000.0)
    first, second = team.machine("first"), team.machine("second")
    silent = [False]
    first.stores.fault = lambda verb, path: offline(verb, path) if silent[0] else None
    results = []

    async def run(machine: Machine) -> None:
        results.append(await machine.run(MENU))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, first)
        await anyio.sleep(30)
        silent[0] = True
        await anyio.sleep(200)
        tasks.start_soon(run, second)
        await anyio.sleep(30)
        silent[0] = False
    assert [result.exit for result in results] == [0, 0]
    assert team.bought == {"calm menu": 1}


async def test_a_killed_machine_goes_on_with_its_own_claims_at_once(team: Team) -> None:
    """Nobody else has its ledger: no lease is waited for."""
    first = team.machine("first")
    await dying(first, MENU, is_poll)
    first.network.before.clear()
    first.stores.fault = lambda verb, path: None
    began = anyio.current_time()
    result = await first.run(MENU)
    assert (result.exit, team.bought) == (0, {"calm menu": 1})
    assert anyio.current_time() - began < 60


async def test_what_an_interrupted_run_leaves_is_free_at_once(team: Team) -> None:
    """It says goodbye: nobody waits for its lease to end."""
    first, second = team.machine("first"), team.machine("second")

    async def interrupt() -> None:
        await anyio.sleep(2)
        assert first.control is not None
        first.control.interrupt(Stop(130, "interrupted"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(interrupt)
        await first.run(MENU)
    assert team.shelf.under("runs") == []
    began = anyio.current_time()
    assert (await second.run(MENU)).exit == 0
    assert anyio.current_time() - began < 30
    assert team.bought == {"calm menu": 1}
    assert (await first.run(MENU)).exit == 0  # and the first finds it done
    assert [job.state for job in first.jobs] == [State.COLLECTED]
    assert first.jobs[0].bought_by is not None


async def test_what_came_to_nothing_is_begun_anew_by_whoever_comes(team: Team) -> None:
    """A refused submit was not charged: the next one has a key of its own."""
    first, second = team.machine("first"), team.machine("second")
    first.network.before.append(lambda request: __import__("worlds").failure(400) if is_submit(request) else None)
    assert (await first.run(MENU)).exit == 1
    assert (await second.run(MENU)).exit == 0
    keys = [request.headers["idempotency-key"] for request in first.network.submits + second.network.submits]
    assert len(set(keys)) == 2
    assert team.bought == {"calm menu": 1}

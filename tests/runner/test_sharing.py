"""A team's store, on virtual time: two machines with folders of their own, one gateway, and one store."""

from __future__ import annotations

import itertools
import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from memory_store import MemoryStores, Shelf, offline
from worlds import World, error, failure, is_poll, is_submit, status

from pipeline.clock import EventLoopClock
from pipeline.jobs import State
from pipeline.runner.events import Notice
from pipeline.runner.results import EXIT_FOLDER, EXIT_MONEY, Stop
from pipeline.runner.storing import MOST_FETCHES
from pipeline.store.objects import AlreadyThere, Changed, Unconditional
from pipeline.store_choice import NoStore
from pipeline.stored import KnownTakes

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
        return Counter(job.piece.prompt for job in books.jobs)


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
    assert shared[-3:] == ["get takes", "push sources", "create takes"]


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


# --- what it costs at the store ---------------------------------------------------------------------------------------


@dataclass
class Counting(MemoryStores):
    """Counts what one machine asks, by verb and folder, and the claims that it loses."""

    asked: Counter[str] = field(default_factory=Counter)

    def _began(self, verb: str, path: str) -> None:
        self.asked[f"{verb} {path.partition('/')[0]}"] += 1
        super()._began(verb, path)


def tunes(count: int) -> str:
    return "".join(f"  tune-{number:02}: {{prompt: tune number {number}}}\n" for number in range(count))


async def together(*machines: Machine, tracks: str, **options: Any) -> None:
    """All start at the same moment."""
    async with anyio.create_task_group() as tasks:
        for machine in machines:
            machine.stores = Counting(machine.stores.shelf)
            tasks.start_soon(lambda machine=machine: machine.run(tracks, **options))


@pytest.mark.long
async def test_machines_that_start_together_soon_go_separate_ways(make_team: Callable[..., Team]) -> None:
    """Who buys in one order with others loses nearly every claim: each goes on in an order of its own."""
    team = make_team(latency_s=20.0)
    machines = [team.machine(name) for name in ("first", "second", "third")]
    await together(*machines, tracks=tunes(90))
    assert (len(team.bought), set(team.bought.values())) == (90, {1})
    claims = sum(machine.stores.asked["create claims"] for machine in machines)
    assert claims - 90 < 90  # lost


async def test_a_machine_that_is_alone_buys_in_the_manifests_order(team: Team) -> None:
    """What stands first is wanted first."""
    first = team.machine("first")
    await first.run(MANY, concurrency=1)
    assert list(team.bought) == [f"tune number {number}" for number in range(20)]


@pytest.mark.long
async def test_what_stays_together_is_bought_together(make_team: Callable[..., Team]) -> None:
    """The takes of a track, and the members of a loudness group: else nothing would be finished until the end."""
    team = make_team(latency_s=20.0)
    machines = [team.machine("first"), team.machine("second")]
    tracks = "".join(f"  tune-{number:02}: {{prompt: tune number {number}, takes: 4}}\n" for number in range(12))
    await together(*machines, tracks=tracks)
    for machine in machines:
        sent = [json.loads(request.content)["prompt"] for request in machine.network.submits]
        changes = sum(one != other for one, other in itertools.pairwise(sent))
        assert changes < 2 * len(set(sent))


async def test_a_take_that_is_waited_for_is_not_claimed_again_and_again(make_team: Callable[..., Team]) -> None:
    """A look costs a twelfth of a claim."""
    team = make_team(latency_s=900.0)
    machines = [team.machine("first"), team.machine("second")]
    await together(*machines, tracks=MENU)
    assert team.bought == {"calm menu": 1}
    assert max(machine.stores.asked["create claims"] for machine in machines) == 1


async def test_what_was_bought_since_the_plan_is_not_claimed(make_team: Callable[..., Team]) -> None:
    """It is looked for first, once some time has passed."""
    team = make_team(latency_s=60.0)
    first, second = team.machine("first"), team.machine("second")
    second.stores = Counting(team.shelf)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: second.run(tunes(2), concurrency=1))
        await anyio.sleep(1)
        await first.run("  another: {prompt: tune number 1}\n")
    assert set(team.bought.values()) == {1}
    assert second.stores.asked["create claims"] == 1


async def test_whether_another_run_is_alive_is_asked_once_however_many_claims_it_has(team: Team) -> None:
    """Hundreds may be lost to it at the same moment."""
    machines = [team.machine("first"), team.machine("second")]
    await together(*machines, tracks=tunes(40), concurrency=40)
    assert anyio.current_time() < 60
    assert max(machine.stores.asked["get runs"] for machine in machines) < 60 / 5 + 60 / 20


async def test_no_more_takes_queue_for_the_store_than_there_are_slots(team: Team) -> None:
    """Of a library that others have bought since the plan: each that waits takes memory."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(tunes(60))
    second.stores = Counting(team.shelf)
    second.stores.look_up = lambda choice, keys: KnownTakes()  # type: ignore[method-assign] - when it was asked
    fetch, most = second.stores.fetch, 0

    async def slow(path: str, write: Any, most_bytes: int) -> bool:
        nonlocal most
        await anyio.sleep(5)
        most = max(most, second.stores.asked["get takes"] - second.stores.asked["fetch sources"])
        return await fetch(path, write, most_bytes)

    second.stores.fetch = slow  # type: ignore[method-assign]
    assert (await second.run(tunes(60))).exit == 0
    assert most <= MOST_FETCHES + 4


def is_download(request: Any) -> bool:
    return request.method == "GET" and request.url.port == 81


# --- machines that die ------------------------------------------------------------------------------------------------


async def dying(machine: Machine, tracks: str, at: Callable[[Any], bool], *, after: bool = False) -> None:
    """Run until a request is `at`; then the machine is gone: it says no goodbye, and its folder is never seen again."""
    with anyio.CancelScope() as life:

        def die(request: Any, response: Any = None) -> None:
            if at(request):
                life.cancel()
                if response is None:
                    raise httpx.ConnectError("dead", request=request)

        (machine.network.after if after else machine.network.before).append(die)
        machine.stores.fault = lambda verb, path: offline(verb, path) if life.cancel_called else None
        await machine.run(tracks)
    assert life.cancelled_caught


@pytest.mark.parametrize(
    ("at", "after"),
    [(is_submit, False), (is_submit, True), (is_poll, False), (is_poll, True), (is_download, True)],
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
    """Its store was silent for longer than its lease: it finds its claim another's, and waits for the record."""
    team = make_team(latency_s=500.0)
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
    assert sum(result.committed.billed for result in results) == 2000  # and it is booked once


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
    first.network.before.append(lambda request: failure(400, "invalid_request_error") if is_submit(request) else None)
    assert (await first.run(MENU)).exit == 1
    assert (await second.run(MENU)).exit == 0
    keys = [request.headers["idempotency-key"] for request in first.network.submits + second.network.submits]
    assert len(set(keys)) == 2
    assert team.bought == {"calm menu": 1}


async def test_a_job_that_takes_too_long_is_gone_on_with_while_its_run_lives(make_team: Callable[..., Team]) -> None:
    """Given up, its claim says so: nobody waits for the end of that run, which has other things to do."""
    team = make_team(latency_s=700.0)
    first, second = team.machine("first"), team.machine("second")
    impatient = HEAD.replace("concurrency: 4", "concurrency: 1, job_timeout: 60")
    results = {}

    async def run(name: str, machine: Machine, tracks: str, head: str) -> None:
        results[name] = await machine.run(tracks, head=head)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(
            run, "first", first, MENU + "  z: {prompt: z}\n  y: {prompt: y}\n  x: {prompt: x}\n", impatient
        )
        await anyio.sleep(10)
        tasks.start_soon(run, "second", second, MENU, HEAD)
    assert (results["first"].exit, results["second"].exit) == (1, 0)
    assert team.bought["calm menu"] == 1


# --- a store in trouble -----------------------------------------------------------------------------------------------


async def test_without_the_store_the_run_goes_on_and_says_so(team: Team) -> None:
    """What it buys is put there by a later one."""
    first, second = team.machine("first"), team.machine("second")
    first.stores.fault = offline
    result = await first.run(MENU)
    assert (result.exit, team.shelf.objects) == (0, {})
    why = "s3://bucket/team: it can't be asked (no answer)"
    assert first.notices == [f"{why}; the run goes on without it, and what it buys is put there by a later one"]
    first.stores.fault = lambda verb, path: None
    assert (await first.run(MENU)).exit == 0
    await second.run(MENU)
    assert team.bought == {"calm menu": 1}


async def test_without_the_store_nothing_is_bought_that_the_lock_names(team: Team) -> None:
    """A clone that has the lock and cannot ask waits for somebody's word."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)
    (second.folder / "game.lock.json").write_bytes((first.folder / "game.lock.json").read_bytes())
    second.stores.fault = offline
    result = await second.run(BOTH)
    assert (result.exit, status(result), status(result, "battle")) == (1, "failed", "generated")
    assert "source missing" in error(result)
    assert team.bought == {"calm menu": 1, "fierce battle": 1}


async def test_without_a_required_store_nothing_is_sent(team: Team) -> None:
    """Whether it is silent when the plan is made, or falls silent afterwards."""
    first = team.machine("first")
    first.stores.fault = offline
    with pytest.raises(NoStore, match="it is required, so nothing is bought"):
        await first.run(MENU, head=REQUIRED)
    first.stores.fault = lambda verb, path: None if verb == "look up" else offline(verb, path)
    with pytest.raises(NoStore, match="it is required, so nothing is bought"):
        await first.run(MENU, head=REQUIRED)
    assert first.network.requests == []


async def test_a_required_store_that_falls_silent_stops_what_is_not_claimed_yet(team: Team) -> None:
    """What was claimed comes home, the rest is not sent, and the next run goes on."""
    first = team.machine("first")
    claims: list[str] = []

    def fault(verb: str, path: str) -> Any:
        if verb == "create" and path.startswith("claims"):
            claims.append(path)
        return offline(verb, path) if len(claims) > 4 else None

    first.stores.fault = fault
    result = await first.run(MANY, head=REQUIRED)
    assert result.stop is not None
    assert (result.exit, result.stop.message) == (
        EXIT_FOLDER,
        "s3://bucket/team: it can't be asked (no answer); the store is required, so nothing more is bought",
    )
    assert len(team.bought) == 4
    first.stores.fault = lambda verb, path: None
    assert (await first.run(MANY, head=REQUIRED)).exit == 0
    assert set(team.bought.values()) == {1}
    assert len(team.shelf.under("takes")) == 20


async def test_what_the_store_has_is_never_bought_though_it_falls_silent_meanwhile(team: Team) -> None:
    """Between the plan, which found it there, and the run, which can't fetch it: it waits for the next one."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)
    second.stores.fault = lambda verb, path: None if verb == "look up" else offline(verb, path)
    result = await second.run(BOTH)
    assert (result.exit, status(result), status(result, "battle")) == (1, "failed", "generated")
    assert team.bought == {"calm menu": 1, "fierce battle": 1}
    second.stores.fault = lambda verb, path: None
    assert (await second.run(BOTH)).exit == 0
    assert team.bought == {"calm menu": 1, "fierce battle": 1}


async def test_a_store_that_falls_silent_for_a_minute_is_waited_for(team: Team) -> None:
    """A night has such minutes."""
    first = team.machine("first")
    first.stores.fault = lambda verb, path: (
        offline(verb, path) if 3 < anyio.current_time() < 63 and verb != "look up" else None
    )
    result = await first.run(MANY)
    assert (result.exit, len(team.shelf.under("takes")), first.notices) == (0, 20, [])


async def test_what_another_machine_is_buying_is_not_bought_because_the_store_falls_silent(team: Team) -> None:
    """It is known to be claimed: it waits for the next run."""
    first, second = team.machine("first"), team.machine("second")
    results = {}

    async def run(name: str, machine: Machine) -> None:
        results[name] = await machine.run(MENU)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, "first", first)
        await anyio.sleep(0.5)
        tasks.start_soon(run, "second", second)
        await anyio.sleep(0.5)
        second.stores.fault = offline
    assert (results["second"].exit, status(results["second"])) == (0, "planned")
    assert (team.bought, second.network.submits) == ({"calm menu": 1}, [])


async def test_a_store_that_takes_no_notice_of_conditions_is_refused(team: Team) -> None:
    """Two machines could buy the same there; to take what it has is still possible."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)

    async def overwriting(path: str, content: bytes) -> Any:
        return team.shelf.put(path, content)

    second.stores.create = overwriting  # type: ignore[method-assign]
    with pytest.raises(NoStore, match=r"two machines could buy the same.*--store-read-only"):
        await second.run(BOTH)
    assert second.network.submits == []
    result = await second.run(BOTH, store_read_only=True)
    assert (result.exit, team.bought) == (0, {"calm menu": 1, "fierce battle": 1})
    assert len(team.shelf.under("takes")) == 1


async def test_a_store_that_takes_nothing_is_refused(team: Team) -> None:
    """Whatever is put there is there already, it says, and nothing is: nothing is sent on its word."""
    first = team.machine("first")
    first.stores.fault = lambda verb, path: {"create": AlreadyThere(path), "replace": Changed(path)}.get(verb)
    with pytest.raises(NoStore, match="can't be read there"):
        await first.run(MENU, head=REQUIRED)
    assert team.bought == {}


async def test_a_store_that_answers_another_thing_at_each_look_is_a_store_in_trouble(team: Team) -> None:
    """It is asked no thousand times."""
    first = team.machine("first")
    first.stores.fault = lambda verb, path: AlreadyThere(path) if (verb, path[:6]) == ("create", "claims") else None
    result = await first.run(MENU, head=REQUIRED)
    assert (result.exit, team.bought) == (EXIT_FOLDER, {})
    assert "changes at each look" in error(result)
    assert team.shelf.asked["create"] < 500


async def test_a_store_that_cannot_replace_on_a_condition_is_refused(team: Team) -> None:
    """At the start, before anything is claimed."""
    first = team.machine("first")
    first.stores.fault = lambda verb, path: Unconditional("/mnt/team: no locks") if verb == "replace" else None
    with pytest.raises(NoStore, match="/mnt/team: no locks, so two machines could buy the same"):
        await first.run(MENU)
    assert first.network.submits == []


async def test_nothing_is_put_into_a_store_that_is_only_read(team: Team) -> None:
    """Not even a lease."""
    first = team.machine("first")
    assert (await first.run(MENU, store_read_only=True)).exit == 0
    assert team.shelf.objects == {}


@pytest.mark.parametrize(
    ("spoil", "what"),
    [(lambda content: content[:-9] + b"x" * 9, "is not what was paid for"),
     (lambda content: content + b"x", "is longer than its record says"),
     (lambda content: content[:-1], "is not what was paid for"),
     (None, "is gone")],
    ids=["changed", "longer", "shorter", "gone"],
)  # fmt: skip
async def test_a_source_that_is_not_what_was_paid_for_is_refused(team: Team, spoil: Any, what: str) -> None:
    """It is said, nothing is made of it, and nothing is bought instead."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)
    (path,) = team.shelf.under("sources")
    content, _, _ = team.shelf.objects.pop(path)
    if spoil is not None:
        team.shelf.put(path, spoil(content))
    result = await second.run(MENU)
    assert (result.exit, status(result)) == (1, "failed")
    assert path in error(result)
    assert what in error(result)
    assert (team.bought, second.jobs, second.files & {"menu.wav"}) == ({"calm menu": 1}, [], set())


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"version": 2}', b'{"version": 1, "cost_usd": 1}', b"x" * 2_000_000],
    ids=["empty", "a list", "torn", "newer", "incomplete", "endless"],
)
async def test_a_record_that_cannot_be_read_holds_its_take_back_and_no_other(team: Team, content: bytes) -> None:
    """Nobody knows whether it was bought: that is said, and the others are bought."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)
    (path,) = team.shelf.under("takes")
    team.shelf.put(path, content)
    result = await second.run(BOTH)
    assert (result.exit, status(result), status(result, "battle")) == (1, "failed", "generated")
    assert path in error(result)
    assert team.bought == {"calm menu": 1, "fierce battle": 1}


async def test_a_claim_that_cannot_be_read_holds_its_take_back_and_no_other(team: Team) -> None:
    """As a record does."""
    first, second = team.machine("first"), team.machine("second")
    await dying(first, MENU, is_submit)
    (path,) = team.shelf.under("claims")
    team.shelf.put(path, b"{}")
    result = await second.run(BOTH)
    assert (result.exit, status(result), status(result, "battle")) == (1, "failed", "generated")
    assert path in error(result)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [('\\"duration\\":2', '\\"duration\\":3600', "for something else"),
     ('{\\"duration\\":2', '{\\"duration\\":3600,\\"duration\\":2', "for something else"),
     ("http://127.0.0.1", "http://127.0.0.2", "asked http://127.0.0.2"),
     ('"kind": "real"', '"kind": "local"', "for something else")],
    ids=["another length", "two lengths", "another gateway", "another kind"],
)  # fmt: skip
async def test_a_claim_is_only_gone_on_with_where_it_asks_for_the_same(
    team: Team, old: str, new: str, why: str
) -> None:
    """Whoever can write to the store can't make others buy what their manifest does not ask for."""
    first, second = team.machine("first"), team.machine("second")
    await dying(first, MENU, is_submit)
    (path,) = team.shelf.under("claims")
    content = team.shelf.objects[path][0].decode()
    assert old in content
    team.shelf.put(path, content.replace(old, new).encode())
    result = await second.run(MENU)
    assert (result.exit, team.bought) == (1, {})
    assert why in error(result)


async def test_a_record_under_another_takes_key_takes_nothing_from_it(team: Team) -> None:
    """Whoever can write to the store can't put other music into what was bought here."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)
    await second.run("  battle: {prompt: fierce battle}\n")
    (battle,) = second.jobs
    (path,) = [path for path in team.shelf.under("takes") if battle.key.fingerprint not in path]
    document = json.loads(team.shelf.objects[path][0]) | {"idempotency_key": battle.intent.idempotency_key}
    team.shelf.put(path, json.dumps(document).encode())
    result = await second.run(BOTH)
    assert (result.exit, status(result), status(result, "battle")) == (1, "failed", "kept")
    assert path in error(result)
    assert [job.source for job in second.jobs if job.key == battle.key] == [battle.source]


@pytest.mark.parametrize("what", ["job", "key"])
async def test_a_claim_on_another_takes_job_is_not_gone_on_with(team: Team, what: str) -> None:
    """A job is one take's: a track is never filled with another's music."""
    first, second = team.machine("first"), team.machine("second")
    await dying(first, MENU, is_submit)
    (path,) = team.shelf.under("claims")
    await second.run("  battle: {prompt: fierce battle}\n")
    (battle,) = second.jobs
    claim = json.loads(team.shelf.objects[path][0])
    if what == "job":
        claim |= {"job_id": battle.job_id, "accepted_at": battle.accepted_at}
    else:
        claim["intent"]["idempotency_key"] = battle.intent.idempotency_key
    team.shelf.put(path, json.dumps(claim).encode())
    result = await second.run(BOTH)
    assert (result.exit, status(result), status(result, "battle")) == (1, "failed", "kept")
    assert path in error(result)
    assert team.bought == {"fierce battle": 1}


async def test_what_a_claim_says_beside_its_words_is_not_believed(team: Team) -> None:
    """How long the music is, and by which model, its words say; what it costs, this manifest."""
    first, second = team.machine("first"), team.machine("second")
    await dying(first, MENU, is_submit)
    (path,) = team.shelf.under("claims")
    claim = json.loads(team.shelf.objects[path][0])
    claim["intent"] |= {"seconds_asked": 10**9, "model": "another/model", "estimate_usd": 10**6}
    team.shelf.put(path, json.dumps(claim).encode())
    assert (await second.run(MENU)).exit == 0
    (job,) = second.jobs
    asked = (job.intent.seconds_asked, job.intent.model, job.intent.estimate_microusd)
    assert asked == (2.0, "sony-ai/mmaudio-v2-text-to-audio", 2000)


async def test_what_is_too_old_to_ask_for_again_waits_for_somebodys_word(team: Team) -> None:
    """After a day the gateway has forgotten its key: nobody knows whether it was made."""
    first, second = team.machine("first"), team.machine("second")
    await dying(first, MENU, is_submit)
    await anyio.sleep(25 * 3600)
    result = await second.run(MENU)
    assert (result.exit, team.bought) == (1, {})
    assert "nobody knows whether it was made: generating again costs $0.0020 (--regenerate)" in error(result)
    assert (await second.run(MENU, regenerate=("menu",))).exit == 0
    assert team.bought == {"calm menu": 1}


@pytest.mark.parametrize("verb", ["create", "replace", "push"])
async def test_an_answer_of_the_store_that_is_lost_changes_nothing(team: Team, verb: str) -> None:
    """What was written is found to be ours."""
    first = team.machine("first")
    seen: set[str] = set()

    def lost(done: str, path: str) -> Any:
        if done != verb or path in seen or path.startswith("runs"):
            return None
        seen.add(path)
        return offline(done, path)

    first.stores.lost = lost
    result = await first.run(BOTH)
    assert (result.exit, team.bought) == (0, {"calm menu": 1, "fierce battle": 1})
    first.stores.lost = lambda verb, path: None
    await first.run(BOTH)
    assert len(team.shelf.under("takes")) == 2


async def test_a_budget_that_is_used_up_leaves_no_claim_behind(team: Team) -> None:
    """Whoever has the money begins anew."""
    first, second = team.machine("first"), team.machine("second")
    first.network.before.append(lambda request: failure(402, "insufficient_credits") if is_submit(request) else None)
    result = await first.run(BOTH)
    assert result.exit == EXIT_MONEY
    assert (await second.run(BOTH)).exit == 0
    assert team.bought == {"calm menu": 1, "fierce battle": 1}


async def test_takes_that_both_have_bought_without_the_store_are_said(team: Team) -> None:
    """The money is gone: it is not hidden."""
    first, second = team.machine("first"), team.machine("second")
    without = HEAD.replace("store:", "# store:")
    await first.run(MENU, head=without)
    await second.run(MENU, head=without)
    await first.run(MENU)
    await second.run(MENU)
    assert any("has bought it too" in notice for notice in second.notices)
    assert team.bought == {"calm menu": 2}
    before = team.shelf.asked.copy()
    await second.run(MENU)
    assert team.shelf.asked == before


# --- what is asked for on somebody's word -----------------------------------------------------------------------------


async def test_one_more_take_is_fetched_where_somebody_has_bought_just_that_one(team: Team) -> None:
    """The team pays once for one word; the same word again buys the next."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)
    await first.run(MENU, reroll=("menu",))
    assert team.bought == {"calm menu": 2}
    await second.run(MENU)
    plan = second.plan(MENU, head=HEAD, reroll=("menu",))
    assert plan.estimate_microusd == 0
    assert (await second.run(MENU, reroll=("menu",))).exit == 0
    assert team.bought == {"calm menu": 2}
    assert {job.key.take: job.bought_by is not None for job in second.jobs} == {1: True, 2: True}
    assert (await second.run(MENU, reroll=("menu",))).exit == 0
    assert team.bought == {"calm menu": 3}


async def test_a_regeneration_is_a_purchase_of_its_own(team: Team) -> None:
    """What stands in the store is not replaced; whoever has the newer lock asks for the newer one."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)
    assert (await first.run(MENU, regenerate=("menu",))).exit == 0
    assert team.bought == {"calm menu": 2}
    assert len(team.shelf.under("takes")) == 2
    (second.folder / "game.lock.json").write_bytes((first.folder / "game.lock.json").read_bytes())
    assert (await second.run(MENU)).exit == 0
    assert team.bought == {"calm menu": 2}
    assert second.index["menu.wav"]["sha256"] == first.index["menu.wav"]["sha256"]


async def test_two_tracks_of_two_manifests_with_one_prompt_are_one_purchase_for_the_team(team: Team) -> None:
    """Its fingerprint is what is shared, under whatever name."""
    first, second = team.machine("first"), team.machine("second")
    await first.run(MENU)
    result = await second.run("  title: {prompt: calm menu}\n", head=HEAD.replace("name: game", "name: sequel"))
    assert (result.exit, status(result, "title"), team.bought) == (0, "finished", {"calm menu": 1})


async def test_a_loudness_group_comes_from_the_store_as_one(team: Team) -> None:
    """Its members are levelled together here as they were there."""
    first, second = team.machine("first"), team.machine("second")
    group = "  low: {prompt: low, loudness: {group: b}}\n  high: {prompt: high, loudness: {group: b}}\n"
    await first.run(group)
    assert (await second.run(group)).exit == 0
    hashes = [{path: row["sha256"] for path, row in machine.index.items()} for machine in (first, second)]
    assert hashes[0] == hashes[1]


# --- what people do ---------------------------------------------------------------------------------------------------


async def test_a_copy_of_a_machine_buys_nothing_twice(team: Team) -> None:
    """A state folder that was copied while its run was open has the same claims: both go on, under one key."""
    first, copy = team.machine("first"), team.machine("copy")
    await dying(first, BOTH, is_submit, after=True)
    first.network.after.clear()
    first.stores.fault = lambda verb, path: None
    shutil.copytree(first.state, copy.state)
    results: list[RunResult] = []

    async def run(machine: Machine) -> None:
        results.append(await machine.run(BOTH))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, first)
        tasks.start_soon(run, copy)
    assert [result.exit for result in results] == [0, 0]
    assert team.bought == {"calm menu": 1, "fierce battle": 1}


async def test_two_manifests_of_one_run_share_a_store(team: Team) -> None:
    """What both ask for is bought once, and each has what it is about."""
    first, second = team.machine("first"), team.machine("second")
    sequel = (
        HEAD.replace("name: game", "name: sequel")
        + "  sequel/title: {prompt: calm menu}\n  sequel/end: {prompt: end}\n"
    )
    for machine in (first, second):
        result = await machine.run(BOTH, beside=[machine.manifest(sequel)])
        assert result.exit == 0
    assert team.bought == {"calm menu": 1, "fierce battle": 1, "end": 1}
    assert set(second.index) == {"menu.wav", "battle.wav", "sequel/title.wav", "sequel/end.wav"}


async def test_a_pick_that_is_refreshed_is_bought_once_a_night_by_the_team(team: Team) -> None:
    """Whoever comes second finds the new one there."""
    first, second = team.machine("first"), team.machine("second")
    weekly = "  menu: {prompt: calm menu, refresh: 7d}\n"
    await first.run(weekly)
    await second.run(weekly)
    await anyio.sleep(8 * 24 * 3600)
    assert (await first.run(weekly)).exit == 0
    assert (await second.run(weekly)).exit == 0
    assert team.bought == {"calm menu": 2}
    assert second.index["menu.wav"]["sha256"] == first.index["menu.wav"]["sha256"]

"""Money 1 and 2: intent before request, and what each failure proves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from worlds import HEAD, First, World, error, failure, is_media, is_poll, is_submit, lost, refused, status

from pipeline.jobs import State
from pipeline.runner.events import Notice, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

ONE = "  menu: {prompt: calm menu}\n"
COST = 2_000  # micro-dollars: 2 s at $0.0010


async def test_the_intent_is_on_disk_before_its_post_leaves(world: World) -> None:
    """With the very bytes and keys that are sent."""
    seen = []

    def look(request: httpx.Request) -> None:
        if is_submit(request):
            (job,) = world.jobs
            seen.append((job.state, job.intent.body, job.intent.idempotency_key, job.intent.request_id))
            headers = request.headers
            assert seen[-1][1:] == (request.content, headers["idempotency-key"], headers["x-request-id"])

    world.network.before.append(look)
    await world.run(ONE)
    assert [state for state, *_ in seen] == [State.INTENDED]


async def test_the_job_id_is_on_disk_before_anything_is_asked_about_it(world: World) -> None:
    """The first poll finds it on the books."""
    states = []
    world.network.before.append(lambda request: states.append(world.jobs[0].state) if is_poll(request) else None)
    await world.run(ONE)
    assert states[0] is State.ACCEPTED


async def test_without_a_connection_it_says_so_once_and_goes_on(world: World) -> None:
    """Whoever sits before it does not wonder for ten minutes."""
    world.network.before.append(First(is_submit, refused, times=5))
    result = await world.run(ONE + "  battle: {prompt: a battle}\n")
    told = [event.text for event in world.events if isinstance(event, Notice)]
    assert (result.exit, len(told)) == (0, 1)
    assert told[0].endswith("it is sent again, for up to 10 minutes")


class TestOneJobIdForTwoTakes:
    """A gateway that answers a second take with the job of the first: one job is one take's, and one charge."""

    @staticmethod
    def mix_up(world: World, times: int) -> None:
        def answer(request: httpx.Request, _: httpx.Response) -> httpx.Response | None:
            jobs = world.app.state.gateway.books.jobs
            if not is_submit(request) or len(jobs) < 2 or len(world.network.submits) > 1 + times:
                return None
            return httpx.Response(202, json={"id": jobs[0].id, "status": "queued"})

        world.network.after.append(answer)

    async def test_it_is_asked_again_and_gets_its_own(self, world: World) -> None:
        """Under its own key: nothing is bought twice, and what may have been is said."""
        self.mix_up(world, times=1)
        result = await world.run(ONE + "  battle: {prompt: a battle}\n", concurrency=1)
        assert (result.exit, len(world.network.submits), len(world.app.state.gateway.books.jobs)) == (0, 3, 2)
        assert (result.committed.billed, result.committed.unknown) == (2 * COST, 0)
        assert len({job.job_id for job in world.jobs}) == 2

    async def test_one_that_never_gets_its_own_is_neither_billed_nor_filled_with_the_others_music(
        self, world: World
    ) -> None:
        """Its estimate counts as a possible duplicate, once for each sending."""
        self.mix_up(world, times=99)
        result = await world.run(ONE + "  battle: {prompt: a battle}\n", concurrency=1)
        assert (result.exit, status(result), status(result, "battle")) == (1, "generated", "failed")
        assert "which is that of menu, take 1" in error(result, "battle")
        assert (result.committed.billed, result.committed.unknown) == (COST, 3 * COST)
        assert "battle.wav" not in world.files


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: failure(429, "rate_limit_error", retry_after="7"),
        lambda _: failure(500, "server_error"),
        lambda _: failure(502, "provider_error"),
        lambda _: failure(503, "service_unavailable"),
        refused,
    ],
    ids=["429", "500", "502", "503", "no connection"],
)
async def test_what_was_surely_not_taken_is_sent_again(world: World, answer: Callable) -> None:
    """And binds nothing twice."""
    world.network.before.append(First(is_submit, answer, times=3))
    result = await world.run(ONE)
    assert (result.exit, len(world.network.submits)) == (0, 4)
    assert (result.committed.billed, result.committed.unknown) == (COST, 0)


async def test_every_wait_is_told_with_what_it_is_for(world: World) -> None:
    """A refused submit, each poll of a job that is not done, and the takes for which no slot is free."""
    world.network.before.append(First(is_submit, lambda _: failure(429, "rate_limit_error", retry_after="12")))
    await world.run(ONE + "  battle: {prompt: a battle}\n", concurrency=1)
    waits = [event for event in world.events if isinstance(event, Waiting)]
    assert [(wait.cause, wait.what) for wait in waits[:3]] == [
        ("slot", "battle"),
        ("refused", "menu: submit"),
        ("poll", "menu"),
    ]
    assert (waits[0].seconds, waits[1].seconds) == (None, 12.0)


async def test_a_gateway_that_stays_down_is_given_up_after_ten_minutes(world: World) -> None:
    """The night goes on with the next track."""
    began = world.clock  # virtual: the ten minutes pass at once
    world.network.before.append(First(is_submit, lambda _: failure(503, "service_unavailable"), times=10_000))
    result = await world.run(ONE)
    assert (result.exit, status(result)) == (1, "failed")
    assert result.committed.total == 0
    assert began.now() - world.jobs[0].intended_at < 700


async def test_a_retry_after_of_an_hour_stops_the_track_not_the_night(world: World) -> None:
    """A sentence, instead of hours of silence."""
    world.network.before.append(First(is_submit, lambda _: failure(429, "rate_limit_error", retry_after="3600"), 99))
    result = await world.run(ONE)
    assert status(result) == "failed"
    assert "3,600 s" in error(result)


@pytest.mark.parametrize(
    "answer",
    [
        lost,
        lambda request: httpx.ReadTimeout("slow", request=request),
        lambda _: httpx.Response(200, html="<h1>welcome</h1>"),
        lambda _: httpx.Response(202, json={"status": "queued"}),
        lambda _: httpx.Response(302, headers={"location": "https://elsewhere/"}),
        lambda _: httpx.Response(502, html="<h1>bad gateway</h1>"),
        lambda _: failure(408, "timeout"),
        lambda _: failure(504, "timeout_error"),
        lambda _: failure(529, "overloaded"),
    ],
    ids=["lost", "timeout", "200 html", "202 no id", "302", "502 html", "408", "504", "529"],
)
class TestUnknown:
    """An answer that shows nothing, after the job was made."""

    async def test_it_is_asked_again_with_the_same_bytes_and_keys(self, world: World, answer: Callable) -> None:
        """The gateway honours the key: one job, one charge, and the replay is proven."""
        world.network.after.append(First(is_submit, answer))
        result = await world.run(ONE)
        first, second = world.network.submits
        for header in ("idempotency-key", "x-request-id", "x-aig-tag", "x-cache"):
            assert first.headers[header] == second.headers[header]
        assert first.content == second.content
        assert len(world.app.state.gateway.books.jobs) == 1
        assert (result.exit, result.committed.billed, result.committed.unknown) == (0, COST, 0)

    async def test_where_the_key_is_not_honoured_the_possible_duplicate_is_counted(
        self, make_world: Callable[..., World], answer: Callable
    ) -> None:
        """What the gateway charged is never more than what we say it may have."""
        world = make_world(idempotency=False)
        world.network.after.append(First(is_submit, answer))
        result = await world.run(ONE)
        assert len(world.app.state.gateway.books.jobs) == 2
        assert (result.exit, result.committed.billed, result.committed.unknown) == (0, COST, COST)
        assert any("possible duplicate" in str(event) for event in world.events)


async def test_an_unknown_is_asked_again_twice_at_most_in_one_start(world: World) -> None:
    """Three sendings that may each have made a job: all three count."""
    head = HEAD.replace("name: game", "name: game\nbudget: 1")
    world.network.after.append(First(is_submit, lost, times=99))
    result = await world.run(ONE, head=head)
    assert (len(world.network.submits), status(result)) == (3, "failed")
    assert world.jobs[0].state is State.UNKNOWN
    assert result.committed.unknown == 3 * COST
    world.network.after.clear()
    result = await world.run(ONE, head=head)
    assert (result.exit, len(world.app.state.gateway.books.jobs)) == (0, 1)
    assert (result.committed.billed, result.committed.unknown) == (COST, 0)


async def test_resend_unknown_false_leaves_it_unknown(world: World) -> None:
    """Somebody decided to look first."""
    head = "version: 1\nname: game\ngateway: {model: m/m, price_per_second: 0.0010, resend_unknown: false}\ntracks:\n"
    world.network.after.append(First(is_submit, lost))
    result = await world.run("  menu: {prompt: x, duration: 2, outputs: [wav]}\n", head=head)
    assert (len(world.network.submits), status(result)) == (1, "failed")


@pytest.mark.parametrize(
    ("answer", "exit_status"),
    [(failure(401, "authentication_error"), 4), (failure(403, "scope_exceeded"), 4)],
    ids=["401", "403"],
)
async def test_a_bad_key_stops_the_run(world: World, answer: httpx.Response, exit_status: int) -> None:
    """Nothing more is sent, and what was not sent keeps its run open."""
    world.network.before.append(First(is_submit, lambda _: answer, times=99))
    tracks = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(12))
    result = await world.run(tracks)
    assert result.exit == exit_status
    assert len(world.network.submits) <= 4
    world.network.before.clear()
    assert (await world.run(tracks)).exit == 0


async def test_an_empty_wallet_stops_submits_but_collects_what_is_paid_for(world: World) -> None:
    """402: exit 3, and the jobs that were taken come home."""
    taken = []

    def empty_after_two(request: httpx.Request) -> httpx.Response | None:
        if not is_submit(request):
            return None
        taken.append(request)
        return failure(402, "insufficient_credits") if len(taken) > 2 else None

    world.network.before.append(empty_after_two)
    tracks = "".join(f"  t{number}: {{prompt: piece {number}}}\n" for number in range(8))
    result = await world.run(tracks, concurrency=2)
    assert (result.exit, result.counts["generated"], result.counts["failed"]) == (3, 2, 0)
    assert [track.status for track in result.tracks].count("planned") == 6  # held back is not failed
    assert len(taken) <= 4


async def test_a_failed_job_costs_nothing_and_the_next_run_asks_anew(world: World) -> None:
    """With a new key: the old one stands for the job that failed."""
    world.network.before.append(
        First(is_poll, lambda request: httpx.Response(200, json={
            "id": request.url.path.rsplit("/", 1)[-1], "status": "failed", "error": "the model fell over",
        }))
    )  # fmt: skip
    result = await world.run(ONE)
    assert (status(result), result.committed.total) == ("failed", 0)
    assert "the model fell over" in error(result)
    assert (await world.run(ONE)).exit == 0
    first, second = world.network.submits
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


async def test_a_304_is_neither_an_error_nor_a_change(world: World) -> None:
    """The job goes on holding its slot."""
    world.network.before.append(First(is_poll, lambda _: httpx.Response(304), times=5))
    assert (await world.run(ONE)).exit == 0


async def test_a_shorter_interval_than_the_gateways_own_still_ends(world: World) -> None:
    """It counts from the poll before, even an early one: whoever keeps asking faster never hears anything else."""
    head = HEAD.replace("concurrency: 4", "concurrency: 4, poll_interval: 0.2")
    began = world.clock
    assert (await world.run(ONE, head=head)).exit == 0
    assert began.now() - world.jobs[0].accepted_at < 15


async def test_a_404_soon_after_the_submit_is_asked_again(world: World) -> None:
    """The gateway has not heard of it everywhere yet."""
    world.network.before.append(First(is_poll, lambda _: failure(404, "not_found"), times=3))
    assert (await world.run(ONE)).exit == 0


async def test_a_job_that_vanished_is_said_with_what_it_may_have_cost(world: World) -> None:
    """It is not bought again without a word."""
    world.network.before.append(First(is_poll, lambda _: failure(404, "not_found"), times=999))
    result = await world.run(ONE)
    assert (status(result), world.jobs[0].state, result.committed.unknown) == ("failed", State.EXPIRED, COST)
    world.network.before.clear()
    result = await world.run(ONE)
    assert (result.exit, len(world.network.submits)) == (1, 1)
    assert "--regenerate" in error(result)
    assert (await world.run(ONE, regenerate=["menu"])).exit == 0


async def test_a_job_past_its_timeout_stays_on_the_books(make_world: Callable[..., World]) -> None:
    """Its slot is free for others; the next run asks for it first, and buys nothing."""
    world = make_world(latency_s=4000.0)
    result = await world.run(ONE)
    assert (status(result), world.jobs[0].state) == ("failed", State.ACCEPTED)
    assert "next run asks for it first" in error(result)
    await anyio.sleep(4000)
    result = await world.run(ONE)
    assert (result.exit, len(world.network.submits)) == (0, 1)


async def test_what_was_answered_instead_of_how_a_job_stands_is_told(world: World) -> None:
    """Not that it is still generating: nobody has said so."""
    world.network.before.append(
        lambda request: httpx.Response(200, text="<h1>Hello</h1>") if is_poll(request) else None
    )
    said = error(await world.run(ONE))
    assert "not known to be done 1800 s after it was submitted" in said
    assert '200 with "Hello"' in said
    assert "next run asks for it first" in said


class TestMedia:
    """What was paid for is brought home, whatever the media host does."""

    @pytest.mark.parametrize("status_code", [403, 404, 410])
    async def test_an_expired_address_is_asked_for_again(self, world: World, status_code: int) -> None:
        """Polling again gives a fresh one."""
        world.network.before.append(First(is_media, lambda _: httpx.Response(status_code)))
        assert (await world.run(ONE)).exit == 0
        assert len(world.network.submits) == 1

    @pytest.mark.parametrize(
        "answer",
        [
            lost,
            lambda _: httpx.Response(200, html="<h1>sorry</h1>"),
            lambda _: httpx.Response(200, content=b""),
            lambda _: httpx.Response(
                200, content=b"RIFF\x00\x00\x00\x00nonsense", headers={"content-type": "audio/wav"}
            ),
            lambda _: httpx.Response(503),
        ],
        ids=["lost", "html", "empty", "not audio", "503"],
    )
    async def test_a_bad_body_is_fetched_again(self, world: World, answer: Callable) -> None:
        """And nothing half stays behind."""
        world.network.before.append(First(is_media, answer, times=2))
        assert (await world.run(ONE)).exit == 0
        assert list((world.state / "sources/incoming").iterdir()) == []

    async def test_audio_that_stays_bad_is_paid_for_and_fetched_by_the_next_run(self, world: World) -> None:
        """Nothing is bought again."""
        world.network.before.append(First(is_media, lambda _: httpx.Response(200, html="<p>no</p>"), times=99))
        result = await world.run(ONE)
        assert (status(result), world.jobs[0].state) == ("failed", State.COMPLETED)
        assert "paid for" in error(result)
        world.network.before.clear()
        result = await world.run(ONE)
        assert (result.exit, len(world.network.submits)) == (0, 1)

    async def test_a_damaged_source_is_fetched_again_while_the_gateway_has_it(self, world: World) -> None:
        """Its hash no longer fits: what is finished is what was paid for."""
        await world.run(ONE)
        (source,) = (path for path in (world.state / "sources").rglob("*.wav"))
        source.write_bytes(source.read_bytes()[:-1] + b"\x00" if source.read_bytes()[-1:] != b"\x00" else b"x")
        louder = "  menu: {prompt: calm menu, loudness: mobile}\n"
        result = await world.run(louder)
        assert (result.exit, status(result), len(world.network.submits)) == (0, "generated", 1)
        assert world.report["run"]["billed_usd"] == 0

    async def test_a_damaged_source_that_the_gateway_no_longer_has_is_said_by_the_plan(self, world: World) -> None:
        """Nothing is bought again without a word, and the asset that stands goes on standing."""
        await world.run(ONE)
        (source,) = (path for path in (world.state / "sources").rglob("*.wav"))
        source.write_bytes(bytes(source.stat().st_size))
        await anyio.sleep(8 * 24 * 3600)
        louder = "  menu: {prompt: calm menu, loudness: mobile}\n"
        before = (world.output / "menu.wav").read_bytes()
        result = await world.run(louder)
        assert (status(result), len(world.network.submits)) == ("failed", 1)
        assert "source missing: generating again costs $0.0020" in error(result)
        assert (world.output / "menu.wav").read_bytes() == before

    async def test_a_damaged_source_that_nobody_needs_costs_nothing(self, world: World) -> None:
        """Its asset stands: it is neither read nor fetched."""
        await world.run(ONE)
        (source,) = (path for path in (world.state / "sources").rglob("*.wav"))
        source.write_bytes(bytes(source.stat().st_size))
        world.network.requests.clear()
        assert ((await world.run(ONE)).exit, world.network.requests) == (0, [])

    async def test_audio_past_its_seven_days_is_expired_at_its_cost(self, world: World) -> None:
        """The job is still known, its file is not: that is said, and bought again only on request."""
        with anyio.move_on_after(2.0):
            await world.run(ONE)
        await anyio.sleep(8 * 24 * 3600)
        result = await world.run(ONE)
        assert (status(result), world.jobs[0].state) == ("failed", State.EXPIRED)
        assert "no longer has job" in error(result)
        assert "$0.0020" in error(result)
        assert (await world.run(ONE, regenerate=["menu"])).exit == 0

    async def test_audio_a_day_old_is_fetched_by_a_fresh_address(self, world: World) -> None:
        """The old one has expired: the job is asked first."""
        world.network.before.append(First(is_media, lost, times=99))
        await world.run(ONE)
        assert world.jobs[0].state is State.COMPLETED
        world.network.before.clear()
        await anyio.sleep(25 * 3600)
        result = await world.run(ONE)
        assert (result.exit, len(world.network.submits)) == (0, 1)

    async def test_a_fresh_address_is_asked_for_no_sooner_than_the_interval(self, world: World) -> None:
        """The poll that brought the bad one counts: a faster one would be answered with nothing."""
        world.network.before.append(First(is_media, lambda _: httpx.Response(403), times=2))
        assert (await world.run(ONE)).exit == 0
        assert world.app.state.gateway.books.early_polls == 0


async def test_without_usage_figures_a_bill_is_computed(make_world: Callable[..., World]) -> None:
    """Seconds received x price, and the report says so."""
    world = make_world(usage_figures=False)
    result = await world.run(ONE)
    assert result.committed.billed == COST
    assert [take["cost_basis"] for take in world.report["takes"]] == ["computed"]


async def test_a_bill_is_computed_from_what_was_received_whatever_the_answer_claims(
    make_world: Callable[..., World],
) -> None:
    """A day of audio, said of two seconds."""
    world = make_world(usage_figures=False)

    def boast(request: httpx.Request, response: httpx.Response) -> httpx.Response | None:
        if not is_poll(request) or b'"completed"' not in b"".join(response.stream._body):
            return None
        body = json.loads(b"".join(response.stream._body))
        body["result"]["duration"] = 86_400
        return httpx.Response(200, json=body)

    world.network.after.append(boast)
    result = await world.run(ONE)
    assert (result.exit, result.committed.billed) == (0, COST)

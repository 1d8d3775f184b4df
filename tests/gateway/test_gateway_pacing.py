"""The pace at which requests leave."""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter, deque

import anyio
import pytest

from pipeline.gateway.allowance import Allowance, earliest_turn, risen_limit
from pipeline.gateway.errors import RateLimited, WaitTooLong
from pipeline.gateway.headers import RateFacts
from pipeline.gateway.pacing import Pacer, Worth

LONG_AGO = -math.inf
MINUTE_S = 60.001
BURST_S = 10.001


class RollingWindow:
    """The gateway's own count, as strict as it can be read: 60 s at the limit, 10 s at twice the rate."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.arrivals: deque[float] = deque()

    def takes(self, now: float) -> bool:
        last_minute = [at for at in self.arrivals if at > now - 60.0]
        last_burst = [at for at in last_minute if at > now - 10.0]
        taken = len(last_minute) < self.limit and len(last_burst) < max(1, self.limit // 3)
        if taken:
            self.arrivals.append(now)
        return taken


@pytest.mark.parametrize(
    ("answered", "in_flight", "limit", "turn"),
    [
        ([], 0, 600, LONG_AGO),
        ([0.0], 0, 600, LONG_AGO),
        ([0.0] * 200, 0, 600, BURST_S),
        ([0.0] * 200 + [11.0] * 199, 0, 600, BURST_S),
        ([0.0] * 200 + [11.0] * 200, 0, 600, 11 + BURST_S),
        ([0.0] * 200 + [11.0] * 200 + [22.0] * 200, 0, 600, MINUTE_S),
        ([0.0, 1.0, 2.0], 0, 10, BURST_S),
        ([5.0], 0, 1, 5 + MINUTE_S),
        ([5.0], 0, 2, 5 + BURST_S),
        ([5.0, 6.0], 1, 10, 5 + BURST_S),
        ([5.0], 3, 10, math.inf),
    ],
    ids=[
        "nothing sent",
        "room",
        "a burst",
        "the next has room",
        "a second burst",
        "a minute's worth",
        "10 a minute",
        "1",
        "2",
        "one without an answer counts",
        "only an answer makes room",
    ],
)
def test_a_turn_comes_when_both_windows_have_room(answered, in_flight, limit, turn) -> None:
    """The minute's, and the burst's of a third of it in ten seconds."""
    assert earliest_turn(answered, in_flight, limit) == pytest.approx(turn)


def send(allowance: Allowance, now: float) -> None:
    """One request that is answered in the same moment."""
    allowance.leave()
    allowance.answered(now)


@pytest.mark.parametrize(("minutes", "limit"), [(-1, 450), (0.9, 450), (1, 510), (2.5, 570), (3, 600), (99, 600)])
def test_a_reduced_limit_rises_a_tenth_a_minute(minutes, limit) -> None:
    """Up to where it was, and no further."""
    assert risen_limit(450, 600, minutes) == limit


class TestAllowance:
    def test_a_header_lowers_the_limit_and_never_raises_it_above_the_manifests(self) -> None:
        """`requests_per_minute` is an upper bound, learned downwards."""
        allowance = Allowance(600)
        allowance.observe(RateFacts(limit=10), now=0.0)
        assert allowance.limit(0.0) == 10
        allowance.observe(RateFacts(limit=30_000), now=1.0)
        assert allowance.limit(1.0) == 600

    def test_a_limit_is_learned_where_none_was_known(self) -> None:
        """From the first answer that speaks of one."""
        allowance = Allowance(None)
        assert allowance.limit(0.0) is None
        allowance.observe(RateFacts(limit=10), now=0.0)
        assert allowance.limit(0.0) == 10

    def test_requests_of_others_under_the_same_key_leave_us_less(self) -> None:
        """The gateway counts 590 where we sent none: ten are left, until its window has moved on."""
        allowance = Allowance(600)
        allowance.observe(RateFacts(limit=600, remaining=10, reset_s=20.0), now=0.0)
        for _ in range(3):
            assert allowance.wait_s(0.0) == 0.0
            send(allowance, 0.0)
        assert allowance.wait_s(0.0) == BURST_S
        assert allowance.wait_s(20.0) == 0.0

    @pytest.mark.parametrize(
        ("ours", "told", "remaining", "share"),
        [(300, 600, 299, 299), (300, 600, 300, 300), (600, 30_000, 28_999, 600), (600, 600, 200, 200)],
    )
    def test_others_take_from_the_keys_limit_and_not_from_our_part_of_it(
        self, ours: int, told: int, remaining: int, share: int
    ) -> None:
        """Two runs with half a key each have half a key each."""
        allowance = Allowance(ours)
        allowance.observe(RateFacts(limit=told, remaining=remaining, reset_s=60.0), now=0.0)
        assert allowance.share(0.0) == share
        assert allowance.share(60.0) == ours

    def test_our_own_requests_are_not_counted_twice(self) -> None:
        """Remaining 550 after 50 of ours: nobody else is there."""
        allowance = Allowance(600)
        for _ in range(50):
            send(allowance, 0.0)
        allowance.observe(RateFacts(limit=600, remaining=550), now=1.0)
        for _ in range(150):
            assert allowance.wait_s(1.0) == 0.0
            send(allowance, 1.0)

    def test_a_window_that_others_filled_is_tried_by_one_request(self) -> None:
        """Never by none: a stale header would stop the run for good."""
        allowance = Allowance(600)
        allowance.observe(RateFacts(limit=600, remaining=0), now=0.0)
        assert allowance.wait_s(0.0) == 0.0
        send(allowance, 0.0)
        assert allowance.wait_s(0.0) == MINUTE_S

    def test_a_refusal_stops_everybody_and_shrinks_the_limit_once(self) -> None:
        """The other seven that were on their way are refused too, and prove nothing more."""
        allowance = Allowance(600)
        for _ in range(8):
            allowance.refused(12.0, now=0.0)
        assert allowance.wait_s(0.0) == 12.0
        assert allowance.limit(12.0) == 450
        allowance.refused(12.0, now=12.5)
        assert allowance.limit(24.5) == 337

    def test_the_longest_pause_holds(self) -> None:
        """A later, shorter one does not end it."""
        allowance = Allowance(600)
        allowance.refused(30.0, now=0.0)
        allowance.refused(1.0, now=2.0)
        assert allowance.pause_s(2.0) == 28.0

    @pytest.mark.parametrize(("asked_s", "pause_s"), [(None, 5.0), (0.0, 1.0), (7.0, 7.0)])
    def test_a_refusal_always_pauses(self, asked_s, pause_s) -> None:
        """Also where it names no time, or none at all."""
        allowance = Allowance(600)
        allowance.refused(asked_s, now=0.0)
        assert allowance.pause_s(0.0) == pause_s

    def test_a_refusal_without_any_known_limit_teaches_one(self) -> None:
        """Three quarters of what was sent in the minute before."""
        allowance = Allowance(None)
        for second in range(40):
            send(allowance, float(second))
        allowance.refused(1.0, now=40.0)
        assert allowance.limit(41.0) == 30


@pytest.mark.parametrize("limit", [1, 2, 10, 37, 600])
@pytest.mark.parametrize("seed", range(4))
def test_a_gateway_that_counts_strictly_refuses_nothing(limit: int, seed: int) -> None:
    """Whatever the demand, and however long each request is on its way, there and back."""
    chance = random.Random(f"{seed} {limit}")
    allowance, gateway = Allowance(limit), RollingWindow(limit)
    now, arrivals, under_way = 0.0, [], []
    for _ in range(limit * 4):
        now += chance.choice([0.0, 0.0, 0.001, 0.1, 30.0 / limit])
        while under_way and (under_way[0] <= now or allowance.wait_s(now) > under_way[0] - now):
            now = max(now, under_way[0])
            allowance.answered(heapq.heappop(under_way))
        now += allowance.wait_s(now)
        allowance.leave()
        arrivals.append(now + chance.uniform(0.0, 0.4))
        heapq.heappush(under_way, arrivals[-1] + chance.choice([0.0, 0.1, 5.0]))
    assert all(gateway.takes(at) for at in sorted(arrivals)), (seed, limit)


def test_the_pace_is_the_limit() -> None:
    """Where the way is short nothing is lost: of 6,000 requests at 600 a minute the last leaves in the tenth minute."""
    allowance, now = Allowance(600), 0.0
    for _ in range(6_000):
        now += allowance.wait_s(now)
        send(allowance, now)
    assert now == pytest.approx(9 * 60 + 2 * 10, abs=0.1)


async def take_a_turn(pacer: Pacer) -> None:
    """One request that is answered in the same moment."""
    async with pacer.turn():
        pass


@pytest.mark.anyio
class TestPacer:
    async def test_turns_come_in_the_order_in_which_they_were_asked_for(self) -> None:
        """First come, first served, where one is worth as much as another."""
        pacer, order = Pacer(1), []

        async def wait(number: int) -> None:
            async with pacer.turn():
                order.append((number, anyio.current_time()))

        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(wait, number)
                await anyio.wait_all_tasks_blocked()
        assert order == [(number, pytest.approx(60 * number, abs=0.1)) for number in range(4)]

    async def test_the_most_worth_goes_first_and_nobody_waits_for_ever(self) -> None:
        """Its worth is asked for when a turn is to be given; a minute's wait is worth as much as a sure thing."""
        pacer, order = Pacer(3), []

        async def wait(name: str, worth: float, after_s: float = 0.0) -> None:
            await anyio.sleep(after_s)
            async with pacer.turn(Worth(lambda _: worth)):
                order.append(name)

        async with anyio.create_task_group() as tasks, pacer.turn():  # the next may go ten seconds later
            tasks.start_soon(wait, "hopeless", 0.0)
            tasks.start_soon(wait, "even", 0.5)
            tasks.start_soon(wait, "sure", 1.0)
            tasks.start_soon(wait, "late and sure", 1.0, 61.0)
            await anyio.wait_all_tasks_blocked()
        assert order == ["sure", "even", "hopeless", "late and sure"]

    async def test_polls_leave_room_for_the_submits_that_follow_on_them(self) -> None:
        """Ten polls of jobs that are done, and room for ten requests: five find a slot free, and five fill it."""
        pacer, order = Pacer(30), []

        async def poll() -> None:
            async with pacer.turn(Worth(lambda _: 1.0, lambda: True)):
                order.append(("poll", anyio.current_time()))
            async with pacer.turn():
                order.append(("submit", anyio.current_time()))

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(poll)
        moments = [round(at, 1) for _, at in order]
        assert Counter(zip((what for what, _ in order), moments, strict=True)) == {
            ("poll", 0.0): 5,
            ("submit", 0.0): 5,
            ("poll", 10.0): 5,
            ("submit", 10.0): 5,
        }

    async def test_so_do_polls_that_have_waited_for_their_turns(self) -> None:
        """All of them are given in one moment, before any has been sent."""
        pacer, order = Pacer(30), []

        async def poll() -> None:
            async with pacer.turn(Worth(lambda _: 1.0, lambda: True)):
                order.append("poll")
            async with pacer.turn():
                order.append("submit")

        for _ in range(10):
            await take_a_turn(pacer)  # all the room of ten seconds
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(poll)
            await anyio.sleep(15)
            assert Counter(order) == {"poll": 5, "submit": 5}

    async def test_room_for_what_never_follows_is_kept_for_a_moment_only(self) -> None:
        """A poll may find its job unfinished; the next has its turn then, and only the last has no room for another."""
        pacer, moments = Pacer(30), []

        async def poll() -> None:
            async with pacer.turn(Worth(lambda _: 0.9, lambda: True)):
                moments.append(anyio.current_time())

        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(poll)
        assert moments[-2] < 3
        assert moments[-1] == pytest.approx(BURST_S, abs=0.1)

    @pytest.mark.parametrize("limit", [1, 2, 3, 5])
    async def test_where_there_is_no_room_for_two_a_poll_still_has_its_turn(self, limit: int) -> None:
        """And what follows on it the next."""
        pacer, order = Pacer(limit), []
        for number in range(4):
            async with pacer.turn(Worth(lambda _: 1.0, lambda: True)):
                order.append(("poll", number))
            async with pacer.turn():
                order.append(("submit", number))
        assert order == [(what, number) for number in range(4) for what in ("poll", "submit")]
        assert anyio.current_time() < 60 * 8 / limit + 60

    async def test_a_request_counts_until_its_answer_is_a_window_old(self) -> None:
        """The gateway counts it when it arrives, which may be just before the answer leaves."""
        pacer = Pacer(1)
        async with pacer.turn():
            await anyio.sleep(20)
        await take_a_turn(pacer)
        assert anyio.current_time() == pytest.approx(80, abs=0.1)

    async def test_who_waits_for_an_answer_goes_once_it_is_there(self) -> None:
        """With one request a minute and that on its way, no moment can be told before."""
        pacer = Pacer(1)
        async with anyio.create_task_group() as tasks, pacer.turn():
            tasks.start_soon(take_a_turn, pacer)
            await anyio.sleep(300)
        assert anyio.current_time() == pytest.approx(360, abs=0.1)

    async def test_who_gives_up_waiting_takes_no_turn(self) -> None:
        """The next in line moves up, and gives the turns in its place."""
        pacer, done = Pacer(1), []
        await take_a_turn(pacer)

        async def wait(name: str, scope: anyio.CancelScope) -> None:
            with scope:
                await take_a_turn(pacer)
                done.append((name, anyio.current_time()))

        scopes = {name: anyio.CancelScope() for name in ("head", "middle", "last")}
        async with anyio.create_task_group() as tasks:
            for name, scope in scopes.items():
                tasks.start_soon(wait, name, scope)
                await anyio.wait_all_tasks_blocked()
            scopes["head"].cancel()
            scopes["middle"].cancel()
        assert done == [("last", pytest.approx(60, abs=0.1))]

    async def test_a_pause_counts_for_those_who_wait_already(self) -> None:
        """They look again when their own time has come."""
        pacer = Pacer(1)
        await take_a_turn(pacer)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take_a_turn, pacer)
            await anyio.sleep(50)
            pacer.refused(100.0)
        assert anyio.current_time() == pytest.approx(150.0)

    async def test_a_wait_of_a_second_or_more_is_told_before_it_begins(self) -> None:
        """How long, and the limit that it keeps to; none where the gateway has refused a request."""
        told: list[tuple[float, float, int | None]] = []
        pacer = Pacer(60, lambda seconds, limit: told.append((anyio.current_time(), seconds, limit)))
        pacer.refused(12.0)
        for _ in range(21):
            await take_a_turn(pacer)
        assert [(at, round(seconds, 1), limit) for at, seconds, limit in told] == [(0.0, 12.0, None), (12.0, 10.0, 45)]

    async def test_a_pause_beyond_two_minutes_is_not_waited_for(self) -> None:
        """Every track that asks gets the sentence at once, and nothing more is sent."""
        pacer = Pacer(600)
        pacer.refused(3_600.0)
        for _ in range(100):
            with pytest.raises(WaitTooLong, match="no requests for another 3,600 s") as caught:
                await take_a_turn(pacer)
        assert caught.value.retry_after_s == 3_600.0
        assert anyio.current_time() == 0.0

    async def test_a_long_queue_is_not_a_long_pause(self) -> None:
        """Ten minutes in line under the limit are no error."""
        pacer = Pacer(1)
        async with anyio.create_task_group() as tasks:
            for _ in range(11):
                tasks.start_soon(take_a_turn, pacer)
        assert anyio.current_time() == pytest.approx(600, abs=0.1)

    async def test_without_a_limit_nobody_waits(self) -> None:
        """A local gateway of one's own has none."""
        pacer = Pacer(None)
        for _ in range(1_000):
            await take_a_turn(pacer)
        assert anyio.current_time() == 0.0

    async def test_a_refused_request_holds_up_all_others(self, world, played, order) -> None:
        """The client tells the pacer: a 429 pauses everybody until `Retry-After`."""
        it = world([played(429, b"", {"Retry-After": "30"}), played(202, {"id": "job_1"})])
        with pytest.raises(RateLimited):
            await it.gateway.submit(order)
        async with it.gateway.turn():
            pass
        assert anyio.current_time() == pytest.approx(30.0)

    async def test_the_client_learns_the_limit_from_its_answers(self, world, played) -> None:
        """The free plan's ten a minute, whatever the manifest says."""
        headers = {"x-ratelimit-limit-requests": "10"}
        it = world(played(200, {"status": "running"}, headers), requests_per_minute=600)
        for _ in range(21):
            await it.gateway.poll("job_1")
        assert anyio.current_time() >= 120.0

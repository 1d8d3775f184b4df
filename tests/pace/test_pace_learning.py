"""How job times are learned from polls, and what is foreseen from them."""

from __future__ import annotations

import math
import random
from itertools import count, pairwise

import pytest

from pipeline.pace.ages import AGES, LAST, at_or_before
from pipeline.pace.job_times import JobTimes
from pipeline.pace.likelihood import Lognormal, fitted
from pipeline.pace.planner import PollPlanner, Span, kind_of
from pipeline.pace.schedule import best_schedule

MODEL = "sony-ai/mmaudio-v2-text-to-audio"
KIND = kind_of(MODEL, 30)


class Bench:
    """Jobs one after another through a few slots, polled when the planner says so, on a clock of its own."""

    def __init__(self, planner: PollPlanner, seed: int = 0) -> None:
        self.planner = planner
        self.chance = random.Random(seed)
        self.now = 0.0
        self.polls = 0
        self.delays: list[float] = []
        self._numbers = count()

    def play(self, times: list[float], slots: int = 4, kind=KIND) -> None:
        """Until all have ended. Each is submitted once a slot is free."""
        flying: dict[str, tuple[float, float]] = {}
        left = list(reversed(times))
        self.planner.waiting = len(left)
        while left or flying:
            while left and len(flying) < slots:
                job = str(next(self._numbers))
                self.planner.waiting -= 1
                self.planner.began(job, kind, self.now)
                flying[job] = (self.now, left.pop())
            job = min(flying, key=self.planner.due)
            self.now = max(self.now, self.planner.due(job))
            began, takes_s = flying[job]
            self.polls += 1
            if self.now - began < takes_s:
                self.planner.unfinished(job, self.now)
            else:
                del flying[job]
                self.delays.append(self.now - began - takes_s)
                self.planner.finished(job, self.now)

    def lognormal(self, number: int, mean_s: float, sigma: float = 0.25) -> list[float]:
        return [mean_s * math.exp(sigma * self.chance.gauss(0, 1) - sigma**2 / 2) for _ in range(number)]


def planner(requests_per_minute: int | None = 600, slots: int = 4, **more) -> PollPlanner:
    return PollPlanner(
        slots=slots, gap_s=3.0, first_median_s=45.0, requests_per_minute=lambda: requests_per_minute, **more
    )


def test_what_is_believed_at_first_is_the_stated_median() -> None:
    """Half of all jobs within 45 s, and widely spread."""
    times = JobTimes(45.0)
    assert times.survival[at_or_before(45.0)] == pytest.approx(0.5, abs=0.02)
    assert times.survival[at_or_before(15.0)] > 0.8
    assert times.survival[at_or_before(150.0)] > 0.1


@pytest.mark.parametrize("sigma", [0.25, 1.0])
def test_the_distribution_is_known_after_some_hundred_jobs(sigma: float) -> None:
    """Though each is only known to have ended between two polls."""
    chance, times = random.Random(1), JobTimes(45.0)
    for job in range(120):
        takes_s = 20 * math.exp(sigma * chance.gauss(0, 1))
        times.began(job)
        age_s = chance.uniform(5, 15)
        while age_s < takes_s:
            times.unfinished(job, age_s)
            age_s += chance.choice([3.0, 5.0])
        times.finished(job, age_s)
        if job % 10 == 9:
            times.estimate()
    for deviations in (-1.5, -0.5, 0.5, 1.5):
        true = 0.5 * math.erfc(deviations / math.sqrt(2))
        assert times.survival[at_or_before(20 * math.exp(sigma * deviations))] == pytest.approx(true, abs=0.11)


def test_the_first_to_end_are_not_taken_for_all() -> None:
    """Where three of forty have ended at 20 s, and the rest run on at 30 s, most take longer than 30 s."""
    times = JobTimes(45.0)
    for job in range(40):
        times.began(job)
        times.unfinished(job, 18.0)
    for job in range(3):
        times.finished(job, 20.0)
    for job in range(3, 40):
        times.unfinished(job, 30.0)
    times.estimate()
    assert times.survival[at_or_before(30.0)] > 0.8


@pytest.mark.parametrize("factor", [3.0, 1 / 3], ids=["slower", "faster"])
def test_a_gateway_that_changes_is_followed_within_a_few_jobs(factor: float) -> None:
    """From 30 s a job to three times that, or a third: a dozen jobs later they are found about as soon as before."""
    bench = Bench(planner())
    bench.play(bench.lognormal(100, 30.0))
    usual = sum(bench.delays[-50:]) / 50
    bench.play(bench.lognormal(12, 30.0 * factor))
    bench.delays.clear()
    bench.polls = 0
    bench.play(bench.lognormal(50, 30.0 * factor))
    assert sum(bench.delays) / 50 < usual + 1.0
    assert bench.polls / 50 < 14 * max(1.0, factor)


def test_a_job_that_takes_ten_times_longer_than_any_is_found() -> None:
    """Within a few seconds where polls cost nothing."""
    bench = Bench(planner())
    bench.play(bench.lognormal(60, 30.0))
    bench.delays.clear()
    bench.polls = 0
    bench.play([400.0])
    assert bench.delays[0] <= 5.0
    assert bench.polls < 135


def test_a_job_that_takes_ten_times_longer_than_any_costs_few_polls_where_they_are_dear() -> None:
    """It is found within a tenth of its age."""
    schedule = best_schedule(JobTimes(30.0, 0.25).survival, 200.0, 3.0)
    ages = [300.0]
    while ages[-1] < 600:
        ages.append(schedule.next_age(ages[-1]))
    assert len(ages) < 10
    assert max(after / before for before, after in pairwise(ages)) < 1.11


def test_where_requests_bind_a_job_takes_hardly_more_than_one_poll() -> None:
    """Ten a minute for four slots and jobs of 30 s: the bound's are 1.02 polls a job."""
    bench = Bench(planner(requests_per_minute=10))
    bench.play(bench.lognormal(100, 30.0))
    bench.polls = 0
    bench.play(bench.lognormal(100, 30.0))
    assert bench.polls <= 108


def test_the_last_jobs_cost_few_polls_while_many_run_and_the_very_last_is_found_at_once() -> None:
    """Two generations of widely spread jobs, 40 slots, 90 requests a minute.

    While jobs wait, each takes some two polls; a generation that took all the requests there are would take seven.
    """
    bench = Bench(planner(90, slots=40))
    times = bench.lognormal(80, 60.0, sigma=1.0)
    bench.play(times, slots=40)
    assert bench.polls < 4 * len(times)
    assert bench.delays[-1] < 0.03 * max(times)


def test_a_job_that_ends_far_from_all_others_moves_the_fit_towards_it() -> None:
    """So far out that the lognormal that was believed in gives it no chance at all, not even a rounded one."""
    spans = {(at_or_before(29.0), at_or_before(31.0)): 200.0}
    usual = fitted(spans, Lognormal(math.log(30.0), 0.05), Lognormal(math.log(30.0), 0.05))
    for far_s in (2.0, 3600.0):
        far = {**spans, (at_or_before(far_s), at_or_before(1.1 * far_s)): 1.0}
        moved = fitted(far, Lognormal(math.log(30.0), 0.05), Lognormal(math.log(30.0), 0.05))
        assert (moved.log_median - usual.log_median) * (far_s - 30.0) > 0
        assert moved.sigma > usual.sigma


@pytest.mark.parametrize("seen", [(LAST, LAST), (0, LAST), (0, 1), (LAST - 1, LAST), (200, 201)])
@pytest.mark.parametrize("sigma", [0.01, 1.0, 30.0])
def test_whatever_a_poll_has_seen_there_is_a_fit(seen: tuple[int, int], sigma: float) -> None:
    """A job that was asked about a week later has outlasted all ages that there are."""
    for spans in ({seen: 1.0}, {seen: 1.0, (150, 151): 40.0}):
        fit = fitted(spans, Lognormal(math.log(45.0), sigma), Lognormal(math.log(45.0), sigma))
        assert math.log(0.01) < fit.log_median < math.log(AGES[-1]) + 1
        assert 0.01 < fit.sigma < 30


def test_jobs_of_last_night_do_not_spoil_what_is_known_of_tonights() -> None:
    """Thirty are found done the next morning, and four still run: older than all ages that there are."""
    one = planner()
    night = [f"old-{number}" for number in range(34)]
    for job in night:
        one.began(job, KIND, -12 * 3600.0)
    for job in night[:4]:
        one.unfinished(job, 0.0)
    for job in night[4:]:
        one.finished(job, 0.0)
    bench = Bench(one)
    bench.play(bench.lognormal(60, 10.0))
    assert sum(bench.delays[30:]) / 30 < 3.0


def test_a_job_of_last_night_alone_teaches_nothing() -> None:
    """When it ended nobody knows; whoever comes next is waited for as the very first."""
    one = planner()
    one.began("old", KIND, -12 * 3600.0)
    one.finished("old", 0.0)
    one.began("new", KIND, 0.0)
    assert 0.0 < one.due("new") < 45.0


@pytest.mark.parametrize("earlier", [(18_000.0, 20.0), (18_000.0, 18_001.0), (0.0, 1e9), (20.0, 20.0)])
def test_spans_that_no_clock_should_tell_do_no_harm(earlier: tuple[float, float]) -> None:
    """One that was set back, or forward: what an earlier run remembered is taken for what it is."""
    bench = Bench(planner(earlier=[Span(KIND, *earlier)] * 20))
    bench.play(bench.lognormal(60, 10.0))
    assert sum(bench.delays[30:]) / 30 < 3.0


@pytest.mark.parametrize("seed", range(8))
def test_whatever_polls_say_each_job_has_a_moment_for_its_next(seed: int) -> None:
    """Jobs of a second and of a week, clocks that jump, jobs that are dropped or never end."""
    chance = random.Random(seed)
    kinds = [kind_of(MODEL, seconds) for seconds in (2, 30, 300)]
    wild = [Span(chance.choice(kinds), chance.expovariate(1e-4), chance.expovariate(1e-4)) for _ in range(20)]
    one = planner(chance.choice([None, 1, 10, 600]), slots=8, earlier=wild)
    now, flying = 0.0, {}
    for number in range(60):
        now += chance.choice([0.0, 0.1, 5.0, 300.0, 20_000.0])
        one.waiting = chance.choice([0, 1, 100])
        flying[str(number)] = now - chance.choice([0.0, 0.0, 60.0, 1e6])
        one.began(str(number), chance.choice(kinds), flying[str(number)])
        for job in chance.sample(sorted(flying), min(len(flying), 2)):
            what = chance.choice([one.unfinished, one.finished, lambda job, _: one.dropped(job)])
            what(job, max(flying[job], now - chance.choice([0.0, 100.0])))
            if what != one.unfinished:
                del flying[job]
        for job, began in flying.items():
            assert began <= one.due(job) < math.inf
            assert 0 <= one.worth(job, now) <= 1


def test_a_run_starts_from_what_an_earlier_one_saw() -> None:
    """Its first polls come when they pay."""
    spans = [Span(KIND, after, after + 3.0) for after in (24.0, 26.0, 28.0, 30.0, 32.0) for _ in range(10)]
    knowing, new = planner(earlier=spans), planner()
    for one in (knowing, new):
        one.waiting = 10
        one.began("first", KIND, 0.0)
    assert knowing.due("first") > 18.0
    assert new.due("first") < 10.0


def test_a_kind_that_is_new_is_taken_to_need_as_long_as_the_one_most_like_it() -> None:
    """The same model at half the length, before any other model."""
    near = [Span(kind_of(MODEL, 60), 100.0, 103.0)] * 30
    far = [Span(kind_of("other/model", 30), 5.0, 6.0)] * 30
    one = planner(requests_per_minute=10, earlier=[*near, *far])
    one.waiting = 10
    one.began("first", KIND, 0.0)
    assert one.worth("first", 100.0) == pytest.approx(0.5, abs=0.05)


def test_who_sleeps_too_long_is_roused() -> None:
    """The first jobs show that a poll pays sooner than was thought."""
    roused: list[str] = []
    one = planner(requests_per_minute=10, on_sooner=roused.append)
    one.waiting = 20
    for number in range(8):
        one.began(str(number), KIND, 0.0)
        one.due(str(number))
    for number in range(4):
        one.finished(str(number), 6.0)
    assert roused
    assert one.due(roused[-1]) < 45.0


def test_a_job_that_somebody_tells_of_is_left_alone_until_that_is_overdue() -> None:
    """Once all but one in fifty would have ended; before anybody has told, half a minute."""
    one = planner(earlier=[Span(KIND, 28.0, 31.0)] * 60)
    one.began("first", KIND, 0.0)
    assert one.overdue("first", proven=False) == pytest.approx(30.0, abs=12)
    assert 40 < one.overdue("first", proven=True) < 70
    assert one.due("first") < 30


def test_a_dropped_job_teaches_nothing() -> None:
    """One that failed at the gateway says nothing of the others' times."""
    one = planner()
    one.began("first", KIND, 0.0)
    one.dropped("first")
    one.finished("first", 1.0)
    assert one.worth("first", 1.0) == 1.0
    one.began("second", KIND, 0.0)
    assert one.due("second") > 1.0


def test_worth_is_the_chance_that_the_job_is_done() -> None:
    """It grows with age, and is small just after a poll that found it running."""
    one = planner(earlier=[Span(KIND, 28.0, 31.0)] * 60)
    one.began("first", KIND, 0.0)
    assert one.worth("first", 20.0) < 0.1 < one.worth("first", 28.0) < 0.9 < one.worth("first", 40.0)
    one.unfinished("first", 28.0)
    assert one.worth("first", 28.1) < 0.2


def test_jobs_that_are_told_of_just_after_a_poll_teach_too() -> None:
    """However short a span is, no chance is negative, and no variance."""
    one = planner(earlier=[Span(KIND, 28.0, 31.0)] * 60)
    for number in range(40):
        job = str(number)
        one.began(job, KIND, 100.0 * number)
        one.unfinished(job, 100.0 * number + 29.99)
        one.finished(job, 100.0 * number + 30.0, told=True)
    one.began("last", KIND, 0.0)
    assert 25 < one.due("last") < 32

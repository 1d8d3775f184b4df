"""When polls pay, where it is known how job times are distributed."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from pipeline.pace.ages import AGES, LAST, at_or_after, at_or_before
from pipeline.pace.job_times import JobTimes
from pipeline.pace.likelihood import Lognormal, survival
from pipeline.pace.price import Kind, Supply, priced
from pipeline.pace.schedule import best_schedule


def lognormal(mean_s: float, sigma: float) -> list[float]:
    """Its survival curve."""
    return survival(Lognormal(math.log(mean_s) - sigma**2 / 2, sigma).chances())


@pytest.mark.parametrize("age_s", [0.0, 0.01, 0.05, 3.0, 59.99, 3600.0, 1e9])
def test_the_grid_has_an_age_on_either_side(age_s: float) -> None:
    """Within 3 %; what is beyond four hours counts as that."""
    before, after = at_or_before(age_s), at_or_after(age_s)
    assert AGES[before] <= max(age_s, 0.0) or before == LAST
    assert after - before <= 1
    assert AGES[after] >= age_s - 1e-9 or after == LAST


def test_polls_that_cost_nothing_are_made_as_often_as_they_may_be() -> None:
    """From the first moment at which a job may be done on."""
    schedule = best_schedule(lognormal(30, 0.25), 0.0, 3.0)
    first_s = schedule.next_age(None)
    assert 12 <= first_s <= 18
    ages = [first_s]
    while ages[-1] < 40:
        ages.append(schedule.next_age(ages[-1]))
    assert {round(after - before, 3) for before, after in pairwise(ages)} <= {3.0, 3.1, 3.2, 3.3}


def test_a_dear_poll_waits_until_the_job_almost_surely_is_done() -> None:
    """The table's tightest regime: ten requests a minute for four slots and jobs of 30 s."""
    schedule = best_schedule(lognormal(30, 0.25), 200.0, 3.0)
    assert 45 <= schedule.next_age(None) <= 52
    assert schedule.polls < 1.03


@pytest.mark.parametrize(
    ("limits", "mean_s", "sigma", "ratio"),
    [
        ((10, 4), 30, 0.25, 1.02),
        ((600, 64), 10, 0.25, 1.06),
        ((600, 64), 30, 1.0, 1.13),
        ((600, 256), 60, 0.25, 1.155),
        ((30_000, 2_000), 30, 1.0, 1.07),
    ],
    ids=str,
)
def test_the_price_balances_slots_and_requests(limits, mean_s, sigma, ratio) -> None:
    """What follows from it is the informed bound, over that of an oracle that polls each job when it is done."""
    requests_per_minute, slots = limits
    found = priced([Kind(1.0, lognormal(mean_s, sigma))], Supply(slots, requests_per_minute / 60), 3.0)
    (schedule,) = found.schedules
    each_s = max(schedule.slot_s / slots, (1 + schedule.polls) * 60 / requests_per_minute)
    assert each_s / max(mean_s / slots, 120 / requests_per_minute) == pytest.approx(ratio, abs=0.02)


def test_no_schedule_of_a_first_poll_and_a_fixed_gap_is_cheaper() -> None:
    """The polls that are found cost least: here beside every such pair on a coarse net."""
    curve, price_s = lognormal(30, 1.0), 2.0

    def cost(first_s: float, gap_s: float) -> float:
        age, total, alive = first_s, first_s + price_s, curve[at_or_before(first_s)]
        while alive > 2e-4 and age < AGES[LAST - 1]:
            total += alive * (gap_s + price_s)
            age += gap_s
            alive = curve[at_or_before(age)]
        return total

    ours = best_schedule(curve, price_s, 3.0)
    pairs = ((first_s, gap_s) for first_s in range(2, 60, 4) for gap_s in (3, 4, 6, 9, 14, 20))
    assert ours.slot_s + price_s * ours.polls <= min(cost(*pair) for pair in pairs) * 1.005


def test_without_a_limit_requests_cost_nothing() -> None:
    """Nor where slots are all that is waited for."""
    kinds = [Kind(1.0, lognormal(60, 0.25))]
    assert priced(kinds, Supply(2_000, None), 3.0).price_s == 0.0
    assert priced(kinds, Supply(8, 10.0), 3.0).price_s == 0.0


def test_two_kinds_share_one_price() -> None:
    """Short jobs and long ones are asked about at ages of their own."""
    kinds = [Kind(0.5, lognormal(10, 0.25)), Kind(0.5, lognormal(100, 0.25))]
    found = priced(kinds, Supply(64, 2.0), 3.0)
    short, long = (schedule.next_age(None) for schedule in found.schedules)
    assert found.price_s > 0
    assert (short, long) == (pytest.approx(14, abs=4), pytest.approx(125, abs=35))


def test_polls_without_a_gap_between_them_go_on_all_the_same() -> None:
    """No manifest can say so, but who does is told of a later age each time."""
    schedule = best_schedule(JobTimes(10.0, 0.25).survival, 0.0, 0.0)
    ages = [schedule.next_age(None)]
    while ages[-1] < 20:
        ages.append(schedule.next_age(ages[-1]))
    assert all(before < after for before, after in pairwise(ages))
    assert schedule.polls > 5

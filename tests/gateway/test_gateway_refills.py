"""The submits that are expected to follow on polls."""

from __future__ import annotations

import pytest

from pipeline.gateway.refills import REFILLED_WITHIN_S, Refills


def test_a_poll_brings_a_submit_with_its_chance_until_that_comes() -> None:
    """On its way it counts for as long as it takes, and once it is answered a moment more."""
    refills = Refills()
    refills.left(0.7)
    refills.left(0.6)
    assert refills.expected(100.0) == pytest.approx(1.3)
    refills.answered(0.7, 100.0)
    assert refills.expected(100.0) == pytest.approx(1.3)
    refills.came()
    assert refills.expected(100.0) == pytest.approx(0.6)


def test_what_does_not_come_is_expected_no_longer() -> None:
    """Its poll has found the job unfinished."""
    refills = Refills()
    for at in (0.0, 0.3):
        refills.left(0.5)
        refills.answered(0.5, at)
    assert refills.expected(0.3) == 1.0
    assert refills.expected(REFILLED_WITHIN_S) == 0.5
    assert refills.expected(0.3 + REFILLED_WITHIN_S) == 0.0


def test_one_submit_stands_for_as_much_as_one() -> None:
    """However many polls were to bring it."""
    refills = Refills()
    for _ in range(4):
        refills.left(0.4)
        refills.answered(0.4, 0.0)
    refills.came()
    assert refills.expected(0.0) == pytest.approx(0.6)
    refills.came()
    assert refills.expected(0.0) == 0.0
    refills.came()
    assert refills.expected(0.0) == 0.0

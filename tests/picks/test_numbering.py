"""Which number a purchase has where two machines have bought under the same one."""

from __future__ import annotations

import pytest
from lock_factories import take

from pipeline.picks.numbering import next_number, two_of_one_number

X, Y = "1" * 64, "2" * 64


def test_the_next_number_is_beyond_all_there_are() -> None:
    """A gap may be a take that was bought and is not told of here."""
    assert next_number([]) == 1
    assert next_number([take(5), take(2)]) == 6


@pytest.mark.parametrize(
    ("takes", "is_double"),
    [
        ([take(1), take(2), take(2, 1)], False),
        ([take(2), take(2)], False),
        ([take(2), take(2), take(2, source=X)], True),
        ([take(2, 1, job_id="a"), take(2, 1, job_id="b")], True),
    ],
    ids=["other numbers", "one entry twice", "a third", "regenerations"],
)
def test_two_of_one_number_are_found(takes: list, *, is_double: bool) -> None:
    """Wherever they stand among the others; one entry that stands twice is one purchase."""
    assert (two_of_one_number(takes) is not None) is is_double

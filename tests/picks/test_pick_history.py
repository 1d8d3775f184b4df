"""Which picks there were before: going back step by step leads further, not there again."""

from __future__ import annotations

import pytest
from lock_factories import pick

from pipeline.picks.values import Pick, Version, earlier


def chosen(*steps: str) -> tuple[Pick, ...]:
    """`1` a run's pick of take 1, `p2` take 2 chosen, `b1` gone back to take 1."""
    by = {"p": "pick", "b": "rollback"}
    return tuple(pick(int(step[-1]), by=by.get(step[0], "run")) for step in steps)


@pytest.mark.parametrize(
    ("steps", "before"),
    [
        ((), []),
        (("1",), []),
        (("1", "p2"), [1]),
        (("1", "p2", "p3"), [2, 1]),
        (("1", "p2", "p3", "b2"), [1]),
        (("1", "p2", "p3", "b2", "b1"), []),
        (("1", "p2", "p3", "b1"), []),
        (("1", "p2", "b1", "p3"), [1]),
        (("1", "p2", "p1"), [2, 1]),
        (("1", "p1"), []),
        (("b2", "p3"), [2]),
    ],
)
def test_the_picks_before_the_one_that_stands(steps: tuple[str, ...], before: list[int]) -> None:
    """The latest first; what was gone back from is left out, and choosing what stands is no step."""
    assert [one.take for one in earlier(chosen(*steps))] == before


def test_a_version_is_called_by_its_take() -> None:
    """And by its regeneration where it is one."""
    assert [str(Version(2, 0)), str(Version(2, 1))] == ["2", "2.1"]

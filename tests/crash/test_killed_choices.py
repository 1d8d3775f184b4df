"""SIGKILL while somebody chooses, or has one more take made, and the same words again."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest
from boundaries import BOUNDARIES
from places import Place, once
from test_killed_and_resumed import moment

if TYPE_CHECKING:
    from lives import At

MENU = "demo/menu"
#: What a choice comes to: the lock first, then what finishes the take; the lock once more, for the new asset's hash.
CHOOSING = [
    ("lock", "before", 1), ("lock", "after", 1), ("opening", "after", 1), ("finish", "after", 1),
    ("asset on the books", "after", 1), ("asset rename", "after", 1), ("lock", "before", 2), ("lock", "after", 2),
    ("index", "before", 1), ("index", "after", 1), ("closing", "before", 1), ("closing", "after", 1),
]  # fmt: skip
#: No asset is replaced by a re-roll.
_NOT_COME_TO = ("asset on the books", "asset rename")
ONE_AFTER_THE_OTHER = [
    ("opening", "before", 1),
    *((name, "after", 1) for name in BOUNDARIES if name not in _NOT_COME_TO),
]


@pytest.fixture
def rerolled(finished: Place) -> Place:
    """A place whose `menu` has two takes, of which the first is the pick."""
    assert finished.reroll(MENU).status == 0
    return finished


def made_of(place: Place) -> int:
    return place.index[f"{MENU}.wav"]["provenance"]["take"]


def picks(place: Place) -> list[Any]:
    return [(pick["by"], pick["take"]) for pick in place.lock[MENU]["picks"]]


@pytest.mark.long
@pytest.mark.parametrize("at", CHOOSING, ids=moment)
def test_a_choice_that_was_killed_is_made_by_the_same_words(rerolled: Place, at: At) -> None:
    """It costs nothing; the choice is on disk before anything is made of it, and whole at every moment."""
    place, bought = rerolled, rerolled.bought
    assert place.say("pick", MENU, "2", at=at).status == -signal.SIGKILL
    place.assert_whole()
    json.loads((place.folder / "demo.lock.json").read_text())
    ended = place.say("pick", MENU, "2")
    assert ended.status == 0, ended.said
    assert (made_of(place), picks(place), place.bought) == (2, [("run", 1), ("pick", 2)], bought)
    place.assert_complete("demo")
    place.assert_settled("demo.yaml")


@pytest.mark.parametrize("at", [CHOOSING[1], CHOOSING[5], CHOOSING[8]], ids=moment)
def test_a_run_brings_a_killed_choice_to_its_end(rerolled: Place, at: At) -> None:
    """Once it is in the lock nobody has to say it again."""
    place, bought = rerolled, rerolled.bought
    assert place.say("pick", MENU, "2", at=at).status == -signal.SIGKILL
    place.run("demo.yaml")
    assert (made_of(place), picks(place)[-1], place.bought) == (2, ("pick", 2), bought)
    place.assert_complete("demo")
    place.assert_settled("demo.yaml")


@pytest.mark.long
@pytest.mark.parametrize("at", ONE_AFTER_THE_OTHER, ids=moment)
def test_a_re_roll_that_was_killed_is_paid_for_once(finished: Place, at: At) -> None:
    """The same words go on with it. Only where the kill came after the run was closed, they are a new wish."""
    place = finished
    before = place.assets
    assert place.reroll(MENU, at=at).status == -signal.SIGKILL
    place.assert_whole()
    ended = place.reroll(MENU)
    assert ended.status == 0, ended.said
    more = 2 if at == ("closing", "after", 1) else 1
    place.assert_books({**once("demo"), f"demo/{MENU}": 1 + more})
    assert (place.assets, made_of(place)) == (before, 1)
    (purchase,) = place.lock[MENU]["purchases"].values()
    assert [take["take"] for take in purchase["takes"]] == [1, 2, 3][: 1 + more]
    place.assert_complete("demo")
    place.assert_settled("demo.yaml")

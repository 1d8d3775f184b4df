"""SIGKILL at every boundary, and the same words again: what the gateway's books say then is what was meant.

The program is the real one, in a process of its own, and its ledger is written by a thread. `run` dies at every
boundary, before and after it; `run --regenerate` at the first, and after each: with a single track, what stands before
one is what stood after the last. The rest dies where its own story could go wrong. A run that dies where a worker
process is at work, or has just been (FINISHING), has one, and so have two of the resumes; elsewhere audio is finished
inline.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from boundaries import BOUNDARIES
from places import PRICE, TRACKS, Place, once

if TYPE_CHECKING:
    from pathlib import Path

    from lives import At, Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

EVERYWHERE = [(name, when, 1) for name in BOUNDARIES for when in ("before", "after")]
ONE_AFTER_THE_OTHER = [EVERYWHERE[0], *(at for at in EVERYWHERE if at[1] == "after")]
#: Where what a worker process reads or writes is under way.
FINISHING = ("source on the books", "finish", "asset rename", "asset on the books")
_AFTERWARDS = ("lock", "index", "report", "closing")
UNTIL_IT_IS_REPLACED = [at for at in EVERYWHERE if at[0] not in _AFTERWARDS and at != ("asset rename", "after", 1)]


def moment(at: At) -> str:
    """How a test's name says where it dies."""
    name, when, nth = at
    return f"{when} {name}" + (f" {nth}" if nth > 1 else "")


@pytest.mark.parametrize(
    "at",
    [pytest.param(at, marks=[pytest.mark.long] if at[1] == "before" else []) for at in EVERYWHERE],
    ids=moment,
)
def test_a_run_that_was_killed_is_carried_to_its_end(place: Place, at: At) -> None:
    """Each take is bought once, every asset stands, and then there is nothing left to do."""
    place.killed("demo.yaml", at=at, workers=at[0] in FINISHING)
    place.run("demo.yaml")
    place.assert_complete("demo")
    place.assert_books(once("demo"))
    place.assert_settled("demo.yaml")


@pytest.mark.long
@pytest.mark.parametrize(
    ("at", "workers"),
    [(("intent", "after", 2), False), (("id", "before", 2), False), (("source rename", "after", 2), True),
     (("asset rename", "before", 2), True), (("report", "before", 3), False)],
    ids=lambda value: moment(value) if isinstance(value, tuple) else "with a worker" if value else "inline",
)  # fmt: skip
def test_a_kill_between_two_tracks_is_no_other(place: Place, at: At, *, workers: bool) -> None:
    """One is further than the other; where there is something to finish, the resume has a worker process for it."""
    place.killed("demo.yaml", at=at)
    place.run("demo.yaml", workers=workers)
    place.assert_complete("demo")
    place.assert_books(once("demo"))


@pytest.mark.long
@pytest.mark.parametrize("at", ONE_AFTER_THE_OTHER, ids=moment)
def test_a_regeneration_that_was_killed_is_paid_for_once(finished: Place, at: At) -> None:
    """The same words finish it; the old asset stands until the new one takes its place whole.

    Only where the kill came after the run was closed, the same words are a new wish.
    """
    place = finished
    words = ("demo.yaml", "--regenerate", "demo/menu")
    old = place.assets
    place.killed(*words, at=at)
    assert place.assets.keys() == old.keys()
    assert place.assets["demo/battle.wav"] == old["demo/battle.wav"]
    assert (place.assets["demo/menu.wav"] == old["demo/menu.wav"]) == (at in UNTIL_IT_IS_REPLACED)
    place.run(*words)
    regenerations = 2 if at == ("closing", "after", 1) else 1
    assert place.index["demo/menu.wav"]["provenance"]["regeneration"] == regenerations
    assert place.index["demo/menu.wav"]["provenance"]["job_id"] == place.jobs[-1].id
    assert place.assets["demo/menu.wav"] != old["demo/menu.wav"]
    place.assert_complete("demo")
    place.assert_books({"demo/demo/menu": 1 + regenerations, "demo/demo/battle": 1})
    place.assert_settled("demo.yaml")


@pytest.mark.skipif(sys.platform != "linux", reason="only there a grandchild can be waited for")
def test_worker_processes_die_with_a_killed_run(place: Place) -> None:
    """They are not told, and end all the same: `live` comes back only when they have."""
    ended = place.live("demo.yaml", at=("finish", "after", 1), workers=True)
    assert (ended.status, ended.orphans >= 1) == (-signal.SIGKILL, True)


@pytest.mark.parametrize("number", range(3))
def test_kills_in_a_row_lose_nothing(place: Place, number: int) -> None:
    """A run dies, its resume dies somewhere else, and a third life finishes; drawn by a seed, which is printed."""
    seed = int(os.environ.get("CRASH_SEED", random.randrange(1 << 32)))
    chance = random.Random(f"{seed} {number}")
    drawn = [(chance.choice(BOUNDARIES), chance.choice(("before", "after")), chance.choice((1, 2))) for _ in range(2)]
    print(f"CRASH_SEED={seed}: dies {moment(drawn[0])}, then {moment(drawn[1])}")  # noqa: T201 - seen where it fails
    words = ("demo.yaml", "--budget", "1")  # room for what stays unproven
    for at in drawn:
        ended = place.live(*words, at=at)
        assert ended.status in (-signal.SIGKILL, 0), ended.said  # 0: an earlier life had passed it already
        place.assert_whole()
    place.run(*words)
    place.assert_complete("demo")
    place.assert_bought(once("demo"))
    # Once a sending proves that an earlier one made the job, those between that never left are forgiven too.
    assert place.possible_duplicates <= PRICE * (place.sendings - place.submits)
    place.assert_settled("demo.yaml")


def test_a_run_that_dies_again_and_again_stops_at_its_limit(place: Place) -> None:
    """With no budget, what may have been paid counts up to twice what was asked for; a budget lets it go on."""
    statuses = []
    while not statuses or statuses[-1] == -signal.SIGKILL:
        statuses.append(place.live("demo.yaml", at=("intent", "after", 1)).status)
        assert len(statuses) <= 5
    assert (statuses[-1], place.submits) == (3, 0)
    assert PRICE < place.possible_duplicates <= 2 * len(TRACKS) * PRICE
    place.run("demo.yaml", "--budget", "1")
    place.assert_complete("demo")
    place.assert_books(once("demo"))


class TestWithoutALedger:
    """The ledger is gone: what the output folder proves is kept, the rest is bought again, once."""

    def test_a_whole_folder_buys_nothing(self, finished: Place) -> None:
        """After a run that came to its end, not a file is touched."""
        finished.lose_ledger()
        finished.assert_settled("demo.yaml")
        assert finished.bought == once("demo")
        ended = finished.lives.live(finished.folder, "check", "demo.yaml")
        assert (ended.status, "all well" in ended.said) == (0, True), ended.said

    @pytest.mark.parametrize(
        ("at", "proven"),
        [(("intent", "after", 1), 0), (("id", "after", 1), 0), (("source on the books", "after", 1), 0),
         (("asset rename", "before", 1), 0), (("index", "after", 1), 2), (("report", "before", 1), 2)],
        ids=lambda value: moment(value) if isinstance(value, tuple) else f"{value} proven",
    )  # fmt: skip
    def test_what_a_killed_run_did_not_prove_is_bought_once_more(self, place: Place, at: At, proven: int) -> None:
        """Nobody knows of the jobs that were made before; the report says only what the new ledger knows."""
        place.killed("demo.yaml", at=at)
        assert len(place.proven) == proven
        place.lose_ledger()
        place.run("demo.yaml")
        place.assert_complete("demo")
        before, again = place.unknown_and_known_jobs
        assert Counter(job.tag for job in again) == ({} if proven else once("demo"))
        assert Counter(job.tag for job in before) <= Counter(once("demo"))
        assert len({job.idempotency_key for job in place.jobs}) == len(place.jobs)
        assert (place.billed, place.possible_duplicates) == (sum(job.charged_microusd for job in again), 0)
        place.assert_settled("demo.yaml")

    def test_a_file_that_nothing_names_any_more_is_not_replaced(self, place: Place) -> None:
        """It stood before the index did: without the ledger it is nobody's, and nothing is bought for its place."""
        place.killed("demo.yaml", at=("asset rename", "after", 1))
        [(path, content)] = place.assets.items()
        place.lose_ledger()
        before = place.bought
        ended = place.live("demo.yaml")
        assert (ended.status, "no run made it" in ended.said) == (1, True), ended.said
        track = path.removesuffix(".wav")
        others = Counter(once("demo")) - Counter([f"demo/{track}"])
        assert (place.assets[path], place.bought) == (content, before + others)
        (place.output / path).unlink()
        place.run("demo.yaml")
        place.assert_complete("demo")
        assert place.bought == before + Counter(once("demo"))

    @pytest.mark.parametrize("at", [("asset rename", "before", 1), ("asset rename", "after", 1)], ids=moment)
    def test_a_regeneration_is_not_known_any_more(self, finished: Place, at: At) -> None:
        """The index still tells of the old asset: where that stands it is kept, and where not it waits for a word."""
        place = finished
        place.killed("demo.yaml", "--regenerate", "demo/menu", at=at)
        place.lose_ledger()
        bought, stands = place.bought, "demo/menu.wav" in place.proven
        ended = place.live("demo.yaml")
        assert (ended.status, stands, place.bought) == ((0, True, bought) if at[1] == "before" else (1, False, bought))
        place.run("demo.yaml", "--regenerate", "demo/menu")
        place.assert_complete("demo")
        assert place.bought == bought + Counter({"demo/demo/menu": 1})


class TestAFreshClone:
    """What version control brings: manifest, lock and assets. The ledger and the sources were never there."""

    def test_it_buys_nothing_and_touches_nothing(self, finished: Place) -> None:
        """No submit, not a cent, not a byte rewritten."""
        shutil.rmtree(finished.folder / ".pipeline")
        finished.assert_settled("demo.yaml")
        assert (finished.bought, finished.cost_of_a_plan("demo.yaml")) == (once("demo"), 0)

    def test_without_its_assets_it_waits_for_a_word(self, finished: Place) -> None:
        """The lock names what was bought: it is missed, and not bought again until somebody says so."""
        shutil.rmtree(finished.folder / ".pipeline")
        shutil.rmtree(finished.output)
        ended = finished.live("demo.yaml")
        assert (ended.status, finished.bought) == (1, once("demo")), ended.said
        assert "source missing: generating again costs $0.0010 (--regenerate)" in ended.said
        finished.run("demo.yaml", "--regenerate", "**")
        assert finished.bought == Counter(once("demo")) + Counter(once("demo"))
        finished.assert_complete("demo")

    @pytest.mark.parametrize("at", [("lock", "after", 1), ("index", "before", 1), ("index", "after", 1)], ids=moment)
    def test_what_a_killed_run_has_locked_is_not_bought_again(self, place: Place, at: At) -> None:
        """Though its ledger is lost, and the index was not written yet."""
        place.killed("demo.yaml", at=at)
        locked = {name for name, track in place.lock.items() if track["purchases"]}
        place.lose_ledger()
        bought = place.bought
        place.live("demo.yaml")
        again = {tag.removeprefix("demo/") for tag in (place.bought - bought)}
        assert locked
        assert again == {f"demo/{track}" for track in TRACKS} - locked


@pytest.mark.long
class TestTwoManifests:
    """Two manifests in the same two folders."""

    @pytest.fixture
    def shared(self, tmp_path: Path, gateway: LocalGatewayThread, lives: Lives) -> Place:
        return Place(tmp_path, gateway, lives, "game", "film")

    @pytest.mark.parametrize(
        "at",
        [("opening", "after", 1), ("intent", "after", 3), ("id", "after", 2), ("source on the books", "before", 3),
         ("asset rename", "after", 2), ("index", "before", 1), ("closing", "before", 2)],
        ids=moment,
    )  # fmt: skip
    def test_both_given_to_one_command(self, shared: Place, at: At) -> None:
        """The same command finishes both."""
        shared.killed("game.yaml", "film.yaml", at=at)
        shared.run("game.yaml", "film.yaml")
        shared.assert_complete("game", "film")
        shared.assert_books(once("game", "film"))
        shared.assert_settled("film.yaml", "game.yaml")

    @pytest.mark.parametrize(
        "at", [("POST", "after", 1), ("asset rename", "after", 1), ("index", "before", 1), ("index", "after", 1)],
        ids=moment,
    )  # fmt: skip
    def test_one_after_the_other(self, shared: Place, at: At) -> None:
        """A kill and a resume of the second leave the first's rows and assets as they were."""
        shared.run("game.yaml")
        rows, assets = shared.index, shared.assets
        shared.killed("film.yaml", at=at)
        assert (rows.items() <= shared.index.items(), assets.items() <= shared.assets.items()) == (True, True)
        shared.run("film.yaml")
        assert (rows.items() <= shared.index.items(), assets.items() <= shared.assets.items()) == (True, True)
        shared.assert_complete("game", "film")
        shared.assert_books(once("game", "film"))
        shared.assert_settled("game.yaml")
        shared.assert_settled("game.yaml", "film.yaml")

    def test_the_second_while_the_first_lies_unfinished(self, shared: Place) -> None:
        """Each run is continued by its own words, and the other's are no part of it."""
        shared.killed("game.yaml", at=("id", "after", 2))
        shared.killed("film.yaml", at=("asset rename", "after", 1))
        shared.run("game.yaml")
        shared.run("film.yaml")
        shared.assert_complete("game", "film")
        shared.assert_books(once("game", "film"))


@pytest.mark.long
@pytest.mark.parametrize(
    "at",
    [at for at in EVERYWHERE if at[0] in ("intent", "POST", "id")],
    ids=moment,
)
def test_where_keys_are_not_honoured_what_may_be_paid_twice_is_counted(
    tmp_path: Path, forgetful_gateway: LocalGatewayThread, lives: Lives, at: At
) -> None:
    """Every sending that arrived made a job: no more than were written down, and the report covers what they cost."""
    place = Place(tmp_path, forgetful_gateway, lives, "demo")
    place.killed("demo.yaml", at=at)
    place.run("demo.yaml")
    place.assert_complete("demo")
    unproven = place.unproven_sendings
    assert place.bought.keys() == unproven.keys() == once("demo").keys()
    assert all(times <= 1 + unproven[tag] for tag, times in place.bought.items())
    assert place.possible_duplicates == PRICE * sum(unproven.values())
    assert place.billed + place.possible_duplicates >= sum(job.price_microusd for job in place.jobs)
    place.assert_settled("demo.yaml")

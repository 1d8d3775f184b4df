"""What a prune removes and what it keeps, by tables: rows, jobs and sources in, fates out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from test_planning_decisions import DAY, NOW, World, manifest, track

from pipeline.audio.settings import Output
from pipeline.fingerprints import paid_fingerprint
from pipeline.jobs import State
from pipeline.ledger.records import Source
from pipeline.planning.prunes import Lies, PruneFacts, Pruning, prune_of

if TYPE_CHECKING:
    from pipeline.manifest.tracks import Track

MENU, BATTLE = track("menu"), track("battle")


class Attic(World):
    """What runs have left, all of it whole."""

    def made(self, of: Track, *, age: float = 0.0, **more: Any) -> None:
        """A take that came home so many days ago, and its asset."""
        self.fetched(of, age=age, **more)
        date = {"date": "2001-09-09T01:46:40Z"} if not age else {"date": "2001-01-01T00:00:00Z"}
        self.asset(of, kind=more.get("kind"), **date)

    def fetched(self, of: Track, *, age: float = 0.0, **more: Any) -> None:
        self.job(of, State.COLLECTED, collected_at=NOW - age * DAY, **more)

    def prune(self, *tracks: Track, **changes: Any) -> Pruning:
        every = sorted((job for jobs in self.jobs.values() for job in jobs), key=lambda job: job.row)
        game = manifest(*tracks)
        claimed = {("game", path) for one in tracks for path in one.asset_paths}
        facts = PruneFacts(
            manifests=(game,),
            now=NOW,
            rows=self.rows,
            intact=frozenset(self.intact & claimed),
            lies=dict.fromkeys(self.rows, Lies.WHOLE),
            recordings=self.recordings,
            jobs=every,
            sources={str(job.source): Source(str(job.source), "wav", 10, 30.0, 44_100, 2, NOW) for job in every},
            here=frozenset(self.held),
        )
        return prune_of(replace(facts, **changes))


def gone(pruning: Pruning) -> tuple[list[str], list[str]]:
    """Orphans' paths and sources' tracks that go."""
    orphans, sources = pruning.going
    return [one.row.path for one in orphans], [one.job.intent.track for one in sources]


def kept(pruning: Pruning) -> dict[str, str]:
    """What is listed and stays, and why."""
    orphans = {one.row.path: one.why for one in pruning.orphans if not one.goes}
    return orphans | {one.job.intent.track: one.why for one in pruning.sources if not one.goes}


def test_what_a_track_makes_stays() -> None:
    """Its assets, and the source of each of its takes."""
    attic = Attic()
    attic.made(track(takes=2), age=99)
    attic.fetched(track(takes=2), take=2, age=99)
    pruning = attic.prune(track(takes=2))
    assert (pruning.orphans, pruning.sources) == ((), ())


def test_an_orphan_goes_at_once_and_what_was_paid_for_it_after_a_month() -> None:
    """It can be finished again from its source, which is all that cost anything."""
    attic = Attic()
    attic.made(BATTLE, age=29.9)
    pruning = attic.prune(MENU)
    assert gone(pruning) == (["battle.ogg"], [])
    assert kept(pruning) == {"battle": "paid for: kept until 2001-09-09, or --now"}
    attic = Attic()
    attic.made(BATTLE, age=30)
    assert gone(attic.prune(MENU)) == (["battle.ogg"], ["battle"])


def test_now_takes_what_is_new_as_well() -> None:
    """Which is what it is for."""
    attic = Attic()
    attic.made(BATTLE)
    assert gone(attic.prune(MENU, at_once=True)) == (["battle.ogg"], ["battle"])


def test_placeholders_go_at_once() -> None:
    """They cost nothing."""
    attic = Attic(kind="local")
    attic.made(BATTLE)
    assert gone(attic.prune(MENU)) == (["battle.ogg"], ["battle"])


def test_the_source_of_a_placeholder_that_was_replaced_goes() -> None:
    """The real thing stands; without it the placeholder's is what its track is made of."""
    attic = Attic()
    attic.fetched(MENU, kind="local")
    assert gone(attic.prune(MENU)) == ([], [])
    attic.made(MENU)
    pruning = attic.prune(MENU)
    assert [one.job.intent.kind for one in pruning.going[1]] == ["local"]


def test_an_asset_that_is_all_that_is_left_of_what_was_paid_for_is_kept_as_a_source_is() -> None:
    """A clone has no sources: nothing could make it again."""
    attic = Attic()
    attic.asset(BATTLE, date="2001-09-01T00:00:00Z")
    pruning = attic.prune(MENU)
    assert kept(pruning) == {"battle.ogg": "its source is not here; paid for: kept until 2001-10-01, or --now"}
    assert gone(attic.prune(MENU, at_once=True)) == (["battle.ogg"], [])
    attic.asset(BATTLE, date="long ago")
    assert gone(attic.prune(MENU)) == ([], [])
    attic.asset(BATTLE, date="2001-08-01T00:00:00Z")
    assert gone(attic.prune(MENU)) == (["battle.ogg"], [])


@pytest.mark.parametrize("harm", ["damaged", "gone"])
def test_a_source_that_is_not_what_was_recorded_is_no_source(harm: str) -> None:
    """The asset is all that is left."""
    attic = Attic()
    attic.made(BATTLE)
    changes = {"damaged": frozenset({"source-1"})} if harm == "damaged" else {"here": frozenset()}
    assert "its source is not here" in kept(attic.prune(MENU, **changes))["battle.ogg"]


def test_a_damaged_source_is_not_removed_by_anybody_but_its_owner() -> None:
    """It is not what the ledger names."""
    attic = Attic()
    attic.fetched(BATTLE, age=99)
    pruning = attic.prune(MENU, damaged=frozenset({"source-1"}))
    assert kept(pruning) == {"battle": "not what was recorded: remove it by hand"}


def test_a_recordings_asset_goes_at_once() -> None:
    """It is made of a file that is somebody's own, and free."""
    theme = track("theme", prompt=None, file=Path("theme.wav"))
    attic = Attic()
    attic.asset(theme)
    assert gone(attic.prune(MENU)) == (["theme.ogg"], [])


@pytest.mark.parametrize(
    ("lies", "goes", "why"),
    [(Lies.CHANGED, [], "changed since it was made: remove it by hand"), (Lies.GONE, ["battle.ogg"], "")],
)
def test_a_file_that_is_not_what_its_row_says_is_left_alone(lies: Lies, goes: list[str], why: str) -> None:
    """Of one that is gone only the row is left to go."""
    attic = Attic()
    attic.made(BATTLE)
    pruning = attic.prune(MENU, lies={("game", "battle.ogg"): lies})
    assert (gone(pruning)[0], pruning.orphans[0].why) == (goes, why)


def test_an_output_that_is_no_longer_made_is_an_orphan() -> None:
    """Its track stays, and so does the source that both were made of."""
    attic = Attic()
    attic.made(track(outputs=(Output("ogg"), Output("mp3"))), age=99)
    assert gone(attic.prune(MENU)) == (["menu.mp3"], [])


def test_what_a_renamed_track_will_take_over_stays() -> None:
    """Until a run has moved it: so too where something is in the way, or only the row is left to prove the purchase."""
    renamed = track("title", prompt=MENU.prompt)
    attic = Attic()
    attic.made(MENU)
    assert kept(attic.prune(renamed)) == {"menu.ogg": "title asks for what it was made of: run first"}
    pruning = attic.prune(renamed, lies={("game", "menu.ogg"): Lies.GONE})
    assert kept(pruning) == {"menu.ogg": "title asks for what it was made of: run first"}


def test_once_it_stands_by_itself_the_older_one_goes() -> None:
    """But not while no more than its row is there: a run that was stopped has not moved it yet."""
    renamed = track("title", prompt=MENU.prompt)
    attic = Attic()
    attic.made(MENU)
    attic.asset(renamed)
    assert gone(attic.prune(renamed))[0] == ["menu.ogg"]
    attic.intact.discard(("game", "title.ogg"))
    assert gone(attic.prune(renamed))[0] == []


def test_takes_and_generations_that_nobody_asks_for_any_more_go() -> None:
    """Fewer takes, and the sound that a regeneration has replaced."""
    attic = Attic()
    attic.fetched(MENU, age=99)
    attic.fetched(MENU, age=99, take=2)
    attic.fetched(MENU, age=99, regeneration=1)
    (first, second) = attic.prune(MENU).going[1]
    assert {(one.job.key.take, one.job.key.regeneration) for one in (first, second)} == {(1, 0), (2, 0)}


def test_what_an_asset_was_made_of_stays_with_it() -> None:
    """Its prompt has changed and nothing has been run yet: every take of it may be wanted back."""
    attic = Attic()
    attic.made(track(takes=2), age=99)
    attic.fetched(track(takes=2), age=99, take=2)
    assert gone(attic.prune(track(prompt="other"))) == ([], [])


def test_what_a_lock_names_stays() -> None:
    """Whatever manifest and index say."""
    attic = Attic()
    attic.fetched(BATTLE, age=99)
    assert gone(attic.prune(MENU, locked=frozenset({"source-1"}))) == ([], [])


def test_what_an_open_run_has_fetched_stays() -> None:
    """It goes on with it."""
    attic = Attic()
    attic.fetched(BATTLE, age=99)
    assert gone(attic.prune(MENU, open_runs=frozenset({1}))) == ([], [])


def test_of_a_manifest_that_was_not_given_nothing_goes_and_it_is_counted() -> None:
    """What it asks for is not known."""
    attic = Attic()
    attic.fetched(BATTLE, age=99)
    (key,) = attic.jobs
    attic.jobs[key] = [replace(job, intent=replace(job.intent, manifest="film")) for job in attic.jobs[key]]
    pruning = attic.prune(MENU)
    assert (gone(pruning), pruning.elsewhere) == (([], []), {"film": 1})


def test_what_another_manifests_asset_was_made_of_stays() -> None:
    """Two manifests with one paid fingerprint are one purchase, on the books of whoever asked first."""
    attic = Attic()
    attic.fetched(BATTLE, age=99)
    attic.asset(BATTLE)
    attic.rows = {("film", "b.ogg"): replace(attic.rows["game", "battle.ogg"], manifest="film", path="b.ogg")}
    assert gone(attic.prune(MENU)) == ([], [])


def test_a_source_that_two_jobs_have_brought_goes_only_with_both() -> None:
    """The same bytes: one file."""
    attic = Attic()
    attic.fetched(BATTLE, age=99)
    attic.fetched(MENU, age=99)
    one = {paid_fingerprint(each, "real"): each for each in (MENU, BATTLE)}
    attic.jobs = {key: [replace(job, source="source-1") for job in jobs] for key, jobs in attic.jobs.items()}
    assert len(one) == 2
    assert gone(attic.prune(MENU)) == ([], [])
    assert gone(attic.prune(track("other"))) == ([], ["menu"])


def test_another_manifests_row_for_the_same_file_keeps_it() -> None:
    """Its case counts for nothing, as where two names are one file."""
    attic = Attic()
    attic.made(BATTLE)
    attic.rows["film", "Battle.ogg"] = replace(attic.rows["game", "battle.ogg"], manifest="film", path="Battle.ogg")
    assert kept(attic.prune(MENU))["battle.ogg"] == "another row of the index names it too"

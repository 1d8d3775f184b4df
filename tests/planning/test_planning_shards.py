"""Shards: which track is in which, and what a plan of one of them is about."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_planning_decisions import World, manifest, track

from pipeline.audio.settings import Finishing, Loudness
from pipeline.gateway_choice import GatewayChoice
from pipeline.jobs import State
from pipeline.plan_request import NothingMatches, PlanRequest
from pipeline.planning.plans import Action
from pipeline.planning.shards import NoShard, Shard, shard_from

if TYPE_CHECKING:
    from pipeline.manifest.tracks import Track
    from pipeline.planning.plans import ManifestPlan

A_NAME = st.text("abc/", min_size=1, max_size=8)
A_GROUP = st.sampled_from([None, None, "battle", "town"])


def member(name: str, group: str | None = "battle", **changes: Any) -> Track:
    return track(name, finishing=Finishing(loudness=Loudness(group=group)), **changes)


def recording(name: str, **changes: Any) -> Track:
    return track(name, file=Path(f"{name}.wav"), prompt=None, **changes)


def where(of: int, one: Track) -> int:
    """The number of the only shard that has it."""
    (number,) = (number for number in range(1, of + 1) if Shard(number, of).has(one))
    return number


def touched(plan: ManifestPlan) -> set[str]:
    return {one.track.name for one in plan.tracks if one.action is not Action.SKIP}


@st.composite
def tracks(draw: st.DrawFn) -> list[Track]:
    """A manifest's: generated ones and recordings, some of them in groups, some of them one purchase."""
    names = draw(st.lists(A_NAME, max_size=12, unique=True))
    made = []
    for name in names:
        prompt = draw(st.sampled_from(["one", "two", name, None]))
        one = recording(name) if prompt is None else track(name, prompt=prompt)
        made.append(replace(one, finishing=Finishing(loudness=Loudness(group=draw(A_GROUP)))))
    return made


# --- which track is in which ----------------------------------------------------------------------------------------


@given(tracks(), st.integers(1, 16))
def test_each_track_is_in_just_one_shard(library: list[Track], of: int) -> None:
    """However they are made, and however many shards there are."""
    found = Counter(one.name for number in range(1, of + 1) for one in library if Shard(number, of).has(one))
    assert found == Counter(one.name for one in library)


@given(tracks(), tracks(), st.integers(1, 16))
def test_other_tracks_come_and_go_and_change_nothing(library: list[Track], others: list[Track], of: int) -> None:
    """Which shard a track is in depends on itself and on their number alone."""
    own = {one.name for one in library}
    more = [one for one in others if one.name not in own and one.file is None]
    for number in range(1, of + 1):
        plans = [
            World(recordings={one.file: "sha" for one in library if one.file is not None}).plan(
                *some, shard=Shard(number, of)
            )
            for some in (library, [*more, *library])
        ]
        assert touched(plans[0]) == touched(plans[1]) & own


@given(tracks(), st.integers(1, 16))
def test_a_group_stays_together(library: list[Track], of: int) -> None:
    """Recordings and all: it gets one gain, which is made of all of its members."""
    for group in ("battle", "town"):
        members = [one for one in library if one.finishing.loudness.group == group]
        assert len({where(of, one) for one in members}) <= 1


@pytest.mark.parametrize("of", [2, 3, 8, 16])
def test_groups_of_one_name_in_two_manifests_are_two(of: int) -> None:
    """They share no gain; some of a hundred such pairs are apart."""
    pairs = [(member("a", f"g{n}"), member("a", f"g{n}", manifest="other")) for n in range(100)]
    assert any(where(of, one) != where(of, other) for one, other in pairs)


@pytest.mark.parametrize("of", range(1, 17))
def test_tracks_that_are_one_purchase_stay_together(of: int) -> None:
    """Whatever they are called, in whichever manifest, and however they are finished: it is paid for once."""
    one, other = track("menu"), track("credits", prompt="music for menu", manifest="other")
    assert where(of, one) == where(of, replace(other, finishing=Finishing(fade_in_s=1.0), takes=3))


def test_two_tracks_of_one_name_may_be_in_different_shards() -> None:
    """Of two manifests: it is the track that counts."""
    names = [f"t{number}" for number in range(100)]
    pairs = [(track(name), track(name, manifest="other", prompt=f"other {name}")) for name in names]
    recordings = [(recording(name), recording(name, manifest="other")) for name in names]
    for some in (pairs, recordings):
        assert any(where(2, one) != where(2, other) for one, other in some)


def test_a_thousand_tracks_are_shared_out_evenly() -> None:
    """125 for each of eight shards, give or take a third."""
    found = Counter(where(8, track(f"t{number}")) for number in range(1_000))
    assert set(found) == set(range(1, 9))
    assert all(85 <= number <= 165 for number in found.values()), found


def test_a_track_is_where_it_was_in_an_older_version() -> None:
    """A shard's run goes on with what it left, after an upgrade too."""
    some = [track("menu"), track("battle"), recording("theme"), member("a"), member("a", "town")]
    assert [where(8, one) for one in some] == [7, 1, 5, 1, 2]


@pytest.mark.parametrize("text", ["1/1", "2/8", "8/8", "10000/10000", "02/08"])
def test_a_shard_is_written_as_a_fraction(text: str) -> None:
    """The number of it, and of how many."""
    number, of = map(int, text.split("/"))
    assert shard_from(text) == Shard(number, of)
    assert str(Shard(number, of)) == f"{number}/{of}"


@pytest.mark.parametrize(
    "text",
    ["0/8", "9/8", "1/0", "0/0", "2", "a/b", "", "/", "2/", "/8", "1/2/3", "-1/8", "1.5/8", " 1/8", "1/10001", "²/8",
     "1/8\n", "9" * 5_000 + "/8"],
)  # fmt: skip
def test_whatever_else_is_one_sentence(text: str) -> None:
    """With what was expected."""
    with pytest.raises(NoShard, match=r" is no shard; expected one like 2/8 \(the second of 8\), of 10,000 at most$"):
        shard_from(text)


# --- what a plan of one is about ------------------------------------------------------------------------------------


def of_shard(number: int, count: int = 1, prefix: str = "t") -> list[Track]:
    """Tracks that are in this shard of two."""
    some = (track(f"{prefix}{n}") for n in range(1_000))
    return [one for one in some if where(2, one) == number][:count]


def test_tracks_of_other_shards_are_left_alone() -> None:
    """As outside of `--only`: nothing is bought for them, and what stands is kept for the reports."""
    (mine,), (other,) = of_shard(1), of_shard(2)
    world = World()
    world.asset(other)
    plan = world.plan(mine, other, shard=Shard(1, 2))
    assert [one.action for one in plan.tracks] == [Action.GENERATE, Action.SKIP]
    assert [row.name for row in plan.tracks[1].rows] == [other.name]


def test_only_and_a_shard_both_have_to_hold() -> None:
    """In either order: what one leaves out, the other does not bring in."""
    mine, other = of_shard(1, 2), of_shard(2)
    plan = World().plan(*mine, *other, only=mine[0].name, shard=Shard(1, 2))
    assert touched(plan) == {mine[0].name}
    assert touched(World().plan(*mine, *other, only=other[0].name, shard=Shard(1, 2))) == set()


def test_a_shard_makes_no_orphans_unless_it_is_the_only_one() -> None:
    """It does not look at all of the manifest."""
    world = World()
    world.asset(track("old"))
    assert world.plan(track(), shard=Shard(1, 2)).orphans == ()
    assert [row.name for row in world.plan(track(), shard=Shard(1, 1)).orphans] == ["old"]


def test_an_empty_shard_has_nothing_to_do() -> None:
    """There may be more shards than tracks."""
    (mine,) = of_shard(1)
    assert World().plan(mine, shard=Shard(2, 2)).nothing_to_do


def test_a_job_is_collected_by_the_shard_of_its_track() -> None:
    """The prompt was changed while it was generated: the track tells which shard, and not what it once asked for."""
    (mine,), (other,) = of_shard(1), of_shard(2)
    world = World()
    job = world.job(replace(mine, prompt=other.prompt), State.ACCEPTED)
    assert [one.row for one in world.plan(mine, shard=Shard(1, 2)).strays] == [job.row]
    assert world.plan(mine, shard=Shard(2, 2)).strays == ()
    assert world.plan(mine, other, only=other.name, shard=Shard(1, 2)).strays == ()


@pytest.mark.parametrize("gone", ["t0", "t1", "t2", "t3"])
def test_a_job_whose_track_is_gone_is_collected_by_the_first_shard(gone: str) -> None:
    """Somebody has to, and only one."""
    world = World()
    job = world.job(track(gone), State.ACCEPTED)
    assert [one.row for one in world.plan(track(), shard=Shard(1, 3)).strays] == [job.row]
    assert [world.plan(track(), shard=Shard(number, 3)).strays for number in (2, 3)] == [(), ()]
    assert world.plan(track(), only="menu", shard=Shard(1, 3)).strays == ()


def test_only_what_is_in_the_shard_is_paid_for_again() -> None:
    """A pattern has to fit a track of the manifest, not of the shard; of two that share a purchase it pays for its own.

    Here a group keeps one of them elsewhere.
    """
    (mine,), (other,) = of_shard(1), of_shard(2)
    groups = (member("m", f"g{n}", prompt=mine.prompt) for n in range(100))
    beside = next(one for one in groups if where(2, one) == 2)

    def again(number: int, *patterns: str) -> int:
        game = manifest(mine, other, beside)
        request = PlanRequest((game,), GatewayChoice("real", "http://127.0.0.1", "k"), regenerate=patterns,
                              shard=Shard(number, 2))  # fmt: skip
        request.check()
        return len(request.wishes.regenerate)

    assert [again(number, "**") for number in (1, 2)] == [1, 2]
    assert [again(number, mine.name) for number in (1, 2)] == [1, 0]
    with pytest.raises(NothingMatches):
        again(1, "nobody")

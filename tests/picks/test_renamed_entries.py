"""The entries of renamed tracks go with them, in a circle too, and only once."""

from __future__ import annotations

from lock_factories import asked, mark, pick, take

from pipeline.picks.values import Lock, LockedAsset, LockedPurchase, LockedTrack, Renaming


def entry(fingerprint: str) -> LockedTrack:
    return LockedTrack(
        {f"{fingerprint}.ogg": LockedAsset("a", "f")},
        (pick(fingerprint=fingerprint, by="pick"),),
        {fingerprint: LockedPurchase(asked(), (take(),))},
    )


def test_an_entry_takes_its_tracks_new_name() -> None:
    """With all it says; what is said already is not said twice."""
    renaming = [Renaming("menu", "title", "m")]
    moved = Lock("game", {"menu": entry("m"), "map": entry("p")}).renamed(renaming)
    assert moved == Lock("game", {"title": entry("m"), "map": entry("p")})
    assert moved.renamed(renaming) == moved


def test_marks_go_with_the_sound_that_they_are_about() -> None:
    """Also where nothing else is said of a track: a placeholder that somebody starred."""
    starred = LockedTrack(marks=(mark(fingerprint="m", placeholder=True),))
    moved = Lock("game", {"menu": starred, "title": entry("old")}).renamed([Renaming("menu", "title", "m")])
    assert (set(moved.tracks), moved.track("title").marks) == ({"title"}, starred.marks)


def test_names_are_swapped() -> None:
    """And not swapped back by the same word, said again."""
    renamings = [Renaming("one", "two", "1"), Renaming("two", "one", "2")]
    moved = Lock("game", {"one": entry("1"), "two": entry("2")}).renamed(renamings)
    assert moved == Lock("game", {"one": entry("2"), "two": entry("1")})
    assert moved.renamed(renamings) == moved


def test_what_the_new_name_has_bought_before_stays() -> None:
    """An earlier prompt's takes are still what somebody paid for."""
    moved = Lock("game", {"menu": entry("m"), "title": entry("old")}).renamed([Renaming("menu", "title", "m")])
    title = moved.track("title")
    assert set(title.purchases) == {"m", "old"}
    assert [pick.fingerprint for pick in title.picks] == ["old", "m"]
    assert title.assets == entry("m").assets


def test_a_name_that_nothing_is_known_of_moves_nothing() -> None:
    """Placeholders, say."""
    lock = Lock("game", {"map": entry("p")})
    assert lock.renamed([Renaming("menu", "title", "m")]) == lock

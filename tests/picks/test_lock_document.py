"""A lock's text: stable, made for version control, and refused in one sentence where it is not as it should be."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lock_factories import ASSET, PAID, SOURCE, lock, mark, pick, take, track

from pipeline.audio.settings import Finishing
from pipeline.fingerprints import asked_fingerprint, paid_fingerprint
from pipeline.manifest.tracks import Place, Track
from pipeline.picks.document import LockMistake, lock_text, read_lock
from pipeline.picks.pinning import asked_of
from pipeline.picks.values import LockedPurchase, LockedTake, LockedTrack

EVERYTHING = lock(
    menu=track(take(), take(1, 1, unfit="silent: nothing in it"), take(2), picks=(pick(), pick(2, by="pick"))),
    credits=LockedTrack(picks=(pick(3, by="rollback", placeholder=True),)),
    map=replace(track(), marks=(mark(), mark(take=2, starred=False, note="two\nlines", placeholder=True))),
)
SOUND: dict[str, Any] = json.loads(lock_text(lock()))


def test_a_lock_is_read_as_it_was_written() -> None:
    """Every field of it, and the same lock has the same bytes."""
    text = lock_text(EVERYTHING)
    assert read_lock(text, "game.lock.json") == EVERYTHING
    assert lock_text(read_lock(text, "game.lock.json")) == text


def test_without_marks_its_bytes_are_what_they_were() -> None:
    """An older program, and whoever never listens, sees no difference."""
    assert b"marks" not in lock_text(lock())


def test_its_text_merges_well() -> None:
    """One line a field, sorted, with a line break at the end: two people's tracks are two places."""
    lines = lock_text(EVERYTHING).decode().split("\n")
    assert lines[-1] == ""
    assert all(line.count('": ') <= 1 for line in lines)
    assert any('"note": "two\\nlines"' in line for line in lines)
    assert lines.index('  "credits": {') < lines.index('  "menu": {')


def test_it_is_small() -> None:
    """A track of one take, with one file, in fifty short lines."""
    text = lock_text(lock())
    assert len(text) < 1500
    assert text.count(b"\n") <= 50


def test_what_was_asked_proves_the_paid_fingerprint() -> None:
    """Years later, with nothing but the lock: the fingerprint is made of what stands beside it."""
    of = Track(
        "game", "menu", Place("game.yaml", 1, 1), Finishing(), (), prompt="calm menu", lyrics="la", duration_s=12.5,
        model="maker/model", refine_lyrics=True, source_format="mp3",
    )  # fmt: skip
    paid = paid_fingerprint(of, "real")
    text = lock_text(lock(menu=LockedTrack(purchases={paid: LockedPurchase(asked_of(of))})))
    words = read_lock(text, "").tracks["menu"].purchases[paid].asked
    assert asked_fingerprint(words) == paid_fingerprint(of, "real")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is no lock file"),
        (b"{", "it is no lock file (line 1, column 2: "),
        (b"\xff{}", "it is no lock file (its text is no UTF-8)"),
        (b"[" * 100_000, "it is no lock file (brackets within brackets, too many for any lock)"),
        (b"[]", "it is [], expected a mapping"),
        (b"{}", "version is null, expected 1"),
        (b'{"version": true}', "version is true, expected 1"),
        (b'{"version": 1}', "it has no manifest"),
        (b'{"version": 1, "manifest": "game", "tracks": {"\\ud800": {}}}', "it is no lock file"),
    ],
)
def test_what_is_no_lock_is_refused(content: bytes, said: str) -> None:
    """One sentence with the file, what is wrong, and what to do."""
    with pytest.raises(LockMistake) as caught:
        read_lock(content, "game.lock.json")
    text = str(caught.value)
    assert text.startswith("game.lock.json: ")
    assert said in text
    assert text.endswith("restore it from version control; nothing was bought")
    assert "\n" not in text


def test_two_entries_run_together_are_told_with_their_track() -> None:
    """What removing the marks of a merge leaves: neither side's purchase may go for it, so nothing is restored."""
    content = lock_text(lock()).replace(b'"date": ', b'"date": "2026-03-02T12:00:00Z",\n       "date": ')
    with pytest.raises(LockMistake) as caught:
        read_lock(content, "game.lock.json")
    assert str(caught.value) == (
        f"game.lock.json: tracks.menu.purchases.{PAID[:60]}....takes[0] has date twice in one place; where a merge ran "
        "two entries together, keep both, each whole and in braces of its own, as the two branches have them, and run "
        "again; nothing was bought"
    )
    with pytest.raises(LockMistake, match=r"game\.lock\.json: tracks has menu twice in one place; where a merge"):
        read_lock(b'{"version": 1, "manifest": "game", "tracks": {"menu": {}, "menu": {}}}', "game.lock.json")


def test_two_purchases_with_one_number_are_told() -> None:
    """Both branches have bought a take 2: history and picks could know one of them only, and both were paid for."""
    mine, theirs = take(2), take(2, job_id="job-7", source="7" * 64)
    with pytest.raises(LockMistake) as caught:
        read_lock(lock_text(lock(menu=track(take(), mine, theirs))), "game.lock.json")
    assert str(caught.value) == (
        "game.lock.json: tracks.menu has two purchases with the number of take 2 (job job-1 and job job-7), as after a "
        'merge of branches that both bought one; give one of the two the next number that is free, "take": 3, and run '
        "again; nothing was bought"
    )
    third = replace(theirs, take=3)
    assert read_lock(lock_text(lock(menu=track(take(), mine, third))), "").tracks["menu"].takes_of(PAID)[2] == third


@pytest.mark.parametrize(
    "other",
    [take(2, job_id="job-7"), take(2, source="7" * 64), take(2, job_id=None, source="7" * 64)],
    ids=["another job", "another source", "a source without a job"],
)
def test_what_differs_in_job_or_source_is_another_purchase(other: LockedTake) -> None:
    """Under one number. Its next generation is not, nor is the same entry that both sides of a merge had."""
    with pytest.raises(LockMistake, match="two purchases with the number of take 2"):
        read_lock(lock_text(lock(menu=track(take(2), other))), "game.lock.json")
    same = lock(menu=track(take(2), take(2), replace(other, regeneration=1)))
    assert read_lock(lock_text(same), "game.lock.json") == same


@pytest.mark.parametrize(
    ("key", "value"), [("duration", 31.0), ("prompt", "a calm menu"), ("model", "maker/other"), ("lyrics", "la")]
)
def test_what_was_asked_and_was_edited_is_noticed(key: str, value: object) -> None:
    """What stands there is meant to prove the fingerprint above it, ledger or no ledger."""
    with pytest.raises(
        LockMistake, match=r"tracks\.menu\.purchases\..* is not the fingerprint of .* edited; restore it"
    ):
        read_lock(changed([*MENU, "purchases", PAID, "asked", key], value), "game.lock.json")


def test_a_later_programs_words_are_not_judged() -> None:
    """Its fingerprint may cover more than this program knows of."""
    content = changed([*MENU, "purchases", PAID, "asked", "mood"], "calm").replace(PAID.encode(), b"e" * 64)
    assert read_lock(content, "game.lock.json").tracks["menu"].takes_of("e" * 64) == (take(),)


def test_a_newer_version_is_named() -> None:
    """Whatever else is in it."""
    with pytest.raises(LockMistake, match=r"game\.lock\.json: .*its format is 2, this program knows 1.*install"):
        read_lock(b'{"version": 2, "picks": 7}', "game.lock.json")


@pytest.mark.parametrize("mark", [b"<<<<<<< HEAD", b"=======", b">>>>>>> theirs"])
def test_a_merge_that_was_not_resolved_is_named_with_its_line(mark: bytes) -> None:
    """Neither side is guessed at: both may have bought something."""
    lines = lock_text(EVERYTHING).splitlines()
    text = b"\n".join([*lines[:4], mark, *lines[4:]])
    with pytest.raises(LockMistake, match=r"game\.lock\.json:5: a merge left its conflict marks here"):
        read_lock(text, "game.lock.json")


def changed(path: list[Any], value: Any) -> bytes:
    """A sound lock with another value at `path`; without it where that is `...`."""
    document = deepcopy(SOUND)
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(document).encode()


MENU = ["tracks", "menu"]
TAKE = [*MENU, "purchases", PAID, "takes", 0]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["tracks"], [], "tracks is [], expected a mapping"),
        (MENU, "x", "tracks.menu is x, expected a mapping"),
        ([*MENU, "picks"], {}, "tracks.menu.picks is {}, expected a list"),
        ([*MENU, "picks", 0, "take"], 0, "tracks.menu.picks[0].take is 0, expected a whole number from 1"),
        ([*MENU, "picks", 0, "take"], True, "expected a whole number"),
        ([*MENU, "picks", 0, "take"], 10**30, "expected a whole number"),
        ([*MENU, "picks", 0, "take"], ..., "tracks.menu.picks[0] has no take"),
        ([*MENU, "picks", 0, "by"], "ghost", "by is ghost, expected one of run, pick, rollback"),
        ([*MENU, "picks", 0, "at"], "yesterday", "at is yesterday, expected a time such as"),
        ([*MENU, "assets", "menu.ogg", "sha256"], "../../x", "sha256 is ../../x, expected 64 hexadecimal digits"),
        ([*TAKE, "source"], None, "source is null, expected text"),
        ([*TAKE, "regeneration"], -1, "regeneration is -1, expected a whole number from 0"),
        ([*TAKE, "cost_usd"], "free", "cost_usd is free, expected a number from 0, or null"),
        ([*TAKE, "cost_usd"], float("nan"), "cost_usd is NaN, expected a number"),
        ([*TAKE, "cost_usd"], -1, "cost_usd is -1, expected a number"),
        ([*TAKE, "seconds"], [], "seconds is [], expected a number"),
        ([*TAKE, "unfit"], 7, "unfit is 7, expected text"),
        ([*MENU, "purchases", PAID, "asked", "prompt"], ..., "has no prompt"),
        ([*MENU, "purchases", PAID, "asked", "refine_lyrics"], "no", "expected true or false"),
        ([*MENU, "marks"], {}, "tracks.menu.marks is {}, expected a list"),
        ([*MENU, "marks"], [asdict(mark(source="../x"))], "marks[0].source is ../x, expected 64 hexadecimal digits"),
        ([*MENU, "marks"], [asdict(mark(starred=1))], "marks[0].starred is 1, expected true or false"),
        ([*MENU, "marks"], [asdict(mark(note=None))], "marks[0].note is null, expected text"),
    ],
)
def test_a_value_of_another_kind_is_told_with_its_place(path: list[Any], value: Any, said: str) -> None:
    """A lock is a file that anybody may have edited, and it decides what is bought."""
    with pytest.raises(LockMistake) as caught:
        read_lock(changed(path, value), "game.lock.json")
    assert said in str(caught.value)


def test_a_key_that_nobody_knows_is_passed_over() -> None:
    """A newer program of the same format may have written more."""
    assert read_lock(changed([*TAKE, "mood"], "calm"), "game.lock.json") == lock()


@given(st.binary(max_size=200))
def test_whatever_stands_there_is_a_lock_or_one_sentence(content: bytes) -> None:
    """Never a traceback."""
    with suppress(LockMistake):
        read_lock(content, "game.lock.json")


def test_hashes_in_the_factories_are_hashes() -> None:
    """So that the cases above are about what they say."""
    assert {len(text) for text in (PAID, SOURCE, ASSET)} == {64}
    assert isinstance(lock().tracks["menu"].purchases[PAID], LockedPurchase)

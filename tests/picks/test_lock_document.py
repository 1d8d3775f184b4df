"""A lock's text: stable, made for version control, and refused in one sentence where it is not as it should be."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lock_factories import ASSET, PAID, SOURCE, lock, pick, take, track

from pipeline.audio.settings import Finishing
from pipeline.fingerprints import asked_fingerprint, paid_fingerprint
from pipeline.manifest.tracks import Place, Track
from pipeline.picks.document import LockMistake, lock_text, read_lock
from pipeline.picks.pinning import asked_of
from pipeline.picks.values import LockedPurchase, LockedTrack

EVERYTHING = lock(
    menu=track(take(), take(1, 1, unfit="silent: nothing in it"), take(2), picks=(pick(), pick(2, by="pick"))),
    credits=LockedTrack(picks=(pick(3, by="rollback", placeholder=True),)),
)
SOUND: dict[str, Any] = json.loads(lock_text(lock()))


def test_a_lock_is_read_as_it_was_written() -> None:
    """Every field of it, and the same lock has the same bytes."""
    text = lock_text(EVERYTHING)
    assert read_lock(text, "game.lock.json") == EVERYTHING
    assert lock_text(read_lock(text, "game.lock.json")) == text


def test_its_text_merges_well() -> None:
    """One line a field, sorted, with a line break at the end: two people's tracks are two places."""
    lines = lock_text(EVERYTHING).decode().split("\n")
    assert lines[-1] == ""
    assert all(line.count('": ') <= 1 for line in lines)
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
    text = lock_text(lock(menu=LockedTrack(purchases={PAID: LockedPurchase(asked_of(of))})))
    words = read_lock(text, "").tracks["menu"].purchases[PAID].asked
    assert asked_fingerprint(words) == paid_fingerprint(of, "real")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is no lock file"),
        (b"{", "it is no lock file"),
        (b"\xff\xfe", "it is no lock file"),
        (b"[" * 100_000, "it is no lock file"),
        (b"[]", "it is [], expected a mapping"),
        (b"{}", "version is null, expected 1"),
        (b'{"version": true}', "version is true, expected 1"),
        (b'{"version": 1}', "it has no manifest"),
        (b'{"version": 1, "manifest": "game", "manifest": "film"}', "it has manifest twice in one place"),
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

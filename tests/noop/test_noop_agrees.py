"""Whatever happens to a library: what is answered at once is what the long way says."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from changes import CHANGES, FILES
from libraries import let_a_moment_pass

from pipeline.noop import looking

if TYPE_CHECKING:
    from collections.abc import Callable

    from libraries import Library

KINDS = ("local", "real")
#: Forms of the same command, and of others: `demo.yaml --gateway local` has a stamp.
FORMS = {
    "as it was": lambda words: words,
    "in another order": lambda words: (*words[1:], words[0]),
    "joined": lambda words: (words[0], f"{words[1]}={words[2]}"),
    "spelled out": lambda words: (*words, "--output", "output", "--state", ".pipeline"),
    "only": lambda words: (*words, "--only", "battle/*"),
    "only what is not there": lambda words: (*words, "--only", "nobody"),
    "a shard": lambda words: (*words, "--shard", "1/2"),
    "another shard": lambda words: (*words, "--shard=2/2"),
    "the only shard": lambda words: (*words, "--shard", "1/1"),
    "a shard that is none": lambda words: (*words, "--shard", "3/2"),
    "a budget": lambda words: (*words, "--budget", "1"),
    "no budget at all": lambda words: (*words, "--budget", "much"),
    "another output": lambda words: (*words, "--output", "elsewhere"),
    "another state": lambda words: (*words, "--state", "elsewhere"),
    "another gateway": lambda words: (words[0], "--gateway", "http://127.0.0.1:9"),
    "paying again": lambda words: (*words, "--regenerate", "menu"),
    "no gateway": lambda words: words[:1],
    "another manifest": lambda words: ("other.yaml", *words[1:]),
    "the manifest twice": lambda words: (words[0], *words),
    "no manifest": lambda words: words[1:],
    "a word that is none": lambda words: (*words, "--web-hook", "http://127.0.0.1:9"),
}


def ask(library: Library, words: tuple[str, ...]) -> int:
    """Ask both ways, by either command. How many were answered at once."""
    told = {command: library.at_once(command, *words) for command in ("plan", "run")}
    answered = {command: said for command, said in told.items() if said is not None}
    if answered:
        decided = library.judged("plan", *words, "--detailed-exitcode")
        assert decided.status == 0, decided
    for command, said in answered.items():
        assert said == library.judged(command, *words)
    return len(answered)


@pytest.mark.parametrize("kind", KINDS)
def test_with_nothing_changed_both_commands_are_answered_at_once(
    make_library: Callable[[str], Library], kind: str
) -> None:
    """Else all that follows would prove nothing. Also where every file is too young for its times to be believed."""
    library = make_library(kind)
    library.at_length("plan", *library.words)
    assert ask(library, library.words) == 2
    assert library.at_once("plan", *library.words, "--detailed-exitcode") is not None
    assert library.at_once("run", *library.words, "--quiet").stderr == ""
    assert library.at_once("run", *library.words, "--wait", "--concurrency", "3", "--cancel-on-interrupt") is not None


@pytest.mark.usefixtures("nothing_is_young")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_noticed_or_makes_no_difference(
    make_library: Callable[[str], Library], kind: str, name: str
) -> None:
    """Where it leaves something to do, nothing is answered at once."""
    library = make_library(kind)
    library.at_length("plan", *library.words)
    let_a_moment_pass()
    with contextlib.suppress(FileNotFoundError):  # there is no lock of placeholders
        CHANGES[name](library)
    ask(library, library.words)


@pytest.mark.usefixtures("nothing_is_young")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_other_words_are_another_question(make_library: Callable[[str], Library], kind: str, form: str) -> None:
    """Its stamp is not this one's, or says the same."""
    library = make_library(kind)
    library.at_length("plan", *library.words)
    ask(library, FORMS[form](library.words))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_both_ways_agree_after_any_changes(
    make_library: Callable[[str], Library], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Changes at random, several at a time, with stamps of before, of between and of other words in the folder."""
    chance = random.Random(seed)
    if chance.random() < 0.5:
        monkeypatch.setattr("pipeline.noop.stamp.YOUNG_NS", 0)
    library = make_library(chance.choice(KINDS))
    forms = [FORMS["as it was"], *chance.choices(list(FORMS.values()), k=2)]
    for _ in range(6):
        for form in chance.choices(forms, k=2):
            library.at_length("plan", *form(library.words))
        let_a_moment_pass()
        for name in chance.choices(list(CHANGES), k=chance.choice((0, 1, 1, 2))):
            with contextlib.suppress(OSError):  # what it is about may be gone already
                CHANGES[name](library)
        for form in forms:
            ask(library, form(library.words))
        if chance.random() < 0.5:
            library = make_library(library.kind)


@pytest.mark.usefixtures("nothing_is_young")
@pytest.mark.parametrize(
    "name",
    [
        *(f"{name} {how}" for name in FILES for how in ("touched", "replaced by a copy")),
        *("a file of somebody else's", "no sources", "another key", "another address", "no colour"),
    ],
)
def test_what_makes_no_difference_is_still_answered_at_once(make_library: Callable[[str], Library], name: str) -> None:
    """A file that has its old content is hashed, once."""
    library = make_library("real")
    library.at_length("plan", *library.words)
    let_a_moment_pass()
    CHANGES[name](library)
    assert ask(library, library.words) == 2
    with mock.patch.object(looking, "hashed", side_effect=AssertionError("hashed again")):
        assert library.at_once("plan", *library.words) is not None

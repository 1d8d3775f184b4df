"""Of a large manifest only what has changed is planned, and the plan reads as if all of it had been."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from changes import CHANGES
from libraries import let_a_moment_pass

from pipeline.cli import planning
from pipeline.noop import stamp
from pipeline.report import plan_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from libraries import Library

KINDS = ("local", "real")

#: What may be put in the place of what in the manifest.
EDITS = {
    "another prompt": ("dragon battle", "wyvern battle"),
    "a shared prompt": ("dragon battle", "lich battle"),
    "a prompt of an orphan's": ("dragon battle", "calm menu"),
    "a prompt that two had": ("calm menu", "wild menu"),
    "another loudness": ("prompt: calm menu", "prompt: calm menu, loudness: mobile"),
    "another duration": ("prompt: calm menu", "prompt: calm menu, duration: 3"),
    "more takes": ("takes: 2", "takes: 3"),
    "fewer takes": ("takes: 2", "takes: 1"),
    "an output more": ("prompt: calm menu", "prompt: calm menu, outputs: [wav, flac]"),
    "an output less": ("outputs: [ogg, wav]", "outputs: [wav]"),
    "a tag": ("prompt: calm menu", "prompt: calm menu, tags: [quiet]"),
    "into a group": ("prompt: calm menu", "prompt: calm menu, loudness: {group: battle}"),
    "out of its group": ("lich battle, loudness: {group: battle}", "lich battle"),
    "another name": ("battle/lich:", "battle/king:"),
    "names that change places": ("calm menu, takes: 2}\n  battle/dragon: {prompt: dragon battle",
                                 "dragon battle, takes: 2}\n  battle/dragon: {prompt: calm menu"),
    "other fades of a recording": ("file: theme.wav", "file: theme.wav, fade_out: 0.2"),
    "a recording instead": ("prompt: lich battle", "file: theme.wav"),
    "a track more": ("  theme:", "  more: {prompt: more}\n  theme:"),
    "a track less": ("  theme: {file: theme.wav}\n", ""),
    "other defaults": ("duration: 2,", "duration: 2, fade_in: 0.1,"),
    "another price": ("0.0010", "0.0020"),
    "another manner": ("poll_interval: 0.1", "poll_interval: 0.1, resend_unknown: false"),
    "a comment": ("tracks:", "# all\ntracks:"),
    "a mistake": ("takes: 2", "takes: two"),
}  # fmt: skip
#: Those of which only the change is planned.
ALONE = ("another loudness", "another duration", "more takes", "an output more")


def edit(library: Library, name: str) -> None:
    path = library.folder / "demo.yaml"
    path.write_text(path.read_text().replace(*EDITS[name]))


@pytest.fixture(autouse=True)
def any_manifest_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tracks that stay as they are, are only counted."""
    monkeypatch.setattr(planning, "MANY_TRACKS", 0)
    monkeypatch.setattr(plan_text, "MANY_TRACKS", 0)
    monkeypatch.setattr(stamp, "YOUNG_NS", 0)


def plans(library: Library, *words: str) -> tuple[Any, bool]:
    """The plan, and whether only what has changed was planned; held against the long way."""
    used: list[bool] = []
    before = planning.plan_of_changes

    def watched(*given: Any) -> Any:
        found = before(*given)
        used.append(found is not None)
        return found

    with mock.patch.object(planning, "plan_of_changes", watched):
        said = library.at_length("plan", *library.words, "--detailed-exitcode", *words)
    assert said == library.judged("plan", *library.words, "--detailed-exitcode", *words)
    return said, any(used)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", EDITS)
def test_a_plan_of_what_has_changed_reads_as_one_of_everything(
    make_library: Callable[..., Library], kind: str, name: str
) -> None:
    """And a change that concerns only its own track is planned alone."""
    library = make_library(kind, has_orphan=False)
    library.at_length("plan", *library.words)
    edit(library, name)
    _, is_alone = plans(library)
    assert is_alone or name not in ALONE


@pytest.mark.parametrize("kind", KINDS)
def test_where_an_orphan_is_everything_is_planned(make_library: Callable[..., Library], kind: str) -> None:
    """It may be what a changed track asks for now."""
    library = make_library(kind)
    library.at_length("plan", *library.words)
    edit(library, "another loudness")
    assert plans(library)[1] is False


@pytest.mark.parametrize("words", [("--only", "menu"), ("--regenerate", "menu"), ("--json",)], ids=" ".join)
def test_some_words_plan_everything(make_library: Callable[..., Library], words: tuple[str, ...]) -> None:
    """What asks for a part, pays again, or wants to know all of it."""
    library = make_library("local", has_orphan=False)
    library.at_length("plan", *library.words)
    library.at_length("plan", *library.words, *words)
    edit(library, "another loudness")
    assert plans(library, *words)[1] is False


def test_a_small_manifest_is_shown_as_a_whole(
    make_library: Callable[..., Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tracks that stay have lines of their own, which say why."""
    for room in (planning, plan_text):
        monkeypatch.setattr(room, "MANY_TRACKS", 40)
    library = make_library("local", has_orphan=False)
    library.at_length("plan", *library.words)
    edit(library, "another loudness")
    said, is_alone = plans(library)
    assert (is_alone, "= battle/dragon" in said.stdout) == (False, True)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_any_changes_are_planned_as_if_nothing_was_known(make_library: Callable[..., Library], seed: int) -> None:
    """Several edits at once, and whatever else may happen to a library before and after its stamp is taken."""
    chance = random.Random(seed)
    for _ in range(5):
        library = make_library(chance.choice(KINDS), has_orphan=chance.random() < 0.2)
        if chance.random() < 0.3:
            edit(library, chance.choice(list(EDITS)))
        library.at_length("plan", *library.words)
        let_a_moment_pass()
        for name in chance.choices(list(EDITS), k=chance.choice((1, 1, 2, 3))):
            edit(library, name)
        if chance.random() < 0.5:
            with contextlib.suppress(OSError):  # there is no lock of placeholders
                CHANGES[chance.choice(list(CHANGES))](library)
        plans(library)

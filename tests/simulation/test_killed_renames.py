"""A rename dies at its effects, one after the other, and the same words again: nothing is lost, bought, or left behind.

Every file that is opened, renamed or removed and everything that is written to the ledger is such an effect; runner,
planning, ledger and files are the real ones. `tests/crash` kills the real program at some of them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from attic import GATEWAY, HEAD, Furnished, told
from canned_finisher import CannedFinisher, source_of
from mortality import Dead, Mortal, MortalWriter, living
from scenarios import AtEffect

from pipeline.entry import make_plan, run
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read
from pipeline.manifest import parse_manifest
from pipeline.renaming import SIDECARS
from pipeline.workspace import LEDGER_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.runner.results import RunResult
    from pipeline.workspace import Plan

_MOST_EFFECTS: Final = 400
_TOLD_WHOLE: Final = ("one",)
_STEP: Final = 3  # of the other stories every third effect: all of them take minutes
_OWN: Final = ("assets.json", ".assets.json", "cost-report.", ".cost-report.", "report.", ".report.")


@dataclass(frozen=True)
class Story:
    """Tracks by name, each with its prompt and whatever else it says, before and after."""

    before: dict[str, str]
    after: dict[str, str]
    bought: int = 0  # how many jobs it takes beside


STORIES: Final = {
    "one": Story({"menu": "calm"}, {"title": "calm"}),
    "into another folder": Story({"old/menu": "calm"}, {"new/menu": "calm"}),
    "a row, with a new first": Story({"b1": "one", "b2": "two"}, {"b1": "new", "b2": "one", "b3": "two"}, bought=1),
    "a swap": Story({"day": "bright", "night": "dark"}, {"day": "dark", "night": "bright"}),
    "a circle": Story({"a": "one", "b": "two", "c": "four"}, {"a": "two", "b": "four", "c": "one"}),
    "members of a group": Story(
        {"a": "one, loudness: {group: all}", "b": "two, loudness: {group: all}"},
        {"a": "two, loudness: {group: all}", "b": "one, loudness: {group: all}"},
    ),
    "finished otherwise too": Story({"menu": "calm"}, {"title": "calm, fade_out: 0.2"}),
    "with one more take": Story({"menu": "calm"}, {"title": "calm, takes: 2"}, bought=1),
}


class Attic(Furnished):
    """A gateway that outlives the lives, and two folders that a whole run has filled."""

    def __init__(self, folder: Path, story: Story) -> None:
        super().__init__(folder)
        self.story = story
        self._prompts: dict[str, str] = {}  # by the hash of a source

    @property
    def output(self) -> Path:
        return self.work / "output"

    @property
    def state(self) -> Path:
        return self.work / "state"

    @property
    def jobs(self) -> int:
        return len(self.app.state.gateway.books.jobs)

    async def furnish(self) -> dict[str, bytes]:
        """Make everything, and keep a copy to begin with again; what each asset's name stands for."""
        await self.live(self.story.before, None)
        for path in [path for path in self.output.rglob("*") if path.suffix in (".wav", ".ogg")]:
            for sidecar in SIDECARS:
                path.with_name(path.name + sidecar).write_text(self._prompt_of(path) + path.suffix + sidecar)
        self.keep()
        return self.contents()

    def plan(self, tracks: dict[str, str]) -> Plan:
        text = HEAD + "".join(f"  {name}: {{prompt: {what}}}\n" for name, what in tracks.items())
        return make_plan(
            parse_manifest(text, self.work / "attic.yaml"),  # with its lock beside it
            output=self.output,
            state=self.state,
            gateway=GATEWAY,
            clock=self.clock,
        )

    async def live(self, tracks: dict[str, str], nth: int | None) -> RunResult | None:
        """One process; None where it died at its nth effect."""
        mortal = Mortal(None if nth is None else AtEffect(nth), Counter())
        result = None
        # What takes another name was on disk before this life began: that nobody syncs it is no fault.
        with living(mortal, self.work, lambda _: None):
            try:
                result = await run(
                    self.plan(tracks),
                    transport=httpx.ASGITransport(self.app),
                    finisher=CannedFinisher(mortal),
                    clock=self.clock,
                    ledger=partial(MortalWriter, mortal=mortal),
                )
            except Dead:
                pass
            except BaseExceptionGroup as group:
                _, others = group.split(Dead)
                if others is not None:
                    raise others from None
        self._remember()
        return result

    def contents(self) -> dict[str, bytes]:
        files = (path for path in self.output.rglob("*") if path.is_file() and not path.name.startswith(".pipeline"))
        found = {path.relative_to(self.output).as_posix(): path.read_bytes() for path in files}
        return {path: content for path, content in found.items() if not path.startswith(_OWN)}

    def _remember(self) -> None:
        """What each source was made of: ledgers are lost here."""
        connection = connect_to_read(self.state / LEDGER_NAME)
        if connection is not None:
            with closing(connection):
                for job in Ledger(connection).all_jobs():
                    prompt = json.loads(job.intent.body)["prompt"]
                    if job.source is not None:
                        assert self._prompts.setdefault(job.source, prompt) == prompt, "two pieces sound alike"

    def _prompt_of(self, path: Path) -> str:
        return self._prompts[str(source_of(path.read_bytes()))]

    # --- what has to be true ----------------------------------------------------------------------------------------

    def nothing_is_lost(self, before: dict[str, bytes]) -> None:
        """Wherever they are by now: every file is, but for what its track no longer asks for."""
        here = Counter(hashlib.sha256(content).hexdigest() for content in self.contents().values())
        for path, content in before.items():
            assert here[hashlib.sha256(content).hexdigest()], path

    def all_is_well(self) -> None:
        """Each track's files under its name, each with its own sidecars, and nothing else."""
        after = self.contents()
        expected = {}
        for name, what in self.story.after.items():
            for ending in (".wav", ".ogg"):
                path, prompt = f"{name}{ending}", what.split(",")[0]
                assert self._prompt_of(self.output / path) == prompt, path
                expected[path] = after[path]
                if prompt in {before.split(",")[0] for before in self.story.before.values()}:
                    expected |= {f"{path}{sidecar}": f"{prompt}{ending}{sidecar}".encode() for sidecar in SIDECARS}
        assert after == expected
        folders = {path.name for path in self.output.rglob("*") if path.is_dir()}
        assert folders == {name.split("/")[0] for name in self.story.after if "/" in name}
        assert self.plan(self.story.after).nothing_to_do


async def _tell(folder: Path, story: Story, step: int, *, without_ledger: bool) -> int:
    """How many effects there were to die at, of which every `step`th was died at."""
    attic = Attic(folder, story)
    before = await attic.furnish()
    for nth in range(1, _MOST_EFFECTS, step):
        attic.begin_again()
        jobs = attic.jobs
        result = await attic.live(story.after, nth)
        if result is not None:
            return nth
        if not story.bought and "fade_out" not in str(story.after):
            attic.nothing_is_lost(before)
        if without_ledger:
            for path in attic.state.glob("ledger*"):
                path.unlink()
        again = await attic.live(dict(reversed(story.after.items())), None)  # its order is nothing to rely on
        assert again is not None
        assert again.exit == 0, (nth, again)
        assert attic.jobs - jobs == story.bought, nth
        attic.all_is_well()
    raise AssertionError("it never comes to its end")


def _told(name: str, *, without_ledger: bool) -> int:
    step = 1 if name in _TOLD_WHOLE else _STEP
    return told(partial(_tell, story=STORIES[name], step=step, without_ledger=without_ledger))


@pytest.mark.long
@pytest.mark.parametrize("name", STORIES)
def test_a_rename_that_dies_anywhere_is_carried_to_its_end(name: str) -> None:
    """By the same words, once more: every file under its new name, each with its own sidecars, and not a cent."""
    assert _told(name, without_ledger=False) > 10


@pytest.mark.long
@pytest.mark.parametrize("name", ["one", "a circle"])
def test_so_is_one_whose_ledger_is_lost_with_it(name: str) -> None:
    """Where a file is, its content tells: the index as it was is enough."""
    assert _told(name, without_ledger=True) > 10

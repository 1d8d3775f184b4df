"""Somebody chooses: a take becomes a track's pick, or the pick goes back to what it was. Free, from kept sources.

`pipeline pick` and `pipeline rollback` are this room's two sentences; whatever else lets a person choose says them too.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.entry import carry_out_locked
from pipeline.gateway_choice import GatewayChoice
from pipeline.history import history_of
from pipeline.picks.values import Pick, Version, earlier
from pipeline.plan_request import PlanRequest
from pipeline.planning.plans import Action, Step
from pipeline.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.clock import Clock
    from pipeline.history import Generation, History
    from pipeline.ledger.writing import LedgerWriter
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.picks.values import By, LockedTrack
    from pipeline.runner.control import Control
    from pipeline.runner.events import Event
    from pipeline.runner.finisher import Finisher
    from pipeline.runner.results import RunResult
    from pipeline.workspace import Plan, Workspace

_NAMED: Final = re.compile(r"(0|[1-9]\d{0,99})(?:\.(\d{1,100}))?", re.ASCII)
_NUMBER: Final = re.compile(r"0|[1-9]\d{0,99}", re.ASCII)


class NoSuchTake(Exception):
    """A take or a pick that the track has not. Its text is one sentence."""


class CantBeChosen(Exception):
    """A take that is there and can't become the pick. Nothing was changed. Its text is one sentence."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What became of a choice. `result` None: the take stood already, and nothing had to be finished."""

    track: Track
    pick: Version
    was: Version | None  # the pick before
    result: RunResult | None = None
    error: str | None = None  # why it is not the pick after all; the choice is taken back, and the old asset stands

    @property
    def sentence(self) -> str:
        """What has become of it, where nothing went wrong."""
        name, take = self.track.name, self.pick
        if take == self.was:
            return f"{name}: take {take} is the pick, as it was, and stays it until somebody chooses another"
        paths = ", ".join(output.path(name) for output in self.track.outputs)
        instead = "" if self.was is None else f" instead of take {self.was}"
        return f"{name}: take {take} is the pick now{instead}: {paths}"


@dataclass(frozen=True)
class Chooser:
    """Whoever chooses works in a workspace whose folders they hold."""

    workspace: Workspace
    clock: Clock
    finisher: Finisher | None = None  # None: worker processes
    observe: Callable[[Event], None] = lambda _: None
    control: Control | None = None
    ledger: Callable[[Path], LedgerWriter] | None = None  # None: the thread that writes

    async def pick(self, manifest: Manifest, track: Track, take: str) -> Chosen:
        """Make `take` (`2`, or `2.1` for its first regeneration) the pick of `track`, and finish it.

        Raises NoSuchTake, CantBeChosen, LedgerError, LockMistake and FolderError.
        """
        history = self._history(manifest, track)
        return await self._choose(history, find_generation(history, take).version, "pick")

    async def rollback(self, manifest: Manifest, track: Track, number: str | None = None) -> Chosen:
        """Go back to the pick before the one that stands, or to the one of that number in the history.

        Raises as `pick` does.
        """
        history = self._history(manifest, track)
        version = (_before(history) if number is None else _picked(history, number)).version
        if all(one.version != version for one in history.current):
            raise CantBeChosen(f"{track.name}: nothing is known any more of take {version}, which was its pick then")
        return await self._choose(history, version, "rollback")

    def _history(self, manifest: Manifest, track: Track) -> History:
        if track.prompt is None:
            raise NoSuchTake(f"{track.name} is a recording (file), which has no takes to choose from")
        return history_of(self.workspace, manifest, track)

    async def _choose(self, history: History, version: Version, by: By) -> Chosen:
        track, was = history.track, history.pick
        now = timestamp(self.clock.now())
        pick = Pick(history.fingerprint, *version, now, by, placeholder=history.kind == "local")
        plan = self._plan(history, pick)
        _check(history, version, plan)
        lock = self.workspace.locks.of(history.manifest)
        lock.update({track.name: lambda entry: _with(entry, history.picks, pick)})
        if plan.nothing_to_do:
            return Chosen(track, version, was)
        result = await carry_out_locked(
            plan,
            self.workspace,
            clock=self.clock,
            finisher=self.finisher,
            observer=self.observe,
            control=self.control,
            ledger=self.ledger,
        )
        error = next(one.error for one in result.tracks if one.plan.track.name == track.name)
        if error is None or result.stop is not None:  # what was stopped is finished by the next run
            return Chosen(track, version, was, result, error)
        lock.update({track.name: lambda entry: _without(entry, pick)})
        return Chosen(track, version, was, result, f"{error}; nothing was changed")

    def _plan(self, history: History, pick: Pick) -> Plan:
        """What finishing it would take, as if it were chosen already; nothing that needs a gateway."""
        request = PlanRequest(
            manifests=(history.manifest,),
            gateway=GatewayChoice(history.kind, None),
            output=self.workspace.output.folder.root,
            state=self.workspace.state.root,
            only=(history.track.name,),
            free=True,
            choices={(history.manifest.name, history.track.name): pick},
        )
        return self.workspace.plan(request, self.clock.now())


def find_generation(history: History, take: str) -> Generation:
    """The generation that somebody means by `2`, its newest, or by `2.1`. Raises NoSuchTake."""
    named, track = _NAMED.fullmatch(take), history.track.name
    if named is None:
        raise NoSuchTake(f"{take!r} is no take; expected its number, such as 2, or 2.1 for what generated it again")
    if not history.current:
        raise NoSuchTake(f"{track} has no takes to choose from yet: `pipeline run` generates them")
    number, regeneration = int(named[1]), named[2]
    found = [one for one in history.current if one.version.take == number]
    if regeneration is not None:
        found = [one for one in found if one.version.regeneration == int(regeneration)]
    if not found:
        there = ", ".join(str(one.version) for one in history.current)
        raise NoSuchTake(f"{track} has no take {take}; it has {there}")
    return max(found, key=lambda one: one.version)


def _before(history: History) -> Pick:
    """The pick before the one that stands. Raises CantBeChosen where there was none."""
    own = [pick for pick in history.picks if pick.fingerprint == history.fingerprint]
    before = next(earlier(own), None)
    if before is not None:
        return before
    other = "; what an earlier prompt brought comes back with it" if len(own) < len(history.picks) else ""
    raise CantBeChosen(f"{history.track.name} has had no other pick to go back to{other}; nothing was changed")


def _picked(history: History, named: str) -> Pick:
    """The pick of that number, counted from the first. Raises NoSuchTake and CantBeChosen."""
    if not _NUMBER.fullmatch(named):
        where = f"`pipeline history {shlex.quote(history.track.name)}`"
        raise NoSuchTake(f"{named!r} is no pick; expected its number in {where}, such as 2")
    number = int(named)
    if not 1 <= number <= len(history.picks):
        many = f"there were {len(history.picks)}" if history.picks else "there was none yet"
        raise NoSuchTake(f"{history.track.name} has had no pick number {number}; {many}")
    pick = history.picks[number - 1]
    if pick.fingerprint != history.fingerprint:
        raise CantBeChosen(
            f"{history.track.name}: pick {number} was made of what the manifest asked for then; give it those words "
            "again (version control has them) and run: what is kept is not paid for again"
        )
    return pick


def _check(history: History, version: Version, plan: Plan) -> None:
    """Raise CantBeChosen where the take neither stands nor can be finished."""
    name = history.track.name
    (track,) = (one for part in plan.manifests for one in part.tracks if one.track.name == name)
    take = next((one for one in track.takes if one.number == version.take), None)
    if track.choice != version.take:
        raise CantBeChosen(
            f"{name}: an open run is generating its takes again; bring it to its end first (`pipeline run`)"
        )
    if track.action is Action.KEEP:
        return
    if take is None or take.step is not Step.HAVE:
        kept = ", ".join(str(one.version) for one in history.current if one.kept) or "none"
        raise CantBeChosen(
            f"{name}: the source of take {version} is gone from here, so nothing can be made of it; nothing was "
            f"changed (kept: {kept})"
        )
    if track.action is not Action.FINISH:
        raise CantBeChosen(f"{name}: {track.why}; nothing was changed")


def _with(entry: LockedTrack, before: Sequence[Pick], pick: Pick) -> LockedTrack:
    """`entry` with `pick` chosen; `before`: the picks there were, the one that nobody wrote down among them."""
    last = entry.pick_of(pick.fingerprint)
    if last is not None and last.chosen and last.version == pick.version:
        return entry
    picks = entry.picks if last is not None else (*entry.picks, *before[len(entry.picks) :])
    return replace(entry, picks=(*picks, pick))


def _without(entry: LockedTrack, pick: Pick) -> LockedTrack:
    return replace(entry, picks=tuple(one for one in entry.picks if one != pick))

"""The lock files of a run: written as its tracks land, and at its end."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.files import FolderError, trouble
from pipeline.picks.document import LockMistake
from pipeline.picks.pinning import Standing, pinned, planned
from pipeline.planning.plans import Action
from pipeline.runner.events import Notice
from pipeline.runner.picking import usable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipeline.clock import Clock
    from pipeline.picks.lockfile import LockFile
    from pipeline.picks.values import LockedTrack, Renaming, Version
    from pipeline.runner.events import Event
    from pipeline.runner.results import ManifestResult, TrackResult

#: A lock is written at most so often while tracks land, in seconds: as a whole, and it may be long. Measured: 10,000
#: tracks take more than a second of processor time, and the run waits for it.
_EVERY_S: Final = 1.0
_FOR_EACH_TRACK_S: Final = 0.01
#: Why a lock is not written.
LOCK_ERRORS: Final = (LockMistake, FolderError, OSError)

_LANDED: Final = ("generated", "finished", "kept")


class Pins:
    """What the tracks of a run add to their manifests' locks."""

    def __init__(
        self,
        files: Mapping[str, LockFile],
        clock: Clock,
        observe: Callable[[Event], None],
        renamings: Mapping[str, Sequence[Renaming]],
        *,
        buys: bool,
    ) -> None:
        """`files`, `renamings`: by manifest. `buys`: it pays for something, so that a lock that fails stops the run."""
        self._files = files
        self._renamings = renamings
        self._clock = clock
        self._observe = observe
        self._buys = buys
        self._waiting: dict[str, dict[str, Standing]] = {}
        self._next_at: dict[str, float] = {}

    def land(self, result: TrackResult) -> None:
        """A track has come to its end: it goes into its lock now, or with the next one that does.

        Raises what `LockFile.update` raises, where something was bought.
        """
        name, now = result.plan.track.manifest, self._clock.now()
        self._add(result)
        if now >= self._next_at.get(name, 0.0):
            self._next_at[name] = now + max(_EVERY_S, _FOR_EACH_TRACK_S * self._files[name].length)
            self._write(name)

    def end(self, results: Iterable[ManifestResult]) -> None:
        """The run is over: everything that is known of its tracks. Raises as `land` does."""
        for manifest in results:
            for track in manifest.tracks:
                if track.plan.action is not Action.SKIP:
                    self._add(track)
            self._write(manifest.plan.manifest.name)
            self._files[manifest.plan.manifest.name].forget()  # the report is to come, and wants memory

    def _add(self, result: TrackResult) -> None:
        self._waiting.setdefault(result.plan.track.manifest, {})[result.plan.track.name] = standing_of(result)

    def _write(self, name: str) -> None:
        waiting = self._waiting.pop(name, {})
        try:
            changes = {track: partial(_pin, standing) for track, standing in waiting.items()}
            self._files[name].update(changes, self._renamings.get(name, ()))
        except LOCK_ERRORS as error:
            if self._buys:
                raise
            what = trouble(error) if isinstance(error, OSError) else str(error)
            self._observe(Notice(f"the lock is not written: {what}"))


def _pin(standing: Standing, entry: LockedTrack) -> LockedTrack:
    return pinned(entry, standing)


def standing_of(result: TrackResult) -> Standing:
    """Where a track stands after what became of it."""
    before = planned(result.plan)
    jobs = {job.row: job for job in before.jobs}
    jobs |= {take.job.row: take.job for take in result.takes if take.job is not None}
    is_new = result.status in _LANDED or result.rows != result.plan.rows
    return replace(
        before, jobs=tuple(jobs.values()), rows=result.rows if is_new else before.rows, judged=_judged(result)
    )


def _judged(result: TrackResult) -> dict[Version, str | None]:
    """What the gates said of each take that was finished now."""
    if result.status in ("skipped", "planned") or result.plan.action in (Action.KEEP, Action.BLOCKED):
        return {}
    fit: dict[Version, str | None] = {take.plan.version: None for take in usable(result.takes)}
    return fit | {take.plan.version: take.error for take in result.takes if take.failed_gate}

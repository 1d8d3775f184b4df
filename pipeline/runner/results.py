"""What became of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.jobs import Commitment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.jobs import Job, PurchaseKey
    from pipeline.ledger.records import Finishing
    from pipeline.output import AssetRow
    from pipeline.planning.plans import ManifestPlan, TakePlan, TrackPlan


EXIT_TRACKS: Final = 1  # some tracks failed, or `check` found something
EXIT_USAGE: Final = 2  # bad manifest, bad words
EXIT_MONEY: Final = 3
EXIT_KEY: Final = 4
EXIT_FOLDER: Final = 5  # the state or output folder, a store, a farm


class Unsent(Exception):
    """A take that was held back: nothing was asked for, and its run stays open for it."""


class TakeLost(Exception):
    """A take that will not come in this run. Its text says why."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run stopped before its end: what it says, and the exit status it asks for."""

    exit: int
    message: str


@dataclass(frozen=True, slots=True)
class TakeResult:
    """What became of one take. `error` is None where its source is here, or was not needed."""

    plan: TakePlan
    job: Job | None = None
    error: str | None = None
    unsent: bool = False  # held back by money, the key, or a signal: its run stays open for it
    failed_gate: bool = False  # its source is here, and is not what a take should be: `error` says why


@dataclass(frozen=True, slots=True)
class TrackResult:
    """What became of one track. `rows` are its rows of the index as they stand now."""

    plan: TrackPlan
    status: str  # planned, generated, finished, kept, failed, skipped
    takes: tuple[TakeResult, ...] = ()
    rows: tuple[AssetRow, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ManifestResult:
    """What became of one manifest."""

    plan: ManifestPlan
    tracks: tuple[TrackResult, ...]
    strays: tuple[TakeResult, ...] = ()
    committed: Commitment = field(default_factory=Commitment)  # its run's, over all the run's processes
    run: int | None = None  # the ledger's number of its run; None where it was not begun
    collected: frozenset[PurchaseKey] = frozenset()  # what came home in its run, in this process or an earlier one
    finishings: tuple[Finishing, ...] = ()  # of this process

    @property
    def rows(self) -> Iterator[AssetRow]:
        """Its rows of the index as they stand now."""
        return (row for track in self.tracks for row in track.rows)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What became of all of it. `seconds` are this process's."""

    manifests: tuple[ManifestResult, ...]
    seconds: float
    stop: Stop | None = None
    notices: Sequence[str] = ()

    @property
    def tracks(self) -> tuple[TrackResult, ...]:
        return tuple(track for manifest in self.manifests for track in manifest.tracks)

    @property
    def committed(self) -> Commitment:
        return sum((manifest.committed for manifest in self.manifests), Commitment())

    @property
    def counts(self) -> Mapping[str, int]:
        """How many tracks became what, over all the run's processes."""
        statuses = [_in_the_whole_run(track, part.collected) for part in self.manifests for track in part.tracks]
        return {status: statuses.count(status) for status in ("generated", "finished", "kept", "failed", "skipped")}

    @property
    def exit(self) -> int:
        """The exit status: what stopped the run, else whether a track failed."""
        if self.stop is not None:
            return self.stop.exit
        return (
            EXIT_TRACKS if self.counts["failed"] or any(take.error for m in self.manifests for take in m.strays) else 0
        )


def _in_the_whole_run(track: TrackResult, collected: frozenset[PurchaseKey]) -> str:
    """What an earlier process of the run generated, this one finds and keeps: in the run it was generated."""
    ours = track.status in ("kept", "finished") and any(take.key in collected for take in track.plan.takes)
    return "generated" if ours else track.status

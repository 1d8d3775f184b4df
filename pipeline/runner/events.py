"""What a run says while it goes on: plain values, handed to an observer as they happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipeline.jobs import Commitment


@dataclass(frozen=True, slots=True)
class RunStarted:
    """How much there is to do."""

    submits: int
    collects: int
    tracks: int
    slots: int = 0  # jobs that may be in flight at one time; 0: not told


@dataclass(frozen=True, slots=True)
class TakeSubmitted:
    """The gateway took a job: it has an id."""

    manifest: str
    track: str
    take: int
    job_id: str


@dataclass(frozen=True, slots=True)
class TakeGenerated:
    """A job has completed, and its bill is known or will be once it is here."""

    manifest: str
    track: str
    take: int
    cost_microusd: int | None


@dataclass(frozen=True, slots=True)
class TakeDownloaded:
    """A source is in the state folder, whole."""

    manifest: str
    track: str
    take: int
    size: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class TakeFailed:
    """A take will not come in this run."""

    manifest: str
    track: str
    take: int
    error: str


@dataclass(frozen=True, slots=True)
class TrackMoved:
    """A renamed track's assets have taken its name."""

    manifest: str
    track: str
    old_name: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FinishingBegun:
    """A track has all that its finishing needs, and is in a worker's hands or waits for one."""

    manifest: str
    track: str


@dataclass(frozen=True, slots=True)
class TrackFinished:
    """A track's assets stand in the output folder."""

    manifest: str
    track: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrackFailed:
    """A track has no new asset: why."""

    manifest: str
    track: str
    error: str


@dataclass(frozen=True, slots=True)
class MoneyMoved:
    """What all of the run's manifests bind now."""

    commitment: Commitment


#: Why something waits: the gateway refused a request for coming too soon (refused), the limit of requests a minute is
#: used up (limit), a job is not done (poll), something failed and is tried again (retry), or as many jobs are in flight
#: as may be (slot).
Cause = Literal["refused", "limit", "poll", "retry", "slot"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something has to wait, and why. `seconds` None: nobody knows how long."""

    what: str
    seconds: float | None
    why: str
    cause: Cause = "retry"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that somebody should read."""

    text: str


Event = (
    RunStarted
    | TakeSubmitted
    | TakeGenerated
    | TakeDownloaded
    | TakeFailed
    | TrackMoved
    | FinishingBegun
    | TrackFinished
    | TrackFailed
    | MoneyMoved
    | Waiting
    | Notice
)

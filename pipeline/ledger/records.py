"""What the ledger holds beside jobs, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.jobs import Kind
    from pipeline.money import Basis


class Nonsense(Exception):
    """A value was read that no ledger of ours has."""


@dataclass(frozen=True, slots=True)
class Run:
    """A plan being carried to its end, by however many processes that takes."""

    id: int
    manifest: str
    kind: Kind
    opened_at: float
    closed_at: float | None


@dataclass(frozen=True, slots=True)
class Charge:
    """A bill as it was booked, never changed afterwards. Times are seconds since 1970."""

    id: int
    job: int  # the row of the job that it is for
    charged_at: float  # when it became known
    amount_microusd: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class Source:
    """Audio as the gateway delivered it, by its hash."""

    sha256: str
    format: str
    size: int
    duration_s: float
    sample_rate: int
    channels: int
    stored_at: float
    pruned_at: float | None = None  # when it was removed from disk, since nothing named it any more


@dataclass(frozen=True, slots=True)
class Bought:
    """What somebody else of the team has paid for a take, and when it came home there, in seconds since 1970."""

    by: str
    at: float
    job_id: str
    cost_microusd: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is shown of a finished file. `waveform`: as the audio room packs it; figures not measurable are None."""

    manifest: str
    path: str  # below the output folder, or of a take beside the pick below the state folder
    sha256: str
    waveform: bytes
    lufs: float | None
    true_peak_dbtp: float | None
    duration_s: float

    @property
    def figures(self) -> tuple[float | None, float | None, float]:
        return self.lufs, self.true_peak_dbtp, self.duration_s


@dataclass(frozen=True, slots=True)
class Finishing:
    """A track was finished, with its wait for a worker. Times are seconds since 1970."""

    track: str
    began_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class JobSpan:
    """How long a job took, as polls saw it: something between two ages, in seconds since it was accepted."""

    model: str
    seconds_asked: float
    after_s: float
    until_s: float

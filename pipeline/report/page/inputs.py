"""What a page is made of, beside what the cost report is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.audio.waveform import Waveform
    from pipeline.manifest.tracks import Track
    from pipeline.report.costs import CostReport
    from pipeline.report.inputs import CostInput


@dataclass(frozen=True, slots=True)
class TrackFinishing:
    """When a track was finished, with its wait for a worker, in seconds since 1970."""

    manifest: str
    track: str
    began_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class PageInput:
    """The facts of a page."""

    costs: CostInput
    report: CostReport
    tracks: Sequence[Track] = ()  # of the manifests that were given
    waveforms: Mapping[str, Waveform] = field(default_factory=dict)  # by the SHA-256 of the file
    starts: Sequence[float] = ()  # when a process began or went on with this run, seconds since 1970, ascending
    finishings: Sequence[TrackFinishing] = ()  # of this run
    review: str | None = None  # where `pipeline review` is served: the page can then choose

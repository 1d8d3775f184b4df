"""What crosses to a finishing worker and comes back: paths and plain values, never audio, never a key.

No numpy here: the runner imports this and stays light.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydub import AudioSegment

    from pipeline.audio.marks import SourceMarks
    from pipeline.audio.settings import Finishing, Output
    from pipeline.audio.waveform import Waveform

Step = Callable[["AudioSegment"], "AudioSegment"]


def step_name(step: Step) -> str:
    """What a step is called in fingerprints. Raises TypeError for one that a worker process could not find."""
    module, name = getattr(step, "__module__", None), getattr(step, "__qualname__", "")
    if not module or not name or "<" in name:
        raise TypeError(f"{step!r} can't be a step: expected a function at the top level of a module")
    return f"{module}.{name}"


class AudioError(Exception):
    """A source or an asset that can't be finished. Its text is one sentence for the report."""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What decoding a source once has shown."""

    duration_s: float
    frames: int
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the index's word
    """Something about an asset that somebody should know: `code` for machines, `message` for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Target:
    """One file to make: what, and where the worker writes it (a temporary name; the runner gives the final one).

    `intro_path`: where a loop's intro goes that is split off. None: it is dropped.
    """

    output: Output
    path: str
    intro_path: str | None = None


@dataclass(frozen=True, slots=True)
class FinishTask:
    """A source file and the files to make of it."""

    source: str
    finishing: Finishing
    targets: tuple[Target, ...]
    serial_seed: str  # what Ogg streams' serials are derived from, so that the same inputs give the same bytes
    metadata: tuple[tuple[str, str], ...] = ()  # (NAME, value), written into the files' tags
    steps: tuple[Step, ...] = ()  # the user's own, run before loudness
    asked_s: float | None = None  # how long the source was asked to be; None: nobody asked
    gain_db: float | None = None  # its loudness group's; None: towards its own target


@dataclass(frozen=True, slots=True)
class GatingBlocks:
    """What a shaped source brings to the joint loudness of its group.

    `powers`: the K-weighted power of each of its 400 ms blocks, one every 100 ms, as float32 (24 kB for ten minutes).
    """

    powers: bytes
    true_peak_dbtp: float | None
    has_loudness: bool = True  # False: it is too short for one


def joint_warnings(members: Iterable[GatingBlocks]) -> tuple[Warning, ...]:
    """What to say of sounds that get one gain from what all of them bring together."""
    audible = [member for member in members if member.has_loudness or member.true_peak_dbtp is not None]
    if not audible or any(member.has_loudness for member in audible):
        return ()
    text = "all of them are too short for a loudness: levelled together, by their highest true peak"
    return (Warning("levelled_by_peak", text),)


@dataclass(frozen=True, slots=True)
class FinishedFile:
    """A finished file as measured on what was delivered. A figure that could not be measured is None."""

    path: str  # the target's
    format: str
    size: int
    sha256: str
    duration_s: float
    sample_rate: int
    channels: int
    lufs: float | None
    max_short_term_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float | None
    loop: tuple[int, int] | None = None  # (start, end) in samples at the output's rate, end exclusive
    warnings: tuple[Warning, ...] = ()
    limited_db: float = 0.0  # the most that the limiter took off its peaks
    gain_db: float = 0.0  # what its sound was turned up by before that, or down
    intro: FinishedFile | None = None  # the file of what comes before the loop, where that was split off
    source_marks: SourceMarks | None = None  # what its source said of itself
    waveform: Waveform | None = None


@dataclass(frozen=True, slots=True)
class SeamScore:
    """How much a loop's seam stands out, in percentiles of the loop's own jumps, and whether it is heard."""

    flux: float
    sample_step: float
    level_step: float
    is_heard: bool


@dataclass(frozen=True, slots=True)
class Examination:
    """What can be said about one file as it is. A figure that could not be measured is None; `unmeasured` says why."""

    format: str
    encoding: str  # libsndfile's word for what is in it: pcm_24, vorbis
    duration_s: float
    frames: int
    sample_rate: int
    channels: int  # the file's own
    lufs: float | None
    max_short_term_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float | None
    sample_peak_dbfs: float | None
    loop: tuple[int, int] | None = None  # (start, end) in samples, end exclusive, as its tags say
    seam: SeamScore | None = None  # where it loops
    warnings: tuple[Warning, ...] = ()
    unmeasured: tuple[tuple[str, str], ...] = ()  # (figure, why)

"""What generators do wrong, found in a source: its length and ending, gaps, clipping, lost in mono, off centre."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from pipeline.audio.channels import STEREO
from pipeline.audio.gates import Finding
from pipeline.audio.loop_alignment import dot
from pipeline.audio.sound import Sound

if TYPE_CHECKING:
    from pipeline.audio.sound import Samples

_LEAST_LENGTH: Final = 0.5  # of what was asked
_NEAR_LENGTH: Final = (0.95, 1.05)
_LEAST_AUDIBLE: Final = 0.9
_AUDIBLE: Final = 1e-3  # -60 dBFS
_BLOCK_S: Final = 0.01
_GAP_S: Final = 0.5
_ENDING_FRAMES: Final = 4_096  # looked at together, from the end back
_LAST_S: Final = 0.05
_BEFORE_LAST_S: Final = 1.0
_CUT_WITHIN_DB: Final = 6.0
_FAINT_CUT_DBFS: Final = -50.0  # what is cut below it has faded well enough
_FULL_SCALE: Final = 32_766.5 / 32_768  # the highest step of 16 bits, and what rounds to it
_CLIPPED_RUN: Final = 3
_MOST_CLIPPED_RUNS: Final = 3
# Sides that have nothing in common lose 3.01 dB and correlate by zero, a little more or less: that is width, no fault.
_MOST_FOLD_DOWN_LOSS_DB: Final = 3.1
_LEAST_CORRELATION: Final = -0.02
_MOST_OFFSET: Final = 0.005


def find_faults(source: Sound, asked_s: float | None, *, loops: bool) -> list[Finding]:
    """Everything that its gates find in `source`, but for silence (gates.find_silence), the worst first.

    `asked_s`: how long it was asked to be, if it was. `loops`: it becomes a loop, and its ending is not kept.
    """
    return [
        *find_length(source, asked_s),
        *find_ending(source, asked_s, loops=loops),
        *find_gaps(source),
        *find_clipping(source),
        *find_mono_loss(source),
        *find_offset(source),
    ]


def find_length(source: Sound, asked_s: float | None) -> list[Finding]:
    """Is it under half as long as asked? Mildly: more than 5 % off?"""
    finding = None if asked_s is None else length_finding(source.duration_s, asked_s)
    return [] if finding is None else [finding]


def length_finding(duration_s: float, asked_s: float) -> Finding | None:
    """What the length gate finds in something so long; None where it is about as long as asked."""
    share = duration_s / asked_s
    low, high = _NEAR_LENGTH
    if low <= share <= high:
        return None
    return Finding("length", f"{duration_s:.1f} s long, and {asked_s:g} s were asked", is_mild=share >= _LEAST_LENGTH)


def find_ending(source: Sound, asked_s: float | None, *, loops: bool) -> list[Finding]:
    """Is it silent long before the time that was asked, or cut off in the middle of the music?"""
    end_s = _audible_frames(source) / source.sample_rate
    if end_s == 0:
        return []
    if asked_s is not None and end_s < _LEAST_AUDIBLE * asked_s:
        return [Finding("ending", f"silent after {end_s:.1f} s, and {asked_s:g} s were asked")]
    if loops or end_s <= _BEFORE_LAST_S:
        return []
    end = round(end_s * source.sample_rate)
    last = _level_dbfs(source.samples[end - round(_LAST_S * source.sample_rate) : end])
    before = _level_dbfs(source.samples[end - round(_BEFORE_LAST_S * source.sample_rate) : end])
    if last < _FAINT_CUT_DBFS or last < before - _CUT_WITHIN_DB:
        return []
    return [
        Finding("ending", f"cut off: as loud in its last 50 ms ({last:.0f} dBFS) as before; a fade_out would mend it")
    ]


def find_gaps(source: Sound) -> list[Finding]:
    """Is there half a second or more of silence inside?"""
    block = max(1, round(_BLOCK_S * source.sample_rate))
    audible = np.flatnonzero(_block_peaks(source, block) > _AUDIBLE)
    silences = np.diff(audible) - 1
    if not len(silences) or silences.max() * block < _GAP_S * source.sample_rate:
        return []
    longest = int(silences.argmax())
    at_s = (int(audible[longest]) + 1) * block / source.sample_rate
    return [Finding("gap", f"{int(silences[longest]) * block / source.sample_rate:.1f} s of silence at {at_s:.1f} s")]


def find_clipping(source: Sound) -> list[Finding]:
    """Are there more than three runs of three or more samples at full scale?"""
    if source.samples.max() < _FULL_SCALE and source.samples.min() > -_FULL_SCALE:
        return []
    runs = sum(_clipped_runs(channel) for channel in source.samples.T)
    if runs <= _MOST_CLIPPED_RUNS:
        return []
    return [Finding("clipping", f"clipped in {runs:,} places")]


def find_mono_loss(source: Sound) -> list[Finding]:
    """Do left and right cancel each other where they are played as one?"""
    if source.channels != STEREO:
        return []
    left, right = source.samples[:, 0], source.samples[:, 1]
    powers, both = (dot(left, left), dot(right, right)), dot(left, right)
    if min(powers) == 0:
        return []
    loss_db = 10 * np.log10(2 * sum(powers) / max(sum(powers) + 2 * both, 1e-9 * sum(powers)))
    correlation = both / (powers[0] * powers[1]) ** 0.5
    if loss_db <= _MOST_FOLD_DOWN_LOSS_DB and correlation >= _LEAST_CORRELATION:
        return []
    text = f"{loss_db:.1f} dB are lost in mono, left and right correlate by {correlation:.2f}"
    return [Finding("mono", text)]


def find_offset(source: Sound) -> list[Finding]:
    """Is its mean off zero?"""
    offset = float(np.abs(_means(source)).max())
    return [Finding("dc", f"its mean is {offset:.3f} off zero")] if offset > _MOST_OFFSET else []


def without_offset(sound: Sound) -> Sound:
    """`sound` with its mean subtracted where that is off zero: a filter would have to begin somewhere in a loop."""
    if not find_offset(sound):
        return sound
    return Sound(sound.samples - _means(sound).astype(np.float32), sound.sample_rate)


def _means(sound: Sound) -> npt.NDArray[np.float64]:
    return np.array([channel.mean(dtype=np.float64) for channel in sound.samples.T])


def _audible_frames(sound: Sound) -> int:
    """How many frames there are up to the last one over -60 dBFS."""
    for end in range(sound.frames, 0, -_ENDING_FRAMES):
        start = max(0, end - _ENDING_FRAMES)
        within = np.flatnonzero((np.abs(sound.samples[start:end]) > _AUDIBLE).any(axis=1))
        if len(within):
            return start + int(within[-1]) + 1
    return 0


def _block_peaks(sound: Sound, block: int) -> Samples:
    """The highest absolute sample of any channel in each `block` frames, the last of which may be fewer."""
    interleaved = sound.samples.reshape(-1)
    starts = np.arange(0, sound.frames, block) * sound.channels
    peaks: Samples = np.maximum(np.maximum.reduceat(interleaved, starts), -np.minimum.reduceat(interleaved, starts))
    return peaks


def _level_dbfs(samples: Samples) -> float:
    power = float(np.mean(samples.astype(np.float64) ** 2))
    return 10 * float(np.log10(max(power, 1e-20)))


def _clipped_runs(channel: Samples) -> int:
    """Runs of three or more at full scale, each of one sign. What goes over full scale is not cut off there."""
    height = np.abs(channel)
    at_full_scale = np.flatnonzero((height >= _FULL_SCALE) & (height <= 1))
    if len(at_full_scale) < _CLIPPED_RUN:
        return 0
    ends = np.flatnonzero((np.diff(at_full_scale) > 1) | np.diff(channel[at_full_scale] > 0))
    edges = np.concatenate([[-1], ends, [len(at_full_scale) - 1]])
    return int(np.count_nonzero(np.diff(edges) >= _CLIPPED_RUN))

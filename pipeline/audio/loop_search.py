"""Where could a piece of music loop? Wherever it comes back to what it was: candidates from its own spectra.

For each length that a loop might have, the place is sought at which the second or two around its start and around its
end are most alike. Fade-outs, which generators end with, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.audio.spectra import band_levels

if TYPE_CHECKING:
    import numpy.typing as npt

    from pipeline.audio.sound import Samples

_HOP_S: Final = 0.045
_MOST_MOMENTS: Final = 8_000  # each is compared with every other: from six minutes on they lie further apart
_HOPS_A_WINDOW: Final = 4
_AROUND_S: Final = 3.0  # compared at both ends: one to two bars
_MOST_AROUND: Final = 0.15  # of a short sound
_MOST_CANDIDATES: Final = 16
_SMALLEST_SPREAD: Final = 1e-12
_LEVEL_OVER_S: Final = 1.5
_FADED_DB: Final = 2.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A loop from `start` to about `end`, in frames, and how unlike its ends are: 0 the same, 1 any two moments."""

    start: int
    end: int
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class LoopSearch:
    """A signal's spectra, compared with themselves `lag` moments later."""

    levels: Samples  # (moments, bands), up to where it fades out
    hop: int  # frames a moment
    around: int  # moments that are compared at each end
    spread: float  # the mean squared distance of any two moments

    def distances(self, lag: int) -> Samples:
        """By the first moment compared: how unlike the moments from there on are to those `lag` later."""
        apart = self.levels[lag:] - self.levels[:-lag]
        each = np.einsum("tb,tb->t", apart, apart)
        sums = np.concatenate([[0.0], np.cumsum(each, dtype=np.float64)])
        means: Samples = ((sums[self.around :] - sums[: -self.around]) / self.around / self.spread).astype(np.float32)
        return means

    def frame(self, moment: int) -> int:
        """The frame in the middle of what is compared from `moment` on."""
        return (moment + self.around // 2) * self.hop + _HOPS_A_WINDOW * self.hop // 2


def search_in(signal: Samples, sample_rate: int) -> LoopSearch:
    """`signal`, one channel, ready to be searched."""
    usable = signal[: usable_frames(signal, sample_rate)]
    hop = max(1, round(_HOP_S * sample_rate), len(usable) // _MOST_MOMENTS)
    around = min(_AROUND_S, _MOST_AROUND * len(usable) / sample_rate)
    levels = band_levels(usable, sample_rate, _HOPS_A_WINDOW * hop, hop)
    spread = max(2 * float(levels.var(axis=0).sum()), _SMALLEST_SPREAD)
    return LoopSearch(levels, hop, max(2, round(around * sample_rate / hop)), spread)


def candidates_in(search: LoopSearch, least_frames: int) -> list[Candidate]:
    """Loops of at least `least_frames`, or a moment less, those with the most alike ends first; each length once."""
    least = max(1, least_frames // search.hop)
    most = len(search.levels) - search.around
    lowest = np.array([float(search.distances(lag).min()) for lag in range(least, most + 1)])
    chosen = []
    for at in _valleys(lowest)[:_MOST_CANDIDATES]:
        lag = least + at
        start = search.frame(int(search.distances(lag).argmin()))
        chosen.append(Candidate(start, start + lag * search.hop, float(lowest[at])))
    return chosen


def usable_frames(signal: Samples, sample_rate: int) -> int:
    """How much of `signal` comes before it fades out: up to where it is last about as loud as it mostly is."""
    tenth = max(1, sample_rate // 10)
    tenths = len(signal) // tenth
    length = round(_LEVEL_OVER_S * 10)
    if tenths <= length:
        return len(signal)
    pieces = signal[: tenths * tenth].reshape(tenths, tenth)
    power = np.einsum("tf,tf->t", pieces, pieces, dtype=np.float64) / tenth
    smooth = np.convolve(power, np.ones(length) / length, mode="valid")
    loud = np.flatnonzero(smooth >= np.median(smooth) * 10 ** (-_FADED_DB / 10))
    last = int(loud[-1]) + length
    return len(signal) if last >= tenths else last * tenth


def _valleys(values: npt.NDArray[np.float64]) -> list[int]:
    """Where `values` is no higher than on either side, the deepest first."""
    around = np.concatenate([[np.inf], values, [np.inf]])
    lowest = np.flatnonzero((values <= around[:-2]) & (values <= around[2:]))
    return [int(at) for at in lowest[np.argsort(values[lowest], kind="stable")]]

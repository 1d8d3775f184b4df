"""The loop that a sound is cut to: its length by what repeats, its place by where a seam is least noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from pipeline.audio.channels import middle
from pipeline.audio.loop_alignment import Alignment, align
from pipeline.audio.loop_search import Candidate, LoopSearch, candidates_in, search_in
from pipeline.audio.spectra import FLUX_HOP, flux

if TYPE_CHECKING:
    from pipeline.audio.sound import Samples, Sound

_SHORTEST_SEARCHED_S: Final = 1.0
_REPEATS_FROM: Final = 0.8  # a correlation
_ALIKE_UP_TO: Final = 0.25  # a distance
_EQUAL_CORRELATION: Final = 0.03
_EQUAL_DISTANCE: Final = 1.15
_EQUAL_ENOUGH: Final = 0.01
_MOST_PLACES: Final = 6
_PLACES_APART_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class LoopPlace:
    """A loop from `start` to before `end`, in frames."""

    start: int
    end: int
    correlation: float  # of what is around both ends, 0 to 1
    repeats: bool  # False: nothing repeats, and both ends are merely the least unlike


def find_loop(sound: Sound, least_frames: int) -> list[LoopPlace]:
    """Where to loop `sound` for at least `least_frames`, as far as it is that long: the most promising place first."""
    if sound.duration_s < _SHORTEST_SEARCHED_S:
        return [_all_of(sound)]
    signal = middle(sound.samples)
    search = search_in(signal, sound.sample_rate)
    longest = max(0, len(search.levels) - search.around - 1) * search.hop
    candidates = candidates_in(search, min(least_frames, longest))
    if not candidates:
        return [_all_of(sound)]
    candidate, alignment = _chosen(signal, search, candidates, sound.sample_rate, least_frames)
    length = alignment.end - candidate.start
    repeats = alignment.correlation >= _REPEATS_FROM or candidate.distance <= _ALIKE_UP_TO
    starts = _quiet_starts(signal, search, length, sound.sample_rate) or [candidate.start]
    return [_placed(signal, start, length, sound.sample_rate, repeats=repeats) for start in starts]


def _all_of(sound: Sound) -> LoopPlace:
    """What is too short to be searched: its last fifth is left to be folded onto its head."""
    return LoopPlace(0, max(1, sound.frames - sound.frames // 5), 0.0, repeats=False)


def _chosen(
    signal: Samples, search: LoopSearch, candidates: list[Candidate], sample_rate: int, least_frames: int
) -> tuple[Candidate, Alignment]:
    """The longest among those that repeat as well as the best; where none does, among the least unlike."""
    aligned = [(each, align(signal, each.start, each.end, sample_rate, search.hop // 2)) for each in candidates]
    aligned = [pair for pair in aligned if pair[1].end - pair[0].start >= least_frames] or aligned
    best = max(alignment.correlation for _, alignment in aligned)
    if best >= _REPEATS_FROM:
        equals = [pair for pair in aligned if pair[1].correlation >= best - _EQUAL_CORRELATION]
    else:
        nearest = min(each.distance for each, _ in aligned)
        equals = [pair for pair in aligned if pair[0].distance <= nearest * _EQUAL_DISTANCE]
    return max(equals, key=lambda pair: pair[1].end - pair[0].start)


def _quiet_starts(signal: Samples, search: LoopSearch, length: int, sample_rate: int) -> list[int]:
    """Starts at which the ends of a loop of `length` are about as alike as can be; first where least begins."""
    lag = min(round(length / search.hop), len(search.levels) - search.around)
    distances = search.distances(lag)
    good = np.flatnonzero(distances <= max(_EQUAL_DISTANCE * distances.min(), distances.min() + _EQUAL_ENOUGH))
    moments = np.array([search.frame(int(moment)) for moment in good])
    frames = (moments[:, np.newaxis] + np.arange(0, search.hop, FLUX_HOP)).reshape(-1)
    frames = frames[frames + length < len(signal)]
    restless = _highest_around(flux(signal))
    cost = np.maximum(_at(restless, frames), _at(restless, frames + length))
    return _apart(frames[np.argsort(cost, kind="stable")], round(_PLACES_APART_S * sample_rate))


def _highest_around(values: Samples) -> Samples:
    """The highest of each value and the three on either side."""
    padded = np.pad(values, 3, mode="edge")
    highest: Samples = np.lib.stride_tricks.sliding_window_view(padded, 7).max(axis=1)
    return highest


def _at(restless: Samples, frames: npt.NDArray[np.int64]) -> Samples:
    """The flux where a window's middle lies at each of `frames`."""
    values: Samples = restless[np.clip(frames // FLUX_HOP - 2, 0, len(restless) - 1)]
    return values


def _apart(frames: npt.NDArray[np.int64], least: int) -> list[int]:
    """The first few of `frames` that are not next to one before."""
    chosen: list[int] = []
    for frame in frames.tolist():
        if all(abs(frame - other) >= least for other in chosen):
            chosen.append(frame)
        if len(chosen) == _MOST_PLACES:
            break
    return chosen


def _placed(signal: Samples, start: int, length: int, sample_rate: int, *, repeats: bool) -> LoopPlace:
    alignment = align(signal, start, start + length, sample_rate)
    end = start + length if alignment.correlation >= _REPEATS_FROM else alignment.end
    return LoopPlace(start, end, max(0.0, alignment.correlation), repeats)

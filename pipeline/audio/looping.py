"""A sound becomes a loop: cut where its music comes back, and joined so that the seam passes unheard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.audio.crossfade import crossfaded
from pipeline.audio.loop_places import LoopPlace, find_loop
from pipeline.audio.seam import seam_of
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import Warning as AssetWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.audio.seam import Seam
    from pipeline.audio.settings import Loop
    from pipeline.audio.sound import Samples

_LEAST_SHARE: Final = 0.4  # of what was asked
_SHORTEST_CROSSFADE_S: Final = 0.02
_LONGEST_CROSSFADE_S: Final = 1.0
_NEEDS_NO_MORE: Final = 0.95  # the correlation from which the shortest will do
_ALIGNED_WITHIN_S: Final = 0.1  # what finding the sample may take off a length
_MOST_CROSSFADE: Final = 0.25  # of the loop
_SAME_LENGTH_S: Final = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Looped:
    """A sound whose end leads back to the frame `start`; 0: all of it loops."""

    sound: Sound
    start: int
    repeats: bool  # False: nothing in it comes back, and only the crossfade joins its ends
    crossfade_s: float
    begins: int = 0  # the frame of what it was made of that it begins with
    warnings: tuple[AssetWarning, ...] = ()


def looped(sound: Sound, loop: Loop, asked_s: float | None = None) -> Looped:
    """`sound` as a loop. `asked_s`: how long its source was asked to be, if it was.

    With `intro` at "drop" the loop is all that is left; else what comes before it is kept in front.
    """
    least_s = loop.min_s or _LEAST_SHARE * (asked_s or sound.duration_s)
    places = find_loop(sound, round(least_s * sound.sample_rate))
    best = _least_heard(sound, places, loop)
    return replace(best, warnings=tuple(_warnings(best, loop, least_s)))


def _warnings(made: Looped, loop: Loop, least_s: float) -> Iterator[AssetWarning]:
    length_s = (made.sound.frames - made.start) / made.sound.sample_rate
    if length_s < least_s - _ALIGNED_WITHIN_S:
        text = f"loops over {length_s:.1f} s, and at least {least_s:.1f} were asked: there is no more of it"
        yield AssetWarning("loop_short", text)
    if loop.crossfade_s is not None and made.crossfade_s < loop.crossfade_s - _SAME_LENGTH_S:
        text = f"its ends are crossfaded over {made.crossfade_s:.3g} s, and {loop.crossfade_s:g} were asked"
        yield AssetWarning(
            "crossfade_shortened", f"{text}: at most a quarter of it, and no more than sounds around its ends"
        )
    if loop.intro != "drop" and made.start == 0:
        yield AssetWarning("no_intro", "it loops from its first sample on: there is nothing before the loop")


def _least_heard(sound: Sound, places: Sequence[LoopPlace], loop: Loop) -> Looped:
    """The first whose seam is not heard, else the one whose seam stands out least. One at a time is held."""
    prominences = []
    for place in places:
        made = _made(sound, place, loop)
        seam = seam_of(made.sound, made.start, made.sound.frames)
        if not seam.is_heard:
            return made
        prominences.append(_prominence(seam))
        del made
    return _made(sound, places[prominences.index(min(prominences))], loop)


def _prominence(seam: Seam) -> float:
    return max(seam.flux, seam.sample_step, seam.level_step)


def _made(sound: Sound, place: LoopPlace, loop: Loop) -> Looped:
    frames = _crossfade_frames(sound, place, loop.crossfade_s)
    after = sound.frames - place.end
    if place.start == 0 or (loop.intro == "drop" and (after >= frames or after > place.start)):
        frames = min(frames, after)
        samples, start, begins = _ring_folded(sound, place, frames), 0, place.start
    else:
        frames = min(frames, place.start)
        samples, start, begins = _led_back(sound, place, frames), place.start, 0
        if loop.intro == "drop":
            samples, start, begins = samples[start:], 0, start
    return Looped(Sound(samples, sound.sample_rate), start, place.repeats, frames / sound.sample_rate, begins)


def _crossfade_frames(sound: Sound, place: LoopPlace, asked_s: float | None) -> int:
    """As asked, or the longer the less both ends have in common."""
    unlike = min(1.0, max(0.0, _NEEDS_NO_MORE - place.correlation) / _NEEDS_NO_MORE)
    needed_s = _SHORTEST_CROSSFADE_S + unlike * (_LONGEST_CROSSFADE_S - _SHORTEST_CROSSFADE_S)
    frames = round((needed_s if asked_s is None else asked_s) * sound.sample_rate)
    return min(frames, int(_MOST_CROSSFADE * (place.end - place.start)))


def _ring_folded(sound: Sound, place: LoopPlace, frames: int) -> Samples:
    """The loop alone: what rings on after its end fades out over its head, which fades in."""
    folded = sound.samples[place.start : place.end].copy()
    if frames:
        folded[:frames] = crossfaded(sound.samples[place.end : place.end + frames], folded[:frames])
    return folded


def _led_back(sound: Sound, place: LoopPlace, frames: int) -> Samples:
    """All up to the loop's end, which fades into what comes before its start: the way in from there stays as it was."""
    samples = sound.samples[: place.end].copy()
    if frames:
        samples[-frames:] = crossfaded(samples[-frames:], sound.samples[place.start - frames : place.start])
    return samples

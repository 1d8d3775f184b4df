"""How long everything lasts: the passages of a piece, so that it fills its time exactly."""
# ruff: noqa: PLR2004 - music is counted in small numbers, plainer than names for them

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from pipeline.local_gateway.composer.sketch import Sketch

Close = Literal["full", "half", "turn"]  # how a passage ends: at home, left open, or leading home to what follows

PATTERNS: Final = ("", "A", "AA", "ABA", "AABA", "AABCA", "AABACA", "AABACBA")
CYCLE: Final = "AABACB"
LONG_BARS: Final = 24  # from here phrases have eight bars
MIDDLE_BARS: Final = 8  # from here four
SHORTEST_RING_S, LONGEST_RING_S = 0.45, 2.4  # what the last chord is given at least, short pieces and long
WIDEST_BEND: Final = 0.003  # how far a stated tempo may be bent so that a loop comes out even
FREE_BEND: Final = 0.07  # and one that nobody stated
LONGEST_PERIOD_BARS: Final = 64
SHARE: Final = 0.24  # of the file, that a loop's period has at least


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the piece. Sections with one label have the same music."""

    label: str  # I intro, A, B, C, E ending
    beat: float
    bars: int
    intensity: float  # 0 to 1
    close: Close = "full"
    last: bool = False  # the last before the ending, or the loop's


@dataclass(frozen=True, slots=True)
class Form:
    sections: tuple[Section, ...]
    skipped_beats: float  # a very short piece begins within its first bar
    ending_beat: float | None  # where the last chord is struck; None: a loop
    beats: float  # all of it


def shaped(sketch: Sketch, duration_s: float) -> tuple[Form, Sketch]:
    """The form for `duration_s`, and the sketch with the tempo that a loop settled on."""
    if sketch.loop:
        return _looped(sketch, duration_s)
    ring_s = min(LONGEST_RING_S, max(SHORTEST_RING_S, 0.22 * duration_s))
    room_beats = max(0.0, (duration_s - ring_s) / sketch.beat_s)
    bar = sketch.metre.beats
    bars = int(room_beats / bar + 1e-9)
    skipped = 0.0
    if bars < 2 and room_beats % bar >= 1:  # a stinger: begin with an upbeat rather than wait
        bars += 1
        skipped = bar - float(int(room_beats % bar))
    sections = _with_intro(bars, bar)
    ending = bars * bar
    total = duration_s / sketch.beat_s + skipped
    return Form((*sections, Section("E", ending, 1, 0.9)), skipped, ending, total), sketch


def _with_intro(bars: int, bar: float) -> tuple[Section, ...]:
    intro = _intro_bars(bars)
    found = _sections(phrases(bars - intro), intro * bar, bar)
    if not intro:
        return found
    return (Section("I", 0.0, intro, 0.35, "half"), *found)


def _intro_bars(bars: int) -> int:
    if bars < 10:  # no time to lose
        return 0
    return 4 if bars >= 36 or bars in {20, 21, 28, 29} else 2  # what leaves whole phrases


def phrases(bars: int) -> tuple[tuple[str, int], ...]:
    """Labels and lengths that fill `bars`; what does not divide lengthens the contrasting passage."""
    unit = 8 if bars >= LONG_BARS else 4 if bars >= MIDDLE_BARS else 2
    count, left = divmod(bars, unit)
    if count <= 1:
        return (("A", bars),) if bars else ()
    if count == 2 and unit == 4:  # room for a contrast if it's short
        return (("A", 4), ("B", 2), ("A", 2 + left))
    labels = PATTERNS[count] if count < len(PATTERNS) else (CYCLE * count)[: count - 1] + "A"
    grown = labels.find("B") if "B" in labels else len(labels) - 1
    return tuple((label, unit + left * (place == grown)) for place, label in enumerate(labels))


def _sections(plan: tuple[tuple[str, int], ...], beat: float, bar: float) -> tuple[Section, ...]:
    found: list[Section] = []
    for place, (label, bars) in enumerate(plan):
        last = place == len(plan) - 1
        after = plan[place + 1][0] if not last else ""
        close: Close = "turn" if last else "full" if label == "A" and after != "A" else "half"
        found.append(Section(label, beat, bars, _intensity(label, place, len(plan)), close, last))
        beat += bars * bar
    return tuple(found)


def _intensity(label: str, place: int, count: int) -> float:
    """A piece grows towards its end, and steps back before it."""
    grown = place / max(1, count - 1) if count > 1 else 0.7
    return {"A": 0.6, "B": 0.7, "C": 0.4}[label] + 0.35 * grown * (label != "C")


def _looped(sketch: Sketch, duration_s: float) -> tuple[Form, Sketch]:
    bars = duration_s / sketch.bar_s
    whole = _whole_bars(bars, fixed=sketch.tempo_fixed)
    if whole:
        sketch = replace(sketch, tempo_bpm=60.0 * sketch.metre.beats * whole / duration_s)
    period = _period(whole or int(bars - 2), divides=bool(whole))
    bar = sketch.metre.beats
    return Form(_sections(_loop_phrases(period), 0.0, bar), 0.0, None, period * bar), sketch


def _whole_bars(bars: float, *, fixed: bool) -> int:
    """How many bars the file shall be, or 0 where that would bend the tempo too far. Fours are best, then twos."""
    units = (1,) if fixed else (4, 2, 1)
    for unit in units:
        even = round(bars / unit) * unit
        if even and abs(even / bars - 1) <= (WIDEST_BEND if fixed else FREE_BEND):
            return even
    return 0


def _period(bars: int, *, divides: bool) -> int:
    """The bars after which a loop repeats: whole phrases, and at least twice begun within the file.

    Where the file is a whole number of bars it's a whole number of periods too, if that leaves them long enough: then
    the file itself loops without a seam.
    """
    if divides:
        fits = [size for size in range(1, bars // 2 + 1) if bars % size == 0 and size <= LONGEST_PERIOD_BARS]
        phrased = [size for size in fits if size % 4 == 0 and size >= SHARE * bars]
        if phrased or bars <= 4:  # one phrase in all
            return max(phrased or fits, default=1)
        bars -= 2
    unit = next((unit for unit in (4, 2) if bars >= unit), 1)
    return max(1, min(bars // unit * unit, LONGEST_PERIOD_BARS))


def _loop_phrases(bars: int) -> tuple[tuple[str, int], ...]:
    if bars % 8 == 0 and bars < 16:  # eight bars: a phrase and its answer
        return (("A", 4), ("B", 4))
    return phrases(bars)

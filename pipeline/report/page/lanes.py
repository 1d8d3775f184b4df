"""The timeline as SVG paths: one lane a take, one path a phase."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.report.page.timeline import PHASES
from pipeline.report.page.words import length

if TYPE_CHECKING:
    from pipeline.report.page.timeline import Timeline

WIDTH: Final = 1000  # units of x
_TALLEST_LANE: Final = 12
_LEAST_LANE: Final = 2
_MOST_LANES: Final = 2_000  # more are no picture any more
_TALL_ENOUGH: Final = 480
_MOST_NAMES: Final = 40
_TICKS: Final = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    14_400,
    43_200,
    86_400,
)
_MOST_TICKS: Final = 8
_SHORT_S: Final = 10


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the time axis. `x`: percent."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Mean:
    """What a take spends in a phase."""

    phase: str
    text: str
    percent: float  # of all phases together


@dataclass(frozen=True, slots=True)
class Lanes:
    """The picture: WIDTH by `height` units. `names`: where lanes are tall enough to be named."""

    height: int
    lane: int
    paths: tuple[tuple[str, str], ...]  # (phase, path)
    ticks: tuple[Tick, ...]
    breaks: tuple[float, ...]  # in units of x
    means: tuple[Mean, ...]
    names: tuple[str, ...]
    left_out: int


def lanes_of(timeline: Timeline) -> Lanes | None:
    """The picture of a timeline; None where there is nothing to show."""
    if not timeline.lanes or timeline.seconds <= 0:
        return None
    shown = timeline.lanes[:_MOST_LANES]
    lane = max(_LEAST_LANE, min(_TALLEST_LANE, _TALL_ENOUGH // len(shown)))
    paths: defaultdict[str, list[str]] = defaultdict(list)
    bar = lane - 1 if lane < _TALLEST_LANE else lane - 3
    for row, one in enumerate(shown):
        for span in one.spans:
            begin = round(span.begin / timeline.seconds * WIDTH)
            width = max(1, round(span.end / timeline.seconds * WIDTH) - begin)
            paths[span.phase].append(f"M{begin} {row * lane}h{width}v{bar}h-{width}z")
    return Lanes(
        height=lane * len(shown),
        lane=lane,
        paths=tuple((phase, "".join(paths[phase])) for phase in PHASES if paths[phase]),
        ticks=_ticks(timeline.seconds),
        breaks=tuple(round(at / timeline.seconds * WIDTH, 1) for at in timeline.breaks),
        means=_means(timeline),
        names=tuple(one.name for one in shown) if len(shown) <= _MOST_NAMES else (),
        left_out=len(timeline.lanes) - len(shown),
    )


def _ticks(seconds: float) -> tuple[Tick, ...]:
    step = next((step for step in _TICKS if seconds / step <= _MOST_TICKS), seconds / _MOST_TICKS)
    return tuple(
        Tick(round(100 * number * step / seconds, 2), _tick(number * step)) for number in range(int(seconds / step) + 1)
    )


def _tick(seconds: float) -> str:
    """`0`, `2.5 s`, `5 s`, `2 min 05 s`: no more digits than it takes."""
    return length(seconds) if seconds >= _SHORT_S else f"{seconds:g} s" if seconds else "0"


def _means(timeline: Timeline) -> tuple[Mean, ...]:
    known = [(phase, mean) for phase in PHASES if (mean := timeline.mean_s(phase)) is not None]
    whole = sum(mean for _, mean in known) or 1.0
    return tuple(Mean(phase, length(mean), round(100 * mean / whole, 2)) for phase, mean in known)

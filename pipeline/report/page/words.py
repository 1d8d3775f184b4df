"""Figures as the page has them: with a true minus, and a dash where nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.money import dollars
from pipeline.report.text import audio_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_UNKNOWN: Final = "\N{EN DASH}"
_MINUS: Final = "\N{MINUS SIGN}"
_KILO: Final = 1000.0
_TEN_S: Final = 10.0


def figure(value: float | None, decimals: int = 1) -> str:
    """A figure for people, with a true minus."""
    if value is None:
        return _UNKNOWN
    text = f"{value:,.{decimals}f}"
    return f"{_MINUS}{text[1:]}" if text.startswith("-") else text


def clock(seconds: float | None) -> str:
    """`0:07`, `1:02:30`: a place in a piece, or its length."""
    if seconds is None:
        return _UNKNOWN
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def length(seconds: float | None) -> str:
    """`1.5 s`, `12.5 s`, `2 min 05 s`."""
    if seconds is None:
        return _UNKNOWN
    return f"{seconds:.1f} s" if seconds < _TEN_S else audio_length(seconds)


def size(count: int) -> str:
    """`820 kB`, `1.2 MB`."""
    kilobytes = count / _KILO
    return f"{kilobytes:,.0f} kB" if kilobytes < _KILO else f"{kilobytes / _KILO:,.1f} MB"


def when(date: str | None) -> str:
    """`2026-09-02 04:10 UTC` of an ISO date; whatever else somebody wrote stays as it is."""
    return _UNKNOWN if date is None else f"{date[:16].replace('T', ' ')} UTC" if date.endswith("Z") else date


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "dollars": dollars,
    "figure": figure,
    "clock": clock,
    "lasts": length,
    "size": size,
    "when": when,
}

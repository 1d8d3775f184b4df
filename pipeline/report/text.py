"""Words for people: nothing from outside may move a terminal's cursor, break a line, or break a table."""

from __future__ import annotations

import unicodedata

from pipeline.times import timestamp

_REPLACED = "\N{REPLACEMENT CHARACTER}"


def one_line(text: str) -> str:
    """`text` on one line, without control characters, direction marks or broken surrogates."""
    plain = text if text.isprintable() else "".join(harmless(char) for char in text)
    return " ".join(plain.split())


def harmless(char: str) -> str:
    """`char`, or what stands for it where it could move a cursor or break a line."""
    if char.isprintable():
        return char
    return " " if char.isspace() or unicodedata.category(char).startswith("Z") else _REPLACED


def one_line_or_none(text: str | None) -> str | None:
    """`one_line` where there is something to say."""
    return one_line(text) if text else None


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 track`, `2,000 tracks`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def audio_length(seconds: float) -> str:
    """A length of audio: `45 s`, `9 min 30 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:.3g} s" if seconds < 59.5 else "60 s"  # noqa: PLR2004 - what is rounded up to a minute
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes} min {rest:02} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min"


def rough_length(seconds: float) -> str:
    """A length of time that is only guessed at: `5 s`, `45 s`, `4 min`, `2 h 10 min`."""
    if seconds < 57.5:  # noqa: PLR2004 - what is rounded up to a minute
        return f"{max(5, round(seconds / 5) * 5)} s"
    minutes = round(seconds / 60)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{max(1, minutes)} min"
    hours, minutes = divmod(round(minutes / 5) * 5, 60)
    return f"{hours:,} h {minutes:02} min"


def month_of(seconds: float) -> str:
    """The month of a moment in seconds since 1970, in UTC: `2026-09`."""
    return timestamp(seconds)[: len("2026-09")]

"""`refresh`: after how long a pick is generated again."""

from __future__ import annotations

import pytest
from manifest_texts import HEAD, one, track_mistakes, tracks

EXPECTED = "expected an age in hours, days or weeks, such as 12h, 7d or 2w, or null for never"
DAY = 24 * 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12h", 12 * 3600),
        ("1d", DAY),
        ("7d", 7 * DAY),
        ("2w", 14 * DAY),
        ('"7d"', 7 * DAY),
        ("null", None),
        ("~", None),
    ],
)
def test_an_age_is_hours_days_or_weeks(text: str, seconds: int | None) -> None:
    """`null` is never, and so is leaving it out."""
    assert one(f"refresh: {text}").refresh_s == seconds
    assert one("takes: 1").refresh_s is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7", "7"), ("0d", "'0d'"), ("-1d", "'-1d'"), ("1.5d", "'1.5d'"), ("7 d", "'7 d'"), ("7D", "'7D'"),
        ("7m", "'7m'"), ("weekly", "'weekly'"), ("99999d", "'99999d'"), ("true", "true"), ("[7d]", "a list"),
        ('"\u0667d"', "'\u0667d'"),
    ],
)  # fmt: skip
def test_anything_else_is_a_mistake_with_its_place(text: str, found: str) -> None:
    """File, line and column, what was found and what was expected."""
    assert track_mistakes(f"a: {{prompt: x, refresh: {text}}}") == [
        f"5:27: tracks.a.refresh: found {found}, {EXPECTED}"
    ]


def test_a_track_may_switch_off_what_defaults_say() -> None:
    """And have an age of its own."""
    plain, own, never = tracks(
        """
        plain: {prompt: x}
        own: {prompt: x, refresh: 12h}
        never: {prompt: x, refresh: null}
        """,
        head=HEAD + "defaults: {refresh: 7d}\n",
    )
    assert [track.refresh_s for track in (plain, own, never)] == [7 * DAY, DAY / 2, None]


def test_a_recording_is_never_generated() -> None:
    """Its own `refresh` is a mistake; that of `defaults` is not about it."""
    (told,) = track_mistakes("a: {file: a.wav, refresh: 7d}")
    assert told.endswith("tracks.a.refresh: means nothing for a recording (file), which is never generated")
    (track,) = tracks("a: {file: a.wav}", head=HEAD + "defaults: {refresh: 7d}\n")
    assert track.refresh_s is None

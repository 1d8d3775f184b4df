"""The table at the end of a run, on a terminal of 80 columns and with names of any letters."""

from __future__ import annotations

import unicodedata

import pytest
from report_factories import a_job, a_manifest_result, a_row, a_take, a_track, a_track_plan, a_track_result

from pipeline.jobs import State
from pipeline.planning.plans import Action
from pipeline.report.closing_table import table_lines
from pipeline.report.widths import display_width, shortened
from pipeline.runner.results import RunResult

HOSTILE = (
    "音楽/" + "とても長い名前の曲" * 6,
    "musique/" + unicodedata.normalize("NFD", "éèêë") * 30,
    "x" * 300,
    "हिन्दी/संगीत" * 9,
    "battle/\x1b[31mred\n",
)


def a_generated(name, *, row=1, **figures):
    track = a_track(name)
    return a_track_result(
        a_track_plan(track), "generated", jobs=[a_job(track, row=row)], rows=[a_row(track, **figures)]
    )


def table(*tracks):
    return table_lines(RunResult((a_manifest_result(*tracks),), 1.0))


def test_no_line_is_wider_than_eighty_columns_whatever_the_names():
    """Also where figures are as wide as they get; columns stand below each other as a terminal shows them."""
    extremes = {"duration": 7_500.0, "lufs": -100.0, "true_peak_dbtp": -100.0}
    lines = table(*(a_generated(name, row=row, **extremes) for row, name in enumerate(HOSTILE)))
    assert {display_width(line) for line in lines} == {80}
    assert all(line.isprintable() for line in lines)
    heads = [line.index("generated") + display_width(line) - len(line) for line in lines[1:]]
    assert len(set(heads)) == 1


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("overworld/day", 13, "overworld/day"),
        ("overworld/day", 8, "over…day"),
        ("音楽音楽", 8, "音楽音楽"),
        ("音楽音楽", 6, "音…楽"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("ab", 1, "…"),
        ("ab", 0, ""),
    ],
)
def test_a_name_loses_its_middle_and_never_half_a_letter(text, width, shown):
    """Names differ at their ends; a mark goes with its letter."""
    assert shortened(text, width) == shown


def test_failed_tracks_stand_first_and_forty_lines_are_enough():
    """Ten of those that failed, whose reasons are told above, then the others; the rest is counted."""
    made = [a_generated(f"t{number}", row=number) for number in range(50)]
    failed = [a_track_result(a_track_plan(a_track(f"f{number}")), "failed", error="gave up") for number in range(12)]
    lines = table(*made, *failed)
    assert [line.split()[0] for line in lines[1:12]] == [*(f"f{number}" for number in range(10)), "t0"]
    assert (len(lines), lines[-1]) == (42, "and 22 more tracks")


def test_what_was_not_touched_has_no_line():
    """A run that only kept, or only failed, has no table: the sentences beside it say all of it."""
    kept = a_track_result(a_track_plan(action=Action.KEEP), "kept", rows=[a_row()])
    failed = a_track_result(a_track_plan(a_track("b")), "failed", error="gave up")
    assert table(kept) == []
    assert table(kept, failed) == []
    assert len(table(kept, failed, a_generated("c"))) == 3


def test_the_columns_say_what_it_cost_how_many_takes_are_here_and_what_there_is_to_know():
    """Shared purchases are paid for once, an estimate is marked, placeholders are free."""
    day, dawn = a_track("day", takes=2), a_track("dawn", prompt="Music for day")
    takes = (a_take(day), a_take(day, number=2))
    jobs = [a_job(day), a_job(day, row=2, key=takes[1].key, state=State.ACCEPTED)]
    warnings = ({"code": "limited", "message": "a"}, {"code": "loudness_short", "message": "b"})
    lines = table(
        a_track_result(
            a_track_plan(day, takes=takes),
            "generated",
            jobs=jobs,
            error="still generating",
            rows=[a_row(day, warnings=warnings, lufs=None)],
        ),
        a_track_result(a_track_plan(dawn), "generated", jobs=[jobs[0]], rows=[a_row(dawn)]),
        a_track_result(
            a_track_plan(a_track("menu"), kind="local"), "generated", jobs=[a_job(a_track("menu"), kind="local")]
        ),
        a_track_result(a_track_plan(a_track("theme"), Action.FINISH, takes=()), "finished", rows=[a_row()]),
    )
    assert [line.split() for line in lines[1:]] == [
        ["day", "generated", "0:29.5", "-", "-1.2", "~$0.0600", "1/2", "2"],
        ["dawn", "generated", "0:29.5", "-16.0", "-1.2", "shared", "1", "-"],
        ["menu", "generated", "-", "-", "-", "free", "1", "-"],
        ["theme", "finished", "0:29.5", "-16.0", "-1.2", "-", "-", "-"],
    ]

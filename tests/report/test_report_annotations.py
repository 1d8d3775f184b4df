"""What GitHub shows of a run: annotations at a manifest's lines, and the report in the step's summary."""

from __future__ import annotations

import pytest
from report_factories import a_manifest_result, a_row, a_track, a_track_plan, a_track_result

from pipeline.manifest.tracks import Place
from pipeline.report.annotations import (
    Annotation,
    command_lines,
    harmless_to_actions,
    run_annotations,
    summary_part,
)
from pipeline.runner.results import EXIT_MONEY, RunResult, Stop


def test_a_run_is_annotated_at_the_places_of_its_tracks():
    """What stopped it, what failed, and what there is to know of the rest, each said once."""
    limited = ({"code": "limited", "message": "up to 3 dB"},)
    failed = a_track_result(a_track_plan(a_track("lich", place=Place("m.yaml", 7, 3))), "failed", error="50% gone")
    made = a_track_result(a_track_plan(a_track("day")), "generated", rows=[a_row(warnings=limited)])
    kept = a_track_result(a_track_plan(a_track("old")), "kept", rows=[a_row(warnings=limited)])
    result = RunResult((a_manifest_result(failed, made, kept),), 1.0, Stop(EXIT_MONEY, "no credit"))
    given = run_annotations(result, ["day: up to 3 dB", "a lower price"])
    assert list(command_lines(given, lambda path: f"game/{path}")) == [
        "::error title=the run stopped::no credit",
        "::error title=lich failed,file=game/m.yaml,line=7,col=3::50%25 gone",
        "::warning title=day%3A limited,file=game/tracks.yaml,line=1,col=1::up to 3 dB",
        "::warning title=pipeline::a lower price",
    ]


def test_an_annotation_is_one_line_whatever_is_in_it():
    """Escaped as the runner reads it; of more than ten the last counts the rest."""
    (line,) = command_lines([Annotation("error", "a,b:c%\n", "x\r\n::error::y")], str)
    assert line == "::error title=a%2Cb%3Ac%25%0A::x%0A::error::y"
    lines = list(command_lines([Annotation("warning", str(number), "m") for number in range(25)], str))
    assert (len(lines), lines[-1]) == (10, "::warning title=pipeline::and 16 more, in the step's log and summary")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a: ::error::b", "a: ::error::b"),
        ("  ::error::b", ">   ::error::b"),
        ("a\n::add-mask::b", "a\n> ::add-mask::b"),
        ("a ##[error]b", "a ## [error]b"),
    ],
)
def test_words_from_outside_are_no_workflow_commands(text, shown):
    """The runner looks for them in every line."""
    assert harmless_to_actions(text) == shown


def test_a_report_beyond_what_github_takes_is_cut_with_a_sentence():
    """At a line's end, within the room there is; with no room there is none of it."""
    report = "# Cost report\n\n" + "| é |\n" * 1_000
    assert summary_part(report, 10_000) == report
    cut = summary_part(report, 500)
    assert len(cut.encode()) <= 500
    assert cut.startswith("# Cost report")
    assert "cost-report.md" in cut.splitlines()[-1]
    assert summary_part(report, 0) == ""

"""The CSV and the Markdown: for spreadsheets that must run nothing, and for people who like to read."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from report_factories import NOON, a_job, a_manifest_result, a_row, a_track, a_track_plan, a_track_result

from pipeline.jobs import State
from pipeline.money import Basis
from pipeline.planning.plans import Action
from pipeline.report.cost_csv import COLUMNS, cost_csv, safe_cell
from pipeline.report.cost_json import take_document
from pipeline.report.cost_markdown import cost_markdown
from pipeline.report.costs import cost_report
from pipeline.report.inputs import CostInput, ManifestFacts
from pipeline.report.markdown import escaped

GOLDEN = Path(__file__).with_name("golden-cost-report.md")
GIVEN = {"skyhaven": ManifestFacts(budget_microusd=500_000)}


def _cells(report):
    return list(csv.DictReader(io.StringIO(b"".join(cost_csv(report)).decode())))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\r\n=1", "'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("battle/dragon", "battle/dragon"),
        ("a\nb", "a b"),
        ("bell\x07", "bell\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_cell_that_a_spreadsheet_would_run_begins_with_an_apostrophe(text, cell):
    """Whatever outside text says, it stays text on one line."""
    assert safe_cell(text) == cell


def test_no_outside_text_reaches_the_csv_as_a_formula():
    """Names, models, tags, job ids, errors: each may come from outside."""
    track = a_track("-boss", model="=model", tags=("@tag",))
    facts = {"skyhaven": ManifestFacts(tags={"-boss": ("@tag",)})}
    job = a_job(track, state=State.FAILED, job_id="+id", error="=cmd|' /C calc'!A0")
    (row,) = _cells(cost_report(CostInput(facts, [job], frozenset({1}))))
    assert (row["track"], row["model"], row["tags"]) == ("'-boss", "'=model", "'@tag")
    assert (row["job_id"], row["error"]) == ("'+id", "'=cmd|' /C calc'!A0")


def test_the_csv_has_a_line_a_purchase_and_plain_decimal_amounts():
    """What nobody knows is an empty cell; one micro-dollar is not written as 1e-06."""
    jobs = [a_job(a_track("a"), row=1, cost_microusd=1), a_job(a_track("b"), row=2, state=State.UNKNOWN)]
    first, second = _cells(cost_report(CostInput(GIVEN, jobs, frozenset({1}))))
    assert (first["cost_usd"], first["seconds_got"], first["this_run"]) == ("0.000001", "30", "true")
    assert (second["cost_usd"], second["cost_basis"], second["seconds_got"]) == ("", "", "")


def test_the_csv_has_every_column_of_the_json():
    """One set of columns for both."""
    (take,) = cost_report(CostInput(GIVEN, [a_job()])).takes
    assert tuple(take_document(take)) == COLUMNS


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a|b", r"a\|b"),
        ("a\nb\x1b[31m", "a b\N{REPLACEMENT CHARACTER}\\[31m"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("[x](http://evil)", r"\[x\](http\://evil)"),
        ("*_`#~", r"\*\_\`\#\~"),
        (r"back\slash", r"back\\slash"),
        ("www.evil.com @you", r"www\.evil.com \@you"),
        ("R&B", "R&amp;B"),
        ("\u202egnp", "\N{REPLACEMENT CHARACTER}gnp"),
    ],
)
def test_outside_text_shows_in_markdown_as_it_is_written(text, markdown):
    """No cell, no markup, no link, no mention and no turned direction comes of it."""
    assert escaped(text) == markdown


def test_a_pipe_in_a_name_or_an_error_adds_no_cell():
    """Every line of a table has its number of cells."""
    track = a_track("a|b", tags=("x|y",))
    facts = {"skyhaven": ManifestFacts(tags={"a|b": ("x|y",)})}
    text = cost_markdown(cost_report(CostInput(facts, [a_job(track)], frozenset({1})))).decode()
    (line,) = (line for line in text.splitlines() if line.startswith(r"| a\|b"))
    assert line.replace(r"\|", "").count("|") == 10


def _a_full_report():
    bought = a_track("overworld/day", takes=2, tags=("act-1",))
    lost = a_track("battle/lich")
    kept = a_track("title/theme")
    shared = a_track("menu", prompt=bought.prompt)
    jobs = [
        a_job(bought, row=1),
        a_job(bought, row=2, key=a_track_plan(bought).takes[1].key, cost_microusd=29_500, cost_basis=Basis.COMPUTED),
        a_job(lost, row=3, state=State.FAILED, error="the model gave up | twice", sends=2),
        a_job(a_track("old"), row=4, run=0),
    ]
    result = a_manifest_result(
        a_track_result(a_track_plan(bought), "generated", jobs=jobs[:2]),
        a_track_result(a_track_plan(lost), "failed", error="failed at the gateway: the model gave up | twice"),
        a_track_result(a_track_plan(kept, Action.KEEP), "kept"),
    )
    facts = {"skyhaven": ManifestFacts(budget_microusd=500_000, tags={"overworld/day": ("act-1",)})}
    rows = [a_row(bought), a_row(shared), a_row(kept, placeholder=True)]
    return cost_report(CostInput(facts, jobs, frozenset({1}), rows, [result], 12.0, NOON - 86_400, NOON))


def test_the_markdown_opens_with_what_somebody_wants_to_know():
    """The whole report as a producer reads it."""
    assert cost_markdown(_a_full_report()).decode() == GOLDEN.read_text(encoding="utf-8")


def test_without_a_ledger_nothing_is_claimed_to_date():
    """Nobody reads in it that nothing was spent."""
    text = cost_markdown(cost_report(CostInput(GIVEN, [], rows=[a_row(a_track("menu"))]))).decode()
    assert "There is no ledger, so what was spent to date is not known" in text
    assert "| Billed | $0.0000 | \N{EN DASH} |" in text


def test_a_placeholder_is_marked_as_free():
    """Nobody mistakes it for the real one."""
    text = cost_markdown(cost_report(CostInput(GIVEN, [a_job(kind="local", cost_microusd=0)], frozenset({1})))).decode()
    assert "| placeholder, free |" in text
    assert "1 (all placeholders, free)" in text


def test_an_empty_report_says_so():
    """No ledger and no index: still a report, with nothing in it."""
    text = cost_markdown(cost_report(CostInput({}))).decode()
    assert text.startswith("# Cost report\n\n**This run: nothing to do. Billed $0.0000.**\n")
    assert "There is no ledger" in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        pytest.param(State.FAILED, "Not charged.", id="failed"),
        pytest.param(State.ACCEPTED, "asked for first", id="still generating"),
        pytest.param(State.EXPIRED, "--regenerate", id="expired"),
        pytest.param(State.UNKNOWN, "under its own key", id="unknown"),
        pytest.param(State.COLLECTED, "run again, free", id="paid for and not finished"),
    ],
)
def test_a_failure_says_what_to_do(state, words):
    """What to do follows from where the track's money stands."""
    track = a_track()
    result = a_manifest_result(a_track_result(a_track_plan(track), "failed", error="something went wrong"))
    (failure,) = cost_report(CostInput(GIVEN, [a_job(track, state=state)], frozenset({1}), results=[result])).failures
    assert words in failure.advice

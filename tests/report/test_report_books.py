"""The books as text, CSV and JSON: for whoever pays, and for whoever books it."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
from report_factories import NOON, a_job, a_key, a_track

from pipeline.jobs import State
from pipeline.ledger.records import Charge, Run
from pipeline.money import Basis, as_usd
from pipeline.report.amounts import amounts_of
from pipeline.report.books import Books, Entry
from pipeline.report.books_csv import COLUMNS, books_csv
from pipeline.report.books_json import books_document
from pipeline.report.books_text import books_lines

OCTOBER = 1_790_812_800.0  # 2026-10-01T00:00:00Z
RUN = Run(1, "skyhaven", "real", NOON, None)


def an_entry(job=None, *, charged_at=NOON + 60):
    job = job or a_job()
    if job.cost_microusd is None:
        return Entry(job)
    return Entry(job, Charge(job.row, job.row, charged_at, job.cost_microusd, job.cost_basis))


def the_books():
    """Billed, computed, reserved, unknown with two sendings, failed, a placeholder."""
    day, night, menu = a_track(), a_track("overworld/night"), a_track("menu", manifest="adverts")
    jobs = [
        a_job(day, row=1),
        a_job(day, row=2, key=a_key(day, 2, 1), cost_microusd=31_000, cost_basis=Basis.COMPUTED, seconds_got=30.96),
        a_job(night, row=3, state=State.ACCEPTED, unproven_sends=1),
        a_job(night, row=4, key=a_key(night, 2), state=State.UNKNOWN, unproven_sends=2),
        a_job(night, row=5, key=a_key(night, 3), state=State.FAILED, error="silence\x1b[31m"),
        a_job(menu, row=6, kind="local", cost_basis=Basis.COMPUTED),
    ]
    return Books((RUN,), tuple(an_entry(job) for job in jobs))


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def summed(rows, column):
    return sum(Decimal(row[column] or 0) for row in rows)


def test_books_are_read_at_80_columns():
    """Two lines a job: whose it is, and its figures in columns; the last line sums up."""
    assert books_lines(the_books()) == [
        "  asked for (UTC)   state      seconds  estimate   billed  basis      duplicate",
        "skyhaven: overworld/day, take 1, real, job_1",
        "  2026-09-21 14:13  collected    30/30   $0.0300  $0.0300  usage              -",
        "skyhaven: overworld/day, take 2, regeneration 1, real, job_2",
        "  2026-09-21 14:13  collected    31/30   $0.0300  $0.0310  computed           -",
        "skyhaven: overworld/night, take 1, real, job_3",
        "  2026-09-21 14:13  accepted      -/30   $0.0300        -  estimated    $0.0300",
        "skyhaven: overworld/night, take 2, real, no job id",
        "  2026-09-21 14:13  unknown       -/30   $0.0300        -  -            $0.0600",
        "skyhaven: overworld/night, take 3, real, job_5",
        "  2026-09-21 14:13  failed        -/30   $0.0300        -  -                  -",
        "adverts: menu, take 1, local, job_6",
        "  2026-09-21 14:13  collected    30/30   $0.0000  $0.0000  computed           -",
        "",
        "6 takes (1 from a local gateway, free): billed $0.0610, of which computed",
        "  $0.0310; reserved $0.0300; possible duplicates up to $0.0900.",
    ]


def test_a_column_of_duplicates_is_there_where_there_are_any():
    """Mostly there are none."""
    head, *_ = books_lines(Books((RUN,), (an_entry(),)))
    assert "duplicate" not in head


def test_no_takes_are_said_so():
    """An empty table says nothing."""
    assert books_lines(Books()) == ["No takes."]


def test_nothing_from_outside_moves_a_terminals_cursor():
    """Names come from manifests, job ids from the gateway."""
    job = a_job(a_track("menu\x1b[2J\nnext"), job_id="job\x07\u202e")
    text = "\n".join(books_lines(Books((), (an_entry(job),))))
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "next" in text


def test_a_take_that_was_asked_for_twice_is_one_take():
    """Its first job failed."""
    books = Books((), (an_entry(a_job(row=1, state=State.FAILED)), an_entry(a_job(row=2))))
    assert (books.sums.takes, books.sums.jobs) == (1, 2)
    assert books_lines(books)[-2].startswith("1 take in 2 jobs: billed $0.0300")


def test_the_books_sum_up_to_what_the_cost_report_says():
    """One sum for one meaning."""
    books = the_books()
    report = amounts_of([entry.job for entry in books.entries], Decimal(0))
    sums = books.sums
    assert (sums.billed, sums.computed) == (report.billed, report.computed)
    assert (sums.reserved, sums.possible_duplicate) == (report.reserved, report.possible_duplicate)


# --- months ---------------------------------------------------------------------------------------------------------


def test_a_bill_belongs_to_the_month_it_became_known_in():
    """And what is not billed to the month it was asked for in: every entry has one month."""
    late = an_entry(a_job(row=1), charged_at=OCTOBER)
    timely = an_entry(a_job(row=2), charged_at=OCTOBER - 0.001)
    open_still = an_entry(a_job(row=3, state=State.ACCEPTED))
    books = Books((RUN,), (late, timely, open_still))
    assert books.only(month="2026-09") == Books((RUN,), (timely, open_still))
    assert books.only(month="2026-10") == Books((RUN,), (late,))


# --- CSV ------------------------------------------------------------------------------------------------------------


def test_the_export_has_a_line_a_charge_that_sums_up_to_what_is_billed():
    """With its take, its job and its tag."""
    books = the_books()
    lines = rows(books_csv(books))
    assert summed(lines, "billed_usd") == Decimal(books.sums.billed) / 1_000_000
    assert {line["entry"] for line in lines} == {"charge"}
    second = dict(zip(COLUMNS, lines[1].values(), strict=True))
    assert second == {
        "date": "2026-09-21T14:14:20Z",
        "entry": "charge",
        "billed_usd": "0.031000",
        "unbilled_usd": "",
        "cost_basis": "computed",
        "kind": "real",
        "manifest": "skyhaven",
        "track": "overworld/day",
        "take": "2",
        "regeneration": "1",
        "model": "sony-ai/mmaudio-v2-text-to-audio",
        "seconds_asked": "30",
        "seconds_got": "30.96",
        "status": "collected",
        "job_id": "job_2",
        "cost_tag": "skyhaven/overworld/day",
        "run": "1",
        "origin": "https://api.aigateway.sh",
    }


def test_what_is_not_billed_is_never_added_to_what_is():
    """It is there where it is asked for, in a column of its own, and below."""
    books = the_books()
    lines = rows(books_csv(books, unbilled=True))
    words = [line["entry"] for line in lines]
    assert words == ["charge"] * 3 + ["reserved"] + ["possible_duplicate"] * 2
    assert summed(lines, "billed_usd") == Decimal(books.sums.billed) / 1_000_000
    assert summed(lines, "unbilled_usd") == Decimal(books.sums.reserved + books.sums.possible_duplicate) / 1_000_000
    assert {(line["billed_usd"], line["cost_basis"]) for line in lines[3:]} == {("", "estimated")}


def test_charges_are_exported_in_the_order_they_became_known_in():
    """A bill may come long after its job was asked for."""
    first = Entry(a_job(row=1), Charge(2, 1, NOON + 9, 30_000, Basis.USAGE))
    second = Entry(a_job(row=2), Charge(1, 2, NOON + 5, 30_000, Basis.USAGE))
    assert [line["job_id"] for line in rows(books_csv(Books((), (first, second))))] == ["job_2", "job_1"]


def test_no_outside_text_is_exported_as_a_formula():
    """Whoever opens it in a spreadsheet runs nothing."""
    track = a_track("-boss", manifest="@sky", model="=model")
    (line,) = rows(books_csv(Books((), (an_entry(a_job(track, job_id="+id")),))))
    assert (line["track"], line["manifest"], line["model"]) == ("'-boss", "'@sky", "'=model")
    assert (line["job_id"], line["cost_tag"]) == ("'+id", "'@sky/-boss")


def test_an_export_of_nothing_has_its_head():
    """A spreadsheet that expects columns finds them."""
    assert books_csv(Books()).decode() == ",".join(COLUMNS) + "\n"


# --- JSON -----------------------------------------------------------------------------------------------------------


def test_the_document_holds_runs_takes_and_charges():
    """Amounts are numbers in dollars, times ISO 8601 in UTC, what nobody knows is null."""
    document = json.loads(json.dumps(books_document(the_books()), allow_nan=False))
    assert document["runs"] == [
        {"run": 1, "manifest": "skyhaven", "kind": "real", "opened_at": "2026-09-21T14:13:20Z", "closed_at": None}
    ]
    take = document["takes"][2]
    assert (take["billed_usd"], take["reserved_usd"], take["possible_duplicate_usd"]) == (0, 0.03, 0.03)
    assert (take["collected_at"], take["cost_basis"], take["asked_at"]) == (None, None, "2026-09-21T14:13:20Z")
    assert document["charges"][0] == {
        "charge": 1,
        "job": 1,
        "charged_at": "2026-09-21T14:14:20Z",
        "billed_usd": 0.03,
        "cost_basis": "usage",
    }
    assert document["totals"]["billed_usd"] == sum(take["billed_usd"] for take in document["takes"])


@pytest.mark.parametrize("microusd", [1, 10, 123_456, 999_999])
def test_amounts_have_at_most_six_decimals(microusd):
    """To the micro-dollar, and no binary fraction beside it."""
    document = books_document(Books((), (an_entry(a_job(cost_microusd=microusd)),)))
    assert document["totals"]["billed_usd"] == as_usd(microusd)
    assert Decimal(repr(document["takes"][0]["billed_usd"])) == Decimal(microusd) / 1_000_000


def test_what_was_sent_is_no_part_of_the_document():
    """Neither the body, nor what a job could be asked for with again."""
    text = json.dumps(books_document(Books((RUN,), (an_entry(),))))
    assert "format" not in text
    assert "0" * 32 not in text

"""The ledger's month beside the gateway's: what agrees, what differs, and what may explain it."""

from __future__ import annotations

import json

import pytest
from report_factories import NOON, a_job, a_key, a_track

from pipeline.jobs import State
from pipeline.ledger.records import Charge
from pipeline.money import Basis
from pipeline.report.books import Entry
from pipeline.report.reconciliation import Booked, Reconciliation, TagLine, reconciled
from pipeline.report.reconciliation_json import reconciliation_document
from pipeline.report.reconciliation_text import reconciliation_lines

MONTH = "2026-09"
OCTOBER = 1_790_812_800.0  # 2026-10-01T00:00:00Z
DAY = "skyhaven/overworld/day"


def billed(row=1, *, microusd=30_000, at=NOON + 60, asked_at=NOON, basis=Basis.USAGE, **changes):
    track = a_track()
    key = a_key(track, row)
    job = a_job(track, row=row, key=key, cost_microusd=microusd, cost_basis=basis, intended_at=asked_at, **changes)
    return Entry(job, Charge(row, row, at, microusd, basis))


def unbilled(state, row=9, **changes):
    return Entry(a_job(a_track(), row=row, key=a_key(a_track(), row), state=state, **changes))


def said(entries, spent):
    """What people read."""
    found = Reconciliation(MONTH, "https://api.aigateway.sh", "real", reconciled(entries, spent, MONTH))
    return reconciliation_lines(found)


def test_books_that_agree_are_said_so():
    """Summed by cost tag."""
    assert said([billed(1), billed(2)], {DAY: 60_000}) == [
        "2026-09 (UTC) at https://api.aigateway.sh",
        "  tag                      ledger  gateway  difference",
        "  skyhaven/overworld/day  $0.0600  $0.0600           -",
        "  1 tag                   $0.0600  $0.0600           -",
        "Ledger and gateway agree.",
    ]


def test_a_tag_that_one_side_lacks_is_shown():
    """Another program may buy with the same key; a bill may be booked that the gateway does not know."""
    lines = said([billed()], {"elsewhere": 10_000, "": 5_000})
    assert lines[1:] == [
        "  tag                      ledger  gateway  difference",
        "  (no tag)                      -  $0.0050    +$0.0050",
        "  elsewhere                     -  $0.0100    +$0.0100",
        "  skyhaven/overworld/day  $0.0300        -    -$0.0300",
        "  3 tags                  $0.0300  $0.0150    -$0.0150",
        "Ledger and gateway differ: 3 of 3 tags.",
    ]


def test_a_possible_duplicate_stands_beside_the_difference_that_it_explains():
    """A sending whose answer was lost has made a job after all."""
    lines = said([billed(unproven_sends=1)], {DAY: 60_000})
    assert lines[2:4] == [
        "  skyhaven/overworld/day  $0.0300  $0.0600    +$0.0300",
        "      possible duplicates: up to $0.0300",
    ]


@pytest.mark.parametrize(
    ("entries", "spent", "reason"),
    [
        ([unbilled(State.UNKNOWN, unproven_sends=2)], {DAY: 30_000}, "possible duplicates: up to $0.0600"),
        ([unbilled(State.ACCEPTED)], {DAY: 30_000}, "the bill is not known yet: up to $0.0300"),
        ([unbilled(State.EXPIRED)], {DAY: 30_000}, "possible duplicates: up to $0.0300"),
        ([billed(basis=Basis.COMPUTED)], {DAY: 29_000}, "$0.0300 of the ledger's is computed"),
        ([billed(asked_at=OCTOBER - 10, at=OCTOBER + 10)], {DAY: 30_000}, "asked for in one month and billed in"),
        ([billed(asked_at=NOON - 30 * 86_400)], {}, "asked for in one month and billed in"),
    ],
    ids=["unknown", "running", "expired", "computed", "billed next month", "asked for last month"],
)
def test_what_may_explain_a_difference_is_said_below_it(entries, spent, reason):
    """As far as the ledger knows."""
    assert reason in " ".join(said(entries, spent))


def test_what_agrees_needs_no_explanation():
    """However many answers were lost."""
    lines = said([billed(unproven_sends=1), billed(2, asked_at=NOON - 30 * 86_400)], {DAY: 60_000})
    assert lines[2:] == [
        "  skyhaven/overworld/day  $0.0600  $0.0600           -",
        "  1 tag                   $0.0600  $0.0600           -",
        "Ledger and gateway agree.",
    ]


def test_a_duplicate_explains_nothing_that_the_gateway_lacks():
    """It only makes the gateway's side larger."""
    assert "duplicate" not in " ".join(said([billed(unproven_sends=1)], {DAY: 10_000}))


@pytest.mark.parametrize(
    "entry",
    [
        billed(at=OCTOBER + 60, asked_at=OCTOBER),
        unbilled(State.UNKNOWN, unproven_sends=1, intended_at=NOON - 9e6, sent_at=NOON - 9e6),
        unbilled(State.EXPIRED, intended_at=NOON - 9e6, ended_at=NOON - 8e6),
        unbilled(State.FAILED),
        unbilled(State.ACCEPTED, intended_at=OCTOBER),
    ],
    ids=["billed later", "lost earlier", "expired earlier", "failed", "asked for later"],
)
def test_what_has_nothing_to_do_with_the_month_makes_no_line(entry):
    """It may neither be compared nor explain anything."""
    assert reconciled([entry], {}, MONTH) == ()


@pytest.mark.parametrize(("gateway", "agrees"), [(60_000, True), (59_998, True), (60_002, True), (59_997, False)])
def test_a_micro_dollar_a_charge_is_rounding(gateway, agrees):
    """Each bill was rounded up; a difference beyond that is one."""
    (line,) = reconciled([billed(1), billed(2)], {DAY: gateway}, MONTH)
    assert line.agrees is agrees


def test_differences_that_cancel_out_are_still_differences():
    """What is booked under another tag is not where it belongs."""
    found = Reconciliation(MONTH, "x", "real", reconciled([billed()], {"other": 30_000}, MONTH))
    assert not found.agrees
    assert found.total.difference == 0


def test_a_month_without_anything_is_said_so():
    """Nothing was bought, on either side."""
    assert said([], {})[1:] == ["Neither the ledger nor the gateway has anything in this month."]


def test_charges_at_other_gateways_are_named():
    """Whoever looks for them finds where they are."""
    found = Reconciliation(MONTH, "https://a", "real", (), ("https://b",))
    assert any("Not compared" in line and "https://b" in line for line in reconciliation_lines(found))


def test_a_local_gateways_figures_are_called_what_they_are():
    """Its wallet is virtual, and nothing was charged."""
    found = Reconciliation(MONTH, "http://127.0.0.1:8787", "local", (TagLine("a", Booked(1), 2_000),))
    assert "play money" in " ".join(reconciliation_lines(found))


def test_a_tag_from_outside_moves_no_cursor():
    """The gateway's answer may hold anything."""
    lines = said([], {"a\x1b[2J\nb\u202e": 1_000})
    assert all(char.isprintable() for line in lines for char in line)


def test_lines_fit_80_columns_but_for_long_tags():
    """Reasons are wrapped below their tag."""
    entries = [billed(1, unproven_sends=1, asked_at=NOON - 30 * 86_400, basis=Basis.COMPUTED), unbilled(State.ACCEPTED)]
    lines = said(entries, {DAY: 123_456_789, "t" * 64: 1_000})
    assert [line for line in lines if len(line) > 80 and "t" * 64 not in line] == []
    assert len(lines) > 8


def test_the_document_has_both_sides_of_every_tag_in_dollars():
    """`gateway_usd` is null where the gateway names no such tag."""
    lines = reconciled([billed(unproven_sends=1)], {"other": 10_000}, MONTH)
    document = reconciliation_document(Reconciliation(MONTH, "https://a", "real", lines, ("https://b",)), 1)
    assert json.loads(json.dumps(document)) == {
        "ok": False,
        "exit": 1,
        "error": None,
        "month": "2026-09",
        "gateway": "https://a",
        "kind": "real",
        "tags": [
            {"tag": "other", "ledger_usd": 0, "gateway_usd": 0.01, "difference_usd": 0.01, "agrees": False,
             "charges": 0, "computed_usd": 0, "reserved_usd": 0, "possible_duplicate_usd": 0,
             "near_month_end_usd": 0},
            {"tag": DAY, "ledger_usd": 0.03, "gateway_usd": None, "difference_usd": -0.03, "agrees": False,
             "charges": 1, "computed_usd": 0, "reserved_usd": 0, "possible_duplicate_usd": 0.03,
             "near_month_end_usd": 0},
        ],
        "totals": {"ledger_usd": 0.03, "gateway_usd": 0.01, "difference_usd": -0.02, "agrees": False,
                   "charges": 1, "computed_usd": 0, "reserved_usd": 0, "possible_duplicate_usd": 0.03,
                   "near_month_end_usd": 0},
        "other_gateways": ["https://b"],
    }  # fmt: skip

"""What the cost report sums up, and to whom it gives it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_factories import (
    NOON,
    a_job,
    a_key,
    a_manifest_result,
    a_row,
    a_track,
    a_track_plan,
    a_track_result,
)

from pipeline.jobs import State
from pipeline.money import Basis
from pipeline.planning.plans import Action
from pipeline.report.amounts import total
from pipeline.report.cost_json import cost_json
from pipeline.report.costs import cost_report
from pipeline.report.inputs import CostInput, ManifestFacts, manifest_facts

GIVEN = {"skyhaven": ManifestFacts()}


def test_this_run_and_to_date_are_two_sums():
    """A job of an earlier run counts to date, and not in this run."""
    old, new = a_track("old"), a_track("new", duration_s=60.0)
    jobs = [a_job(old, row=1, run=1), a_job(new, row=2, run=2)]
    report = cost_report(CostInput(GIVEN, jobs, frozenset({2})))
    assert report.run.amounts.billed == 60_000
    assert report.to_date.amounts.billed == 90_000
    assert [(take.track, take.this_run) for take in report.takes] == [("new", True), ("old", False)]


def test_what_is_computed_is_said_beside_what_the_gateway_said():
    """`billed_usd` sums usage and computed, and `computed_usd` is the second alone."""
    jobs = [
        a_job(a_track("a"), row=1),
        a_job(a_track("b"), row=2, cost_microusd=29_000, cost_basis=Basis.COMPUTED),
    ]
    amounts = cost_report(CostInput(GIVEN, jobs, frozenset({1}))).run.amounts
    assert (amounts.billed, amounts.computed) == (59_000, 29_000)


def test_cash_is_what_was_billed_with_each_manifests_own_fee():
    """A manifest with a key of its own pays no fee; another pays the fee that it names."""
    facts = {"free": ManifestFacts(Decimal(0)), "paid": ManifestFacts(Decimal("0.10"))}
    jobs = [a_job(a_track("a", manifest="free"), row=1), a_job(a_track("b", manifest="paid"), row=2, run=2)]
    report = cost_report(CostInput(facts, jobs, frozenset({1, 2})))
    assert [one.run.amounts.cash_microusd for one in report.manifests] == [30_000, 33_000]
    assert report.run.amounts.cash_microusd == 63_000


def test_a_purchase_that_two_tracks_share_is_one_row_and_is_counted_once():
    """It belongs to the track that asked first, and names the other."""
    first, second = a_track("first"), a_track("second", prompt="Music for first")
    rows = [a_row(first), a_row(second)]
    report = cost_report(CostInput(GIVEN, [a_job(first)], frozenset({1}), rows))
    assert [(take.track, take.shared_with) for take in report.takes] == [("first", ("second",))]
    assert report.run.amounts.billed == 30_000


def test_a_take_that_failed_and_was_bought_again_is_one_row_with_both_attempts():
    """Attempts sum every sending of every job under one key, and only the job that completed is billed."""
    track = a_track()
    jobs = [a_job(track, row=1, state=State.FAILED, sends=2, error="no"), a_job(track, row=2)]
    (take,) = cost_report(CostInput(GIVEN, jobs, frozenset({1}))).takes
    assert (take.attempts, take.status, take.job_id) == (3, "collected", "job_2")
    assert (take.cost_microusd, take.cost_basis) == (30_000, Basis.USAGE)


@pytest.mark.parametrize(
    ("state", "cost", "basis"),
    [
        pytest.param(State.ACCEPTED, 30_000, Basis.ESTIMATED, id="still generating: its reservation"),
        pytest.param(State.FAILED, 0, Basis.COMPUTED, id="failed: not charged"),
        pytest.param(State.UNKNOWN, None, None, id="unknown: nobody can say"),
        pytest.param(State.EXPIRED, None, None, id="expired before its bill: nobody can say"),
    ],
)
def test_the_cost_of_a_job_without_a_bill_follows_from_its_state(state, cost, basis):
    """What is not billed is estimated, nothing, or not known; never guessed."""
    (take,) = cost_report(CostInput(GIVEN, [a_job(state=state)], frozenset({1}))).takes
    assert (take.cost_microusd, take.cost_basis) == (cost, basis)


def test_sendings_that_may_have_made_a_job_as_well_are_possible_duplicates():
    """Each of them counts at its estimate, beside the bill."""
    (take,) = (report := cost_report(CostInput(GIVEN, [a_job(unproven_sends=2)], frozenset({1})))).takes
    assert take.to_date.possible_duplicate == 60_000
    assert report.run.amounts.committed == 90_000


def test_without_a_ledger_the_index_tells_what_was_kept_and_claims_no_cost():
    """A fresh clone knows the take, the model and the date, and says that it does not know the price."""
    track = a_track()
    rows = [a_row(track), a_row(track, path="overworld/day.wav"), a_row(a_track("voice"), kind="file")]
    report = cost_report(CostInput(GIVEN, rows=rows))
    (take,) = report.takes
    assert (take.status, take.cost_microusd, take.job_id, take.attempts) == ("kept", None, "job_9", 0)
    assert report.to_date.amounts.takes == 0
    assert report.since is None


def test_a_row_of_the_index_that_the_ledger_knows_is_not_told_twice():
    """The ledger's row stands for it."""
    report = cost_report(CostInput(GIVEN, [a_job()], frozenset({1}), [a_row()]))
    assert [take.status for take in report.takes] == ["collected"]


def test_a_take_that_was_held_back_is_unsent():
    """It has no job, no cost and no attempt, and it is part of this run."""
    plan = a_track_plan()
    result = a_manifest_result(a_track_result(plan, "failed", error="not sent: 402", unsent=True))
    (take,) = cost_report(CostInput(GIVEN, results=[result])).takes
    assert (take.status, take.cost_microusd, take.attempts, take.this_run) == ("unsent", None, 0, True)
    assert take.error == "not sent: 402"


def test_keeping_saved_the_list_price_of_the_kept_tracks_takes():
    """Two kept tracks of one purchase save once; a kept placeholder saves nothing."""
    day = a_track("day", takes=2)
    kept = [
        a_track_result(a_track_plan(day, Action.KEEP), "kept"),
        a_track_result(a_track_plan(a_track("again", prompt="Music for day"), Action.KEEP), "kept"),
        a_track_result(a_track_plan(a_track("beep"), Action.KEEP, kind="local"), "kept"),
    ]
    report = cost_report(CostInput(GIVEN, results=[a_manifest_result(*kept)]))
    assert report.run.saved == 60_000
    assert report.run.counts.kept == 3


def test_what_an_earlier_process_of_the_run_generated_counts_as_generated():
    """After a kill the next process finds and keeps it; the run's totals are over all its processes."""
    track = a_track()
    result = a_manifest_result(a_track_result(a_track_plan(track, Action.KEEP), "kept"))
    report = cost_report(CostInput(GIVEN, [a_job(track, run=7)], frozenset({7}), results=[result]))
    assert (report.run.counts.generated, report.run.counts.kept, report.run.saved) == (1, 0, 0)


def test_a_report_from_the_ledger_alone_does_not_invent_what_only_a_run_can_count():
    """Kept, finished and skipped are null, and so is what keeping saved."""
    jobs = [a_job(a_track("a"), row=1), a_job(a_track("b"), row=2, state=State.FAILED, error="no")]
    report = cost_report(CostInput(GIVEN, jobs, frozenset({1})))
    counts = report.run.counts
    assert (counts.generated, counts.failed) == (1, 1)
    assert (counts.finished, counts.kept, counts.skipped, report.run.saved) == (None, None, None, None)
    assert [failure.track for failure in report.failures] == ["b"]


def test_the_index_brings_in_manifests_that_were_not_given():
    """Every manifest in the index is reported, at the usual fee where it was not given."""
    other = a_track("shop", manifest="market")
    report = cost_report(CostInput(GIVEN, [a_job(other, run=3)], frozenset({1}), [a_row(other)]))
    market, skyhaven = report.manifests
    assert (market.name, market.given, market.run.amounts.billed) == ("market", False, 0)
    assert market.to_date.amounts.cash_microusd == 31_500
    assert (skyhaven.name, skyhaven.given) == ("skyhaven", True)


def test_tags_sum_up_what_the_users_own_words_say():
    """A take with two tags counts under both, one without under none."""
    boss, plain = a_track("boss", tags=("act-1", "fight")), a_track("plain")
    plan = a_manifest_result(*(a_track_result(a_track_plan(track), "generated") for track in (boss, plain))).plan
    facts = {"skyhaven": manifest_facts(plan.manifest)}
    report = cost_report(CostInput(facts, [a_job(boss, row=1), a_job(plain, row=2)], frozenset({1})))
    assert [(group.word, group.run.billed) for group in report.by_tag] == [
        ("act-1", 30_000),
        ("fight", 30_000),
        (None, 30_000),
    ]


def test_the_budget_that_is_left_is_what_is_neither_billed_nor_reserved_nor_possible():
    """`--budget` stands in the place of the manifest's own."""
    plan = a_manifest_result(a_track_result(a_track_plan(), "generated"), budget=100_000).plan
    facts = {"skyhaven": manifest_facts(plan.manifest, 200_000)}
    jobs = [a_job(a_track("a"), row=1, unproven_sends=1), a_job(a_track("b"), row=2, state=State.ACCEPTED)]
    report = cost_report(CostInput(facts, jobs, frozenset({1})))
    assert report.manifests[0].budget_left_microusd == 110_000
    assert report.budget_microusd == 200_000


jobs_of_any_kind = st.builds(
    lambda name, manifest, take, run, state, cost, unproven, kind: (
        name,
        manifest,
        take,
        run,
        state,
        cost,
        unproven,
        kind,
    ),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["one", "two"]),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(list(State)),
    st.one_of(st.none(), st.integers(0, 10**9)),
    st.integers(0, 2),
    st.sampled_from(["real", "local"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(jobs_of_any_kind, max_size=25), st.sets(st.integers(1, 3)))
def test_the_parts_add_up_to_the_totals(drawn, runs):
    """By track and by model, run and to date, every sum of the parts is the whole; nothing is lost or told twice."""
    jobs = []
    for number, (name, manifest, take, run, state, cost, unproven, kind) in enumerate(drawn):
        track = a_track(name, manifest=manifest, prompt=f"{name} {kind}")
        basis = None if cost is None else Basis.COMPUTED if cost % 2 else Basis.USAGE
        jobs.append(
            a_job(track, row=number, run=run, key=a_key(track, take), kind=kind, state=state,
                  cost_microusd=cost, cost_basis=basis, unproven_sends=unproven)
        )  # fmt: skip
    report = cost_report(CostInput({"one": ManifestFacts(Decimal("0.051"))}, jobs, frozenset(runs)))
    for view in ("run", "to_date"):
        whole = getattr(report, view).amounts
        assert whole == total(getattr(one, view).amounts for one in report.manifests)
        assert whole == total(getattr(group, view) for one in report.manifests for group in one.by_track)
        assert whole == total(getattr(group, view) for group in report.by_model)
        assert whole == total(getattr(take, view) for take in report.takes)
    assert report.to_date.amounts.billed == sum(job.cost_microusd or 0 for job in jobs)
    assert report.run.amounts.committed == sum(job.commitment.total for job in jobs if job.run in runs)


def test_equal_input_gives_equal_bytes_whatever_its_order():
    """The order in which the ledger and the index are read does not show."""
    tracks = [a_track(name) for name in "abc"]
    jobs = [a_job(track, row=number) for number, track in enumerate(tracks)]
    rows = [a_row(a_track(name)) for name in "defab"]
    one = CostInput(GIVEN, jobs, frozenset({1}), rows, generated_at=NOON)
    other = CostInput(GIVEN, jobs[::-1], frozenset({1}), rows[::-1], generated_at=NOON)
    assert b"".join(cost_json(cost_report(one))) == b"".join(cost_json(cost_report(other)))


def test_amounts_are_json_numbers_of_at_most_six_decimals():
    """One micro-dollar is the smallest, and no binary dust shows."""
    jobs = [a_job(a_track(str(n)), row=n, cost_microusd=cost) for n, cost in enumerate([1, 100_000, 200_000, 333_333])]
    document = json.loads(b"".join(cost_json(cost_report(CostInput(GIVEN, jobs, frozenset({1}))))), parse_float=Decimal)
    amounts = [value for key, value in _numbers(document) if key.endswith("_usd")]
    assert Decimal("0.633334") in amounts
    assert all(amount == round(amount, 6) for amount in amounts)


def _numbers(value, key=""):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, key)
    elif isinstance(value, Decimal):
        yield key, value


def test_the_json_report_has_the_documented_shape():
    """Version, two sums, manifests, takes: what scripts rely on."""
    report = cost_report(CostInput(GIVEN, [a_job()], frozenset({1}), ledger_since=NOON, generated_at=NOON, seconds=1.5))
    document = json.loads(b"".join(cost_json(report)))
    assert document["version"] == 1
    assert document["since"] == "2026-09-21T14:13:20Z"
    assert document["run"] == {
        "generated": 1,
        "finished": None,
        "kept": None,
        "failed": 0,
        "skipped": None,
        "takes": 1,
        "placeholder_takes": 0,
        "estimated_usd": 0.03,
        "reserved_usd": 0.0,
        "billed_usd": 0.03,
        "computed_usd": 0.0,
        "cash_usd": 0.0315,
        "possible_duplicate_usd": 0.0,
        "audio_seconds": 30.0,
        "stored_takes": 0,
        "stored_usd": 0.0,
        "saved_usd": None,
        "seconds": 1.5,
    }
    assert document["takes"] == [
        {
            "manifest": "skyhaven",
            "track": "overworld/day",
            "take": 1,
            "regeneration": 0,
            "model": "sony-ai/mmaudio-v2-text-to-audio",
            "seconds_asked": 30.0,
            "seconds_got": 30.0,
            "cost_usd": 0.03,
            "cost_basis": "usage",
            "possible_duplicate_usd": 0.0,
            "status": "collected",
            "attempts": 1,
            "job_id": "job_1",
            "cost_tag": "skyhaven/overworld/day",
            "tags": [],
            "shared_with": [],
            "placeholder": False,
            "this_run": True,
            "error": None,
            "date": "2026-09-21T14:14:20Z",
            "bought_by": None,
            "bought_usd": None,
        }
    ]
    (manifest,) = document["manifests"]
    assert {"name", "run", "to_date", "budget_usd", "by_track", "by_tag", "by_model"} <= set(manifest)
    assert manifest["by_track"][0]["track"] == "overworld/day"


def test_a_broken_surrogate_in_an_error_does_not_stop_the_report():
    """A gateway's error text may hold anything that JSON can spell."""
    jobs = [a_job(state=State.FAILED, error="bad \ud800 text")]
    document = json.loads(b"".join(cost_json(cost_report(CostInput(GIVEN, jobs, frozenset({1}))))))
    assert document["takes"][0]["error"] == "bad \ud800 text"

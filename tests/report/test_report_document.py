"""The `--json` document: what scripts read after `plan` and `run`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from report_factories import (
    a_job,
    a_key,
    a_manifest_plan,
    a_manifest_result,
    a_row,
    a_take,
    a_track,
    a_track_plan,
    a_track_result,
    moved_from,
)

from pipeline.jobs import State
from pipeline.planning.changes import Change
from pipeline.planning.plans import Action, Step
from pipeline.report.document import plan_document, run_document
from pipeline.runner.results import EXIT_MONEY, RunResult, Stop, TakeResult

TOTALS = {
    "generated",
    "finished",
    "kept",
    "failed",
    "skipped",
    "estimated_usd",
    "billed_usd",
    "possible_duplicate_usd",
    "seconds",
}


def _run(*tracks, **changes):
    return RunResult((a_manifest_result(*tracks),), 1.23456, **changes)


def test_the_run_document_has_the_documented_shape():
    """Every key that is promised, with the values of a track that was generated."""
    track, row = a_track(), a_row(warnings=({"code": "clipping", "message": "it clips"},))
    document = run_document(_run(a_track_result(a_track_plan(track), "generated", jobs=[a_job(track)], rows=[row])))
    assert (document["ok"], document["exit"]) == (True, 0)
    (told,) = document["tracks"]
    assert (told["manifest"], told["name"], told["status"]) == ("skyhaven", "overworld/day", "generated")
    assert told["takes"] == [
        {"take": 1, "job_id": "job_1", "status": "collected", "cost_usd": 0.03, "cost_basis": "usage", "error": None}
    ]
    assert told["assets"] == [
        {
            "path": "overworld/day.ogg",
            "format": "ogg",
            "duration": 29.5,
            "lufs": -16.0,
            "true_peak_dbtp": -1.2,
            "sha256": "ab" * 32,
        }
    ]
    assert told["warnings"] == [{"path": "overworld/day.ogg", "code": "clipping", "message": "it clips"}]
    assert set(document["totals"]) >= TOTALS
    assert document["totals"]["generated"] == 1
    assert document["totals"]["billed_usd"] == document["totals"]["estimated_usd"] == 0.03
    assert document["totals"]["seconds"] == 1.235


def test_a_failed_take_is_told_in_one_sentence_without_control_characters():
    """What a gateway wrote can't move a terminal's cursor or break a line."""
    plan = a_track_plan()
    document = run_document(_run(a_track_result(plan, "failed", error="no\x1b[2J\nway \ud800")))
    (track,) = document["tracks"]
    assert (
        track["error"] == track["takes"][0]["error"] == "no\N{REPLACEMENT CHARACTER}[2J way \N{REPLACEMENT CHARACTER}"
    )
    assert (document["ok"], document["exit"], track["takes"][0]["status"]) == (False, 1, "failed")
    json.dumps(document).encode()


def test_a_take_that_was_held_back_is_unsent_and_the_run_says_why():
    """Money stopped the run: exit 3, and what was not sent has no job and no cost."""
    result = _run(
        a_track_result(a_track_plan(), "failed", error="not sent: over the budget", unsent=True),
        stop=Stop(EXIT_MONEY, "over the budget"),
    )
    document = run_document(result)
    (take,) = document["tracks"][0]["takes"]
    assert (take["status"], take["job_id"], take["cost_usd"], take["cost_basis"]) == ("unsent", None, None, None)
    assert (document["exit"], document["error"]) == (3, "over the budget")
    assert (document["totals"]["estimated_usd"], document["totals"]["billed_usd"]) == (0.03, 0.0)


def test_money_of_the_run_is_what_its_account_has():
    """Billed, reserved and possible duplicates are the run's over all its processes, a shared purchase once."""
    first, second = a_track("first"), a_track("second", prompt="Music for first")
    job = a_job(first, unproven_sends=1)
    results = [a_track_result(a_track_plan(track), "generated", jobs=[job]) for track in (first, second)]
    totals = run_document(_run(*results))["totals"]
    assert (totals["billed_usd"], totals["possible_duplicate_usd"], totals["estimated_usd"]) == (0.03, 0.03, 0.03)


def test_the_estimate_covers_what_an_earlier_process_of_the_run_bought():
    """What is kept because this very run bought it belongs to what the run was asked for; older purchases do not."""
    ours, older = a_track("ours"), a_track("older")
    results = [
        a_track_result(a_track_plan(track, Action.KEEP), "kept", jobs=[a_job(track, row=run, run=run)])
        for run, track in enumerate((ours, older), start=1)
    ]
    assert run_document(_run(*results))["totals"]["estimated_usd"] == 0.03


def test_strays_orphans_and_notices_are_told():
    """Jobs that no track asks for any more, rows whose track is gone, and what somebody should read."""
    job = a_job(a_track("gone"), row=5, state=State.ACCEPTED)
    stray = TakeResult(a_take(a_track("gone"), Step.COLLECT, job=job), job, "still generating")
    part = a_manifest_result(a_track_result(a_track_plan(action=Action.KEEP), "kept"), strays=(stray,))
    part = replace(part, plan=replace(part.plan, orphans=(a_row(a_track("gone")),)))
    document = run_document(RunResult((part,), 1.0, notices=("look\there",)))
    assert document["orphans"] == ["gone.ogg"]
    assert document["notices"] == ["look here"]
    (told,) = document["strays"]
    assert (told["name"], told["job_id"], told["cost_basis"]) == ("gone", "job_5", "estimated")


@pytest.mark.parametrize(
    ("action", "status"),
    [
        (Action.GENERATE, "planned"),
        (Action.FINISH, "planned"),
        (Action.KEEP, "kept"),
        (Action.BLOCKED, "failed"),
        (Action.SKIP, "skipped"),
    ],
)
def test_the_plan_document_says_what_would_become_of_a_track(action, status):
    """The status is the run's word, `action` is the plan's."""
    plan = a_manifest_plan(a_track_plan(action=action, why="a reason"))
    (track,) = plan_document([plan], "real", 0)["tracks"]
    assert (track["status"], track["action"], track["why"]) == (status, action.value, "a reason")
    assert track["error"] == ("a reason" if action is Action.BLOCKED else None)


def test_a_renamed_track_is_told_with_its_older_name():
    """In the plan it is something to do, in the run's document it is kept: its status is one of the run's words."""
    plan = moved_from(a_track_plan(action=Action.KEEP), "older")
    document = plan_document([a_manifest_plan(plan)], "real", 10)
    (track,) = document["tracks"]
    assert (track["action"], track["status"], track["moved_from"]) == ("move", "planned", "older")
    assert (document["ok"], document["totals"]["planned"], document["actions"]) == (True, 1, {"move": 1})
    (track,) = run_document(_run(a_track_result(plan, "kept")))["tracks"]
    assert (track["status"], track["moved_from"]) == ("kept", "older")


def test_the_plan_document_estimates_each_purchase_once():
    """Two tracks of one prompt are one purchase, in whichever manifests they are."""
    first, second = a_track("first", takes=2), a_track("second", prompt="Music for first", manifest="other")
    plans = [a_manifest_plan(a_track_plan(first)), a_manifest_plan(a_track_plan(second), name="other")]
    document = plan_document(plans, "real", 0)
    assert document["totals"]["estimated_usd"] == document["totals"]["list_price_usd"] == 0.06
    assert document["tracks"][0]["takes"][0]["cost_basis"] == "estimated"
    assert set(document["totals"]) >= TOTALS
    assert (document["totals"]["planned"], document["totals"]["seconds"]) == (2, None)
    assert (document["totals"]["audio_seconds"], document["totals"]["estimated_cash_usd"]) == (60.0, 0.063)
    assert document["actions"] == {"generate": 2}


def test_the_plan_document_has_both_values_of_what_has_changed():
    """A script need not read sentences."""
    change = Change("fade_out", "0", "2", " s")
    plan = a_track_plan(action=Action.FINISH, why=str(change))
    plan = replace(plan, assets=tuple(replace(asset, changes=(change,)) for asset in plan.assets * 2))
    (track,) = plan_document([a_manifest_plan(plan)], "real", 0)["tracks"]
    assert track["why"] == "fade_out 0 -> 2 s"
    assert track["changes"] == [{"what": "fade_out", "before": "0", "after": "2", "unit": "s"}]


def test_a_local_plan_is_free_and_names_the_gateways_price():
    """$0 to spend, and what the same plan would take for real."""
    document = plan_document([a_manifest_plan(a_track_plan(kind="local"))], "local", 0)
    assert (document["totals"]["estimated_usd"], document["totals"]["list_price_usd"]) == (0.0, 0.03)


def test_a_take_that_is_on_its_way_is_told_with_its_job():
    """Its state, its id, and the reservation that it holds."""
    track = a_track()
    job = a_job(track, state=State.ACCEPTED)
    plan = a_track_plan(track, takes=(a_take(track, Step.COLLECT, job=job, key=a_key(track)),))
    (take,) = plan_document([a_manifest_plan(plan)], "real", 0)["tracks"][0]["takes"]
    assert (take["step"], take["status"], take["job_id"]) == ("collect", "accepted", "job_1")
    assert (take["cost_usd"], take["cost_basis"]) == (0.03, "estimated")


@pytest.mark.parametrize(
    ("action", "status", "ok"),
    [
        pytest.param(Action.KEEP, 0, True, id="nothing to do"),
        pytest.param(Action.GENERATE, 10, True, id="something to do, asked with --detailed-exitcode"),
        pytest.param(Action.BLOCKED, 10, False, id="something waits for a word"),
        pytest.param(Action.BLOCKED, 1, False, id="something waits for a word, plainly"),
    ],
)
def test_a_plan_is_well_unless_something_is_blocked(action, status, ok):
    """`ok` is about the tracks; `exit` is what the process ends with."""
    document = plan_document([a_manifest_plan(a_track_plan(action=action))], "real", status)
    assert (document["ok"], document["exit"]) == (ok, status)


def test_figures_that_could_not_be_measured_are_null():
    """An index may hold infinities or words; JSON for scripts holds neither."""
    rows = (a_row(lufs=float("-inf"), true_peak_dbtp=None, duration="long"),)
    plan = a_manifest_plan(a_track_plan(action=Action.KEEP, rows=rows))
    (asset,) = plan_document([plan], "real", 0)["tracks"][0]["assets"]
    assert (asset["lufs"], asset["true_peak_dbtp"], asset["duration"]) == (None, None, None)

"""The plan and the summary as they stand on a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_factories import (
    a_job,
    a_manifest_plan,
    a_manifest_result,
    a_row,
    a_take,
    a_track,
    a_track_plan,
    a_track_result,
    moved_from,
)

from pipeline.jobs import Commitment, State
from pipeline.money import Basis
from pipeline.planning.plans import Action, Step
from pipeline.report.plan_text import plan_lines, summary_lines
from pipeline.report.text import audio_length, one_line
from pipeline.runner.results import EXIT_MONEY, RunResult, Stop


def _a_plan(kind="real"):
    day = a_track("overworld/day", duration_s=60.0, takes=2)
    return a_manifest_plan(
        a_track_plan(day, kind=kind, why="new"),
        a_track_plan(a_track("overworld/dawn", prompt=day.prompt, duration_s=60.0), kind=kind, why="new"),
        a_track_plan(a_track("battle/lich-low"), kind=kind, why="failed before"),
        a_track_plan(a_track("menu"), Action.FINISH, kind=kind, why="finishing changed"),
        a_track_plan(a_track("title/theme"), Action.KEEP, kind=kind),
        a_track_plan(
            a_track("jingle"),
            Action.BLOCKED,
            kind=kind,
            why="expired at the gateway before it was fetched, at $0.0300: "
            "generating again costs $0.0300 (--regenerate)",
        ),
        a_track_plan(a_track("elsewhere"), Action.SKIP, kind=kind),
        orphans=(a_row(a_track("old")),),
    )


def test_a_plan_reads_as_one_line_a_track():
    """Sign, name, seconds, price and why stand in columns; the last line counts and sums."""
    assert plan_lines([_a_plan()], "real", colour=False) == [
        "skyhaven at the gateway",
        "  + overworld/day    2 x 60 s  $0.1200",
        "  + overworld/dawn              shared  shares its source with overworld/day",
        "  + battle/lich-low      30 s  $0.0300  failed before",
        "  ~ menu                          free  finish again: finishing changed",
        "  = title/theme",
        "  ! jingle",
        "      expired at the gateway before it was fetched, at $0.0300: generating again costs $0.0300",
        "      (--regenerate)",
        "  - old.ogg          orphan: no track makes it any more",
        "",
        (
            "Plan: 3 to generate, 1 to finish, 1 to keep, 1 orphan, 1 blocked, 1 outside --only; "
            "150 s of audio (2 min 30 s), $0.1500 ($0.1575 in cash, with the top-up fee)."
        ),
    ]


@pytest.mark.parametrize(
    ("fee", "seconds", "end"),
    [
        ("0", 30.0, "30 s of audio, $0.0300."),
        ("0.1", 2000.5, "2,000.5 s of audio (33 min 20 s), $2.0005 ($2.200550 in cash, with the top-up fee)."),
    ],
)
def test_the_last_line_says_what_it_comes_to(fee, seconds, end):
    """Seconds of audio, which are what is paid for, dollars, and what they are in cash where that is more."""
    plan = a_manifest_plan(a_track_plan(a_track(duration_s=seconds)), topup_fee=fee)
    assert plan_lines([plan], "real", colour=False)[-1] == f"Plan: 1 to generate; {end}"


def test_a_renamed_track_is_told_by_both_names():
    """What only moves needs no columns; what is made anew says where it comes from; each is counted by what it is."""
    plan = a_manifest_plan(
        moved_from(a_track_plan(a_track("town/inn"), Action.KEEP), "tavern"),
        moved_from(a_track_plan(a_track("b"), Action.FINISH, why="fade_out 0 -> 2 s"), "a"),
        moved_from(a_track_plan(a_track("d"), why="takes 1 -> 2"), "c"),
        moved_from(a_track_plan(a_track("f"), Action.BLOCKED, why="source missing"), "e"),
    )
    assert plan_lines([plan], "real", colour=False)[1:] == [
        "  ~ tavern -> town/inn: moved, free",
        "  ~ b           free  moved from a; finish again: fade_out 0 -> 2 s",
        "  + d  30 s  $0.0300  moved from c; takes 1 -> 2",
        "  ! f  moved from e; source missing",
        "",
        (
            "Plan: 1 to generate, 1 to finish, 1 to move, 1 blocked; "
            "30 s of audio, $0.0300 ($0.0315 in cash, with the top-up fee)."
        ),
    ]


def test_a_local_plan_costs_nothing_and_says_what_it_would():
    """Placeholders are free; the gateway's price stands beside it."""
    lines = plan_lines([_a_plan("local")], "local", colour=False)
    assert lines[-1].endswith("$0 (placeholders; at the gateway's price $0.1500).")
    assert lines[0] == "skyhaven at the local gateway"
    assert "placeholder" in lines[1]


def test_no_line_of_a_plan_is_wider_than_a_hundred_columns():
    """Long sentences go below, indented, and nothing is left out; the last is one line, for scripts."""
    lines = plan_lines([_a_plan()], "real", colour=False)
    assert max(len(line) for line in lines[:-1]) <= 100
    assert "(--regenerate)" in " ".join(lines)


def test_many_kept_tracks_are_counted_rather_than_listed():
    """Beyond forty tracks only what changes is worth a line, unless somebody asks for all."""
    keeps = [a_track_plan(a_track(f"t{number}"), Action.KEEP) for number in range(60)]
    plan = a_manifest_plan(*keeps, a_track_plan(a_track("new")))
    assert len(plan_lines([plan], "real", colour=False)) == 4
    assert len(plan_lines([plan], "real", colour=False, verbose=True)) == 64


def test_a_plan_with_nothing_to_do_says_so_in_one_line():
    """Counts, and that there is nothing to buy."""
    plan = a_manifest_plan(*(a_track_plan(a_track(f"t{number}"), Action.KEEP) for number in range(60)))
    assert plan_lines([plan], "real", colour=False) == ["Plan: 60 to keep; nothing to buy."]


def test_what_an_open_run_and_earlier_plans_left_is_said():
    """A continued run, and jobs that are collected first."""
    stray = a_job(a_track("gone"), state=State.ACCEPTED)
    lines = plan_lines([a_manifest_plan(strays=(stray,), continues_run=True)], "real", colour=False)
    assert lines == [
        "skyhaven at the gateway, going on with its open run",
        "  1 job of earlier plans to be collected first",
        "",
        "Plan: 1 to collect; nothing to buy.",
    ]


@pytest.mark.parametrize(("step", "word"), [(Step.COLLECT, "collect"), (Step.RESEND, "ask again")])
def test_what_was_asked_for_before_has_no_price(step, word):
    """It is on the books already."""
    track = a_track()
    job = a_job(track, state=State.ACCEPTED)
    plan = a_track_plan(track, takes=(a_take(track, step, job=job),), why="submitted before")
    lines = plan_lines([a_manifest_plan(plan)], "real", colour=False)
    assert word in lines[1]
    assert "$" not in "".join(lines)


def test_colour_is_only_where_it_is_wanted():
    """The same words in colour and without."""
    plain, coloured = (plan_lines([_a_plan()], "real", colour=colour) for colour in (False, True))
    assert "\x1b" not in "".join(plain)
    assert coloured[1] == f"\x1b[32m{plain[1]}\x1b[0m"


def test_control_characters_from_outside_never_reach_a_terminal():
    """Escapes, bells, new lines and turned directions become harmless."""
    assert one_line("a\x1b[31mb\r\nc\x9b\u202ed\u00a0e") == "a\ufffd[31mb c\ufffd\ufffdd e"
    plan = a_manifest_plan(a_track_plan(action=Action.BLOCKED, why="\x1b]0;title\x07"))
    assert "\x1b" not in "".join(plan_lines([plan], "real", colour=False))
    failed = a_track_result(a_track_plan(), "failed", error="\x1b[2Jgone")
    stop = Stop(EXIT_MONEY, "\x1bstop")
    lines = summary_lines(RunResult((a_manifest_result(failed),), 1.0, stop, ("\x07",)))
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.25, "0.25 s"), (45, "45 s"), (59.7, "1 min"), (570, "9 min 30 s"), (7500, "2 h 05 min")],
)
def test_a_length_of_audio_reads_as_people_say_it(seconds, text):
    """Seconds, then minutes, then hours."""
    assert audio_length(seconds) == text


def test_the_summary_of_a_run_names_each_failure_and_the_money():
    """Failures first, then counts, then what it cost."""
    day, lich = a_track("overworld/day"), a_track("battle/lich")
    gone = a_job(lich, row=2, state=State.FAILED)
    pending = a_job(a_track("slow"), row=3, state=State.ACCEPTED, unproven_sends=1)
    result = a_manifest_result(
        a_track_result(a_track_plan(day), "generated", jobs=[a_job(day)], rows=[a_row(day, duration=64.0)]),
        a_track_result(a_track_plan(lich), "failed", jobs=[gone], error="failed at the gateway: too dark"),
        a_track_result(a_track_plan(a_track("slow")), "failed", jobs=[pending], error="still generating"),
    )
    assert summary_lines(RunResult((result,), 12.3, notices=("look here",)), 1_000_000) == [
        "! battle/lich: failed at the gateway: too dark",
        "  Not charged. Run again to ask anew; if it fails alike, change the prompt or",
        "  the model.",
        "! slow: still generating",
        "  Run again: it is asked for first, and not paid for twice.",
        "",
        "track          status     length   LUFS  dBTP      cost  takes  warnings",
        "battle/lich    failed          -      -     -   $0.0000    0/1         -",
        "slow           failed          -      -     -  ~$0.0600    0/1         -",
        "overworld/day  generated  1:04.0  -16.0  -1.2   $0.0300      1         -",
        "",
        "1 generated, 2 failed, in 12.3 s.",
        "Billed $0.0300; $0.0300 more is reserved for what was asked and not billed yet",
        "  (estimated); $0.9100 of the budget of $1.0000 is left.",
        "Possible duplicates: up to $0.0300, counted as spent until disproved.",
        "note: look here",
    ]


def test_the_summary_says_how_much_of_the_bill_is_computed_where_it_saw_every_bill():
    """A bill that an earlier process received is not guessed at."""
    job = a_job(cost_microusd=29_500, cost_basis=Basis.COMPUTED)
    result = a_manifest_result(a_track_result(a_track_plan(), "generated", jobs=[job]))
    assert "computed" in " ".join(summary_lines(RunResult((result,), 1.0)))
    continued = replace(result, committed=Commitment(billed=60_000))
    assert "computed" not in " ".join(summary_lines(RunResult((continued,), 1.0)))


def test_what_only_moved_is_counted_with_what_is_kept():
    """It is what it was."""
    plan = moved_from(a_track_plan(action=Action.KEEP), "older")
    result = a_manifest_result(a_track_result(plan, "kept"), a_track_result(a_track_plan(a_track("b")), "kept"))
    assert summary_lines(RunResult((result,), 1.0))[0] == "2 kept (1 moved), in 1 s."


def test_a_reason_that_many_tracks_share_is_said_once():
    """An empty wallet is one sentence, not ten thousand."""
    tracks = [
        a_track_result(a_track_plan(a_track(f"t{number}")), "failed", error="not sent: no credit", unsent=True)
        for number in range(500)
    ]
    lines = summary_lines(RunResult((a_manifest_result(*tracks),), 3.0, Stop(EXIT_MONEY, "no credit")))
    assert lines == [
        "! 500 tracks (t0, t1, t2 and 497 more): not sent: no credit",
        "500 failed, in 3 s.",
        "Billed $0.0000.",
        "Stopped: no credit",
        "Run again to go on with what is left; what was paid for is not paid for twice.",
    ]


def test_no_line_of_a_summary_is_wider_than_eighty_columns():
    """A long sentence is wrapped, and nothing of it is left out."""
    error = "the gateway refused it: " + "because of this and that " * 10
    result = a_manifest_result(a_track_result(a_track_plan(), "failed", error=error))
    lines = summary_lines(RunResult((result,), 3.0))
    assert max(len(line) for line in lines) <= 80
    assert one_line(error) in one_line(" ".join(lines))

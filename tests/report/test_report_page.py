"""The page: what it says of tracks, money and time; that it is one file; that nothing from outside is markup in it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest
from report_factories import a_job, a_row, a_track

from pipeline.audio.waveform import COLUMNS, LoudnessCurve, Waveform, level_of, packed, unpacked
from pipeline.jobs import State
from pipeline.report.costs import cost_report
from pipeline.report.inputs import CostInput, ManifestFacts
from pipeline.report.page.inputs import PageInput, TrackFinishing
from pipeline.report.page.lanes import lanes_of
from pipeline.report.page.rendering import page_html, row_html
from pipeline.report.page.timeline import Lane, Span, Timeline, timeline_of
from pipeline.report.page.tracks import href_of
from pipeline.report.page.waveform_paths import paths_of

WAVEFORM = Waveform(
    bytes([128]) * COLUMNS, bytes([64]) * COLUMNS, LoudnessCurve(bytes([level_of(-16)]) * COLUMNS, 3.0), (0.5, 0)
)


def given(track=None, *, jobs=(), rows=(), budget=None, **changes):
    track = track or a_track()
    facts = {track.manifest: ManifestFacts(budget_microusd=budget, tags={track.name: track.tags})}
    costs = CostInput(facts, jobs, frozenset({1}), rows, ledger_since=0.0)
    return PageInput(costs, cost_report(costs), [track], **changes)


def text_of(page):
    return page_html(page).decode()


def test_the_page_is_one_file_that_only_its_own_script_and_style_run_in():
    """The policy names both by their hashes, and nothing is loaded from elsewhere."""
    page = text_of(given(rows=[a_row()]))
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1].replace("&#39;", "'")
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(address.startswith(("#", "./")) for address in addresses), addresses


def test_equal_input_gives_equal_bytes():
    """A page under version control changes with what it says."""
    assert page_html(given(rows=[a_row()])) == page_html(given(rows=[a_row()]))


@pytest.mark.parametrize(
    ("path", "href"),
    [
        ("menu/title.ogg", "./menu/title.ogg"),
        ("a b/c#d?.ogg", "./a%20b/c%23d%3F.ogg"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
        ("../secret.ogg", None),
        ("/etc/passwd", None),
        ("a/../../b.ogg", None),
        ("a\\b.ogg", None),
    ],
)
def test_an_address_is_beside_the_page_or_is_none(path, href):
    """The index is a file that anybody may have edited."""
    assert href_of(path) == href


def test_words_from_outside_are_text():
    """A prompt, a tag, a job's error."""
    evil = "<script>alert(1)</script>\"'"
    track = a_track(prompt=evil, tags=(evil,))
    page = text_of(given(track, jobs=[a_job(track, state=State.FAILED, error=evil)]))
    assert evil not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;") >= 3


def test_a_track_that_failed_says_why_and_what_to_do():
    """At the head, linked to its row, and in the row."""
    page = text_of(given(jobs=[a_job(state=State.FAILED, error="the model gave up")]))
    assert page.count("the model gave up") >= 2
    assert 'href="#t1">overworld/day</a>' in page
    assert "if it fails alike, change the prompt or the model" in page


def test_a_waveform_has_its_curve_its_target_and_its_marks():
    """Drawn in the row of its track; one that was never drawn says how it will be."""
    row = a_row(loop={"start": 44_100, "end": 88_200}, duration=4.0, sample_rate=44_100)
    page = text_of(given(rows=[row], waveforms={row.sha256: WAVEFORM}))
    marks = (
        'class="peak" d="M0 40v-',
        'class="loudness" d="M',
        'class="target" d="M0 27h240"',
        'class="loop" d="M60.0 0v80M120.0 0v80"',
        'class="trim" d="M0 0v80"',
    )
    for mark in marks:
        assert mark in page, mark
    assert "pipeline report</code> draws it" in text_of(given(rows=[row]))


def test_a_tracks_drawing_is_small():
    """The noisiest outline there can be takes less than 4 kB."""
    noisy = bytes([0, 255]) * (COLUMNS // 2)
    paths = paths_of(Waveform(noisy, noisy, LoudnessCurve(noisy, 0.4)))
    assert len(paths.peaks) + len(paths.bodies) + len(paths.loudness) < 4_000


@pytest.mark.parametrize("damaged", [b"", b"\x02" + packed(WAVEFORM)[1:], packed(WAVEFORM)[:-1], b"x" * 40])
def test_a_waveform_that_was_damaged_is_none(damaged):
    """It is then drawn anew."""
    assert unpacked(packed(WAVEFORM)) == WAVEFORM
    assert unpacked(damaged) is None


def test_the_budget_is_a_bar_of_what_is_bound_and_what_is_left():
    """In words too, for who can't see it."""
    page = text_of(given(jobs=[a_job()], budget=100_000))
    assert re.search(r'aria-label="Budget \$0\.1000: \$0\.\d{4} billed, \$0\.\d{4} left"', page)


def test_a_row_alone_is_the_row_in_the_page():
    """What a review puts in the place of the one that is shown."""
    page = given(rows=[a_row()])
    row = row_html(page, "skyhaven", "overworld/day")
    assert row.strip() in text_of(page)
    assert row_html(page, "skyhaven", "nobody") is None


def test_a_review_has_the_tracks_of_its_own_manifests():
    """The report has every track of the index; a review serves and changes no others than its own."""
    rows = [a_row(), a_row(manifest="another", name="another/track", path="another/track.ogg")]
    assert 'data-name="another/track"' in text_of(given(rows=rows))
    review = given(rows=rows, review=True)
    assert 'data-name="another/track"' not in text_of(review)
    assert row_html(review, "another", "another/track") is None
    assert row_html(review, "skyhaven", "overworld/day").strip() in text_of(review)


def test_what_was_cut_off_is_said_of_the_ends_where_it_was():
    """Not of an end that nothing was cut off."""
    row = a_row()
    page = text_of(given(rows=[row], waveforms={row.sha256: WAVEFORM}))
    assert "cut off its source: 0.50 s before<" in page


def test_time_between_two_processes_of_a_run_does_not_count():
    """A take that waited for the night's second process waited since that began."""
    first = replace(a_job(), intended_at=10.0, accepted_at=12.0, ended_at=40.0, collected_at=50.0)
    second = replace(
        a_job(a_track("b"), row=2), intended_at=10_005.0, accepted_at=10_006.0, ended_at=10_030.0, collected_at=10_031.0
    )
    page = given(
        jobs=[first, second], starts=(0.0, 10_000.0), finishings=[TrackFinishing("skyhaven", "b", 10_031.0, 10_040.0)]
    )
    timeline = timeline_of(page)
    assert (timeline.seconds, timeline.breaks) == (90.0, (50.0,))
    assert [(span.phase, span.begin, span.end) for span in timeline.lanes[1].spans] == [
        ("waiting", 50.0, 55.0), ("generating", 56.0, 80.0), ("downloading", 80.0, 81.0), ("finishing", 81.0, 90.0),
    ]  # fmt: skip
    assert timeline.mean_s("generating") == pytest.approx(26.0)
    assert "Timeline of 2 takes over 1 min 30 s" in text_of(page)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(22.0, ["0", "5 s", "10 s", "15 s", "20 s"]), (1.1, ["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1 s"])],
)
def test_the_time_axis_is_told_in_as_few_digits_as_it_takes(seconds, told):
    """`5 s` beside `10 s`."""
    lanes = lanes_of(Timeline((Lane("a", (Span("generating", 0.0, seconds),)),), seconds, ()))
    assert [tick.text for tick in lanes.ticks] == told

"""What `finish` and `measure` say: within 80 columns, nothing cut, nothing from outside that moves a cursor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pipeline.audio.tasks import Examination, FinishedFile, SeamScore
from pipeline.audio.tasks import Warning as FileWarning
from pipeline.file_finishing import FileResult
from pipeline.file_measuring import MeasuredFile
from pipeline.report.file_tables import tenths
from pipeline.report.finished_files import finished_document, finished_lines
from pipeline.report.measured_files import measured_document, measured_lines
from pipeline.runner.results import Stop

MEASURED = Examination(
    "ogg", "vorbis", 61.5, 2_712_150, 44_100, 2, -21.34, -18.2, 4.5, -3.21, -3.3,
    loop=(1_000, 2_712_150), seam=SeamScore(98.9, 3.0, 4.0, is_heard=True),
)  # fmt: skip
MADE = FinishedFile(
    "menu.ogg", "ogg", 100, "5ha", 61.5, 44_100, 2, -16.02, -13.0, 4.5, -1.04,
    warnings=(FileWarning("limited", "up to 1.2 dB taken off its peaks"),), limited_db=1.2, gain_db=5.32,
)  # fmt: skip


def test_a_finished_file_stands_with_its_levels_before_and_after() -> None:
    """And with the gain, what was limited, and its warnings."""
    results = [
        FileResult(Path("menu.wav"), MEASURED, (MADE,)),
        FileResult(Path("bad.wav"), error="it holds no sound: not one frame"),
        FileResult(Path("later.wav")),
    ]
    assert finished_lines(results, 2.0) == [
        "                before         after",
        "file       LUFS   dBTP   LUFS   dBTP  gain dB limited dB",
        "menu.ogg  -21.3   -3.2  -16.0   -1.0     +5.3        1.2",
        "      limited: up to 1.2 dB taken off its peaks",
        "! bad.wav: it holds no sound: not one frame",
        "1 file finished, 1 failed, 1 unfinished, in 2 s.",
    ]


def test_the_document_says_it_all() -> None:
    """What stopped it, each file's status, and totals."""
    results = [FileResult(Path("menu.wav"), MEASURED, (MADE,)), FileResult(Path("later.wav"))]
    document = finished_document(results, 2.0, Stop(130, "interrupted"), 130)
    assert (document["ok"], document["exit"], document["error"]) == (False, 130, "interrupted")
    assert [file["status"] for file in document["files"]] == ["finished", "unfinished"]
    assert document["files"][0]["before"]["lufs"] == -21.34
    (asset,) = document["files"][0]["assets"]
    assert (asset["path"], asset["gain_db"], asset["limited_db"], asset["loop"]) == ("menu.ogg", 5.32, 1.2, None)
    assert document["totals"] == {"finished": 1, "failed": 0, "unfinished": 1, "seconds": 2.0}
    assert json.loads(json.dumps(document)) == document


def test_a_measured_file_stands_with_its_figures_and_its_seam() -> None:
    """A figure that could not be measured is -, with why below."""
    short = replace(
        MEASURED, lufs=None, max_short_term_lufs=None, loudness_range_lu=None, loop=None, seam=None, duration_s=0.3,
        unmeasured=(("lufs", "shorter than 0.4 s"), ("max_short_term_lufs", "shorter than 3 s"),
                    ("loudness_range", "shorter than 3 s")),
    )  # fmt: skip
    files = [MeasuredFile(Path("menu.ogg"), MEASURED), MeasuredFile(Path("ping.ogg"), short)]
    assert measured_lines([*files, MeasuredFile(Path("bad"), error="it is not audio")]) == [
        "file     format  seconds      Hz ch  LUFS short range  dBTP",
        "menu.ogg    ogg    61.50  44,100  2 -21.3 -18.2   4.5  -3.2",
        "      loops from 1,000 to 2,712,150; its seam stands out (flux 98.9, sample step",
        "      3.0, level step 4.0)",
        "ping.ogg    ogg     0.30  44,100  2     -     -     -  -3.2",
        "      no loudness: shorter than 0.4 s",
        "      no short-term loudness, range: shorter than 3 s",
        "! bad: it is not audio",
    ]
    first, second, third = measured_document([*files, MeasuredFile(Path("bad"), error="no")], None, 1)["files"]
    assert (first["loop"], first["seam"]["heard"]) == ({"start": 1_000, "end": 2_712_150}, True)
    assert (second["lufs"], second["unmeasured"]["lufs"]) == (None, "shorter than 0.4 s")
    assert first.keys() == second.keys() == third.keys()
    assert (third["error"], third["lufs"], third["warnings"]) == ("no", None, [])


def test_lines_stay_within_80_columns_whatever_the_names_are() -> None:
    """A name that is too long has a line to itself, whole; none of them moves the cursor."""
    names = ["short.wav", "a long name of forty characters.......wav", "x" * 90, "evil\x1b[2J\nname.wav"]
    measured = measured_lines([MeasuredFile(Path(name), MEASURED) for name in names])
    made = finished_lines([FileResult(Path(name), MEASURED, (replace(MADE, path=name),)) for name in names], 1.0)
    for lines in (measured, made):
        assert {line for line in lines if len(line) > 80} == {"x" * 90}
        assert all(line.isprintable() for line in lines)
        assert names[1] in lines


def test_levels_are_rounded_as_people_compare_them() -> None:
    """Nothing has no sign."""
    assert [tenths(-0.04), tenths(-0.04, "+"), tenths(1.26, "+"), tenths(None)] == ["0.0", "+0.0", "+1.3", "-"]

"""The disclosure: what it says of each file, and what it drafts for Steam's survey; nothing that nobody knows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from report_factories import MODEL, NOON, a_job, a_key, a_row, a_track

from pipeline.audio.origin_marks import ALGORITHMIC, TRAINED, SourceMarks
from pipeline.audio.settings import PRESETS, Finishing, Loop, Output, Trim
from pipeline.fingerprints import finishing_fingerprint, finishing_record
from pipeline.output import Provenance
from pipeline.picks.values import Lock, LockedTrack, Pick
from pipeline.report.disclosure import DisclosureInput, disclosure
from pipeline.report.disclosure_json import disclosure_json
from pipeline.report.disclosure_markdown import disclosure_markdown
from pipeline.report.finishing_words import finishing_words
from pipeline.report.steam_survey import survey_answer

DAY, THEME = a_track("day"), a_track("theme", prompt=None, model="")


def a_finished_row(track=DAY, *, steps=(), **changes):
    """A row that says how it was finished, and that its file says what it is."""
    output = track.outputs[0]
    settings = {
        "settings": finishing_record(track, output, steps),
        "finishing_fingerprint": finishing_fingerprint(track, output, steps),
    }
    marks = {"mark": TRAINED, "source_marks": SourceMarks()}
    return a_row(track, **settings | marks | changes)


def a_recording(**changes):
    return a_finished_row(THEME, provenance=Provenance("file"), **{"mark": None} | changes)


def a_placeholder():
    return a_finished_row(a_track("night"), placeholder=True, mark=ALGORITHMIC)


def a_lock(track=DAY, *, take=1, by="run", at="2026-09-02T10:00:00Z"):
    pick = Pick(a_key(track).fingerprint, take, 0, at, by)
    return {"skyhaven": Lock("skyhaven", {track.name: LockedTrack(picks=(pick,))})}


def found(*rows, tracks=(DAY,), **more):
    paths = [(track.name, track.asset_paths) for track in tracks]
    states = {"states": {row.path: "delivered" for row in rows}}
    return disclosure(DisclosureInput({"skyhaven": paths}, rows, **states | {"generated_at": NOON} | more))


def only(*rows, **more):
    (asset,) = found(*rows, **more).assets
    return asset


def test_a_generated_file_is_told_with_all_that_is_known():
    """Model, provider, gateway's host, date, job, and that its file says so."""
    job = a_job(DAY, job_id="job_9")
    job = replace(job, intent=replace(job.intent, origin="https://me:secret@api.example.com:444/v1"))
    asset = only(a_finished_row(), jobs=[job], locks=a_lock())
    assert (asset.kind, asset.model, asset.provider, asset.gateway) == (
        "generated",
        MODEL,
        "sony-ai",
        "api.example.com",
    )
    assert (asset.date, asset.job_id, asset.take, asset.takes) == ("2026-09-01T00:00:00Z", "job_9", "1", 1)
    assert (asset.mark, asset.state, asset.is_orphan) == (TRAINED, "delivered", False)


@pytest.mark.parametrize(
    ("locks", "picked"),
    [
        (a_lock(), ("program", None)),
        (a_lock(by="pick"), ("person", "2026-09-02T10:00:00Z")),
        (a_lock(by="rollback", at=""), ("person", None)),
        (a_lock(take=2, by="pick"), (None, None)),
        ({"skyhaven": Lock("skyhaven")}, (None, None)),
        ({}, (None, None)),
    ],
    ids=["by a run", "by pick", "by rollback, at some time", "another take", "no entry", "no lock"],
)
def test_who_picked_it_is_what_the_lock_says(locks, picked):
    """Of the take that stands; otherwise it is not known, and not guessed."""
    asset = only(a_finished_row(), locks=locks)
    assert (asset.picked_by, asset.picked_at) == picked


def test_without_a_ledger_the_gateway_is_not_known():
    """Index and lock tell the rest; a placeholder's gateway is known all the same, and no model made it."""
    assert only(a_finished_row(), has_ledger=False).gateway is None
    asset = only(a_placeholder())
    assert (asset.kind, asset.gateway, asset.model) == ("placeholder", "the local gateway", None)


def test_what_lies_beside_and_what_is_missing_is_told():
    """Orphans, tracks without a file, files that are changed or gone, and manifests that were not given."""
    orphan, other = a_finished_row(a_track("old")), a_finished_row(a_track("x", manifest="adverts"))
    told = found(a_finished_row(), orphan, other, tracks=(DAY, a_track("new")), states={"day.ogg": "changed"})
    assert [(asset.path, asset.state, asset.is_orphan) for asset in told.assets] == [
        ("day.ogg", "changed", False),
        ("old.ogg", "missing", True),
    ]
    assert (told.not_made, told.others) == ((("skyhaven", "new"),), (("adverts", 1),))
    assert not survey_answer(told).is_ready


def test_what_was_done_is_told_in_words():
    """In order, as the row's own record has it; an edited record says nothing."""
    finishing = Finishing(Trim(), Loop(intro="split"), 0.5, 2.0, PRESETS["mobile"], 48_000, 1)
    row = a_finished_row(a_track(finishing=finishing, outputs=(Output("mp3"),)), steps=("mine.warm",), limited_db=1.25)
    assert finishing_words(row) == (
        "in mono",
        "at 48,000 Hz",
        "silence trimmed off both ends",
        "cut to loop without a seam, its intro in a file of its own",
        "faded in over 0.5 s",
        "faded out over 2 s",
        "changed by the project's own steps (mine.warm)",
        "levelled to -18 LUFS",
        "peaks limited by up to 1.2 dB",
        "encoded as mp3",
    )
    assert finishing_words(replace(row, finishing_fingerprint="edited")) is None
    assert finishing_words(replace(row, settings=None)) is None


class TestSurvey:
    """The draft for Steam: each sentence true of the files."""

    def test_generated_music_is_declared(self):
        """What, how much, by what and when; who chose; what was done to it; and what it says itself."""
        song = a_track("song")
        sung = a_finished_row(song)
        sung = replace(sung, provenance=replace(sung.provenance, lyrics="la", date="2026-09-03T00:00:00Z"))
        told = found(a_finished_row(), sung, a_recording(), tracks=(DAY, song, THEME), locks=a_lock(by="pick"))
        answer = survey_answer(told)
        what, how, live = answer.draft
        assert (answer.pre_generated, answer.is_ready) == (True, True)
        assert what == (
            "The game contains pre-generated music: 2 audio files (2 tracks), generated with AI during development, "
            f"from text prompts, by the model {MODEL} of sony-ai, between 2026-09-01 and 2026-09-03. Of these, 1 track "
            "is sung, to words that were given to the model. 1 further audio file is made of recordings."
        )
        assert how == (
            "For 1 track a person chose the version that is used. For 1 track it is not recorded who chose the version "
            "that is used. Software then finished the files by the project's settings (levelled, encoded). The files "
            "say in their metadata that they were generated (IPTC digital source type)."
        )
        assert live == "These files ship with the game as they are; none of them is generated while it runs."

    def test_what_is_not_so_is_not_said(self):
        """A file without a mark, changed by hand, with steps of the project's own."""
        row = a_finished_row(steps=("mine.warm",), mark=None)
        how = survey_answer(found(row, states={"day.ogg": "changed"}, locks=a_lock())).draft[1]
        assert how == (
            "For 1 track software took the first version that passed its automatic checks. Software then finished the "
            "files by the project's settings (levelled, encoded). 1 file of them went through processing of the "
            "project's own, too. 1 file was changed after that by other means."
        )

    def test_placeholders_are_never_declared(self):
        """They are not to be shipped: with nothing else there is no answer yet."""
        answer = survey_answer(found(a_placeholder(), tracks=()))
        assert (answer.pre_generated, answer.draft, answer.is_ready) == (None, (), False)
        assert answer.before[0].startswith("1 file is a placeholder, not to be shipped")
        beside = survey_answer(found(a_placeholder(), a_finished_row()))
        assert (beside.pre_generated, beside.is_ready) == (True, False)
        assert "1 audio file (1 track)" in beside.draft[0]

    def test_recordings_alone_are_nothing_to_declare(self):
        """Unless one of them says itself that a model made it."""
        answer = survey_answer(found(a_recording(), tracks=(THEME,)))
        assert (answer.pre_generated, answer.is_ready) == (False, True)
        assert answer.draft == ("No music of this project was generated with AI: 1 audio file, made of recordings.",)
        composite = TRAINED.replace("trained", "compositeWithTrained")
        for term in (TRAINED, composite):
            doubtful = found(
                a_recording(source_marks=SourceMarks(c2pa=True, digital_source_type=term)), tracks=(THEME,)
            )
            assert survey_answer(doubtful).pre_generated is None
            assert "own metadata says that a model generated them" in survey_answer(doubtful).before[0]

    def test_nothing_delivered_is_no_answer(self):
        """Neither yes nor no."""
        assert survey_answer(found()).pre_generated is None


EVIL = "![x](http://e.vil) `|<b>\x1b[31m\n# "


def test_nothing_from_outside_becomes_markup():
    """Names, models, job ids, tags, manifests: each may come from somebody else."""
    track = a_track(EVIL, model=f"{EVIL}/{EVIL}")
    row = a_finished_row(track, source_marks=SourceMarks(digital_source_type=EVIL, tags={EVIL: EVIL}), mark=EVIL)
    row = replace(row, provenance=replace(row.provenance, job_id=EVIL, date=EVIL))
    other = a_finished_row(a_track(manifest=EVIL))
    text = disclosure_markdown(found(row, other, tracks=(track, a_track(f"{EVIL}2")))).decode()
    assert not {
        mark for mark in ("![", "](http://e", " `|", "<b>", "\x1b", "\n# \n") if mark in text.replace("\\`", "")
    }
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {7, 11}


def test_placeholders_are_loud_in_the_document():
    """At its head, in the survey, and on their line."""
    text = disclosure_markdown(found(a_placeholder(), tracks=())).decode()
    assert "> **NOT TO BE SHIPPED: 1 file is a placeholder**" in text
    assert "**Not to be sent yet:**" in text
    assert "| night.ogg | **placeholder: not to be shipped**, no track's any more |" in text


def test_the_json_says_the_same_to_machines():
    """With a version; what nobody knows is null, and half a character is no error."""
    document = json.loads(disclosure_json(found(a_finished_row(), a_recording(path="\udcff.ogg"), has_ledger=False)))
    totals = document["totals"]
    assert (document["version"], totals["files"], totals["generated"], totals["tracks_picked_by_unknown"]) == (
        1,
        2,
        1,
        1,
    )
    generated, recording = sorted(document["assets"], key=lambda asset: asset["kind"])
    assert (generated["picked_by"], generated["gateway"], generated["mark"]) == (None, None, TRAINED)
    assert (recording["model"], recording["date"], recording["source_marks"]["c2pa"]) == (None, None, False)
    assert (document["models"][0]["provider"], document["steam"]["pre_generated"]) == ("sony-ai", True)

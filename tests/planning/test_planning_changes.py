"""What a plan says has changed, setting by setting, in the manifest's words."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.audio.settings import PRESETS, Finishing, Loop, Loudness, Output, Trim
from pipeline.fingerprints import finishing_fingerprint, finishing_record, paid_fingerprint
from pipeline.manifest.tracks import Place, Track
from pipeline.output import AssetRow, Provenance, read_row
from pipeline.planning.changes import finishing_changes, in_words, paid_changes

if TYPE_CHECKING:
    from pipeline.jobs import Kind

MP3, WAV, OGG = Output("mp3"), Output("wav"), Output("ogg")


def a_track(finishing: Finishing | None = None, output: Output = OGG, **changes: Any) -> Track:
    values = {
        "manifest": "game", "name": "menu", "place": Place("game.yaml", 1, 1), "finishing": finishing or Finishing(),
        "outputs": (output,), "prompt": "calm", "model": "maker/model", "price_usd_per_s": Decimal("0.0010"),
    }  # fmt: skip
    return Track(**(values | changes))


def made(track: Track, *, kind: Kind = "real", steps: tuple[str, ...] = (), **changes: Any) -> AssetRow:
    """Its row, as it comes back from the index's file."""
    (output,) = track.outputs
    generated = track.prompt is not None
    source = Provenance("generated" if generated else "file", track.model, track.prompt, track.lyrics or None)
    asked = {"duration": track.duration_s, "refine_lyrics": track.refine_lyrics, "source_format": track.source_format}
    row = AssetRow(
        "game", "menu", output.path("menu"), output.format, 1, "s", 30.0, 44_100, 2, -16.0, None, 3.0, -1.0, None, (),
        placeholder=kind == "local", paid_fingerprint=paid_fingerprint(track, kind) if generated else "file:abc",
        finishing_fingerprint=finishing_fingerprint(track, output, steps),
        provenance=replace(source, **asked) if generated else source,
        settings=finishing_record(track, output, steps),
    )  # fmt: skip
    read = read_row(json.loads(json.dumps(replace(row, **changes).document())))
    assert read is not None
    return read


def said(before: Track, after: Track, *, was: tuple[str, ...] = (), steps: tuple[str, ...] = ()) -> str:
    row = made(before, steps=was)
    return in_words(finishing_changes(row, finishing_record(after, after.outputs[0], steps)), "finishing changed")


LOUD = Finishing(loudness=Loudness())


def louder(**changes: Any) -> Finishing:
    return Finishing(loudness=replace(Loudness(), **changes))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (LOUD, louder(target_lufs=-18.0), "loudness -16 -> -18 LUFS"),
        (LOUD, Finishing(loudness=PRESETS["none"]), "preset game -> none, loudness -16 LUFS -> as it is"),
        (LOUD, Finishing(loudness=PRESETS["mobile"]),
         "preset game -> mobile, loudness -16 -> -18 LUFS, tolerance none -> 2 LU"),
        (LOUD, louder(true_peak_dbtp=-2.0), "true_peak -1 -> -2 dBTP"),
        (LOUD, louder(max_short_term_lufs=-18.0), "max_short_term none -> -18 LUFS"),
        (louder(tolerance_lu=0.5), LOUD, "tolerance 0.5 LU -> none"),
        (LOUD, louder(limit_db=0.0), "limit 3 -> 0 dB"),
        (LOUD, louder(group="battle"), "group none -> battle"),
        (LOUD, Finishing(trim=Trim()), "trim off -> on"),
        (Finishing(trim=Trim()), Finishing(trim=Trim(-50.0, 0.0, 0.05)),
         "trim.threshold -60 -> -50 dBFS, trim.keep_head 0.005 -> 0 s, trim.keep_tail 0.1 -> 0.05 s"),
        (Finishing(loop=Loop()), LOUD, "loop on -> off"),
        (Finishing(loop=Loop()), Finishing(loop=Loop(12.0, 0.5, "keep")),
         "loop.min auto -> 12 s, loop.crossfade auto -> 0.5 s, loop.intro drop -> keep"),
        (LOUD, Finishing(fade_in_s=0.5, fade_out_s=2.0), "fade_in 0 -> 0.5 s, fade_out 0 -> 2 s"),
        (LOUD, Finishing(sample_rate=48_000, channels=1), "sample_rate source -> 48000 Hz, channels source -> 1"),
        (Finishing(gates=(("ending", "off"),)), Finishing(gates=(("twin", "fail"),)),
         "gates.ending off -> warn, gates.twin warn -> fail"),
    ],
    ids=str,
)  # fmt: skip
def test_a_change_of_finishing_is_told_in_the_manifests_words(before: Finishing, after: Finishing, words: str) -> None:
    """The key, what it was, what it is, and its unit."""
    assert said(a_track(before), a_track(after)) == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (MP3, replace(MP3, bitrate=128), "outputs: mp3 192 -> 128 kbit/s"),
        (WAV, replace(WAV, bits=24), "outputs: wav 16 -> 24 bits"),
        (OGG, replace(OGG, quality=6.0), "outputs: ogg 5 -> 6 quality"),
        (replace(MP3, suffix="-low"), replace(MP3, suffix="-low", bitrate=96), "outputs: mp3-low 192 -> 96 kbit/s"),
    ],
    ids=str,
)  # fmt: skip
def test_a_change_of_an_output_is_told_by_its_format(before: Output, after: Output, words: str) -> None:
    """What is left out stands at its default, and that is said as the figure it is."""
    assert said(a_track(output=before), a_track(output=after)) == words


def test_another_list_of_steps_is_told_by_their_names() -> None:
    """They belong to the finishing."""
    assert said(a_track(), a_track(), steps=("mine.warm", "mine.wide")) == "steps none -> mine.warm, mine.wide"
    assert said(a_track(), a_track(), was=("mine.warm",)) == "steps mine.warm -> none"


EVERY_SETTING = Finishing(
    Trim(-50.0, 0.1, 0.2), Loop(12.0, 0.5, "split"), 1.0, 2.0, PRESETS["advert-eu"], 48_000, 2, (("gap", "fail"),)
)
#: A value that none of the settings has, by its type.
_OTHERS = {float: 0.75, int: 44_100, str: "another", tuple: (("gap", "off"),)}


@pytest.mark.parametrize(
    "at",
    [
        (holder, item.name)
        for holder, kind in (("", Finishing), ("trim", Trim), ("loop", Loop), ("loudness", Loudness))
        for item in dataclasses.fields(kind)
        if item.name != "loudness"  # whose own settings are all here
    ],
    ids=lambda at: ".".join(at).strip("."),
)
def test_no_setting_changes_in_silence(at: tuple[str, str]) -> None:
    """Whoever adds one adds the words for it."""
    holder, name = at
    part = getattr(EVERY_SETTING, holder) if holder else EVERY_SETTING
    value = getattr(part, name)
    other = _OTHERS.get(type(value), -3.0 if value is None else None)
    changed = replace(part, **{name: other})
    after = replace(EVERY_SETTING, **{holder: changed}) if holder else changed
    (change, *more) = finishing_changes(made(a_track(EVERY_SETTING)), finishing_record(a_track(after), OGG))
    assert not more
    assert change.before != change.after


@pytest.mark.parametrize(
    "settings",
    [None, {}, {"version": 1}, {"version": 1, "finishing": {"fade_out_s": 9.0}, "output": {}}],
    ids=["none", "empty", "in part", "of other settings"],
)
def test_a_record_that_its_fingerprint_was_not_made_of_says_nothing(settings: Any) -> None:
    """It may be from before there were records, or edited: what has changed is then not guessed at."""
    row = made(a_track(), settings=settings)
    after = a_track(Finishing(fade_out_s=1.0))
    assert finishing_changes(row, finishing_record(after, OGG)) == ()


def test_a_setting_of_a_newer_version_is_no_error() -> None:
    """That it has changed is known, what has is not."""
    from pipeline.fingerprints import fingerprint_of

    record = {"version": 1, "finishing": {"reverb_s": 2.0}, "output": {}}
    row = made(a_track(), settings=record, finishing_fingerprint=fingerprint_of(record))
    assert finishing_changes(row, finishing_record(a_track(), OGG)) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": "wild"}, "prompt changed"),
        ({"lyrics": "la la"}, "lyrics changed"),
        ({"model": "maker/better"}, "model maker/model -> maker/better"),
        ({"duration_s": 60.0}, "duration 30 -> 60 s"),
        ({"refine_lyrics": True}, "refine_lyrics false -> true"),
        ({"source_format": "mp3"}, "source_format wav -> mp3"),
        ({"prompt": "wild", "duration_s": 45.0}, "prompt changed, duration 30 -> 45 s"),
        ({"prompt": None, "file": "theme.wav"}, "source generated -> a recording"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_of_what_is_paid_for_is_told(change: dict[str, Any], words: str) -> None:
    """A prompt is only named; both texts stand in the document of `--json`."""
    assert in_words(paid_changes(made(a_track()), a_track(**change), "real"), "nothing") == words


def test_no_paid_setting_changes_in_silence() -> None:
    """All that the paid fingerprint covers is recorded, but for what makes it real."""
    track = a_track(lyrics="la")
    others = {"prompt": "o", "lyrics": "o", "refine_lyrics": True, "duration_s": 1.0, "source_format": "mp3"}
    others |= {"model": "o"}
    for name, value in others.items():
        after = replace(track, **{name: value})
        assert paid_fingerprint(after, "real") != paid_fingerprint(track, "real")
        assert len(paid_changes(made(track), after, "real")) == 1, name


def test_a_placeholder_that_is_replaced_is_called_one() -> None:
    """Its prompt is what it was."""
    row = made(a_track(), kind="local")
    assert in_words(paid_changes(row, a_track(), "real"), "nothing") == "source placeholder -> real"


def test_a_change_is_a_document_with_both_values() -> None:
    """For scripts: texts whole, figures apart from their unit."""
    (prompt, duration) = paid_changes(made(a_track()), a_track(prompt="wild", duration_s=45.0), "real")
    assert prompt.document() == {"what": "prompt", "before": "calm", "after": "wild", "unit": ""}
    assert duration.document() == {"what": "duration", "before": "30", "after": "45", "unit": "s"}

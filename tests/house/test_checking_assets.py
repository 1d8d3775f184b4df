"""What `check` finds wrong with an asset that is there and decodes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.audio.measurement import Measurement
from pipeline.audio.remeasuring import Remeasured
from pipeline.audio.seam import Seam
from pipeline.audio.settings import PRESETS, Finishing, Loop, Output, Trim
from pipeline.checking import Asset, faults
from pipeline.manifest.tracks import Place, Track
from pipeline.output import AssetRow, JoinedGroup

RATE = 44_100
FRAMES = 30 * RATE
HEARD = Seam(99.9, 10.0, 10.0)
LOOP = {"start": 0, "end": FRAMES}


def track(preset: str = "game", **finishing: object) -> Track:
    settings = Finishing(loudness=PRESETS[preset], **finishing)
    return Track("game", "menu", Place("game.yaml", 1, 1), settings, (Output(),), prompt="x")


def row(audio_format: str = "ogg", **more: object) -> AssetRow:
    made = AssetRow(
        "game", "menu", f"menu.{audio_format}", audio_format, 1, "s", 30.0, RATE, 2, -16.0, -14.0, 3.0, -1.0, None, (),
        placeholder=False, paid_fingerprint="p", finishing_fingerprint="f",
    )  # fmt: skip
    return replace(made, **more)


def asset(*warnings: str, of: Track | None = None, is_intro: bool = False, changed: bool = False, **more) -> Asset:
    one = row(**more)
    output = Output(one.format)
    return Asset(of or track(), output, one, frozenset(warnings), is_intro=is_intro, is_changed=changed)


def found(
    audio_format: str = "ogg",
    loop: tuple[int, int] | None = None,
    seam: Seam | None = None,
    bits: int | None = None,
    **more: object,
) -> Remeasured:
    figures = Measurement(30.0, FRAMES, RATE, 2, -16.0, -13.0, -14.0, 3.0, -1.0)
    bits = bits or (16 if audio_format in ("wav", "flac") else None)
    return Remeasured(replace(figures, **more), audio_format, loop, seam, bits)


def said(one: Asset, measured: Remeasured, *, index: bool = False) -> str:
    """What is wrong; of the index's own figures only where it is about them."""
    told = (fault for fault in faults(one, measured) if index or fault.code != "index")
    return "; ".join(f"{fault.code}: {fault.message}" for fault in told)


@pytest.mark.parametrize(
    ("one", "measured", "expected"),
    [
        (asset(), found(), ""),
        (asset(), found(lufs=-16.19), ""),
        (asset(audio_format="wav"), found("wav", lufs=-16.19), "loudness: -16.19 LUFS, its target is -16"),
        (asset(), found(lufs=-15.7), "loudness: -15.70 LUFS"),
        (asset(), found(lufs=-18.0), "loudness: -18.00 LUFS"),
        (asset("loudness_short", lufs=-18.0), found(lufs=-18.02), ""),
        (
            asset("loudness_short", lufs=-18.0),
            found(lufs=-18.3),
            "loudness: -18.30 LUFS, its target is -16, and -18.00 was",
        ),
        (asset("loudness_short", lufs=-18.0), found(lufs=-15.0), "loudness: -15.00 LUFS"),
        (asset(), found(true_peak_dbtp=-0.8), "true_peak: true peak -0.80 dBTP, over its ceiling of -1"),
        (asset(), found(true_peak_dbtp=-0.95), ""),
        (asset("over_ceiling", true_peak_dbtp=-0.5), found(true_peak_dbtp=-0.48), ""),
        (asset("over_ceiling", true_peak_dbtp=-0.5), found(true_peak_dbtp=-0.4), "true_peak: true peak -0.40 dBTP"),
        (asset(), found(lufs=None, true_peak_dbtp=None), "loudness: there is nothing in it whose loudness could be"),
        (asset(lufs=None), found(lufs=None, true_peak_dbtp=None), "loudness: there is nothing in it whose loudness"),
        (asset("silent", lufs=None), found(lufs=None, true_peak_dbtp=None), ""),
        (asset("silent"), found(lufs=None, true_peak_dbtp=None), "loudness: there is nothing in it whose loudness"),
        (asset(of=track("none")), found(lufs=-3.0, true_peak_dbtp=1.0), ""),
        (asset(of=track("advert-eu")), found(lufs=-23.4, max_short_term_lufs=-18.4), ""),
        (
            asset(of=track("advert-eu")),
            found(lufs=-23.0, max_short_term_lufs=-17.0),
            "max_short_term: short-term loudness up to -17.00 LUFS, over its ceiling of -18",
        ),
        (asset(is_intro=True), found(lufs=-30.0), ""),
        (asset(is_intro=True), found(true_peak_dbtp=0.0), "true_peak: true peak 0.00 dBTP"),
    ],
)
def test_levels_are_held_against_the_manifest(one: Asset, measured: Remeasured, expected: str) -> None:
    """Loudness within its format's tolerance, peaks under their ceiling; what was known is no fault."""
    assert said(one, measured).startswith(expected)
    assert bool(said(one, measured)) == bool(expected)


@pytest.mark.parametrize(
    ("one", "measured", "expected"),
    [
        (asset(), found(frames=FRAMES - 1), "duration: 30.000000 s long, 30.000000 s in the index"),
        (asset(duration=10.0), found(frames=10 * RATE, duration_s=10.0), "length: 10.0 s long, and 30 s were asked"),
        (asset(duration=16.0), found(frames=16 * RATE, duration_s=16.0), ""),
        (asset(of=track(trim=Trim()), duration=10.0), found(frames=10 * RATE, duration_s=10.0), ""),
        (replace(asset(duration=10.0), has_steps=True), found(frames=10 * RATE, duration_s=10.0), ""),
        (asset(of=track(gates=(("length", "warn"),)), duration=10.0), found(frames=10 * RATE, duration_s=10.0), ""),
        (asset(of=replace(track(), prompt=None), duration=10.0), found(frames=10 * RATE, duration_s=10.0), ""),
        (asset(), found("wav"), "format: it is wav, expected ogg"),
        (asset(), found(None), "format: it is in a format of its own, expected ogg"),
        (asset(), found(sample_rate=48_000, frames=30 * 48_000), "sample_rate: 48,000 Hz, expected 44,100"),
        (asset(of=track(sample_rate=48_000)), found(), "sample_rate: 44,100 Hz, expected 48,000"),
        (asset(), found(channels=1), "channels: 1 channels, expected 2"),
        (asset(of=track(channels=1)), found(), "channels: 2 channels, expected 1"),
        (asset(audio_format="wav"), found("wav", bits=24), "bits: 24 bits a sample, expected 16"),
        (asset(audio_format="flac"), found("flac"), ""),
    ],
)
def test_length_and_form_are_held_against_index_and_manifest(one: Asset, measured: Remeasured, expected: str) -> None:
    """To the frame by the index; by what was asked, only what the length gate would fail, and no step may change."""
    assert said(one, measured).startswith(expected)
    assert bool(said(one, measured)) == bool(expected)


LOOPS = track(loop=Loop())


@pytest.mark.parametrize(
    ("one", "measured", "expected"),
    [
        (asset(of=LOOPS, loop=LOOP), found(loop=(0, FRAMES)), ""),
        (asset(of=LOOPS, loop=LOOP), found(), "loop: loop points in it: none; in the index: 0 to 1,323,000"),
        (asset(of=LOOPS, loop=LOOP), found(loop=(1, FRAMES)), "loop: loop points in it: 1 to 1,323,000; in the index"),
        (asset(), found(loop=(0, FRAMES)), "loop: loop points in it: 0 to 1,323,000; in the index: none"),
        (asset(of=LOOPS), found(), "loop: it does not loop by the index, expected a loop by its manifest"),
        (
            asset(of=LOOPS, loop=LOOP | {"end": FRAMES + 1}),
            found(loop=(0, FRAMES + 1)),
            "loop: it loops over 0 to 1323001 by the index, and has 1,323,000 frames",
        ),
        (asset(of=LOOPS, loop={"start": 5, "end": 5}), found(loop=(5, 5)), "loop: it loops over 5 to 5"),
        (asset(of=LOOPS, loop={"start": "x"}), found(), "loop: it loops over 'x' to None"),
        (asset(of=LOOPS, loop=LOOP, audio_format="m4a"), found("m4a"), ""),
        (asset(of=LOOPS, loop=LOOP), found(loop=(0, FRAMES), seam=HEARD), "seam: its seam stands out"),
        (asset("seam_heard", of=LOOPS, loop=LOOP), found(loop=(0, FRAMES), seam=HEARD), ""),
        (asset("seam_heard", of=LOOPS, loop=LOOP, changed=True), found(loop=(0, FRAMES), seam=HEARD), "seam: its"),
        (
            asset(of=LOOPS, loop={"start": FRAMES - RATE, "end": FRAMES}),
            found(loop=(FRAMES - RATE, FRAMES)),
            "length: loops over 1.0 s, expected at least 12.0",
        ),
        (
            asset("loop_short", of=LOOPS, loop={"start": FRAMES - RATE, "end": FRAMES}),
            found(loop=(FRAMES - RATE, FRAMES)),
            "",
        ),
        (asset(of=track(loop=Loop(intro="split")), is_intro=True), found(), ""),
    ],
)
def test_loops_are_held_against_index_file_and_manifest(one: Asset, measured: Remeasured, expected: str) -> None:
    """Their points lie within the file and are the index's; their seams are not heard, unless that was said."""
    assert said(one, measured).startswith(expected)
    assert bool(said(one, measured)) == bool(expected)


def test_a_member_of_a_group_is_held_against_what_its_gain_has_made_it() -> None:
    """Only the group as a whole has the manifest's target; the ceilings are each member's own."""
    softer = asset(lufs=-21.5, group=JoinedGroup("battle", -16.0, -3.0, {"menu": "a"}))
    assert said(softer, found(lufs=-21.5)) == ""
    assert said(softer, found(lufs=-16.0)).startswith("loudness: -16.00 LUFS, its target is -21.5")
    assert said(softer, found(lufs=-21.5, true_peak_dbtp=0.0)).startswith("true_peak")


@pytest.mark.parametrize(
    ("one", "measured", "expected"),
    [
        (asset(), found(), ""),
        (asset(lufs=-16.04), found(), ""),
        (asset(lufs=-16.1), found(), "index: lufs is -16.00, and -16.10 in the index"),
        (asset(max_short_term_lufs=-15.0), found(), "index: max_short_term_lufs is -14.00, and -15.00 in the index"),
        (asset(loudness_range=None), found(), "index: loudness_range is 3.00, and nothing that can be measured in"),
        (asset(true_peak_dbtp=-3.0), found(), "index: true_peak_dbtp is -1.00, and -3.00 in the index"),
        (asset(true_peak_dbtp=-3.0, changed=True), found(), ""),
    ],
)
def test_the_indexs_own_figures_are_held_against_the_file(one: Asset, measured: Remeasured, expected: str) -> None:
    """Of one that is what was delivered; of a changed one they can't be true."""
    assert said(one, measured, index=True).startswith(expected)
    assert bool(said(one, measured, index=True)) == bool(expected)

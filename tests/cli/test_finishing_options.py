"""A track's finishing keys as options: the manifest's own values and sentences, under the options' names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import pytest

from pipeline.audio.settings import PRESETS, Loop, Output, Trim
from pipeline.cli.finishing_options import finishing_options, track_for

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.manifest.tracks import Track


@click.command()
@finishing_options
def told(**options: Any) -> Any:
    return track_for(options)


def track(*words: str) -> Track:
    return told(list(words), standalone_mode=False)


def refused(*words: str) -> list[str]:
    with pytest.raises(click.UsageError) as found:
        track(*words)
    return found.value.format_message().splitlines()


def test_without_options_the_house_decides() -> None:
    """Loudness game, one ogg."""
    assert (track().finishing.loudness, track().outputs) == (PRESETS["game"], (Output("ogg"),))


def test_every_option_is_its_key() -> None:
    """A part of a section asks for the section, too."""
    words = (
        "--trim-threshold -50 --fade-in 0.5 --fade-out 2 --preset podcast --target -17 --limit 0 --sample-rate 48000"
    )
    made = track(*words.split(), "--channels", "1", "--gate", "silent=warn", "--gate", "mono=off")
    assert (made.finishing.trim, made.finishing.loop) == (Trim(-50.0), None)
    assert (made.finishing.fade_in_s, made.finishing.fade_out_s) == (0.5, 2.0)
    loudness = made.finishing.loudness
    assert (loudness.preset, loudness.target_lufs, loudness.tolerance_lu, loudness.limit_db) == ("podcast", -17, 1.5, 0)
    assert (made.finishing.sample_rate, made.finishing.channels) == (48_000, 1)
    assert made.finishing.gates == (("mono", "off"), ("silent", "warn"))


@pytest.mark.parametrize(
    ("words", "loop"),
    [(["--loop"], Loop()), (["--loop", "--loop-min", "8"], Loop(8.0)), (["--loop-intro", "keep"], Loop(intro="keep"))],
    ids=["alone", "with a part", "by a part"],
)
def test_a_switch_and_its_parts(words: list[str], loop: Loop) -> None:
    """`--loop` leaves everything to the music; what is said besides holds."""
    assert track(*words).finishing.loop == loop


def test_formats_with_what_belongs_to_them() -> None:
    """Again and again, each with its own keys."""
    made = track("--format", "ogg:quality=6.5", "--format", "mp3:bitrate=128,suffix=-low", "--format", "wav:bits=24")
    assert made.outputs == (Output("ogg", quality=6.5), Output("mp3", "-low", bitrate=128), Output("wav", bits=24))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "loud"], "--target: found 'loud', expected a number from -60 to 0 LUFS"),
        (["--trim", "--trim-threshold", "0"], "--trim-threshold: found 0, expected a number from -120 to -1 dBFS"),
        (["--format", "mp3:bitrat=1"], "--format mp3:bitrat=1: unknown key; did you mean 'bitrate'?"),
        (["--format", "wave"], "--format wave: found 'wave', expected one of wav, flac, ogg, mp3, m4a, opus"),
        (["--gate", "silent"], "--gate silent: found nothing, expected one of off, warn, fail"),
        (
            ["--gate", "twin=fail"],
            (
                "--gate twin=fail: finds nothing here (a file has no other takes to be compared with), "
                "expected one of silent, ending, gap, clipping, mono, dc"
            ),
        ),
        (
            ["--gate", "length=warn"],
            (
                "--gate length=warn: finds nothing here (nobody asked for a length), "
                "expected one of silent, ending, gap, clipping, mono, dc"
            ),
        ),
        (
            ["--gate", "dc=off", "--gate", "dc=fail"],
            "--gate dc=fail: contradicts --gate dc=off, expected one of the two",
        ),
        (
            ["--loop", "--fade-out", "2"],
            "--fade-out: a loop can't have a fade_out: it would be heard each time round, expected fade_out: 0",
        ),
        (
            ["--format", "ogg", "--format", "ogg"],
            "--format: 'FILE.ogg' would be written twice, expected a suffix on one of the outputs",
        ),
        (["--preset", "none", "--limit", "1"], "--limit: means nothing with preset none, which changes nothing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_names_its_option(words: list[str], said: str) -> None:
    """In the sentence that a manifest gets."""
    assert refused(*words) == [said]


def test_every_mistake_is_told_at_once() -> None:
    """One line each."""
    words = "--limit 99 --channels 5 --gate x=y --gate twin=off"
    assert [line.split(":")[0] for line in refused(*words.split())] == [
        "--limit", "--channels", "--gate x=y", "--gate twin=off",
    ]  # fmt: skip


def test_a_manifests_track_with_its_defaults(tmp_path: Path) -> None:
    """By the name that it has once its matrix is expanded."""
    manifest = tmp_path / "m.yaml"
    manifest.write_text(
        "version: 1\nname: demo\ndefaults: {loudness: mobile, outputs: [mp3]}\n"
        "tracks:\n  battle/{boss}: {matrix: {boss: [dragon, lich]}, file: '{boss}.wav', fade_out: 2}\n"
    )
    made = track("--track", "battle/lich", str(manifest))
    assert (made.name, made.finishing.loudness, made.outputs) == ("battle/lich", PRESETS["mobile"], (Output("mp3"),))
    assert made.finishing.fade_out_s == 2
    assert refused("--track", "battle/lych", str(manifest)) == [
        f"--track: {manifest} has no track 'battle/lych'; did you mean 'battle/lich'?"
    ]
    assert refused("--track", "battle/lich", str(manifest), "--target", "-9", "--format", "ogg") == [
        "--track takes every setting from the manifest, expected it without --target, --format"
    ]

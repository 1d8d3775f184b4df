"""Defaults and keys: from a manifest's sections to what the other rooms read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from manifest_texts import HEAD, one, track_mistakes, tracks, whole

from pipeline.audio.settings import Finishing, Loop, Loudness, Output, Trim
from pipeline.manifest.tracks import GatewaySettings, Place


def test_what_nobody_says_is_as_the_house_has_it() -> None:
    """These defaults are paid for: within version 1 they never change."""
    manifest = whole(HEAD + "tracks: {menu: {prompt: Calm piano}}")
    (track,) = manifest.tracks
    assert manifest.gateway == GatewaySettings(
        model="maker/model",
        prices=(("maker/model", Decimal("0.0010")),),
        topup_fee=Decimal("0.05"),
        concurrency=8,
        requests_per_minute=600,
        poll_interval_s=3.0,
        job_timeout_s=1800.0,
        media_hosts=(),
        resend_unknown=True,
        on_expired="hold",
    )
    assert (manifest.name, manifest.path, manifest.budget_microusd) == ("game", Path("music/game.yaml"), None)
    assert (track.manifest, track.name, track.place) == ("game", "menu", Place("music/game.yaml", 4, 10))
    assert (track.prompt, track.lyrics, track.refine_lyrics, track.file) == ("Calm piano", "", False, None)
    assert (track.duration_s, track.source_format, track.takes, track.tags) == (30.0, "wav", 1, ())
    assert (track.model, track.price_usd_per_s) == ("maker/model", Decimal("0.0010"))
    assert track.finishing == Finishing(loudness=Loudness("game", -16.0, -1.0))
    assert track.outputs == (Output("ogg"),)


def test_the_gateway_section_says_how_hard_to_ask() -> None:
    """Amounts are exactly as they are spelled; hosts are in lower case, each once."""
    manifest = whole("""
        version: 1
        name: game
        gateway:
          model: b/b
          price_per_second: 0.00100000000000000000001
          prices: {a/a: 0.1, c/c: 0}
          topup_fee: 0
          concurrency: 10000
          requests_per_minute: 1
          poll_interval: 0.1
          job_timeout: 60
          media_hosts: [CDN.example.com, cdn.example.com, localhost]
          resend_unknown: false
          on_expired: regenerate
        budget: 2.50
        tracks: {a: {prompt: x, model: a/a}, b: {prompt: x}}
    """)
    assert manifest.gateway == GatewaySettings(
        model="b/b",
        prices=(("a/a", Decimal("0.1")), ("b/b", Decimal("0.00100000000000000000001")), ("c/c", Decimal(0))),
        topup_fee=Decimal(0),
        concurrency=10_000,
        requests_per_minute=1,
        poll_interval_s=0.1,
        job_timeout_s=60.0,
        media_hosts=("cdn.example.com", "localhost"),
        resend_unknown=False,
        on_expired="regenerate",
    )
    assert manifest.budget_microusd == 2_500_000
    assert [(track.model, track.price_usd_per_s) for track in manifest.tracks] == [
        ("a/a", Decimal("0.1")),
        ("b/b", Decimal("0.00100000000000000000001")),
    ]


@pytest.mark.parametrize(
    ("keys", "finishing"),
    [
        pytest.param("trim: true", Finishing(trim=Trim()), id="trim"),
        pytest.param("trim: false", Finishing(), id="no trim"),
        pytest.param(
            "trim: {threshold: -50, keep_head: 1, keep_tail: 2}",
            Finishing(trim=Trim(-50.0, 1.0, 2.0)),
            id="trim as told",
        ),
        pytest.param("loop: true", Finishing(loop=Loop()), id="loop"),
        pytest.param("loop: {}", Finishing(loop=Loop()), id="loop with an empty mapping"),
        pytest.param(
            "loop: {min: 5, crossfade: 0.5, intro: split}", Finishing(loop=Loop(5.0, 0.5, "split")), id="loop as told"
        ),
        pytest.param("fade_in: 0.5, fade_out: 2", Finishing(fade_in_s=0.5, fade_out_s=2.0), id="fades"),
        pytest.param("sample_rate: 48000, channels: 1", Finishing(sample_rate=48_000, channels=1), id="rate, channels"),
        pytest.param("loudness: game", Finishing(), id="loudness that is the default"),
        pytest.param(
            "loudness: advert-eu",
            Finishing(loudness=Loudness("advert-eu", -23.0, -1.0, -18.0, 0.5)),
            id="loudness by preset",
        ),
        pytest.param(
            "loudness: {target: -14, group: battle}",
            Finishing(loudness=Loudness("game", -14.0, group="battle")),
            id="loudness beside game",
        ),
        pytest.param(
            "loudness: {preset: podcast, true_peak: -2, max_short_term: -10, tolerance: 1, limit: 0}",
            Finishing(loudness=Loudness("podcast", -16.0, -2.0, -10.0, 1.0, 0.0)),
            id="loudness beside preset",
        ),
        pytest.param("loudness: none", Finishing(loudness=Loudness("none", None)), id="loudness none"),
        pytest.param(
            "gates: {twin: off, clipping: fail, ending: warn, audio: fail}",
            Finishing(gates=(("clipping", "fail"), ("twin", "off"))),
            id="gates that differ, sorted",
        ),
        pytest.param("mark: none", Finishing(mark="none"), id="no mark"),
    ],
)
def test_finishing_keys(keys: str, finishing: Finishing) -> None:
    """Each stands for one value that the finishing room reads."""
    assert one(keys).finishing == finishing


def test_a_recording_is_never_marked() -> None:
    """Its own `mark` is a mistake; that of `defaults` is not about it, and finishes it no other way."""
    (told,) = track_mistakes("a: {file: a.wav, mark: none}")
    assert told.endswith("tracks.a.mark: means nothing for a recording (file), which is never generated")
    recorded, generated = tracks("{a: {file: a.wav}, b: {prompt: x}}", head=HEAD + "defaults: {mark: none}\n")
    assert (recorded.finishing, generated.finishing) == (Finishing(), Finishing(mark="none"))


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        pytest.param("[ogg, wav]", (Output("ogg"), Output("wav")), id="names"),
        pytest.param("flac", (Output("flac"),), id="one name"),
        pytest.param("{format: mp3, bitrate: 128}", (Output("mp3", bitrate=128),), id="one mapping"),
        pytest.param(
            "[{quality: 7.5}, {format: wav, bits: 24, suffix: -hi}, {format: wav}]",
            (Output("ogg", quality=7.5), Output("wav", "-hi", bits=24), Output("wav")),
            id="mappings",
        ),
    ],
)
def test_outputs(outputs: str, expected: tuple[Output, ...]) -> None:
    """A list of formats or mappings, or the one that it would have."""
    assert one(f"outputs: {outputs}").outputs == expected


def test_what_a_track_leaves_out_comes_from_defaults() -> None:
    """A track's own value takes the place of the default as a whole."""
    head = HEAD.replace("}", ", prices: {other/model: 0.5}}") + (
        "defaults: {duration: 10, takes: 2, model: other/model, source_format: mp3, tags: [all], trim: true,\n "
        " loudness: {target: -20, group: g}, outputs: [wav], gates: {twin: off}}\n"
    )
    plain, own = tracks(
        """
        plain: {prompt: x}
        own: {prompt: x, duration: 5, takes: 1, model: maker/model, source_format: wav, tags: [own], trim: false,
              loudness: {target: -18}, outputs: [ogg], gates: {dc: off}}
        """,
        head=head,
    )
    assert (plain.duration_s, plain.takes, plain.model, plain.source_format, plain.tags) == (
        10.0, 2, "other/model", "mp3", ("all",),
    )  # fmt: skip
    assert plain.price_usd_per_s == Decimal("0.5")
    assert plain.finishing == Finishing(
        trim=Trim(), loudness=Loudness("game", -20.0, group="g"), gates=(("twin", "off"),)
    )
    assert (own.duration_s, own.takes, own.model, own.source_format, own.tags) == (
        5.0, 1, "maker/model", "wav", ("own",),
    )  # fmt: skip
    assert own.finishing == Finishing(loudness=Loudness("game", -18.0), gates=(("dc", "off"),))
    assert (plain.outputs, own.outputs) == ((Output("wav"),), (Output("ogg"),))


def test_a_recording_takes_the_place_of_a_prompt() -> None:
    """Its path is relative to the manifest; it has no model and no price."""
    head = "version: 1\nname: game\ndefaults: {takes: 3, duration: 9}\n"
    plain, spelled, elsewhere = tracks(
        """
        title: {file: recordings/theme.wav, loop: true}
        "voice/{who}": {file: "recordings/{who}.wav", matrix: {who: [ann]}}
        far: {file: /music/far.flac}
        """,
        head=head,
    )
    assert plain.file == Path("music/recordings/theme.wav")
    assert (plain.prompt, plain.model, plain.price_usd_per_s, plain.takes) == (None, "", Decimal(0), 1)
    assert plain.finishing.loop == Loop()
    assert (spelled.name, spelled.file) == ("voice/ann", Path("music/recordings/ann.wav"))
    assert elsewhere.file == Path("/music/far.flac")

"""Every rule of a manifest, broken once: the place, the path, what is wrong, and what was expected."""

from __future__ import annotations

import pytest
from manifest_texts import HEAD, mistakes, track_mistakes, whole, with_tracks

TRACKS = "tracks: {a: {file: x.wav}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("name: g\n" + TRACKS, "1:1: version: missing, expected version: 1", id="version missing"),
        pytest.param(
            "version: 2\nnonsense: [\n]\n",
            "1:10: version: found 2, expected 1, the version that this program reads",
            id="another version, and nothing else is judged",
        ),
        pytest.param(
            "version: true\nname: g\n",
            "1:10: version: found true, expected 1, the version that this program reads",
            id="version true",
        ),
        pytest.param(
            "version: '1'\nname: g\n",
            "1:10: version: found '1', expected 1, the version that this program reads",
            id="version as text",
        ),
        pytest.param(
            "version: 1\n" + TRACKS,
            "1:1: name: missing, expected the manifest's name, such as name: skyhaven",
            id="name missing",
        ),
        pytest.param(
            "version: 1\nname: a/b\n" + TRACKS,
            "2:7: name: found '/' in 'a/b', expected a name without it",
            id="name with a slash",
        ),
        pytest.param(
            "version: 1\nname: nul\n" + TRACKS,
            "2:7: name: 'nul' is a name that Windows keeps for itself, expected another",
            id="name that Windows keeps",
        ),
        pytest.param(
            "version: 1\nname: 2049\n" + TRACKS,
            "2:7: name: found 2049, which is no text in YAML, expected the manifest's name, such as skyhaven"
            " (put it in quotes)",
            id="name that is a number",
        ),
        pytest.param(
            "version: 1\nname: g\n",
            "1:1: tracks: missing, expected tracks, each a name with a prompt",
            id="tracks missing",
        ),
        pytest.param(
            HEAD + "tracks: {}", "4:9: tracks: is empty, expected at least one track with a prompt", id="tracks empty"
        ),
        pytest.param(HEAD + "tracks: [a]", "4:9: tracks: found a list, expected a mapping", id="tracks a list"),
        pytest.param(HEAD + "track: 1\n" + TRACKS, "4:1: track: unknown key; did you mean 'tracks'?", id="key unknown"),
        pytest.param(
            HEAD + "colour: 1\n" + TRACKS,
            "4:1: colour: unknown key; expected one of version, name, gateway, budget, store, defaults, tracks",
            id="key like no other",
        ),
        pytest.param(
            HEAD + "budget: -1\n" + TRACKS,
            "4:9: budget: found -1, expected a number from 0 to 1,000,000 dollars",
            id="budget negative",
        ),
        pytest.param(
            HEAD + "budget: $2\n" + TRACKS,
            "4:9: budget: found '$2', expected a number from 0 to 1,000,000 dollars",
            id="budget with a sign",
        ),
        pytest.param(
            HEAD + "defaults: {prompt: x}\n" + TRACKS,
            "4:12: defaults.prompt: unknown key; expected one of duration, source_format, takes, refresh, model,"
            " refine_lyrics, tags, trim, loop, fade_in, fade_out, loudness, sample_rate, channels, outputs, gates,"
            " mark",
            id="prompt in defaults",
        ),
        pytest.param(
            HEAD + "defaults: {outputs: [{format: wav, bitrate: 96}]}\n" + TRACKS,
            "4:36: defaults.outputs[0].bitrate: means nothing for wav, expected it with mp3 or m4a or opus only",
            id="default output",
        ),
        pytest.param(
            HEAD + "defaults:\n" + TRACKS,
            "4:10: defaults: found nothing, expected a mapping with duration, source_format, takes, refresh, model,"
            " refine_lyrics, tags, trim, loop, fade_in, fade_out, loudness, sample_rate, channels, outputs, gates,"
            " mark",
            id="defaults empty",
        ),
    ],
)
def test_the_manifest_as_a_whole(text: str, expected: str) -> None:
    """One mistake, one line: line, column, path, what is wrong, what was expected."""
    assert mistakes(text) == [expected]


@pytest.mark.parametrize(
    ("gateway", "expected"),
    [
        pytest.param("concurency: 4", "3:56: gateway.concurency: unknown key; did you mean 'concurrency'?", id="key"),
        pytest.param(
            "concurrency: 0",
            "3:69: gateway.concurrency: found 0, expected a whole number from 1 to 10,000",
            id="concurrency 0",
        ),
        pytest.param(
            "concurrency: 2.5",
            "3:69: gateway.concurrency: found 2.5, expected a whole number from 1 to 10,000",
            id="concurrency and a half",
        ),
        pytest.param(
            "requests_per_minute: 0",
            "3:77: gateway.requests_per_minute: found 0, expected a whole number from 1 to 1,000,000",
            id="requests",
        ),
        pytest.param(
            "poll_interval: 0.09",
            "3:71: gateway.poll_interval: found 0.09, expected a number from 0.1 to 3,600 seconds",
            id="poll interval",
        ),
        pytest.param(
            "job_timeout: 30m",
            "3:69: gateway.job_timeout: found '30m', expected a number from 1 to 604,800 seconds",
            id="job timeout",
        ),
        pytest.param(
            "topup_fee: 5",
            "3:67: gateway.topup_fee: found 5, expected a number from 0 to 1 (a share: 0.05 is 5 %)",
            id="top-up fee",
        ),
        pytest.param(
            "resend_unknown: no", "3:72: gateway.resend_unknown: found 'no', expected true or false", id="no is text"
        ),
        pytest.param(
            "on_expired: buy",
            "3:68: gateway.on_expired: found 'buy', expected one of hold, regenerate",
            id="expired",
        ),
        pytest.param(
            "prices: {b/c: free}",
            "3:70: gateway.prices.b/c: found 'free', expected a number from 0 to 1,000 dollars",
            id="price",
        ),
        pytest.param(
            "prices: {maker/model: 0.5}",
            "3:31: gateway.price_per_second: maker/model has another price in prices, expected one price for it",
            id="two prices",
        ),
        pytest.param(
            "media_hosts: ['https://cdn.example.com/']",
            "3:70: gateway.media_hosts[0]: found 'https://cdn.example.com/', expected a host's name alone, such"
            " as cdn.example.com",
            id="host with scheme",
        ),
        pytest.param(
            "media_hosts: [cdn.example.com:443]",
            "3:70: gateway.media_hosts[0]: found 'cdn.example.com:443', expected a host's name alone, such as"
            " cdn.example.com",
            id="host with port",
        ),
        pytest.param(
            "media_hosts: cdn.example.com",
            "3:69: gateway.media_hosts: found 'cdn.example.com', expected a list",
            id="hosts not a list",
        ),
    ],
)
def test_the_gateway_section(gateway: str, expected: str) -> None:
    """Its numbers are bounded, its hosts are names, its prices agree."""
    head = HEAD.replace("price_per_second: 0.0010", "price_per_second: 0.001, " + gateway)
    assert mistakes(head + TRACKS) == [expected]


@pytest.mark.parametrize(
    ("head", "entry", "expected"),
    [
        pytest.param(
            "gateway: {model: a/b}",
            "{prompt: x}",
            "5:15: tracks.t.prompt: a/b has no price, expected one in gateway: price_per_second for its model,"
            " prices for others",
            id="gateway's model",
        ),
        pytest.param(
            "gateway: {model: a/b, price_per_second: 1}",
            "{prompt: x, model: c/d}",
            "5:25: tracks.t.model: c/d has no price, expected one in gateway: price_per_second for its model,"
            " prices for others",
            id="track's model",
        ),
        pytest.param(
            "defaults: {model: c/d}",
            "{prompt: x}",
            "5:15: tracks.t.prompt: c/d has no price, expected one in gateway: price_per_second for its model,"
            " prices for others",
            id="defaults' model",
        ),
        pytest.param(
            "gateway: {}",
            "{prompt: x}",
            "5:15: tracks.t.prompt: no model to generate it, expected gateway.model with its price_per_second",
            id="no model",
        ),
        pytest.param(
            "gateway: {price_per_second: 1, prices: {a/b: 1}}",
            "{prompt: x, model: a/b}",
            "3:11: gateway.price_per_second: is the price of a model that is not there, expected gateway.model"
            " beside it",
            id="a price without its model",
        ),
        pytest.param(
            "gateway: {model: 1, price_per_second: 1}",
            "{prompt: x}",
            "3:18: gateway.model: found 1, which is no text in YAML, expected a model such as"
            " sony-ai/mmaudio-v2-text-to-audio (put it in quotes)",
            id="a model that is at fault is not missed again",
        ),
    ],
)
def test_a_generated_track_has_a_model_with_a_price(head: str, entry: str, expected: str) -> None:
    """Nothing is sent whose cost nobody could say before."""
    found = mistakes(f"version: 1\nname: g\n{head}\ntracks:\n  t: {entry}\n")
    assert found[0] == expected


def test_every_mistake_is_said_at_once_in_the_files_order() -> None:
    """YAML's, the models', and those that only show between keys and tracks."""
    text = with_tracks(
        """
        menu: {prompt: x, duraton: 3, takes: 0}
        menu: {prompt: y}
        loop: {prompt: x, loop: true, fade_in: 1}
        CON: {prompt: "a {thing}"}
        Win/Theme: {prompt: x}
        win/theme: {prompt: x, outputs: [{format: wav, bits: 8}, {format: wav, suffix: -b}, ogg]}
        tune: {prompt: x, model: other/model}
        """,
        head=HEAD.replace("}", ", poll_interval: 0}") + "budget: much\n",
    )
    assert [line.split(": ", 2)[:2] for line in mistakes(text)] == [
        ["3:72", "gateway.poll_interval"],
        ["4:9", "budget"],
        ["7:21", "tracks.menu.duraton"],
        ["7:40", "tracks.menu.takes"],
        ["8:3", "tracks.menu"],
        ["9:42", "tracks.loop.fade_in"],
        ["10:3", "tracks.CON"],
        ["10:17", "tracks.CON.prompt"],
        ["12:3", "tracks.win/theme"],
        ["12:56", "tracks.win/theme.outputs[0].bits"],
    ]


def test_what_is_understood_is_still_judged_beside_what_is_not() -> None:
    """With its gateway section in order, the same kind of manifest also hears of the price."""
    found = track_mistakes("a: {prompt: x, takes: 0}\nb: {prompt: x, model: other/model}")
    assert [line.split(": ", 2)[1] for line in found] == ["tracks.a.takes", "tracks.b.model"]


def test_a_mistake_holds_no_characters_that_a_terminal_obeys() -> None:
    """Keys and values are cited on one line, shortened and escaped."""
    (line,) = track_mistakes('a: {prompt: x, "k\\e[31m\\nk": 1}')
    assert line.startswith("5:18: tracks.a.k\\x1b[31m\\nk: unknown key")


def test_a_sound_manifest_has_no_mistakes() -> None:
    """Every key of a track, at its bounds."""
    track = whole(
        with_tracks(
            """
            a:
              prompt: x
              lyrics: la
              refine_lyrics: true
              duration: 0.5
              source_format: mp3
              takes: 100
              model: maker/model
              tags: [boss, 1.10, true]
              trim: {threshold: -120, keep_head: 0, keep_tail: 60}
              fade_in: 0
              fade_out: 3600
              loudness: {preset: podcast, target: -60, true_peak: -20, limit: 0, tolerance: 0.1, group: g (1)}
              sample_rate: 48000
              channels: 1
              outputs:
                [wav, {format: wav, bits: 24, suffix: -hi}, flac, {quality: 0}, {format: mp3, bitrate: 320}, m4a, opus]
              gates: {audio: fail, silent: off, length: warn, ending: fail, gap: "off"}
            """
        )
    ).tracks[0]
    assert track.tags == ("boss", "1.10", "true")

"""Every rule of a track's keys, broken once: the place, the path, what is wrong, and what was expected."""

from __future__ import annotations

import pytest
from manifest_texts import HEAD, track_mistakes


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param("duratoin: 3", "5:18: tracks.a.duratoin: unknown key; did you mean 'duration'?", id="unknown key"),
        pytest.param("fade-in: 3", "5:18: tracks.a.fade-in: unknown key; did you mean 'fade_in'?", id="hyphen"),
        pytest.param(
            "duration: 0.4",
            "5:28: tracks.a.duration: found 0.4, expected a number from 0.5 to 3,600 seconds",
            id="duration short",
        ),
        pytest.param(
            "duration: 3600.1",
            "5:28: tracks.a.duration: found 3600.1, expected a number from 0.5 to 3,600 seconds",
            id="duration long",
        ),
        pytest.param(
            "duration: 1:30",
            "5:28: tracks.a.duration: found '1:30', expected a number from 0.5 to 3,600 seconds",
            id="duration as a clock",
        ),
        pytest.param(
            "duration: [3]",
            "5:28: tracks.a.duration: found a list, expected a number from 0.5 to 3,600 seconds",
            id="duration as a list",
        ),
        pytest.param("takes: 0", "5:25: tracks.a.takes: found 0, expected a whole number from 1 to 100", id="takes 0"),
        pytest.param(
            "takes: 101", "5:25: tracks.a.takes: found 101, expected a whole number from 1 to 100", id="takes"
        ),
        pytest.param(
            "source_format: flac",
            "5:33: tracks.a.source_format: found 'flac', expected one of mp3, wav",
            id="source format",
        ),
        pytest.param("refine_lyrics: 1", "5:33: tracks.a.refine_lyrics: found 1, expected true or false", id="yes/no"),
        pytest.param(
            "model: ''",
            "5:25: tracks.a.model: is blank, expected a model such as sony-ai/mmaudio-v2-text-to-audio",
            id="model blank",
        ),
        pytest.param(
            "lyrics: 99",
            "5:26: tracks.a.lyrics: found 99, which is no text in YAML, expected the words to sing (put it in quotes)",
            id="lyrics that are a number",
        ),
        pytest.param(
            'lyrics: "a\\u0007"',
            "5:26: tracks.a.lyrics: found a control character in 'a\\x07', expected the words to sing",
            id="control character",
        ),
        pytest.param("tags: boss", "5:24: tracks.a.tags: found 'boss', expected a list", id="tags not a list"),
        pytest.param("tags: [ok, [boss]]", "5:29: tracks.a.tags[1]: found a list, expected a word", id="tag a list"),
        pytest.param("tags: ['']", "5:25: tracks.a.tags[0]: is blank, expected a word", id="tag blank"),
        pytest.param(
            "trim: 3",
            "5:24: tracks.a.trim: found 3, expected true, false or a mapping with threshold, keep_head, keep_tail",
            id="trim",
        ),
        pytest.param(
            "trim: {threshold: 0}",
            "5:36: tracks.a.trim.threshold: found 0, expected a number from -120 to -1 dBFS",
            id="trim threshold",
        ),
        pytest.param(
            "trim: {keep: 0}", "5:25: tracks.a.trim.keep: unknown key; did you mean 'keep_tail'?", id="trim key"
        ),
        pytest.param(
            "loop: yes",
            "5:24: tracks.a.loop: found 'yes', expected true, false or a mapping with min, crossfade, intro",
            id="loop yes",
        ),
        pytest.param(
            "loop: {intro: cut}",
            "5:32: tracks.a.loop.intro: found 'cut', expected one of drop, keep, split",
            id="loop intro",
        ),
        pytest.param(
            "loop: {min: 31}",
            "5:30: tracks.a.loop.min: a loop of 31 s can't come from 30 s, expected at most that",
            id="loop longer than the track",
        ),
        pytest.param(
            "loop: true, fade_out: 2",
            "5:40: tracks.a.fade_out: a loop can't have a fade_out: it would be heard each time round, expected"
            " fade_out: 0",
            id="fade on a loop",
        ),
        pytest.param(
            "fade_in: -1",
            "5:27: tracks.a.fade_in: found -1, expected a number from 0 to 3,600 seconds",
            id="fade negative",
        ),
        pytest.param(
            "loudness: loud",
            "5:28: tracks.a.loudness: found 'loud', expected one of game, mobile, console, broadcast-eu,"
            " advert-eu, broadcast-us, advert-us, podcast, streaming, none, or a mapping with preset, target,"
            " true_peak, max_short_term, tolerance, limit, group",
            id="loudness preset",
        ),
        pytest.param(
            "loudness: {preset: loud}",
            "5:37: tracks.a.loudness.preset: found 'loud', expected one of game, mobile, console, broadcast-eu,"
            " advert-eu, broadcast-us, advert-us, podcast, streaming, none",
            id="loudness preset in a mapping",
        ),
        pytest.param(
            "loudness: {target: 3}",
            "5:37: tracks.a.loudness.target: found 3, expected a number from -60 to 0 LUFS",
            id="loudness target",
        ),
        pytest.param(
            "loudness: {preset: none, target: -16}",
            "5:43: tracks.a.loudness.target: means nothing with preset none, which changes nothing",
            id="loudness none with a target",
        ),
        pytest.param(
            "loudness: {preset: advert-eu, target: -16}",
            "5:56: tracks.a.loudness.target: a short-term loudness of at most -18 can't have a target of -16,"
            " expected a target below it",
            id="target over the preset's short-term",
        ),
        pytest.param(
            "loudness: {max_short_term: -20}",
            "5:45: tracks.a.loudness.max_short_term: a short-term loudness of at most -20 can't have a target of"
            " -16, expected a target below it",
            id="short-term",
        ),
        pytest.param(
            "loudness: {group: a/b}",
            "5:36: tracks.a.loudness.group: found '/' in 'a/b', expected letters, digits, space and _ - . + ( )",
            id="group",
        ),
        pytest.param(
            "sample_rate: 7999",
            "5:31: tracks.a.sample_rate: found 7999, expected a whole number from 8,000 to 192,000 Hz",
            id="sample rate",
        ),
        pytest.param("channels: 6", "5:28: tracks.a.channels: found 6, expected one of 1, 2", id="channels"),
        pytest.param("outputs: []", "5:27: tracks.a.outputs: is empty, expected at least one", id="no outputs"),
        pytest.param(
            "outputs: [ogg, aiff]",
            "5:33: tracks.a.outputs[1]: found 'aiff', expected one of wav, flac, ogg, mp3, m4a, opus, or a"
            " mapping with format, bitrate, quality, bits, suffix",
            id="output",
        ),
        pytest.param(
            "outputs: aiff",
            "5:27: tracks.a.outputs[0]: found 'aiff', expected one of wav, flac, ogg, mp3, m4a, opus, or a"
            " mapping with format, bitrate, quality, bits, suffix",
            id="one output",
        ),
        pytest.param(
            "outputs: {format: mp3, bitrate: 100}",
            "5:50: tracks.a.outputs[0].bitrate: mp3 has no bitrate 100, expected one of 32, 40, 48, 56, 64, 80,"
            " 96, 112, 128, 160, 192, 224, 256, 320",
            id="mp3 bitrate",
        ),
        pytest.param(
            "outputs: [{format: opus, bitrate: 512}]",
            "5:52: tracks.a.outputs[0].bitrate: opus has no bitrate 512, expected one of 6 to 510",
            id="opus bitrate",
        ),
        pytest.param(
            "outputs: [{format: wav, bitrate: 192}]",
            "5:42: tracks.a.outputs[0].bitrate: means nothing for wav, expected it with mp3 or m4a or opus only",
            id="bitrate on wav",
        ),
        pytest.param(
            "outputs: [{quality: 11}]",
            "5:38: tracks.a.outputs[0].quality: found 11, expected a number from 0 to 10",
            id="quality",
        ),
        pytest.param(
            "outputs: [{format: flac, quality: 5}]",
            "5:43: tracks.a.outputs[0].quality: means nothing for flac, expected it with ogg only",
            id="quality on flac",
        ),
        pytest.param(
            "outputs: [{format: wav, bits: 32}]",
            "5:48: tracks.a.outputs[0].bits: found 32, expected one of 16, 24",
            id="bits",
        ),
        pytest.param(
            "outputs: [{format: mp3, bits: 16}]",
            "5:42: tracks.a.outputs[0].bits: means nothing for mp3, expected it with wav or flac only",
            id="bits on mp3",
        ),
        pytest.param(
            "outputs: [{suffix: /x}]",
            "5:37: tracks.a.outputs[0].suffix: found '/' in '/x', expected letters, digits, space and _ - . + ( )",
            id="suffix",
        ),
        pytest.param(
            "outputs: [ogg, ogg]",
            "5:3: tracks.a: 'a.ogg' would be written twice, expected a suffix on one of the outputs",
            id="two outputs with one path",
        ),
        pytest.param(
            "outputs: [mp3], sample_rate: 96000",
            "5:47: tracks.a.sample_rate: mp3 has no sample rate 96000, expected one of 8000, 11025, 12000, 16000,"
            " 22050, 24000, 32000, 44100, 48000",
            id="mp3 rate",
        ),
        pytest.param(
            "gates: {silence: fail}", "5:26: tracks.a.gates.silence: unknown key; did you mean 'silent'?", id="gate"
        ),
        pytest.param(
            "gates: {ending: ignore}",
            "5:34: tracks.a.gates.ending: found 'ignore', expected one of off, warn, fail",
            id="gate's action",
        ),
        pytest.param("gates: {audio: off}", "5:33: tracks.a.gates.audio: found 'off', expected fail", id="audio gate"),
        pytest.param(
            "matrix: boss",
            "5:26: tracks.a.matrix: found 'boss', expected a mapping of lists, such as boss: [dragon, lich]",
            id="matrix",
        ),
    ],
)
def test_one_key_of_a_track(keys: str, expected: str) -> None:
    """The place is that of the value, or of the key where the key is the mistake."""
    assert track_mistakes(f"a: {{prompt: x, {keys}}}") == [expected]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param("", ["5:5: tracks.a: found nothing, expected a mapping with a prompt or a file"], id="nothing"),
        pytest.param(
            "Calm piano", ["5:6: tracks.a: found 'Calm piano', expected a mapping with a prompt or a file"], id="text"
        ),
        pytest.param(
            "{takes: 2}",
            [("5:6: tracks.a: missing, expected a prompt (what to hear), or the file of a recording")],
            id="neither prompt nor file",
        ),
        pytest.param(
            "{prompt: ''}", ["5:15: tracks.a.prompt: is blank, expected text that says what to hear"], id="prompt blank"
        ),
        pytest.param(
            "{prompt: ' '}",
            ["5:15: tracks.a.prompt: is blank, expected text that says what to hear"],
            id="prompt of spaces",
        ),
        pytest.param(
            "{prompt: ~}",
            ["5:15: tracks.a.prompt: found nothing, expected text that says what to hear"],
            id="prompt null",
        ),
        pytest.param(
            "{prompt: " + "x" * 10_001 + "}",
            [("5:15: tracks.a.prompt: found 10,001 characters, expected at most 10,000")],
            id="prompt too long",
        ),
        pytest.param(
            "{prompt: x, lyrics: " + "x" * 10_001 + "}",
            [("5:26: tracks.a.lyrics: found 10,001 characters, expected at most 10,000")],
            id="lyrics too long",
        ),
        pytest.param(
            "{file: a.wav, prompt: x}",
            [("5:20: tracks.a.prompt: stands beside file, expected one of the two: generated, or recorded")],
            id="file and prompt",
        ),
        pytest.param(
            "{file: a.wav, lyrics: la, takes: 2, duration: 3}",
            [
                "5:20: tracks.a.lyrics: means nothing for a recording (file), which is never generated",
                "5:39: tracks.a.takes: a recording (file) has one take, expected 1 instead of 2",
                "5:42: tracks.a.duration: means nothing for a recording (file), which is never generated",
            ],
            id="file and what only generating has",
        ),
        pytest.param(
            '{file: "a\\0.wav"}',
            [
                (
                    "5:13: tracks.a.file: found a control character or a line break in 'a\\x00.wav', expected a"
                    " file's path"
                )
            ],
            id="file with a NUL",
        ),
    ],
)
def test_what_a_track_is_made_of(entry: str, expected: list[str]) -> None:
    """Either a prompt or the file of a recording, and what goes with it."""
    assert track_mistakes(f"a: {entry}") == expected


def test_a_fade_that_comes_from_defaults_is_named_as_such() -> None:
    """The place is the loop's, which is what the track itself says."""
    head = HEAD + "defaults: {fade_out: 2}\n"
    assert track_mistakes("a: {prompt: x, loop: true}\nb: {prompt: x, loop: true, fade_out: 0}", head=head) == [
        (
            "6:24: tracks.a.loop: a loop can't have a fade_out (from defaults): it would be heard each time"
            " round, expected fade_out: 0"
        )
    ]


def test_a_group_has_one_target() -> None:
    """One gain for all its tracks can't reach two."""
    assert track_mistakes("""
        a: {prompt: x, loudness: {target: -16, group: g}}
        b: {prompt: x, loudness: {target: -18, group: g}}
        c: {prompt: x, loudness: {group: g}}
    """) == [
        (
            "7:3: tracks.b.loudness: group 'g' has the target -16.0 by 'a' at music/game.yaml:6:3, expected the"
            " same here instead of -18.0"
        )
    ]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("true_peak: -2", "true_peak: -1", "has the true_peak -2.0 by 'a' at music/game.yaml:6:3, expected the same"),
        ("limit: 0", "limit: 3", "has the limit 0.0 by 'a' at music/game.yaml:6:3, expected the same here"),
        ("tolerance: 1", "limit: 3", "has the tolerance 1.0 by 'a' at music/game.yaml:6:3, expected the same here"),
        ("limit: 3", "max_short_term: -9", "has the max_short_term none by 'a' at music/game.yaml:6:3, expected"),
    ],
)
def test_a_group_has_one_of_each_limit(one: str, other: str, expected: str) -> None:
    """Members that are levelled by different rules would not keep their differences."""
    (mistake,) = track_mistakes(f"""
        a: {{prompt: x, loudness: {{group: g, {one}}}}}
        b: {{prompt: x, loudness: {{group: g, {other}}}}}
    """)
    assert mistake.startswith("7:3: tracks.b.loudness: group 'g' ")
    assert expected in mistake


def test_a_preset_is_no_more_than_its_figures_to_a_group() -> None:
    """Two names for the same settings are the same settings."""
    assert (
        track_mistakes("""
        a: {prompt: x, loudness: {preset: game, target: -18, tolerance: 2, group: g}}
        b: {prompt: x, loudness: {preset: mobile, group: g}}
    """)
        == []
    )

"""A track told by words instead of a file: the same rules, the same sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest
from manifest_texts import tracks

from pipeline.audio.settings import Output
from pipeline.manifest import ManifestMistakes, recording_track


def mistakes(keys: dict) -> list[str]:
    with pytest.raises(ManifestMistakes) as found:
        recording_track(keys)
    return [f"{mistake.path}: {mistake.message}" for mistake in found.value.mistakes]


def test_words_come_to_what_a_manifest_comes_to() -> None:
    """Every finishing key, spelled once as options and once in YAML, gives one and the same track."""
    (written,) = tracks(
        """
        FILE:
          file: FILE
          trim: {threshold: -50, keep_tail: 0.2}
          loop: {min: 8, crossfade: 0.5, intro: split}
          loudness: {preset: mobile, target: -17, true_peak: -1.5, max_short_term: -14, tolerance: 1, limit: 2}
          sample_rate: 44100
          channels: 2
          outputs: [wav, {format: mp3, bitrate: 128, suffix: -low}]
          gates: {silent: warn, mono: "off"}
        """
    )
    told = recording_track(
        {
            "trim": {"threshold": "-50", "keep_tail": "0.2"},
            "loop": {"min": "8", "crossfade": "0.5", "intro": "split"},
            "loudness": {
                "preset": "mobile", "target": "-17", "true_peak": "-1.5", "max_short_term": "-14", "tolerance": "1",
                "limit": "2",
            },
            "sample_rate": "44100",
            "channels": "2",
            "outputs": ["wav", {"format": "mp3", "bitrate": "128", "suffix": "-low"}],
            "gates": {"silent": "warn", "mono": "off"},
        }
    )  # fmt: skip
    assert told == replace(written, manifest=told.manifest, place=told.place, file=told.file)


def test_nothing_told_is_the_houses_defaults() -> None:
    """Loudness game, one ogg, nothing cut."""
    (written,) = tracks("FILE: {file: FILE}")
    told = recording_track({})
    assert (told.finishing, told.outputs) == (written.finishing, written.outputs)


def test_a_suffix_is_text_however_it_is_spelled() -> None:
    """An option needs no quotes to be the text `2`."""
    assert recording_track({"outputs": [{"format": "ogg", "suffix": "2"}]}).outputs == (Output("ogg", "2"),)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"loudness": {"target": "x"}}, "loudness.target: found 'x', expected a number from -60 to 0 LUFS"),
        ({"fade_in": ""}, "fade_in: found nothing, expected a number from 0 to 3,600 seconds"),
        ({"gates": {"silnt": "off"}}, "gates.silnt: unknown key; did you mean 'silent'?"),
        ({"outputs": [{"format": "wav", "bits": "20"}]}, "outputs[0].bits: found 20, expected one of 16, 24"),
        ({"outputs": ["ogg", "ogg"]}, ": 'FILE.ogg' would be written twice, expected a suffix on one of the outputs"),
        (
            {"outputs": [{"format": "ogg", "suffix": "\udcff"}]},
            "outputs[0].suffix: found '?' in '?', expected letters, digits, space and _ - . + ( )",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_said_in_the_manifests_own_sentence(keys: dict, said: str) -> None:
    """Its path is the key's below the track."""
    assert mistakes(keys) == [said]


def test_every_mistake_is_told_at_once_in_the_keys_order() -> None:
    """Of single values as of what does not go together."""
    found = mistakes({"loop": "true", "fade_out": "2", "channels": "7", "loudness": {"preset": "none", "target": "-9"}})
    assert [one.partition(":")[0] for one in found] == ["fade_out", "channels", "loudness.target"]

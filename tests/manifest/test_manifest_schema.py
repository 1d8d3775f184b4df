"""manifest.schema.json, the sample manifests beside it, and the manifest that `init` writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from manifest_texts import as_an_editor_reads, mistakes

from pipeline.manifest import json_schema, load_manifest, parse_manifest, schema_text, starter_manifest
from pipeline.manifest.complaints import section_at
from pipeline.manifest.model import ManifestSection

MANIFESTS = Path(__file__).parents[2] / "manifests"
SAMPLES = sorted(MANIFESTS.glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema=manifest.schema.json\n"


def accepts(document: Any) -> bool:
    return jsonschema.Draft7Validator(json_schema()).is_valid(document)


def test_the_schema_beside_the_samples_is_what_the_models_say() -> None:
    """To write it again: pipeline schema > manifests/manifest.schema.json."""
    assert json.loads((MANIFESTS / "manifest.schema.json").read_text(encoding="utf-8")) == json_schema()


def test_the_schema_is_a_schema_and_the_same_each_time() -> None:
    """Of a draft that editors know."""
    jsonschema.Draft7Validator.check_schema(json_schema())
    assert schema_text() == schema_text()
    assert schema_text().endswith("}\n")
    assert json.loads(schema_text()) == json_schema()


def test_the_schema_explains_every_key() -> None:
    """What an editor shows beside it; and none is said to take null but the one that it switches off."""
    sections = json_schema()["$defs"] | {"Manifest": json_schema()}
    silent = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, value in section["properties"].items()
        if not value.get("description")
    ]
    assert silent == []
    nothing = [(name, key) for name, section in sections.items() for key, value in section["properties"].items()
               if "null" in json.dumps(value.get("type", "")) or value.get("default", "") is None]  # fmt: skip
    assert {key for _, key in nothing} == {"refresh"}
    assert schema_text().count('"null"') == len(nothing)


@pytest.mark.parametrize("sample", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_the_samples_load_and_fit_the_schema(sample: Path) -> None:
    """As an editor reads them, and as the program does."""
    text = sample.read_text(encoding="utf-8")
    assert text.startswith(MODELINE)
    load_manifest(sample)
    jsonschema.validate(as_an_editor_reads(text), json_schema())


def test_there_are_two_samples_that_run_as_they_are() -> None:
    """A game's score and a campaign's jingles, each within its budget, neither mp3 with a loop."""
    game, adverts = (load_manifest(MANIFESTS / name) for name in ("game-score.yaml", "ad-jingles.yaml"))
    assert len(game.tracks) >= 10
    assert any(track.takes == 2 for track in game.tracks)
    assert len(adverts.tracks) >= 6
    assert sum(bool(track.lyrics) for track in adverts.tracks) >= 6
    assert {track.duration_s for track in adverts.tracks} == {6, 15, 30}
    assert {track.finishing.loudness.preset for track in adverts.tracks} == {"advert-eu"}
    for manifest in (game, adverts):
        cost = sum(track.takes * track.duration_s * float(track.price_usd_per_s) for track in manifest.tracks)
        assert manifest.budget_microusd is not None
        assert cost <= manifest.budget_microusd / 1e6 <= 1.3 * cost
        assert not [
            track.name
            for track in manifest.tracks
            if track.finishing.loop and any(output.format == "mp3" for output in track.outputs)
        ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("tracks", "tracks"), ("My Game (2)", "My Game (2)"), ("café", "café"), ("a:b*c", "a-b-c"), ("con", "my-music"),
     ("...", "my-music"), ("", "my-music"), ("x" * 300, "x" * 40), ("2049", "2049"), ('a"b', "a-b"), ("no", "no")],
)  # fmt: skip
def test_the_starter_loads_as_it_is(name: str, expected: str) -> None:
    """Whatever the file is called; and it fits the schema."""
    text = starter_manifest(name)
    manifest = parse_manifest(text, Path("tracks.yaml"))
    assert manifest.name == expected
    assert text.startswith(MODELINE)
    assert accepts(as_an_editor_reads(text))


def test_the_starter_stays_within_its_own_budget() -> None:
    """So that the first real run is not refused."""
    manifest = parse_manifest(starter_manifest("tracks"), Path("tracks.yaml"))
    cost = sum(track.takes * track.duration_s * float(track.price_usd_per_s) for track in manifest.tracks)
    assert cost <= (manifest.budget_microusd or 0) / 1e6


def test_what_the_starter_leaves_commented_out_is_right_too() -> None:
    """Whoever takes the `#` away gets a manifest that loads."""
    text = starter_manifest("tracks")
    commented = ("  # jingle", "  # title", "  #   ", "  # prices", "  # concurrency")
    opened = "\n".join(
        line.replace("  # ", "  ", 1) if line.startswith(commented) else line for line in text.splitlines()
    )
    manifest = parse_manifest(opened, Path("tracks.yaml"))
    assert {"jingle/spring-sale", "title/theme"} <= {track.name for track in manifest.tracks}


@pytest.mark.parametrize(
    "text",
    [
        "colour: 1", "budget: -1", "gateway: {concurrency: 0}", "gateway: {media_hosts: ['https://x']}",
        "defaults: {prompt: x}", "defaults: {takes: 101}", "defaults: {duration: long}", "defaults: {loop: yes please}",
        "defaults: {outputs: []}", "defaults: {outputs: [aiff]}", "defaults: {loudness: loud}",
        "defaults: {trim: {threshold: 5}}", "defaults: {gates: {audio: warn}}", "defaults: {channels: 3}",
    ],
)  # fmt: skip
def test_an_editor_underlines_what_the_program_refuses(text: str) -> None:
    """The schema and the reader are one and the same models."""
    whole = f"version: 1\nname: g\n{text}\ntracks: {{a: {{file: x.wav}}}}\n"
    assert mistakes(whole) != []
    assert not accepts(as_an_editor_reads(whole))


def test_every_section_of_the_model_is_known_by_its_place() -> None:
    """So that each can name the nearest of its own keys."""
    assert section_at(()) is ManifestSection
    for path in (("gateway",), ("defaults", "loop"), ("tracks", "loop"), ("tracks", "a", "outputs", 0)):
        section = section_at(path)
        assert section is not None
        assert section.model_config["extra"] in ("forbid", "allow")


def test_importing_the_room_brings_neither_pydantic_nor_yaml() -> None:
    """Most of the house only reads tracks."""
    program = "import sys, pipeline.manifest; print(sorted({'pydantic', 'yaml', 'numpy'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"

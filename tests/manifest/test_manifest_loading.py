"""Reading the file: bounded, patient with nothing, and quick."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_texts import HEAD

from pipeline.manifest import ManifestMistakes, Mistake, load_manifest, parse_manifest
from pipeline.manifest.model import GatewaySection, ManifestSection, TrackSection
from pipeline.manifest.sound_model import GatesSection, LoopSection, LoudnessSection, OutputSection, TrimSection

if TYPE_CHECKING:
    from collections.abc import Callable


def refused(path: Path) -> str:
    with pytest.raises(ManifestMistakes) as found:
        load_manifest(path)
    return str(found.value).replace(str(path), "FILE")


def test_a_manifest_is_read_from_its_file(tmp_path: Path) -> None:
    """Recordings are relative to it, whatever the working folder is."""
    path = tmp_path / "game.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + "tracks: {ü: {file: theme.wav}}\r\n").encode())
    manifest = load_manifest(path)
    assert manifest.path == path
    assert manifest.tracks[0].file == tmp_path / "theme.wav"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The sentence says what would make one."""
    assert refused(tmp_path / "x.yaml") == (
        "FILE:1:1: manifest: there is no such file, expected one; `pipeline init FILE` writes one"
    )


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    """Nor is anything else that is no regular file."""
    assert refused(tmp_path) == "FILE:1:1: manifest: is no regular file, expected a YAML file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """It might never say anything."""
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe") == "FILE:1:1: manifest: is no regular file, expected a YAML file"


def test_a_path_through_a_file_is_said_in_the_systems_words(tmp_path: Path) -> None:
    """Whatever keeps a file from being read is a sentence, too."""
    (tmp_path / "file").touch()
    assert refused(tmp_path / "file" / "x.yaml") == (
        "FILE:1:1: manifest: can't be read (not a directory), expected a YAML file"
    )
    assert "can't be read" in refused(Path("a\0b.yaml"))


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """No more than the bound is ever read."""
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(10**12)
    assert refused(path) == "FILE:1:1: manifest: is larger than 16 MB, expected several smaller manifests"


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    """The place of the first byte that can't be read is named."""
    path = tmp_path / "latin.yaml"
    path.write_bytes("version: 1\nname: café\n".encode("latin-1"))
    assert refused(path) == "FILE:2:10: manifest: is not UTF-8, expected text in UTF-8"


BOMB = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)
] + ["version: 1", "name: g", "tracks: {a: *a9}"])  # fmt: skip

CHILD = """
import resource, sys
from pathlib import Path
from pipeline.manifest import ManifestMistakes, load_manifest, text
text.MOST_NODES //= 10  # the whole of it takes half a minute to get through
resource.setrlimit(resource.RLIMIT_AS, (600_000_000, 600_000_000))
try:
    load_manifest(Path(sys.argv[1]))
except ManifestMistakes as found:
    print(found)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no memory limits here")
@pytest.mark.parametrize(
    ("bomb", "expected"),
    [
        pytest.param(BOMB, "aliases expand to more than 100,000 values", id="billion laughs"),
        pytest.param(
            HEAD
            + "tracks:\n  a: {prompt: x, matrix: {"
            + ", ".join(f"k{n}: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]" for n in range(10))
            + "}}",
            "stands for 10,000,000,000 tracks",
            id="matrix",
        ),
        pytest.param("[" * 2_000_000, "nested more than 100 deep", id="nesting"),
        pytest.param("[" + "[]," * 5_000_000 + "]", "more than 200,000 values", id="a great many values"),
    ],
)
def test_a_bomb_is_refused_in_little_memory(tmp_path: Path, bomb: str, expected: str) -> None:
    """In a process that may not take more than 600 MB of addresses, libraries and all."""
    path = tmp_path / "bomb.yaml"
    path.write_text(bomb, encoding="utf-8")
    answer = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert expected in answer.stdout


def many_tracks(count: int) -> str:
    entry = (
        "  zone-{0}/theme-{1}:\n    prompt: Calm orchestral exploration theme number {1}, harp and strings\n   "
        " duration: 45\n    loudness: {{target: -16, group: battle}}\n    tags: [boss, act-1]\n    outputs: [ogg,"
        " wav]\n"
    )
    return HEAD + "tracks:\n" + "".join(entry.format(number % 100, number) for number in range(count))


def test_many_tracks_load_in_about_the_time_that_yaml_takes() -> None:
    """Checked and expanded, and none the slower for how many there are."""
    text = many_tracks(2_000)
    ours = min(seconds_of(lambda: parse_manifest(text, Path("many.yaml"))) for _ in range(2))
    theirs = min(seconds_of(lambda: yaml.load(text, Loader=yaml.CSafeLoader)) for _ in range(2))
    few = min(seconds_of(lambda: parse_manifest(many_tracks(200), Path("few.yaml"))) for _ in range(2))
    assert ours < 3 * theirs
    assert ours < 3 * 10 * few


def seconds_of(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def test_the_garbage_collector_is_left_as_it_was() -> None:
    """It is paused while a manifest is read, also where that fails."""
    for was_enabled in (True, False):
        (gc.enable if was_enabled else gc.disable)()
        try:
            with pytest.raises(ManifestMistakes):
                parse_manifest("version: [", Path("m.yaml"))
            assert gc.isenabled() is was_enabled
        finally:
            gc.enable()


def mistakes_in(text: str) -> tuple[Mistake, ...]:
    """At least one where the text is no manifest."""
    try:
        parse_manifest(text, Path("m.yaml"))
    except ManifestMistakes as found:
        return found.mistakes or pytest.fail("no mistake is said")
    return ()


@settings(max_examples=300, deadline=None, database=None)
@given(st.text(max_size=40) | st.text("ab:{}[]\"'&*!|>-#,?%@` \n\t0", max_size=60))
def test_any_text_is_a_manifest_or_mistakes(text: str) -> None:
    """Nothing else is ever raised, with or without the keys that every manifest has."""
    for whole in (text, HEAD + "tracks:\n  " + text, HEAD + f"tracks: {{a: {{prompt: {text}}}}}"):
        assert all(str(mistake).startswith("m.yaml:") for mistake in mistakes_in(whole))


MODELS = (
    ManifestSection,
    GatewaySection,
    TrackSection,
    LoopSection,
    LoudnessSection,
    OutputSection,
    TrimSection,
    GatesSection,
)
KEYS = st.sampled_from(sorted({key for model in MODELS for key in model.model_fields}))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["ogg", "game", "a/b", "{boss}", "drop", "fail", "maker/model", 1, 30])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None, database=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5), st.dictionaries(KEYS | st.text(max_size=5), VALUES, max_size=5))
def test_any_values_under_known_keys_are_a_manifest_or_mistakes(top: dict, track: dict) -> None:
    """Every key may hold anything; each mistake has a place in the file and one line."""
    document = {"version": 1, "name": "g", **top, "tracks": {"a": track, "b{boss}": {"prompt": "x", **track}}}
    document["version"] = 1
    text = yaml.safe_dump(document, allow_unicode=True)
    lines = len(text.splitlines()) + 1
    found = mistakes_in(text)
    assert all(1 <= mistake.place.line <= lines for mistake in found)
    assert all(str(mistake).isprintable() for mistake in found)

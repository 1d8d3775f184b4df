"""`pipeline check` on an output folder that was made, and then was not left alone."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
import soundfile
from programs import pipeline
from quick_gateway import quick_gateway

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lives import Lives

MANIFEST = """\
version: 1
name: demo
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.2}
defaults: {duration: 2, outputs: [wav]}
tracks:
  theme: {prompt: calm theme, duration: 5, loop: {intro: split}, outputs: [ogg, wav, mp3, flac]}
  jingle: {prompt: a jingle}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, lives: Lives) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "demo.yaml").write_text(MANIFEST)
    with quick_gateway() as gateway:
        ended = lives.live(folder, "run", "demo.yaml", "--gateway", f"local={gateway.base_url}")
    assert ended.status == 0, ended.stderr
    return folder


def edit_index(folder: Path, change: Callable[[dict[str, dict[str, object]]], None]) -> None:
    index = folder / "output/assets.json"
    document = json.loads(index.read_bytes())
    change({row["path"]: row for row in document["assets"]})
    index.write_text(json.dumps(document))


def checked(folder: Path, lives: Lives) -> tuple[int, list[tuple[str, str, str]]]:
    ended = lives.live(folder, "check", "demo.yaml", "--json")
    document = json.loads(ended.stdout)
    assert document["exit"] == ended.status, ended.stderr
    return ended.status, [(fault["path"], fault["code"], fault["fault"]) for fault in document["faults"]]


def test_what_a_run_has_made_is_all_well(made: Path) -> None:
    """In every format, loops and their intros too: loop points are read from the files, seams are measured again."""
    ended = pipeline(made, "check", "demo.yaml")
    assets = len(json.loads((made / "output/assets.json").read_bytes())["assets"])
    assert (ended.returncode, ended.stdout) == (0, f"{assets} assets checked: all well\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes among files")
def test_each_fault_is_told_by_its_path_and_code(made: Path, tmp_path: Path, lives: Lives) -> None:
    """What is gone, no file, changed or other than the index says: a line each, and exit status 1."""
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    output = folder / "output"
    (output / "theme.intro.mp3").unlink()
    (output / "theme.intro.flac").unlink()
    os.mkfifo(output / "theme.intro.flac")
    samples, rate = soundfile.read(output / "jingle.wav")
    soundfile.write(output / "jingle.wav", samples / 2, rate, subtype="PCM_16")
    shutil.copyfile(output / "theme.ogg", output / "theme.intro.wav")

    def lie(rows: dict[str, dict[str, object]]) -> None:
        rows["theme.ogg"]["loop"] = {"start": 7, "end": 1_000}
        rows["theme.mp3"]["channels"] = 3
        rows["theme.wav"]["duration"] = float(rows["theme.wav"]["duration"]) + 0.001
        del rows["theme.flac"]["sha256"]  # no row any more

    edit_index(folder, lie)
    status, faults = checked(folder, lives)
    assert status == 1
    codes = {(path, code) for path, code, _ in faults}
    assert codes >= {
        ("jingle.wav", "changed"),
        ("jingle.wav", "loudness"),
        ("theme.intro.mp3", "missing"),
        ("theme.intro.flac", "missing"),
        ("theme.intro.wav", "changed"),
        ("theme.intro.wav", "format"),
        ("theme.flac", "missing"),
        ("theme.mp3", "channels"),
        ("theme.ogg", "loop"),
        ("theme.wav", "duration"),
    }
    assert not {path for path, _ in codes} & {"theme.intro.ogg"}
    assert ("theme.intro.flac", "missing", "missing: not a plain file") in faults


def test_a_size_that_is_not_the_files_is_told(made: Path, tmp_path: Path, lives: Lives) -> None:
    """The next run would make it again for that: both say that something is wrong."""
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    edit_index(folder, lambda rows: rows["jingle.wav"].update(size=7))
    status, [(path, code, fault)] = checked(folder, lives)
    assert (status, path, code) == (1, "jingle.wav", "index")
    assert fault.endswith("bytes, and 7 in the index")

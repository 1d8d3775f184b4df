"""`run --finish-on URL`: the same files as without it, and one sentence where it can't be."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from farming import wanted
from lives import clean_environment
from quick_gateway import quick_gateway

if TYPE_CHECKING:
    from pathlib import Path

    from farming import LocalFarm
    from lives import Ended, Lives

MANIFEST = """\
version: 1
name: demo
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1}
defaults: {duration: 2, outputs: [ogg, {format: wav, bits: 24}]}
tracks:
  menu: {prompt: calm menu, loop: true, takes: 2}
  battle/{boss}: {matrix: {boss: [dragon, lich]}, prompt: "{boss} battle", loudness: {target: -16, group: battle}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo.yaml").write_text(MANIFEST)
    return tmp_path


def hashes(output: Path) -> dict[str, str]:
    rows = json.loads((output / "assets.json").read_text())["assets"]
    return {row["path"]: row["sha256"] for row in rows}


def run(lives: Lives, folder: Path, name: str, gateway: str, *words: str) -> Ended:
    """A whole run, into folders of its own."""
    places = ("--output", f"{name}/output", "--state", f"{name}/state")
    ended = lives.live(folder, "run", "demo.yaml", "--gateway", gateway, *places, *words)
    assert ended.status == 0, ended.said
    return ended


def test_a_run_that_finishes_on_a_farm_delivers_the_same_files(farm: LocalFarm, folder: Path, lives: Lives) -> None:
    """Loops, takes and groups among them, of the same sources; and with nothing to do, no farm is asked."""
    with quick_gateway() as gateway:
        run(lives, folder, "here", f"local={gateway.base_url}")
        shutil.copytree(folder / "here", folder / "there")
        shutil.rmtree(folder / "there/output")
        shutil.rmtree(folder / "there/state/takes")
        told = run(lives, folder, "there", f"local={gateway.base_url}", "--finish-on", farm.address)
        run(lives, folder, "there", f"local={gateway.base_url}", "--finish-on", "tcp://127.0.0.1:1")
    assert len(hashes(folder / "here/output")) == 6
    assert hashes(folder / "there/output") == hashes(folder / "here/output")
    assert "distributed" not in told.said


def bought(folder: Path) -> list[Any]:
    return [*folder.glob(".pipeline/sources/**/*.wav"), *folder.glob("output/**/*.ogg")]


def changed(folder: Path, change: str, address: str) -> subprocess.CompletedProcess[str]:
    """A run of a program with something changed in it."""
    program = f"import sys; {change}; from pipeline.__main__ import main; main()"
    words = ("run", "demo.yaml", "--gateway", "local", "--quiet", "--finish-on", address)
    command = [sys.executable, "-c", program, *words]
    environment = clean_environment()
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_no_scheduler_ends_a_run_before_it_begins(folder: Path) -> None:
    """Exit 5 and one sentence: nothing is asked for, and nothing written into the output folder."""
    wanted()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
    ended = changed(folder, "import pipeline.farm.cluster; pipeline.farm.cluster.CONNECTED_WITHIN_S = 0.3", address)
    sentence = f"no scheduler can be reached at {address} (no answer): start one with `dask scheduler`"
    assert (ended.returncode, ended.stderr) == (5, f"pipeline: {sentence}, or leave out --finish-on\n")
    assert bought(folder) == []


def test_without_dask_a_run_ends_with_what_to_install(folder: Path) -> None:
    """Exit 2 and no traceback, before anything is asked for."""
    ended = changed(folder, "sys.modules['dask'] = None", "tcp://127.0.0.1:9")
    sentence = "finishing on a farm takes Dask, which is not installed: pip install 'music-asset-pipeline[dask]'\n"
    assert (ended.returncode, ended.stderr) == (2, sentence)
    assert bought(folder) == []


@pytest.mark.parametrize("address", ["scheduler:8786", "http://scheduler:8786", "tcp://scheduler"])
def test_what_is_no_schedulers_address_is_wrong_usage(folder: Path, lives: Lives, address: str) -> None:
    """One sentence, exit 2."""
    ended = lives.live(folder, "run", "demo.yaml", "--gateway", "local", "--quiet", "--finish-on", address)
    assert (ended.status, "is no scheduler's address, expected tcp://" in ended.stderr) == (2, True), ended.said

"""The plan as it is printed: by `plan` and first by `run`, in colour on a terminal only."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from lives import clean_environment
from programs import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

    from lives import Lives

    from pipeline.local_gateway.serving import LocalGatewayThread

KEY = {"AIGATEWAY_API_KEY": "sk-aig-1"}


def on_a_terminal(folder: Path, *words: str, **environment: str) -> str:
    """What `pipeline WORDS` shows on a terminal that is its standard output."""
    ours, its = pty.openpty()
    kept = {name: value for name, value in clean_environment().items() if name != "NO_COLOR"}
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", *words], cwd=folder, env=kept | {"TERM": "xterm"} | environment,
        stdout=its, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=100, check=False,
    )  # fmt: skip
    os.close(its)
    shown = b""
    try:
        while chunk := os.read(ours, 65_536):
            shown += chunk
    except OSError:  # Linux: the other end is closed
        pass
    os.close(ours)
    assert ended.returncode in (0, 10)
    return shown.decode()


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=["a terminal", "NO_COLOR", "an empty NO_COLOR", "a dumb terminal"],
)
def test_colour_is_for_a_terminal_and_never_with_no_color(
    folder: Path, environment: dict[str, str], *, coloured: bool
) -> None:
    """As no-color.org asks: an empty value is none."""
    shown = on_a_terminal(folder, "plan", "demo.yaml", "--gateway", "local", **environment)
    assert ("\x1b[32m  + menu" in shown, "  + menu" in shown) == (coloured, True)


def test_a_run_prints_the_same_plan_first(folder: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """On standard output, word by word; with --json that belongs to the document, and --quiet says nothing."""
    words = ("demo.yaml", "--gateway", gateway.base_url)
    planned = lives.live(folder, "plan", *words, **KEY).stdout
    assert planned.splitlines()[-1].startswith("Plan: 3 to generate; 6 s of audio, $0.0060 ($0.0063 in cash")
    ran = lives.live(folder, "run", *words, **KEY)
    assert (ran.status, ran.stdout) == (0, planned)
    planned = lives.live(folder, "plan", *words, **KEY).stdout
    ran = lives.live(folder, "run", *words, "--json", **KEY)
    assert json.loads(ran.stdout)["ok"]
    assert ran.stderr.startswith(planned)
    ran = lives.live(folder, "run", *words, "--quiet", **KEY)
    assert (ran.status, ran.said) == (0, "")


def test_a_plan_says_what_has_changed(folder: Path, gateway: LocalGatewayThread, lives: Lives) -> None:
    """In the manifest's words, and in the document with both values."""
    words = ("demo.yaml", "--gateway", gateway.base_url)
    assert lives.live(folder, "run", *words, **KEY).status == 0
    changed = MANIFEST.replace("prompt: calm menu", "prompt: calm menu, loudness: {target: -18}")
    (folder / "demo.yaml").write_text(changed.replace('"{boss} battle"', '"{boss} boss battle"'))
    ended = lives.live(folder, "plan", *words, "--detailed-exitcode", **KEY)
    assert ended.status == 10
    assert "  ~ menu                   free  finish again: loudness -16 -> -18 LUFS\n" in ended.stdout
    assert "  + battle/dragon  2 s  $0.0020  prompt changed\n" in ended.stdout
    document = json.loads(lives.live(folder, "plan", *words, "--json", **KEY).stdout)
    changes = {track["name"]: track["changes"] for track in document["tracks"]}
    assert changes["menu"] == [{"what": "loudness", "before": "-16", "after": "-18", "unit": "LUFS"}]
    assert changes["battle/lich"] == [
        {"what": "prompt", "before": "lich battle", "after": "lich boss battle", "unit": ""}
    ]

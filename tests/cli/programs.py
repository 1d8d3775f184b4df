"""The real program as a script or a person starts it, with its interpreter and its worker processes.

That takes seconds. Where a test is not about it, `Lives` start the same command line at once.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from lives import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = """\
version: 1
name: demo
gateway: {model: sony-ai/mmaudio-v2-text-to-audio, price_per_second: 0.0010, poll_interval: 0.1}
defaults: {duration: 2, outputs: [wav]}
tracks:
  menu: {prompt: calm menu}
  battle/{boss}: {matrix: {boss: [dragon, lich]}, prompt: "{boss} battle", tags: [boss]}
"""


def pipeline(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return program(folder, sys.executable, "-m", "pipeline", *words, **environment)


def program(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


class Served:
    """`pipeline serve` in a process of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--media-port", "0", *words],
            cwd=folder,
            env=clean_environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        said = ""
        while (found := re.search(r"--gateway local=(http://\S+)", said)) is None:
            line = self.process.stderr.readline()
            assert line, said
            said += line
        self.url = found[1]

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)

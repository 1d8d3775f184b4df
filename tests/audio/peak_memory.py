"""The most memory that a process has held, read in that process: run in a child, so that nothing else counts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def peak_bytes() -> int:
    """Of this process since it was executed: getrusage would give a child its parent's peak as well. Linux only."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def said_in_a_child(program: str, *words: str) -> list[str]:
    """The lines that `program` prints, which may import this module and `pipeline`."""
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": f"{here.parents[1]}{os.pathsep}{here}"}
    command = [sys.executable, "-c", program, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()

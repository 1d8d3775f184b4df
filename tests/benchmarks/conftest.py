"""Benchmarks are programs beside the package: their modules, and the simulation's, are found where they stand."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[2] / folder) for folder in ("benchmarks", "tests/simulation")]

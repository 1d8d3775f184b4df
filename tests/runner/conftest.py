"""Worlds for the runner's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from worlds import World

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world whose gateway takes 5 s a job and honours keys."""
    return World(tmp_path)


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[..., World]:
    """A world whose gateway is told otherwise."""
    return lambda **options: World(tmp_path, **options)

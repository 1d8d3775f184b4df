"""A folder that a run has made, once for all tests, and a copy of it for each."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import anyio
import pytest
import soundfile
from reviews import MANIFEST, Bench
from virtual_time import virtual_backend

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two takes of menu/title, one of battle, and a recording."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "game.yaml").write_text(MANIFEST)
    soundfile.write(folder / "theme.wav", [[0.1, -0.1]] * 24_000, 24_000)
    backend, options = virtual_backend("asyncio")
    result = anyio.run(Bench(folder).run, backend=backend, backend_options=options)
    assert result.exit == 0
    return folder


@pytest.fixture
def bench(made: Path, tmp_path: Path) -> Bench:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Bench(tmp_path)

"""Finished libraries: made once, and copied for each test."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import libraries
import pytest
from libraries import KEY, Library

from pipeline.noop import stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A finished library of either kind."""
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in ("local", "real")}
    for kind, folder in folders.items():
        libraries.make(folder, kind)
    return folders


@pytest.fixture
def make_library(tmp_path: Path, made: dict[str, Path]) -> Callable[..., Library]:
    def make(kind: str = "local") -> Library:
        folder = tmp_path / "library"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made[kind], folder)
        return Library(folder, kind, {"AIGATEWAY_API_KEY": KEY} if kind == "real" else {})

    return make


@pytest.fixture
def library(make_library: Callable[..., Library]) -> Library:
    return make_library()


@pytest.fixture
def nothing_is_young(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are sure from the moment they are looked at, as if they had been there for a while."""
    monkeypatch.setattr(stamp, "YOUNG_NS", 0)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AIGATEWAY_")] + ["NO_COLOR"]:
        monkeypatch.delenv(name, raising=False)

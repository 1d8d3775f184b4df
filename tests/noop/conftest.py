"""Finished libraries: made once, and copied for each test."""

from __future__ import annotations

import os
import shutil
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import libraries
import pytest
from libraries import KEY, Library

from pipeline.noop import stamp, taking

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], Path]:
    """A finished library of either kind, with an orphan or without."""

    @cache
    def make(kind: str, has_orphan: bool) -> Path:
        folder = tmp_path_factory.mktemp(kind)
        libraries.make(folder, kind, has_orphan=has_orphan)
        return folder

    return make


@pytest.fixture
def make_library(tmp_path: Path, made: Callable[[str, bool], Path]) -> Callable[..., Library]:
    def make(kind: str = "local", *, has_orphan: bool = True) -> Library:
        folder = tmp_path / "library"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made(kind, has_orphan), folder)
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


@pytest.fixture(autouse=True)
def small_program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of the program's files stand for all of them, which to hash is most of what taking a stamp takes."""
    if "whole_program" not in request.fixturenames:
        every = taking._program
        monkeypatch.setattr(taking, "_program", lambda: islice(every(), 3))


@pytest.fixture
def whole_program() -> None:
    """All of the program's files are looked at, as they are outside of tests."""

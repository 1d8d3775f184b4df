"""Tests that wait run under asyncio or trio, on virtual time; lives of the program are real."""

from __future__ import annotations

import gc
import os
import tempfile
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import pytest
from disks import in_memory
from lives import Lives
from virtual_time import virtual_backend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BACKENDS: Final = ("asyncio", "trio")
_OBJECTS_BETWEEN_COLLECTIONS: Final = 50_000


def pytest_configure() -> None:
    """Work in memory where that can be: tests make and remove some hundred thousand files.

    And have the collector look less often, which what pytest has collected makes it slow at.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    folder = in_memory()
    if folder is not None and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = tempfile.tempdir = folder  # the first for processes that tests start


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--both-backends", action="store_true", help="run each test that waits under asyncio and trio")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave each test that waits to one of the backends, half of them to either, unless both are asked for."""
    if config.getoption("--both-backends"):
        return
    left_out = [item for item in items if _is_for_the_other_backend(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not _is_for_the_other_backend(item)]


def _is_for_the_other_backend(item: pytest.Item) -> bool:
    parameters = getattr(item, "callspec", None)
    backend = None if parameters is None else parameters.params.get("anyio_backend")
    return backend in _BACKENDS and _BACKENDS[crc32(item.nodeid.replace(backend, "").encode()) % 2] != backend


@pytest.fixture(params=_BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, Mapping[str, Any]]:
    """Both backends, on virtual time. Tests on real sockets override this with a real loop."""
    return virtual_backend(request.param)


@pytest.fixture(scope="session")
def lives() -> Iterator[Lives]:
    """What starts the program without importing it each time."""
    if not hasattr(os, "fork"):
        pytest.skip("the program's lives are forked, and there is no fork here")
    server = Lives()
    yield server
    server.close()

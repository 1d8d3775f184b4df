"""Every test that waits runs twice, under asyncio and under trio, on virtual time; lives of the program are real."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from lives import Lives
from virtual_time import virtual_backend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@pytest.fixture(params=["asyncio", "trio"])
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

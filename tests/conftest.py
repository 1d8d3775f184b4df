"""Every test that waits runs twice, under asyncio and under trio, on virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from virtual_time import virtual_backend

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, Mapping[str, Any]]:
    """Both backends, on virtual time. Tests on real sockets override this with a real loop."""
    return virtual_backend(request.param)

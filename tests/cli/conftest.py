"""A gateway for the command line, and a folder with a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from programs import MANIFEST
from quick_gateway import quick_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.local_gateway.serving import LocalGatewayThread


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "demo.yaml").write_text(MANIFEST)
    return tmp_path


@pytest.fixture
def gateway() -> Iterator[LocalGatewayThread]:
    """A gateway that knows nothing yet."""
    with quick_gateway() as running:
        yield running

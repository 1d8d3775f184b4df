"""Lives of the program, a gateway that outlives them, and a place for both."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from places import Place
from quick_gateway import quick_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lives import Lives

    from pipeline.local_gateway.jobs import Job
    from pipeline.local_gateway.serving import LocalGatewayThread


@pytest.fixture(scope="session")
def gateway() -> Iterator[LocalGatewayThread]:
    """A gateway that honours keys, to be reached over sockets; the runs are other processes."""
    with quick_gateway() as running:
        yield running


@pytest.fixture(scope="session")
def forgetful_gateway() -> Iterator[LocalGatewayThread]:
    """One that makes a job of every POST, whatever its key."""
    with quick_gateway(idempotency=False) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, gateway: LocalGatewayThread, lives: Lives) -> Place:
    return Place(tmp_path, gateway, lives, "demo")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, gateway: LocalGatewayThread, lives: Lives) -> tuple[Path, list[Job]]:
    """A folder where a run has made everything, and the jobs that it took."""
    place = Place(tmp_path_factory.mktemp("made"), gateway, lives, "demo")
    place.run("demo.yaml")
    return place.folder, place.jobs


@pytest.fixture
def finished(made: tuple[Path, list[Job]], tmp_path: Path, gateway: LocalGatewayThread, lives: Lives) -> Place:
    """A place where a run has made everything."""
    folder, jobs = made
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return Place(tmp_path, gateway, lives, earlier=jobs)

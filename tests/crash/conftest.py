"""Lives of the program, a gateway that outlives them, and a place for both."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from lives import Lives, Place

from pipeline.local_gateway.composition import CannedComposer
from pipeline.local_gateway.options import GatewayOptions
from pipeline.local_gateway.serving import LocalGatewayThread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.local_gateway.jobs import Job


@pytest.fixture(scope="session")
def lives() -> Iterator[Lives]:
    server = Lives()
    yield server
    server.close()


@pytest.fixture(scope="session")
def gateway() -> Iterator[LocalGatewayThread]:
    """A gateway that honours keys, to be reached over sockets; the runs are other processes."""
    yield from _serving(idempotency=True)


@pytest.fixture(scope="session")
def forgetful_gateway() -> Iterator[LocalGatewayThread]:
    """One that makes a job of every POST, whatever its key."""
    yield from _serving(idempotency=False)


def _serving(*, idempotency: bool) -> Iterator[LocalGatewayThread]:
    options = GatewayOptions(latency_s=0.05, sigma=0.0, rpm=None, min_poll_interval_s=0.0, idempotency=idempotency)
    with LocalGatewayThread(options, composer=CannedComposer()) as running:
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

"""A farm for all of these tests, on real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from farming import LocalFarm, local_farm, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both backends, in real time."""
    return request.param


@pytest.fixture(scope="session")
def running_farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFarm]:
    wanted()
    folder = tmp_path_factory.mktemp("farm")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ONCE_DEADLY", str(folder / "once-deadly"))
        with local_farm(folder) as farm:
            yield farm


@pytest.fixture
def farm(running_farm: LocalFarm) -> LocalFarm:
    """Two worker processes of two threads each, all of them alive."""
    running_farm.wait_for_workers()
    return running_farm

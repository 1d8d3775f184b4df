"""A farm for all of these tests, on real sockets."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from farming import LocalFarm, local_farm, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Farms:
    """One farm at a time: another where one has lost a worker for good, as a nanny on a busy machine may."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._farm: LocalFarm | None = None

    def whole(self) -> LocalFarm:
        if self._farm is None or not self._farm.is_whole():
            self.close()
            self._farm = self._open.enter_context(local_farm(self._folder))
        return self._farm

    def close(self) -> None:
        self._open.close()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both backends, in real time."""
    return request.param


@pytest.fixture(scope="session")
def farms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farms]:
    wanted()
    folder = tmp_path_factory.mktemp("farm")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ONCE_DEADLY", str(folder / "once-deadly"))
        running = Farms(folder)
        yield running
        running.close()


@pytest.fixture
def farm(farms: Farms) -> LocalFarm:
    """Two worker processes of two threads each, all of them alive."""
    return farms.whole()

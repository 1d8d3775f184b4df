"""Before anything is bought: is there a farm, and does it finish with what is here?"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest
from farming import local_farm, softer, wanted

from pipeline.farm.addresses import FarmMistake, NoFarm, check_address
from pipeline.farm.cluster import connect
from pipeline.farm.connecting import connected
from pipeline.farm.makings import makings, refusal, warning

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from farming import LocalFarm

HERE = {"music-asset-pipeline": "1.2.3", "audio code": "0a1b2c3d", "numpy": "2.4.6", "ffmpeg": "none"}
WORKER = "tcp://10.0.0.7:4711"
GOOD = ("tcp://scheduler:8786", "tls://farm.example.com:8786", "tcp://127.0.0.1:1", "tcp://[::1]:65535")
BAD = ("", "scheduler:8786", "http://scheduler:8786", "tcp://scheduler", "tcp://:8786", "tcp://a:0", "tcp://a:65536")


async def trouble(address: str, steps: Sequence[Any] = ()) -> tuple[str, list[str]]:
    """Why there is no farm, and what was told besides."""
    told: list[str] = []
    try:
        async with connected(address, steps, told.append):
            return "", told
    except NoFarm as error:
        return str(error), told


@pytest.mark.parametrize("address", GOOD)
def test_a_schedulers_address_is_taken_as_it_is(address: str) -> None:
    """By tcp:// or tls://, with its port."""
    assert check_address(address) == address


@pytest.mark.parametrize("address", BAD)
def test_whatever_else_is_no_address(address: str) -> None:
    """And the sentence has one that is."""
    with pytest.raises(FarmMistake, match="expected tcp://scheduler:8786"):
        check_address(address)


def test_without_dask_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra by its name."""
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(FarmMistake, match=r"pip install 'music-asset-pipeline\[dask\]'"):
        connect("tcp://127.0.0.1:9")


@pytest.mark.anyio
async def test_a_scheduler_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its address, and both ways on."""
    wanted()
    monkeypatch.setattr("pipeline.farm.cluster.CONNECTED_WITHIN_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
    sentence = f"no scheduler can be reached at {address} (no answer): start one with `dask scheduler`"
    assert await trouble(address) == (f"{sentence}, or leave out --finish-on", [])


@pytest.mark.anyio
async def test_a_farm_without_workers_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for the first of them, but not for ever."""
    wanted()
    monkeypatch.setattr("pipeline.farm.cluster._WORKERS_WITHIN_S", 0.5)
    with local_farm(tmp_path, workers=0) as deserted:
        why, _ = await trouble(deserted.address)
    assert why.startswith(f"the farm at {deserted.address} has no workers: start some with `dask worker")


@pytest.mark.anyio
async def test_a_worker_of_another_version_is_named_with_both_versions(farm: LocalFarm) -> None:
    """And nothing is sent to any of them."""
    worker = max(farm.pids())
    with farm.client() as client:
        client.run(_set_version, "0.0.9", workers=[worker])
        why, _ = await trouble(farm.address)
        client.run(_set_version, makings()["music-asset-pipeline"], workers=[worker])
    versions = f"has music-asset-pipeline 0.0.9, and this is {makings()['music-asset-pipeline']}"
    assert why.startswith(f"the farm's worker {worker} {versions}: install ")


def _set_version(version: str) -> None:
    import pipeline.version

    pipeline.version.VERSION = version


@pytest.mark.anyio
async def test_a_step_that_a_worker_cannot_import_is_named(farm: LocalFarm) -> None:
    """Before anything is bought; one that they all have is no trouble."""
    assert await trouble(farm.address, (softer,)) == ("", [])
    why, _ = await trouble(farm.address, (softer, _elsewhere))
    assert "can't import the step no_such_module._elsewhere (ModuleNotFoundError" in why


def _elsewhere(segment: Any) -> Any:
    return segment


_elsewhere.__module__ = "no_such_module"


def test_what_makes_other_bytes_is_a_warning_and_other_code_a_refusal() -> None:
    """A library's version may matter; the package's own code does."""
    assert refusal(WORKER, HERE, HERE) is None
    assert warning(WORKER, HERE, HERE) is None
    doubt = warning(WORKER, HERE | {"numpy": "2.0.0"}, HERE)
    assert doubt is not None
    assert doubt.startswith(f"the farm's worker {WORKER} has numpy 2.0.0 (here 2.4.6): what it finishes may differ")
    why = refusal(WORKER, HERE | {"audio code": "ffffffff"}, HERE)
    assert why is not None
    assert "has music-asset-pipeline 1.2.3 with other audio code (ffffffff) than this one's (0a1b2c3d)" in why
    lacking = refusal(WORKER, ModuleNotFoundError("No module named 'pipeline'"), HERE)
    assert lacking is not None
    assert "(ModuleNotFoundError: No module named 'pipeline'), and this is music-asset-pipeline 1.2.3" in lacking

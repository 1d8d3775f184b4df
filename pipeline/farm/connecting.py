"""A farm for a run: reached, and held to what this machine finishes with, before anything is bought."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import anyio.to_thread

from pipeline.farm.addresses import NoFarm, check_address
from pipeline.farm.at_the_worker import missing_step
from pipeline.farm.cluster import connect
from pipeline.farm.crossing import place_of
from pipeline.farm.makings import has_same_ffmpeg, makings, refusal, warning
from pipeline.farm.standing import Farm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from pipeline.audio.tasks import Step
    from pipeline.farm.cluster import Cluster

T = TypeVar("T")

#: What all workers have to say what they finish with. The first who is asked imports for that.
_ANSWERED_WITHIN_S: Final = 30.0
_CLOSED_WITHIN_S: Final = 10.0


@asynccontextmanager
async def connected(
    address: str, steps: Sequence[Step] = (), tell: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Farm]:
    """The farm whose scheduler is at `address`.

    `steps` are those that its tasks will have. `tell` is given a sentence for whatever may make other bytes there than
    here. Raises FarmMistake for no address and without Dask; NoFarm where no scheduler answers, it has no workers, or
    one of them has not what is here.
    """
    cluster = await anyio.to_thread.run_sync(connect, check_address(address))
    try:
        farm = await _checked(cluster, address, steps, tell)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(farm.watch)
            yield farm
            tasks.cancel_scope.cancel()
    finally:
        with anyio.move_on_after(_CLOSED_WITHIN_S, shield=True):
            await anyio.to_thread.run_sync(cluster.close, abandon_on_cancel=True)


async def _checked(cluster: Cluster, address: str, steps: Sequence[Step], tell: Callable[[str], None]) -> Farm:
    """The farm, with each worker held to what is here. Raises NoFarm."""
    here = await anyio.to_thread.run_sync(makings)
    answers = sorted((await _answers(cluster, address, makings)).items())
    for worker, there in answers:
        if (refused := refusal(worker, there, here)) is not None:
            raise NoFarm(refused)
    await _check_steps(cluster, address, steps)
    able = {worker: there for worker, there in answers if not isinstance(there, Exception)}
    for worker, there in able.items():
        if (doubt := warning(worker, there, here)) is not None:
            tell(doubt)
    threads = await _answer(address, cluster.threads)
    same_ffmpeg = all(has_same_ffmpeg(there, here) for there in able.values())
    return Farm(cluster, address, threads=threads, same_ffmpeg=same_ffmpeg)


async def _check_steps(cluster: Cluster, address: str, steps: Sequence[Step]) -> None:
    if not steps:
        return
    answers = await _answers(cluster, address, missing_step, tuple(map(place_of, steps)))
    for worker, missing in sorted(answers.items()):
        if missing is not None:
            what = f"the farm's worker {worker} can't import {missing}"
            raise NoFarm(f"{what}: install its module there, at the version that is here")


async def _answers(
    cluster: Cluster, address: str, question: Callable[..., T], *arguments: object
) -> dict[str, T | Exception]:
    """What each worker says. Raises NoFarm where there is none by now."""
    answers = await _answer(address, partial(cluster.asked, question, *arguments))
    if not answers:
        raise NoFarm(f"the farm at {address} has lost its workers while they were asked what they have")
    return answers


async def _answer(address: str, question: Callable[[], T]) -> T:
    """What a verb that blocks gives. Raises NoFarm where it takes too long, or the farm is lost meanwhile."""
    with anyio.move_on_after(_ANSWERED_WITHIN_S):
        try:
            return await anyio.to_thread.run_sync(question, abandon_on_cancel=True)
        except Exception as error:  # what comes through Dask may be anything
            raise NoFarm(f"the farm at {address} was lost while its workers were asked what they have") from error
    late = f"did not say within {_ANSWERED_WITHIN_S:g} s what its workers have"
    raise NoFarm(f"the farm at {address} {late}: see to its scheduler and its workers")

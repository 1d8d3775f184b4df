"""Worker processes: one task can't take the others with it, however long, large or loud it is."""

from __future__ import annotations

import os
import signal
import sys

import anyio
import pytest

from pipeline.audio.tasks import AudioError
from pipeline.runner.finisher import WorkerDied
from pipeline.workers import WorkerFinisher, _bounded_memory, _settle_in

MANY_BYTES = 1 << 18  # more than any pipe holds


def talkative() -> str:
    _settle_in()
    os.write(2, bytes(MANY_BYTES))
    return "said"


def endless() -> None:
    signal.pause()


def greedy() -> None:
    with _bounded_memory(1 << 27):
        bytearray(1 << 28)


def crashing() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def content() -> str:
    with _bounded_memory(1 << 28):
        return f"{len(bytearray(1 << 27))} by {os.getpid()}"


async def outcome(workers: WorkerFinisher, work) -> str:
    try:
        return str(await workers._run(work, over="a test"))
    except (AudioError, WorkerDied) as error:
        return str(error)


def outcomes(*works) -> list[str]:
    async def one_after_the_other() -> list[str]:
        workers = WorkerFinisher(1)
        return [await outcome(workers, work) for work in works]

    return anyio.run(one_after_the_other)


def test_a_codec_may_say_on_standard_error_what_it_likes() -> None:
    """libmpg123 says a line for each damaged frame, and nobody reads it: a full pipe must not stop the worker."""
    assert outcomes(talkative) == ["said"]


@pytest.mark.skipif(not hasattr(signal, "pause"), reason="no signals to wait for")
def test_a_task_that_takes_too_long_is_ended_and_fails_alone() -> None:
    """Its worker is killed and replaced, and the next task is done."""

    async def in_turn() -> list[str]:
        patient, impatient = WorkerFinisher(1), WorkerFinisher(1, longest_s=0.5)
        turns = ((patient, content), (impatient, endless), (patient, content))  # of the same processes
        return [await outcome(workers, work) for workers, work in turns]

    before, ended, after = anyio.run(in_turn)
    assert before != after
    assert ended.startswith("a worker process was ended over a test, which took more than 0 minutes; the next run")
    assert after.startswith("134217728")


def test_a_task_whose_worker_dies_fails_alone() -> None:
    """As from a crash of a codec: a sentence that says over what, and the next task is done by another."""
    died, after = outcomes(crashing, content)
    assert died == "a worker process died over a test; the next run finishes it again, free"
    assert after.startswith("134217728")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux only")
def test_a_task_that_asks_for_too_much_memory_fails_and_its_worker_lives_on() -> None:
    """The bound is the task's: it is lifted afterwards, and counts from what was there before."""
    before, failed, after = outcomes(content, greedy, content)
    assert failed == "it takes more than 0.125 GiB of memory to work with"
    assert after == before

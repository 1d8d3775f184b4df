"""What an interrupted run leaves at the gateway: cancelled where that was asked for, else named for the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from pipeline.gateway.errors import GatewayError
from pipeline.jobs import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.jobs import Job
    from pipeline.runner.tools import Tools

#: Whoever interrupts a run waits so long for its queued jobs to be cancelled, in seconds.
CANCELLING_FOR_S: Final = 10.0
_MOST_NAMED: Final = 20


async def leave(tools: Tools, runs: Iterable[int], is_queued: Callable[[Job], bool]) -> tuple[str, ...]:
    """Cancel what is queued, where the interrupt is to do that, and say what is left: sentences for the summary."""
    jobs = await _outstanding(tools, runs)
    cancelled: list[Job] = []
    if tools.control.cancel_queued:
        cancelled = await _cancel(tools, [job for job in jobs if is_queued(job)])
        jobs = await _outstanding(tools, runs)
    return tuple(_sentences(jobs, cancelled))


async def _outstanding(tools: Tools, runs: Iterable[int]) -> list[Job]:
    """The jobs of these runs that are, or may be, at work."""
    at_work = (State.ACCEPTED, State.INTENDED, State.UNKNOWN)
    wanted = tuple(runs)
    jobs = await tools.ledger.write(lambda ledger: [job for run in wanted for job in ledger.jobs_of(run)])
    return [job for job in jobs if job.state in at_work]


async def _cancel(tools: Tools, jobs: Sequence[Job]) -> list[Job]:
    """Those that the gateway says it has cancelled, as many as the time and the rate limit allow."""
    cancelled: list[Job] = []

    async def cancel(job: Job) -> None:
        try:
            if not await tools.gateway_at(job.intent.origin).cancel(str(job.job_id)):
                return
        except GatewayError:
            return  # the next run finds out what became of it
        row, now = job.row, tools.clock.now()
        why = "cancelled when its run was interrupted"
        with anyio.CancelScope(shield=True):
            gone = await tools.ledger.write(lambda ledger: ledger.fail(row, State.CANCELLED, why, now))
        tools.post(gone)
        cancelled.append(gone)

    with anyio.move_on_after(CANCELLING_FOR_S):
        async with anyio.create_task_group() as tasks:
            for job in jobs:
                tasks.start_soon(cancel, job)
    return sorted(cancelled, key=lambda job: job.row)


def _sentences(left: Sequence[Job], cancelled: Sequence[Job]) -> Iterable[str]:
    if cancelled:
        yield f"{_jobs(cancelled)} still queued and cancelled at the gateway, not charged: {_names(cancelled)}"
    generating = [job for job in left if job.state is State.ACCEPTED]
    if generating:
        yield f"{_jobs(generating)} still generating, and the next run collects what is paid for: {_names(generating)}"
    unknown = [job for job in left if job.state is not State.ACCEPTED]
    if unknown:
        yield f"{_jobs(unknown)} sent without an answer, and the next run asks again: {_names(unknown)}"


def _jobs(jobs: Sequence[Job]) -> str:
    return "1 job was" if len(jobs) == 1 else f"{len(jobs):,} jobs were"


def _names(jobs: Sequence[Job]) -> str:
    names = [job.intent.track if job.key.take == 1 else f"{job.intent.track} (take {job.key.take})" for job in jobs]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")

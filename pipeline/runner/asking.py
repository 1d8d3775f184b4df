"""One poll, and what came of it: how the job stands, or why nobody knows, and what is learned from either."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.gateway.errors import GatewayError, JobNotFound, KeyRefused
from pipeline.gateway.pacing import Worth
from pipeline.gateway.polling import AFTER_UNCHANGED_S, next_poll_s
from pipeline.jobs import State
from pipeline.money import dollars
from pipeline.runner.events import Waiting
from pipeline.runner.results import EXIT_KEY, Stop, TakeLost, Unsent
from pipeline.runner.retrying import cause_of

if TYPE_CHECKING:
    from pipeline.gateway.answers import JobAnswer
    from pipeline.jobs import Job
    from pipeline.runner.tools import Order, Tools

#: A job that was just made may not be known everywhere at the gateway yet: a 404 proves nothing so soon, in seconds.
SETTLING_IN_S: Final = 60.0
_RUNNING: Final = frozenset({"queued", "running", "other"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A poll and what came of it; `at` None: there was none yet."""

    at: float | None
    answer: JobAnswer | None = None
    failures: int = 0  # in a row
    retry_after_s: float | None = None
    unchanged: bool = False
    trouble: str | None = None  # why it did not say how the job stands

    def next_at(self, interval_s: float) -> float:
        """The first moment for the next one, on the event loop's clock."""
        return next_poll_s(
            polled_at=self.at,
            now=anyio.current_time(),
            interval_s=interval_s,
            failures=self.failures,
            retry_after_s=self.retry_after_s,
            unchanged=self.unchanged,
        )


class Expired(TakeLost):
    """The gateway no longer has the job."""


class Asker:
    """Asks how jobs stand."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._polled_at: dict[int, float] = {}  # by the job's row, on the event loop's clock
        self._insisted_s = 0.0
        self._begun: set[int] = set()  # the rows of jobs that are no longer queued, as far as we have heard

    def last(self, job: Job) -> Asked:
        """The last poll of `job` in this process that was answered, for its moment alone."""
        return Asked(self._polled_at.get(job.row))

    def interval_s(self, job: Job) -> float:
        """The least time between two polls of `job`: what its manifest says, or what the gateway has insisted on."""
        return max(self._tools.settings_of(job).poll_interval_s, self._insisted_s)

    def is_queued(self, job: Job) -> bool:
        """Does `job`, which this process has submitted or asked about, still wait for its turn at the gateway?"""
        return job.state is State.ACCEPTED and job.row not in self._begun

    def taken_over(self, job: Job) -> None:
        """An earlier process has submitted it: until its first answer says otherwise it is not queued."""
        self._begun.add(job.row)

    async def ask(self, order: Order, job: Job, failures: int) -> Asked:
        """One poll, and what came of it. Raises TakeLost where asking again in this run can't help."""
        try:
            answer = await self._poll(job)
        except JobNotFound as error:
            if self._tools.clock.now() - (job.accepted_at or 0.0) < SETTLING_IN_S:
                return Asked(anyio.current_time(), failures=failures, trouble=str(error))
            raise await self.expired(job, str(error)) from error
        except GatewayError as error:
            if not error.retryable:
                raise TakeLost(f"{error}; the next run asks for job {job.job_id} first") from error
            asked = Asked(
                anyio.current_time(), failures=failures + 1, retry_after_s=error.retry_after_s, trouble=str(error)
            )
            pause = asked.next_at(self.interval_s(job)) - anyio.current_time()
            self._tools.observe(Waiting(f"{order.name}: poll", pause, str(error), cause_of(error)))
            return asked
        now = self._polled_at[job.row] = anyio.current_time()
        if answer is None:
            self._insisted_s = AFTER_UNCHANGED_S
            self._tools.planner.keep_apart(AFTER_UNCHANGED_S)
        elif job.state is State.ACCEPTED:
            self._learn(job, answer, now)
        return Asked(now, answer, unchanged=answer is None)

    async def expired(self, job: Job, why: str) -> Expired:
        """Write down that the gateway no longer has `job`."""
        row, now = job.row, self._tools.clock.now()
        gone = await self._tools.record(lambda ledger: ledger.fail(row, State.EXPIRED, why, now))
        cost = dollars(gone.commitment.total)
        return Expired(f"the gateway no longer has job {job.job_id}, at a cost of {cost}; --regenerate pays again")

    async def _poll(self, job: Job) -> JobAnswer | None:
        job_id = str(job.job_id)
        planner = self._tools.planner
        worth = Worth(partial(planner.worth, job_id), lambda: planner.waiting > 0)
        try:
            return await self._tools.gateway_at(job.intent.origin).poll(job_id, worth)
        except KeyRefused as error:
            self._tools.control.halt(Stop(EXIT_KEY, str(error)))
            raise Unsent(str(error)) from error

    def _learn(self, job: Job, answer: JobAnswer, now: float) -> None:
        job_id, planner, hints = str(job.job_id), self._tools.planner, self._tools.hints
        if answer.status in _RUNNING:
            (self._begun.discard if answer.status == "queued" else self._begun.add)(job.row)
            planner.unfinished(job_id, now)
            hints.goes_on(job_id)
            return
        if answer.status == "completed":
            planner.finished(job_id, now, told=hints.has_told(job_id))
        if hints.is_expected_for(job.intent):
            hints.ended(job_id)

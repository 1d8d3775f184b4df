"""A job is followed to its end: asked about when that pays or a webhook says so, and settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from pipeline.jobs import Job, State
from pipeline.money import Basis, dollars
from pipeline.pace.planner import kind_of
from pipeline.runner.events import Notice, TakeGenerated, Waiting
from pipeline.runner.results import TakeLost

if TYPE_CHECKING:
    from pipeline.gateway.answers import JobAnswer
    from pipeline.runner.asking import Asked, Asker
    from pipeline.runner.tools import Order, Tools

_NOW_S: Final = 1e-6  # a clock's own grain: less than this is now


class Follower:
    """Follows jobs to their end."""

    def __init__(self, tools: Tools, asker: Asker) -> None:
        self._tools = tools
        self._asker = asker

    async def wait(self, order: Order, job: Job) -> tuple[Job, str | None]:
        """Poll `job` until it has completed. The completed job, and where its audio lies.

        Raises TakeLost where it ended otherwise or takes too long: it then stays on the books, and the next run asks
        for it first.
        """
        planner = self._tools.planner
        age_s = max(0.0, self._tools.clock.now() - (job.accepted_at or job.sent_at))
        interval_s = self._asker.interval_s(job)
        kind = kind_of(job.intent.model, job.intent.seconds_asked)
        planner.began(str(job.job_id), kind, anyio.current_time() - age_s, interval_s)
        try:
            return await self._asked_until_it_ends(order, job)
        finally:
            planner.dropped(str(job.job_id))

    async def _asked_until_it_ends(self, order: Order, job: Job) -> tuple[Job, str | None]:
        settings, unfinished_at = self._tools.settings_of(job), None
        due = (job.accepted_at or job.sent_at) + settings.job_timeout_s
        asked = self._asker.last(job)
        if job is order.job:  # an earlier process has submitted it: it is asked about at once
            self._asker.taken_over(job)
            await anyio.sleep_until(asked.next_at(self._asker.interval_s(job)))
        else:
            await self._sleep(order, job, asked, due)
        while True:
            if order.claimed is not None:
                await order.claimed.check()
            asked = await self._asker.ask(order, job, asked.failures)
            if asked.answer is not None:
                ended = await self._ended(job, asked.answer, order, unfinished_at)
                if ended is not None:
                    return ended, asked.answer.audio_url
                unfinished_at = self._tools.clock.now()
            if self._tools.clock.now() >= due:
                raise TakeLost(_overdue(job, settings.job_timeout_s, asked.trouble))
            await self._sleep(order, job, asked, due)

    async def _sleep(self, order: Order, job: Job, asked: Asked, due: float) -> None:
        """Wait until the job's next poll pays, or it is `due` to be given up.

        Why a poll is made again that has failed was said when it did.

        A hint brings it forward, and so does a new plan, but never before the interval since the last one has passed.
        """
        interval_s = self._asker.interval_s(job)
        while True:
            moment = asked.next_at(interval_s)
            if asked.trouble is None:
                given_up_at = anyio.current_time() + due - self._tools.clock.now()
                moment = max(moment, min(self._pays_at(job), given_up_at))
            pause = moment - anyio.current_time()
            if pause <= _NOW_S:
                return
            if asked.trouble is None:
                self._tools.observe(Waiting(order.name, pause, _standing(asked.answer), "poll"))
            if await self._tools.hints.sleep_until(str(job.job_id), moment):
                await anyio.sleep_until(asked.next_at(interval_s))
                return

    def _pays_at(self, job: Job) -> float:
        """When a poll pays: where webhooks tell of jobs, only once one is overdue."""
        planner, hints = self._tools.planner, self._tools.hints
        if hints.are_trusted and hints.is_expected_for(job.intent):
            return planner.overdue(str(job.job_id), proven=hints.told > 0)
        return planner.due(str(job.job_id))

    async def _ended(self, job: Job, answer: JobAnswer, order: Order, unfinished_at: float | None) -> Job | None:
        """The completed job; None while it is not at its end. Raises TakeLost where it ended without audio."""
        row, now = job.row, self._tools.clock.now()
        if answer.status in ("failed", "cancelled"):
            reason = answer.error or f"the gateway {answer.status} it and did not say why"
            state = State.FAILED if answer.status == "failed" else State.CANCELLED
            await self._tools.record(lambda ledger: ledger.fail(row, state, reason, now))
            raise TakeLost(f"{answer.status} at the gateway, not charged: {reason}")
        if answer.status != "completed":
            return None
        if order.claimed is not None:
            await order.claimed.check()  # whoever has taken it over meanwhile books it
        cost, basis = _bill(job, answer)
        completed = await self._tools.record(lambda ledger: ledger.complete(row, now, cost, basis, unfinished_at))
        self._say_bill(order, completed)
        return completed

    def _say_bill(self, order: Order, job: Job) -> None:
        self._tools.observe(TakeGenerated(order.manifest, order.track, order.take, job.cost_microusd))
        estimate = job.intent.estimate_microusd
        if job.cost_microusd is not None and job.cost_microusd > estimate:
            bill, asked = dollars(job.cost_microusd), dollars(estimate)
            self._tools.observe(Notice(f"{order.name}: billed {bill}, more than its estimate of {asked}"))


def _bill(job: Job, answer: JobAnswer) -> tuple[int | None, Basis | None]:
    """What a completed job costs, and how that is known; (None, None) until its audio has been measured.

    The length that an answer claims is nobody's bill.
    """
    if job.intent.kind == "local":
        return 0, Basis.COMPUTED  # whatever its virtual wallet says
    return (None, None) if answer.cost_microusd is None else (answer.cost_microusd, Basis.USAGE)


def _standing(answer: JobAnswer | None) -> str:
    return "the gateway has nothing new to say of it" if answer is None else f"the gateway says: {answer.status}"


def _overdue(job: Job, timeout_s: float, trouble: str | None) -> str:
    stands = "still generating" if trouble is None else "not known to be done"
    why = "" if trouble is None else f": {trouble}"
    return (
        f"{stands} {timeout_s:g} s after it was submitted (job {job.job_id}){why}; "
        "it stays on the books, and the next run asks for it first"
    )

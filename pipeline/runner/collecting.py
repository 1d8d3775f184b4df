"""A job becomes a source: polled until it ends, settled, downloaded, decoded once, kept."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.audio.tasks import AudioError
from pipeline.gateway.errors import AddressExpired, DownloadFailed, GatewayError, JobNotFound, KeyRefused
from pipeline.gateway.polling import next_poll_s
from pipeline.jobs import Job, State
from pipeline.ledger.records import Source
from pipeline.money import Basis, dollars, rounded_up
from pipeline.planning.takes import KEPT_AT_GATEWAY_S
from pipeline.runner.events import Notice, TakeDownloaded, TakeGenerated, Waiting
from pipeline.runner.results import EXIT_KEY, Stop, TakeLost, Unsent
from pipeline.runner.retrying import cause_of, pause_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.audio.tasks import SourceFacts
    from pipeline.gateway.answers import JobAnswer
    from pipeline.runner.tools import Order, Tools
    from pipeline.sources import IncomingSource

#: A job that was just made may not be known everywhere at the gateway yet: a 404 proves nothing so soon, in seconds.
SETTLING_IN_S: Final = 60.0
_MOST_DOWNLOADS: Final = 4
_ENDED: Final = frozenset({"completed", "failed", "cancelled"})
#: How long a job of which a webhook is to tell is left alone, unless webhooks turn out not to come, in seconds.
_UNREPORTED_S: Final = 30.0
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_SMALLEST_LIMIT_BYTES: Final = 64_000_000
_BYTES_PER_SECOND: Final = 4 * 48_000 * 2 * 3  # four times what was asked, as 24-bit stereo at 48 kHz


@dataclass(frozen=True, slots=True)
class _Asked:
    """A poll and what came of it; `at` None: there was none yet."""

    at: float | None
    answer: JobAnswer | None = None
    failures: int = 0  # in a row
    retry_after_s: float | None = None
    unchanged: bool = False
    trouble: str | None = None  # why it did not say how the job stands
    is_first: bool = False  # nothing was: `at` is when it was submitted

    def next_at(self, interval_s: float) -> float:
        """The moment for the next one, on the event loop's clock."""
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


class Collector:
    """Follows jobs to their end and brings their audio home."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._polled_at: dict[int, float] = {}  # by the job's row, on the event loop's clock
        self._begun: set[int] = set()  # the rows of jobs that are no longer queued, as far as we have heard

    def is_queued(self, job: Job) -> bool:
        """Does `job`, which this process has submitted or asked about, still wait for its turn at the gateway?"""
        return job.state is State.ACCEPTED and job.row not in self._begun

    async def wait(self, order: Order, job: Job) -> tuple[Job, str | None]:
        """Poll `job` until it has completed. The completed job, and where its audio lies.

        Raises TakeLost where it ended otherwise or takes too long: it then stays on the books, and the next run asks
        for it first.
        """
        settings = self._tools.settings_of(job)
        due = (job.accepted_at or job.sent_at) + settings.job_timeout_s
        if job is order.job:
            self._begun.add(job.row)  # until its first answer says otherwise
        # One that an earlier process submitted is asked about at once.
        polled_at = self._polled_at.get(job.row)
        asked = _Asked(polled_at if job is order.job else anyio.current_time(), is_first=polled_at is None)
        while True:
            await self._sleep(order, job, asked)
            asked = await self._ask(order, job, asked.failures)
            if asked.answer is not None:
                ended = await self._ended(job, asked.answer, order)
                if ended is not None:
                    return ended, asked.answer.audio_url
            if self._tools.clock.now() >= due:
                raise TakeLost(_overdue(job, settings.job_timeout_s, asked.trouble))

    async def _sleep(self, order: Order, job: Job, asked: _Asked) -> None:
        """Wait for a job's next poll. Why a poll is made again that has failed was said when it did.

        A hint brings it forward, but never before the interval since the last one has passed.
        """
        hints, interval_s = self._tools.hints, self._tools.settings_of(job).poll_interval_s
        moment = asked.next_at(interval_s)
        is_ours = job is not order.job and hints.is_expected_for(job.intent)
        if is_ours and asked.trouble is None and hints.told >= hints.untold:
            moment = max(moment, anyio.current_time() + _UNREPORTED_S)
        pause = moment - anyio.current_time()
        if pause > 0 and asked.trouble is None:
            self._tools.observe(Waiting(order.name, pause, _standing(asked.answer), "poll"))
        if await hints.sleep_until(str(job.job_id), moment) and not asked.is_first:
            await anyio.sleep_until(asked.next_at(interval_s))

    async def _ask(self, order: Order, job: Job, failures: int) -> _Asked:
        """One poll, and what came of it. Raises TakeLost where asking again in this run can't help."""
        try:
            answer = await self._poll(job)
            self._polled_at[job.row] = anyio.current_time()
        except JobNotFound as error:
            if self._tools.clock.now() - (job.accepted_at or 0.0) < SETTLING_IN_S:
                return _Asked(anyio.current_time(), failures=failures, trouble=str(error))
            raise await self._expired(job, str(error)) from error
        except GatewayError as error:
            if not error.retryable:
                raise TakeLost(f"{error}; the next run asks for job {job.job_id} first") from error
            asked = _Asked(
                anyio.current_time(), failures=failures + 1, retry_after_s=error.retry_after_s, trouble=str(error)
            )
            pause = asked.next_at(self._tools.settings_of(job).poll_interval_s) - anyio.current_time()
            self._tools.observe(Waiting(f"{order.name}: poll", pause, str(error), cause_of(error)))
            return asked
        return _Asked(anyio.current_time(), answer, unchanged=answer is None)

    async def _poll(self, job: Job) -> JobAnswer | None:
        try:
            return await self._tools.gateway_at(job.intent.origin).poll(str(job.job_id))
        except KeyRefused as error:
            self._tools.control.halt(Stop(EXIT_KEY, str(error)))
            raise Unsent(str(error)) from error

    async def _ended(self, job: Job, answer: JobAnswer, order: Order) -> Job | None:
        """The completed job; None while it is not at its end. Raises TakeLost where it ended without audio."""
        row, now = job.row, self._tools.clock.now()
        if answer.status in _ENDED and job.state is State.ACCEPTED and self._tools.hints.is_expected_for(job.intent):
            self._tools.hints.ended(str(job.job_id))
        if answer.status in ("failed", "cancelled"):
            reason = answer.error or f"the gateway {answer.status} it and did not say why"
            state = State.FAILED if answer.status == "failed" else State.CANCELLED
            await self._record(lambda ledger: ledger.fail(row, state, reason, now))
            raise TakeLost(f"{answer.status} at the gateway, not charged: {reason}")
        if answer.status != "completed":
            (self._begun.discard if answer.status == "queued" else self._begun.add)(job.row)
            self._tools.hints.goes_on(str(job.job_id))
            return None
        if job.state is not State.ACCEPTED:
            return job  # only its address was asked for
        cost, basis = _bill(job, answer)
        completed = await self._record(lambda ledger: ledger.complete(row, now, cost, basis))
        self._say_bill(order, completed)
        return completed

    def _say_bill(self, order: Order, job: Job) -> None:
        self._tools.observe(TakeGenerated(order.manifest, order.track, order.take, job.cost_microusd))
        estimate = job.intent.estimate_microusd
        if job.cost_microusd is not None and job.cost_microusd > estimate:
            bill, asked = dollars(job.cost_microusd), dollars(estimate)
            self._tools.observe(Notice(f"{order.name}: billed {bill}, more than its estimate of {asked}"))

    async def _expired(self, job: Job, why: str) -> Expired:
        row, now = job.row, self._tools.clock.now()
        gone = await self._record(lambda ledger: ledger.fail(row, State.EXPIRED, why, now))
        cost = dollars(gone.commitment.total)
        return Expired(f"the gateway no longer has job {job.job_id}, at a cost of {cost}; --regenerate pays again")

    async def collect(self, order: Order, job: Job, address: str | None) -> Job:
        """Bring the audio of a completed job home. Raises TakeLost where it can't be had now; it stays paid for."""
        for tries in range(1, _MOST_DOWNLOADS + 1):
            try:
                if address is None:
                    address = await self._fresh_address(order, job)
                return await self._download(order, job, address)
            except AddressExpired as expired:
                if self._is_past_keeping(job) and expired.status in _GONE:
                    raise await self._expired(job, str(expired)) from expired
                address = None  # fetching the job again gives a fresh one
                error: Exception = TakeLost("the audio's address expired each time it was asked for")
            except (DownloadFailed, AudioError) as failed:
                error = failed
                if isinstance(failed, DownloadFailed) and not failed.retryable:
                    break
                pause = pause_s(tries, failed.retry_after_s if isinstance(failed, DownloadFailed) else None)
                self._tools.observe(Waiting(f"{order.name}: download", pause, str(failed)))
                await anyio.sleep(pause)
        row, reason = job.row, str(error)
        await self._record(lambda ledger: ledger.note(row, reason))
        raise TakeLost(f"{reason}; it is paid for, and the next run fetches it again") from error

    def _is_past_keeping(self, job: Job) -> bool:
        """Has the gateway promised to keep its audio no longer?"""
        return self._tools.clock.now() - (job.accepted_at or job.sent_at) >= KEPT_AT_GATEWAY_S

    async def _fresh_address(self, order: Order, job: Job) -> str:
        asked = _Asked(self._polled_at.get(job.row))
        for _ in range(_MOST_DOWNLOADS):
            await anyio.sleep_until(asked.next_at(self._tools.settings_of(job).poll_interval_s))
            asked = await self._ask(order, job, asked.failures)
            if asked.answer is not None and asked.answer.status == "completed" and asked.answer.audio_url is not None:
                return asked.answer.audio_url
        raise TakeLost(f"job {job.job_id} is completed, but the gateway names no audio; the next run asks again")

    async def _download(self, order: Order, job: Job, address: str) -> Job:
        audio_format = job.intent.source_format
        limit = max(_SMALLEST_LIMIT_BYTES, int(_BYTES_PER_SECOND * job.intent.seconds_asked))
        gateway = self._tools.gateway_at(job.intent.origin)
        with self._tools.sources.receive(f"{job.row}.{audio_format}") as incoming:
            async with aclosing(gateway.download(address, limit_bytes=limit)) as chunks:
                async for chunk in chunks:
                    incoming.write(chunk)
            incoming.finish()
            facts = await self._tools.finisher.inspect(str(incoming.path))
            return await self._keep(order, job, incoming, audio_format, facts)

    async def _keep(
        self, order: Order, job: Job, incoming: IncomingSource, audio_format: str, facts: SourceFacts
    ) -> Job:
        """From here on it is ours: on disk under its own hash, then on the books."""
        sha256, now, row = self._tools.sources.keep(incoming, audio_format), self._tools.clock.now(), job.row
        source = Source(sha256, audio_format, incoming.size, facts.duration_s, facts.sample_rate, facts.channels, now)
        if job.cost_microusd is None:
            bill = _computed(job, facts.duration_s)
            await self._record(lambda ledger: ledger.settle(row, bill, Basis.COMPUTED, now))
        collected = await self._record(lambda ledger: ledger.collect(row, source))
        self._tools.observe(TakeDownloaded(order.manifest, order.track, order.take, incoming.size, facts.duration_s))
        return collected

    async def _record(self, change: Callable[..., Job]) -> Job:
        job: Job = await self._tools.ledger.write(change)
        self._tools.post(job)
        return job


def _bill(job: Job, answer: JobAnswer) -> tuple[int | None, Basis | None]:
    """What a completed job costs, and how that is known; (None, None) until its audio has been measured.

    The length that an answer claims is nobody's bill.
    """
    if job.intent.kind == "local":
        return 0, Basis.COMPUTED  # whatever its virtual wallet says
    return (None, None) if answer.cost_microusd is None else (answer.cost_microusd, Basis.USAGE)


def _computed(job: Job, duration_s: float) -> int:
    """Seconds received x price: the estimate, in proportion."""
    estimate, asked = job.intent.estimate_microusd, Decimal(str(job.intent.seconds_asked))
    return rounded_up(estimate * Decimal(str(duration_s)) / asked)


def _standing(answer: JobAnswer | None) -> str:
    return "the gateway has nothing new to say of it" if answer is None else f"the gateway says: {answer.status}"


def _overdue(job: Job, timeout_s: float, trouble: str | None) -> str:
    stands = "still generating" if trouble is None else "not known to be done"
    why = "" if trouble is None else f": {trouble}"
    return (
        f"{stands} {timeout_s:g} s after it was submitted (job {job.job_id}){why}; "
        "it stays on the books, and the next run asks for it first"
    )

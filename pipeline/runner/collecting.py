"""A completed job becomes a source: downloaded, decoded once, kept."""

from __future__ import annotations

from contextlib import aclosing
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.audio.tasks import AudioError
from pipeline.gateway.errors import AddressExpired, DownloadFailed
from pipeline.ledger.records import Source
from pipeline.money import Basis, rounded_up
from pipeline.planning.takes import KEPT_AT_GATEWAY_S
from pipeline.runner.events import TakeDownloaded, Waiting
from pipeline.runner.results import TakeLost
from pipeline.runner.retrying import pause_s

if TYPE_CHECKING:
    from pipeline.audio.tasks import SourceFacts
    from pipeline.jobs import Job
    from pipeline.runner.asking import Asker
    from pipeline.runner.tools import Order, Tools
    from pipeline.sources import IncomingSource

_MOST_DOWNLOADS: Final = 4
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_SMALLEST_LIMIT_BYTES: Final = 64_000_000
_BYTES_PER_SECOND: Final = 4 * 48_000 * 2 * 3  # four times what was asked, as 24-bit stereo at 48 kHz


class Collector:
    """Brings the audio of completed jobs home."""

    def __init__(self, tools: Tools, asker: Asker) -> None:
        self._tools = tools
        self._asker = asker

    async def collect(self, order: Order, job: Job, address: str | None) -> Job:
        """Bring the audio of a completed job home. Raises TakeLost where it can't be had now; it stays paid for."""
        for tries in range(1, _MOST_DOWNLOADS + 1):
            try:
                if address is None:
                    address = await self._fresh_address(order, job)
                return await self._download(order, job, address)
            except AddressExpired as expired:
                if self._is_past_keeping(job) and expired.status in _GONE:
                    raise await self._asker.expired(job, str(expired)) from expired
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
        await self._tools.record(lambda ledger: ledger.note(row, reason))
        raise TakeLost(f"{reason}; it is paid for, and the next run fetches it again") from error

    def _is_past_keeping(self, job: Job) -> bool:
        """Has the gateway promised to keep its audio no longer?"""
        return self._tools.clock.now() - (job.accepted_at or job.sent_at) >= KEPT_AT_GATEWAY_S

    async def _fresh_address(self, order: Order, job: Job) -> str:
        asked = self._asker.last(job)
        for _ in range(_MOST_DOWNLOADS):
            await anyio.sleep_until(asked.next_at(self._asker.interval_s(job)))
            asked = await self._asker.ask(order, job, asked.failures)
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
            await self._tools.record(lambda ledger: ledger.settle(row, bill, Basis.COMPUTED, now))
        collected = await self._tools.record(lambda ledger: ledger.collect(row, source))
        self._tools.observe(TakeDownloaded(order.manifest, order.track, order.take, incoming.size, facts.duration_s))
        return collected


def _computed(job: Job, duration_s: float) -> int:
    """Seconds received x price: the estimate, in proportion."""
    estimate, asked = job.intent.estimate_microusd, Decimal(str(job.intent.seconds_asked))
    return rounded_up(estimate * Decimal(str(duration_s)) / asked)

"""Everything that the gateway knows, and what can be asked of it: jobs, wallet, cache. It speaks no HTTP.

Nothing here waits. Time passes when `advance` is called, which every request does first: what was due by then happens
in its order, at its own moment. So a night of jobs needs no task of its own, and the books are right whoever looks.
"""

from __future__ import annotations

import heapq
import math
import secrets
from collections import Counter
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.local_gateway.books import Books
from pipeline.local_gateway.composition import CompositionRequest
from pipeline.local_gateway.fates import USUAL, Fate, JobError
from pipeline.local_gateway.jobs import QUEUED_SHARE, Job
from pipeline.local_gateway.latency import drawn_latency, own_length_s
from pipeline.local_gateway.options import DAY_S
from pipeline.local_gateway.refusals import Gone, InvalidRequest, NotFound, OutOfCredit, TooSoon

if TYPE_CHECKING:
    from pipeline.local_gateway.jobs import End, Order
    from pipeline.local_gateway.journal import Journal
    from pipeline.local_gateway.latency import Latency
    from pipeline.local_gateway.models import MusicModel
    from pipeline.local_gateway.options import GatewayOptions

FILE_KEPT_S: Final = 7 * DAY_S
REPLAY_KEPT_S: Final = DAY_S
#: Clocks are floating point: a poll that comes this much early is not early.
_TOLERANCE_S: Final = 0.001
_MICRO_A_CENT: Final = 10_000


class Watcher(Protocol):
    """Whoever works in the background: composes ahead, and tells webhooks. A job waits for its composing then."""

    def submitted(self, job: Job) -> None: ...

    def ended(self, job: Job) -> None: ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a submit."""

    job: Job
    replayed: bool = False


class LocalGateway:
    """The jobs and the money of one local gateway. `advance` comes before whatever else is called."""

    def __init__(self, options: GatewayOptions, journal: Journal | None = None, latency: Latency | None = None) -> None:
        """`latency`: how long jobs take, in place of what `options` tell of it."""
        self.options = options
        self._latency = latency or drawn_latency(options)
        self.books = Books()
        self.watcher: Watcher | None = None
        self._journal = journal
        self._jobs: dict[str, Job] = {}
        self._dues: list[tuple[float, int, Job]] = []
        self._sequence = 0
        self._replays: dict[tuple[str, str], Job] = {}
        self._results: dict[tuple[object, ...], Job] = {}
        self._variations: Counter[tuple[object, ...]] = Counter()
        self._bound_microusd = 0  # what jobs in flight will cost
        for job in journal.jobs if journal else ():
            self._remember(job)

    # --- what can be asked ------------------------------------------------------------------------------------------

    def submit(self, order: Order, now: float, fate: Fate = USUAL) -> Accepted:
        """Make a job of `order`, or find the one that its key stands for. Raises InvalidRequest, OutOfCredit."""
        earlier = self._replayed(order, now)
        if earlier is not None:
            return Accepted(earlier, replayed=True)
        if self.balance_microusd - self._bound_microusd <= 0:
            raise OutOfCredit("the wallet is empty, counting what is in flight; top up to go on")
        job = self._cached(order, now) if fate == USUAL else None
        job = job or self._made(order, now, fate)
        self._keep(job)
        self._remember(job)
        if self.watcher is not None:
            self.watcher.submitted(job)
        self.advance(now)  # a cache hit is there at once
        return Accepted(job)

    def poll(self, job_id: str, now: float) -> Job:
        """The job, for one who asks how it stands. Raises NotFound, TooSoon."""
        job = self.job(job_id, now)
        last, job.last_polled_at = job.last_polled_at, now
        job.polls += 1
        if last is not None and now - last < self.options.min_poll_interval_s - _TOLERANCE_S:
            job.early_polls += 1
            self.books.early_polls += 1
            raise TooSoon
        return job

    def cancel(self, job_id: str, now: float) -> Job:
        """Stop a job that has not ended. Raises NotFound, InvalidRequest."""
        job = self.job(job_id, now)
        if job.end is None:
            self._end(job, now, "cancelled")
        elif job.end != "cancelled":
            raise InvalidRequest(f"job {job_id} has {job.end} and can't be cancelled", code="job_not_cancellable")
        return job

    def job(self, job_id: str, now: float) -> Job:
        """The job of that id. Raises NotFound."""
        job = self._jobs.get(job_id)
        if job is None or not job.is_known_at(now):
            raise NotFound(f"there is no job {job_id}", code="job_not_found")
        return job

    def file(self, job_id: str, file_name: str, now: float) -> Job:
        """The job whose file that is, while it is kept. Raises NotFound, Gone."""
        job = self.job(job_id, now)
        if job.end != "completed" or job.ended_at is None or file_name != job.file_name:
            raise NotFound(f"job {job_id} has no file {file_name}", code="file_not_found")
        if now - job.ended_at >= FILE_KEPT_S:
            refusal = Gone if self.options.forms.gone_status == Gone.status else NotFound
            raise refusal(f"the file of job {job_id} was kept for 7 days and is gone", code="file_gone")
        return job

    @property
    def unfinished(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.end is None]

    def prompt_of(self, job_id: str) -> str:
        """The prompt that a job was made of; nothing where there is no such job."""
        job = self._jobs.get(job_id)
        return "" if job is None else job.piece.prompt

    @property
    def balance_microusd(self) -> int:
        return self.options.wallet_cents * _MICRO_A_CENT - self.books.charged_microusd

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def next_due(self) -> float:
        """When something will happen that no request brings about; infinite where nothing will."""
        return self._dues[0][0] if self._dues else math.inf

    def advance(self, now: float) -> None:
        """Let happen what was due by `now`."""
        while self._dues and self._dues[0][0] <= now:
            due_at, _, job = heapq.heappop(self._dues)
            if job.end is None:
                self._reach_due(job, due_at)

    def composed(self, job: Job, now: float) -> None:
        """The music of `job` is there: one that was only waiting for it completes."""
        self.advance(now)  # what was due before the music came happens without it
        job.composed = True
        if job.end is None and job.due_at <= now:
            self._end(job, now, "completed")

    def not_composed(self, job: Job, now: float, why: str) -> None:
        """The music of `job` will not come."""
        if job.end is None:
            job.error = JobError("composition_failed", why)
            self._end(job, now, "failed")

    def _reach_due(self, job: Job, due_at: float) -> None:
        if not job.is_known_at(due_at):
            self._end(job, due_at, "vanished")
        elif job.error is not None:
            self._end(job, due_at, "failed")
        elif job.composed or self.watcher is None:
            self._end(job, due_at, "completed")

    def _end(self, job: Job, at: float, end: End) -> None:
        job.end, job.ended_at = end, at
        job.charged_microusd = job.price_microusd if end == "completed" else 0
        self._bound_microusd -= job.price_microusd
        self._note_result(job)
        self.books.job_ended(job)
        self._keep(job)
        if self.watcher is not None:
            self.watcher.ended(job)

    # --- making jobs ------------------------------------------------------------------------------------------------

    def _replayed(self, order: Order, now: float) -> Job | None:
        """The job that `order`'s key already stands for."""
        if not self.options.idempotency or order.idempotency_key is None:
            return None
        job = self._replays.get((order.sender, order.idempotency_key))
        if job is None or now - job.created_at >= REPLAY_KEPT_S:
            return None
        if job.body_digest != order.body_digest:
            raise InvalidRequest(
                "this Idempotency-Key was used with another body; a new request needs a new key",
                code="idempotency_key_reused",
            )
        return job

    def _cached(self, order: Order, now: float) -> Job | None:
        """A job that has the result of an earlier one, where the cache may be asked and has it."""
        earlier = None if order.cache == "skip" else self._results.get(order.words)
        if earlier is None or earlier.ended_at is None or now - earlier.ended_at >= self.options.cache_kept_s:
            return None
        price = self._price(order.model, earlier.piece.duration_s, share=self.options.cached_share)
        job = _job(order, earlier.piece, now, price)
        job.cache, job.composed = "hit", True
        return job

    def _made(self, order: Order, now: float, fate: Fate) -> Job:
        """A job that has to be generated."""
        piece = self._piece(order, fate)
        latency = fate.latency(self._latency(piece))
        job = _job(order, piece, now, self._price(order.model, piece.duration_s))
        job.starts_at, job.due_at = now + QUEUED_SHARE * latency, math.inf if fate.endless else now + latency
        job.error = fate.error
        if fate.vanishes_after_s is not None:
            job.vanishes_at = now + fate.vanishes_after_s
        return job

    def _piece(self, order: Order, fate: Fate) -> CompositionRequest:
        """What is composed: a request that skips the cache gets the next variation of the same words."""
        if order.cache == "skip":
            self._variations[order.words] += 1
        variation = self._variations[order.words] if order.cache == "skip" else 0
        asked = CompositionRequest(*order.words, variation=variation)
        usual = own_length_s(order.duration_s, asked.digest) if order.model.own_length else order.duration_s
        return replace(asked, duration_s=fate.length(usual))

    def _price(self, model: MusicModel, seconds: float, share: Decimal = Decimal(1)) -> int:
        microusd = Decimal(str(seconds)) * self.options.price_usd(model) * share * 1_000_000
        return int(microusd.to_integral_value(rounding=ROUND_CEILING))

    # --- memory -----------------------------------------------------------------------------------------------------

    def _keep(self, job: Job) -> None:
        if self._journal is not None:
            self._journal.write(job)

    def _remember(self, job: Job) -> None:
        """Take a job in, new or from before a restart."""
        self._jobs[job.id] = job
        self.books.job_made(job)
        words = _words(job)
        self._variations[words] = max(self._variations[words], job.piece.variation)
        if job.idempotency_key is not None:
            self._replays[job.sender, job.idempotency_key] = job
        if job.end is None:
            self._bound_microusd += job.price_microusd
            self._sequence += 1  # equal dues happen in the order of their submits
            wake_at = min(job.due_at, math.inf if job.vanishes_at is None else job.vanishes_at)
            if wake_at < math.inf:
                heapq.heappush(self._dues, (wake_at, self._sequence, job))
        else:
            self.books.job_ended(job)
            self._note_result(job)

    def _note_result(self, job: Job) -> None:
        """What was generated answers later requests for the same: not what skipped the cache, nor a hit again."""
        if job.end == "completed" and job.cache == "miss" and job.piece.variation == 0:
            self._results[_words(job)] = job


def _job(order: Order, piece: CompositionRequest, now: float, price_microusd: int) -> Job:
    """A job of `order` that is due at once."""
    return Job(
        id=f"job_{secrets.token_hex(12)}",
        piece=piece,
        asked_s=order.duration_s,
        created_at=now,
        starts_at=now,
        due_at=now,
        price_microusd=price_microusd,
        cache="miss",
        sender=order.sender,
        tag=order.tag,
        request_id=order.request_id,
        idempotency_key=order.idempotency_key,
        body_digest=order.body_digest,
        webhook_url=order.webhook_url,
    )


def _words(job: Job) -> tuple[object, ...]:
    """What `Order.words` was."""
    piece = job.piece
    return (piece.model, piece.prompt, piece.lyrics, job.asked_s, piece.format)

"""A take becomes a job: the intent is on disk before its POST leaves, the id before anything else happens to it.

The one place where money is spent. docs/money.md is its rule book.
"""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.gateway.errors import AnswerUnknown, ConnectionNotMade, GatewayError, KeyRefused, NotTaken, OutOfCredit
from pipeline.gateway.requests import SubmitRequest, cost_tag, submit_body
from pipeline.jobs import Intent, Job, State
from pipeline.money import dollars
from pipeline.planning.takes import RESEND_WITHIN_S
from pipeline.runner.events import Notice, TakeSubmitted, Waiting
from pipeline.runner.results import EXIT_KEY, EXIT_MONEY, Stop, TakeLost, Unsent
from pipeline.runner.retrying import MOST_RESENDS, TRY_AGAIN_FOR_S, cause_of, pause_before_resubmitting, pause_s

if TYPE_CHECKING:
    from pipeline.gateway.answers import Accepted
    from pipeline.ledger.ledger import Ledger
    from pipeline.runner.tools import Order, Tools


_CLOCK_GRACE_S: Final = 10.0


@dataclass(slots=True)
class _Tries:
    """What was tried for one take in this process."""

    refused: int = 0
    resends: int = 0
    first_refused_at: float | None = None


class Submitter:
    """Sends takes to the gateway, each until it is taken, surely not taken, or unknown for good."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._unreachable: set[str] = set()  # the gateways that nobody has answered for, as was told

    async def submit(self, order: Order, job: Job | None) -> Job:
        """The job that the gateway took `order` for; `job` is the unknown one to ask for again.

        Raises Unsent where it was held back, TakeLost where it will not come.
        """
        tries = _Tries(resends=0 if job is None else 1)
        while True:
            gateway = self._tools.gateway_at(order.origin if job is None else job.intent.origin)
            if order.claimed is not None and not order.claimed.is_sure:
                await order.claimed.confirm()
            self._reserve(order)
            async with AsyncExitStack() as turn:
                try:
                    await turn.enter_async_context(gateway.turn())
                finally:
                    order.account.release(order.estimate_microusd)
                if order.claimed is not None and not order.claimed.is_sure:
                    continue  # nobody is asked while others wait for this turn
                # Anew: a stop, or a bill above its estimate, may have come while it waited for its turn.
                self._reserve(order)
                job, error = await self._send(order, job)
            if error is None:
                self._tools.observe(TakeSubmitted(order.manifest, order.track, order.take, str(job.job_id)))
                return job
            pause = self._pause(job, error, tries)
            self._tell_of_no_connection(job.intent.origin, error)
            self._tools.observe(Waiting(f"{order.name}: submit", pause, str(error), cause_of(error)))
            await anyio.sleep(pause)

    def _tell_of_no_connection(self, origin: str, error: GatewayError) -> None:
        """Once: somebody may sit before it, and ten minutes are long."""
        if isinstance(error, ConnectionNotMade) and origin not in self._unreachable:
            self._unreachable.add(origin)
            self._tools.observe(Notice(f"{error}, for up to {TRY_AGAIN_FOR_S / 60:.0f} minutes"))

    def _reserve(self, order: Order) -> None:
        if not self._tools.control.submitting:
            raise Unsent(self._held_back())
        if order.account.reserve(order.estimate_microusd):
            return
        stop = Stop(EXIT_MONEY, _over_budget(order))
        self._tools.control.stop_submitting(stop)
        raise Unsent(stop.message)

    def _held_back(self) -> str:
        stop = self._tools.control.stop
        return "not sent" if stop is None else f"not sent: {stop.message}"

    async def _send(self, order: Order, job: Job | None) -> tuple[Job, GatewayError | None]:
        """Intent, POST, answer: from the first to the last nothing interrupts but the grace after a signal."""
        sent = job
        with self._tools.control.uninterrupted():
            try:
                sent = await self._write_intent(order, job)
            finally:
                order.account.release(order.estimate_microusd)
            self._tools.post(sent)
            return await self._post(order, sent)
        # The grace after an interrupt ran out: the next start asks what became of it.
        assert sent is not None  # noqa: S101 - only the POST waits long enough to be given up
        return sent, AnswerUnknown(f"{order.name}: interrupted before the gateway answered")

    async def _write_intent(self, order: Order, job: Job | None) -> Job:
        now = self._tools.clock.now()
        if job is None:
            claimed = order.claimed
            intent = new_intent(order, self._tools.hints.webhook_url) if claimed is None else claimed.intent
            return await self._tools.ledger.write(lambda ledger: ledger.intend(order.run, intent, now), durable=True)
        row = job.row
        return await self._tools.ledger.write(lambda ledger: ledger.resend(row, order.run, now), durable=True)

    async def _post(self, order: Order, job: Job) -> tuple[Job, GatewayError | None]:
        gateway, write, row = self._tools.gateway_at(job.intent.origin), self._tools.ledger.write, job.row
        failure: GatewayError | None = None
        left_at = anyio.current_time()  # not the wall clock: somebody may set that while the answer is on its way
        try:
            accepted = await gateway.submit(_request(job))
        except NotTaken as error:
            failure, reason = error, str(error)
            job = await write(lambda ledger: ledger.refuse(row, reason, self._tools.clock.now()))
        except AnswerUnknown as error:
            failure, reason = error, str(error)
            job = await write(lambda ledger: ledger.lose_answer(row, reason))
        except Exception as error:  # noqa: BLE001 - a defect of ours, once the POST has left, proves nothing either
            reason = f"the answer could not be read ({type(error).__name__}: {error})"
            failure = AnswerUnknown(reason)
            job = await write(lambda ledger: ledger.lose_answer(row, reason))
        else:
            proven = _is_replay(accepted, anyio.current_time() - left_at)
            job = await write(
                partial(_accept, job=job, job_id=accepted.job_id, now=self._tools.clock.now(), replay_proven=proven),
                durable=True,
            )
            if job.state is State.UNKNOWN:
                failure = AnswerUnknown(str(job.error))
            elif job.unproven_sends:
                self._tools.observe(Notice(_possible_duplicate(order, job)))
        self._tools.post(job)
        return job, failure

    def _pause(self, job: Job, error: GatewayError, tries: _Tries) -> float:
        """How long to wait before `job` is sent again. Raises Unsent or TakeLost where it is not."""
        control = self._tools.control
        if isinstance(error, KeyRefused):
            control.halt(Stop(EXIT_KEY, str(error)))
            raise Unsent(str(error))
        if isinstance(error, OutOfCredit):
            control.stop_submitting(Stop(EXIT_MONEY, str(error)))
            raise Unsent(str(error))
        if isinstance(error, AnswerUnknown):
            pause = self._pause_when_unknown(job, error, tries)
        else:
            tries.refused += 1
            first = tries.first_refused_at = tries.first_refused_at or job.sent_at
            pause = pause_before_resubmitting(error, tries.refused, self._tools.clock.now() - first)
        if pause is None:
            raise TakeLost(str(error))
        return pause

    def _pause_when_unknown(self, job: Job, error: GatewayError, tries: _Tries) -> float | None:
        """An unknown job is asked for again under its own key, a few times, while the gateway remembers keys."""
        settings = self._tools.settings_of(job)
        young = self._tools.clock.now() - job.intended_at < RESEND_WITHIN_S
        if not settings.resend_unknown or not young or tries.resends >= MOST_RESENDS:
            return None
        tries.resends += 1
        return pause_s(tries.resends, error.retry_after_s)


def new_intent(order: Order, webhook_url: str | None) -> Intent:
    """What `order` is asked for with: its words, and a key and an id that nobody else has."""
    track = order.asked
    assert track is not None  # noqa: S101 - only what the manifest asks for is bought
    body = submit_body(
        model=track.model,
        prompt=track.prompt or "",
        lyrics=track.lyrics,
        refine_lyrics=track.refine_lyrics,
        duration_s=track.duration_s,
        source_format=track.source_format,
        webhook_url=webhook_url,
    )
    return Intent(
        key=order.key,
        manifest=order.manifest,
        track=order.track,
        kind=order.kind,
        origin=order.origin,
        model=track.model,
        seconds_asked=track.duration_s,
        estimate_microusd=order.estimate_microusd,
        body=body,
        cost_tag=cost_tag(order.manifest, order.track),
        idempotency_key=secrets.token_hex(16),
        request_id=secrets.token_hex(16),
    )


def _request(job: Job) -> SubmitRequest:
    """The same bytes and keys at every sending."""
    intent = job.intent
    return SubmitRequest(
        body=intent.body,
        idempotency_key=intent.idempotency_key,
        request_id=intent.request_id,
        cost_tag=intent.cost_tag,
        fresh=intent.key.take > 1 or intent.key.regeneration > 0,
    )


def _accept(ledger: Ledger, *, job: Job, job_id: str, now: float, replay_proven: bool) -> Job:
    """Write its id down; where another take has that very job, no job was seen to be made for this one."""
    holder = ledger.holder(job_id, job.intent.origin, but=job.row)
    if holder is None:
        return ledger.accept(job.row, job_id, now, replay_proven=replay_proven)
    other = f"{holder.intent.track}, take {holder.intent.key.take}"
    return ledger.lose_answer(job.row, f"the gateway answered with job {job_id[:64]!r}, which is that of {other}")


def _is_replay(accepted: Accepted, since_sent_s: float) -> bool:
    """Does the answer prove that an earlier sending made this job?

    Either it says so, or the job was created before this sending left, all by the gateway's own clock. `created` and
    `Date` are whole seconds, perhaps of two machines: what lies closer together than the grace proves nothing.
    """
    if accepted.replayed:
        return True
    if accepted.created is None or accepted.answered_at is None:
        return False
    return accepted.created + _CLOCK_GRACE_S < accepted.answered_at - since_sent_s


def _over_budget(order: Order) -> str:
    account = order.account.too_small_for(order.estimate_microusd) or order.account
    unknown = account.committed.unknown
    doubtful = f" ({dollars(unknown)} of it for answers that were lost)" if unknown else ""
    return (
        f"{order.name} would cost {dollars(order.estimate_microusd)} on top of {dollars(account.committed.total)} "
        f"committed{doubtful}, over {account.called}: {dollars(account.limit_microusd)}; "
        "set a higher one (--budget) and run again"
    )


def _possible_duplicate(order: Order, job: Job) -> str:
    amount = dollars(job.commitment.unknown)
    return f"{order.name}: an earlier sending may have made a job as well, at up to {amount} (possible duplicate)"

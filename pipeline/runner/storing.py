"""Sources come home from a team's store, and go there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import anyio

from pipeline.ledger.records import Bought, Source
from pipeline.money import Basis
from pipeline.runner.bodies import asked_by
from pipeline.runner.events import Notice, TakeDownloaded
from pipeline.runner.results import TakeLost
from pipeline.runner.submitting import new_intent
from pipeline.runner.taking_over import is_anothers
from pipeline.store.documents import BadDocument, TakeRecord, record_path, source_path
from pipeline.store.objects import StoreTrouble, TooLong

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.jobs import Intent, Job
    from pipeline.runner.getting import Slot
    from pipeline.runner.patience import Patience
    from pipeline.runner.tools import Order, Tools
    from pipeline.store.team import Team

#: So many sources come from a store at the same moment.
MOST_FETCHES: Final = 16


class Storer:
    """Fetches what others have paid for, and puts there what this run has."""

    def __init__(self, tools: Tools, patience: Patience) -> None:
        self._tools = tools
        self._patience = patience
        self._fetching = anyio.Semaphore(MOST_FETCHES)

    async def fetch(self, team: Team, order: Order, record: TakeRecord, slot: Slot) -> Job:
        """Bring a take home that somebody has paid for. Raises TakeLost where its source is not what it was.

        It gives its slot back when it has its turn: where a library comes from the store, no more takes queue for that
        than there are slots.
        """
        if await is_anothers(self._tools, order, record.idempotency_key, None, record.origin):
            raise TakeLost(
                f"the team's store has a record of it that names another take's key: see to {record_path(order.key)}"
            )
        async with self._fetching:
            slot.free()
            source = await self._source(team, order, record)
        bought = Bought(record.bought_by, record.bought_at, record.job_id, record.cost_microusd, record.cost_basis)
        intent = _intent_of(order, record)
        job = await self._tools.record(lambda ledger: ledger.adopt(order.run, intent, bought, source))
        self._tools.observe(TakeDownloaded(order.manifest, order.track, order.take, source.size, source.duration_s))
        return job

    async def _source(self, team: Team, order: Order, record: TakeRecord) -> Source:
        """Its source, kept: just what was paid for. Raises TakeLost."""
        where = source_path(record.sha256, record.format)
        try:
            source = await self._patience.answer(team, order.name, lambda: self._fetched(team, record))
        except (StoreTrouble, TooLong) as error:
            why = f"{where} is longer than its record says" if isinstance(error, TooLong) else str(error)
            raise TakeLost(f"the team's store has it, and it can't be had from there: {why}") from error
        if isinstance(source, str):
            raise TakeLost(
                f"the team's store has a record of it, but {where} {source}: nothing is made of it; put the right file "
                "there, or buy it again with --regenerate"
            )
        return source

    async def _fetched(self, team: Team, record: TakeRecord) -> Source | str:
        """Its source, kept; or what is wrong with what lies there."""
        name = f"{record.key.fingerprint[:16]}.{record.key.take}.{record.sha256}.{record.format}"
        with self._tools.sources.receive(name) as file:
            if not await team.fetch(record, file.write):
                return "is gone"
            if file.sha256 != record.sha256:
                return "is not what was paid for"
            file.finish()
            facts = await self._tools.finisher.inspect(str(file.path))
            self._tools.sources.keep(file, record.format)
        measured = (facts.duration_s, facts.sample_rate, facts.channels)
        return Source(record.sha256, record.format, file.size, *measured, self._tools.clock.now())

    async def put(self, team: Team, job: Job) -> None:
        """Put a take into the store. Where that can't be, it is said once, and the next run tries again."""
        if job.bought_by is not None or job.source is None or self._patience.is_over(team):
            return
        source = await self._tools.ledger.write(lambda ledger: ledger.sources([str(job.source)])[str(job.source)])
        record = _record_of(job, source, team.machine)
        path = self._tools.sources.path(record.sha256, record.format)
        try:
            other = await self._patience.answer(team, job.intent.track, lambda: team.share(record, path))
        except (StoreTrouble, BadDocument, OSError) as error:
            self._tools.observe(
                Notice(f"{job.intent.track} is not in the team's store yet ({error}); a later run does it")
            )
            return
        if other is not None and other.idempotency_key != record.idempotency_key:
            self._tools.observe(Notice(_bought_twice(job, other)))
        row, store, now = job.row, team.choice.address, self._tools.clock.now()
        await self._tools.ledger.write(lambda ledger: ledger.note_shared(row, store, now))

    async def share(self, manifest: str, jobs: Iterable[Job]) -> None:
        """Put there what an earlier run could not, or bought before there was a store."""
        team = self._tools.teams.get(manifest)
        if team is None or team.choice.read_only:
            return
        for job in jobs:
            sha256, audio_format = str(job.source), job.intent.source_format
            if self._tools.sources.whole(sha256, audio_format):
                await self.put(team, job)
            else:  # the next plan finds it gone, and fetches it while the gateway has it
                self._tools.sources.discard(sha256, audio_format)


def _intent_of(order: Order, record: TakeRecord) -> Intent:
    """What somebody else has asked for, as these books have it: by its own key, at no price."""
    if order.job is not None and order.job.intent.idempotency_key == record.idempotency_key:
        return order.job.intent
    asked = new_intent(order, None) if order.job is None else order.job.intent
    return replace(asked, idempotency_key=record.idempotency_key, origin=record.origin)


def _record_of(job: Job, source: Source, machine: str) -> TakeRecord:
    return TakeRecord(
        key=job.key,
        asked=asked_by(job.intent),
        sha256=source.sha256,
        format=source.format,
        size=source.size,
        duration_s=source.duration_s,
        sample_rate=source.sample_rate,
        channels=source.channels,
        origin=job.intent.origin,
        job_id=str(job.job_id),
        idempotency_key=job.intent.idempotency_key,
        cost_microusd=job.cost_microusd or 0,
        cost_basis=job.cost_basis or Basis.COMPUTED,
        bought_by=machine,
        bought_at=job.collected_at or job.sent_at,
    )


def _bought_twice(job: Job, other: TakeRecord) -> str:
    return (
        f"{job.intent.track}: {other.bought_by} has bought it too, as job {other.job_id}; "
        "both were paid for, and the store keeps theirs"
    )

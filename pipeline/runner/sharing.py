"""The takes of a team: fetched where somebody has bought them, claimed before they are bought, put there afterwards.

Every take of a manifest with a store comes this way. What leaves here is a source on disk, as from `getting`.
"""

from __future__ import annotations

import itertools
import json
import math
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import anyio

from pipeline.gateway_choice import is_same_gateway
from pipeline.jobs import FRUITLESS, State
from pipeline.ledger.records import Bought, Source
from pipeline.money import Basis, dollars
from pipeline.picks.values import Asked
from pipeline.planning.takes import RESEND_WITHIN_S, is_what_is_stored
from pipeline.runner.asking import Expired
from pipeline.runner.events import Notice, TakeDownloaded, Waiting
from pipeline.runner.results import EXIT_FOLDER, Stop, TakeLost, Unsent
from pipeline.runner.retrying import pause_s
from pipeline.runner.submitting import new_intent
from pipeline.store.documents import BadDocument, TakeRecord, claim_path, record_path, source_path
from pipeline.store.objects import StoreTrouble, TooLong
from pipeline.store.team import ClaimLost, Held, Mine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pipeline.jobs import Intent, Job
    from pipeline.ledger.ledger import Ledger
    from pipeline.runner.getting import Slot
    from pipeline.runner.tools import Order, Tools
    from pipeline.store.documents import Claim
    from pipeline.store.team import Team

T = TypeVar("T")

#: A store that can't be asked is asked again for so long, in seconds, before the run does without it, or stops.
PATIENCE_S: Final = 120.0
#: Whether somebody else has brought a take home is asked no oftener, in seconds, and of all that are waited for
#: together no oftener than so many times a second.
_ASK_AGAIN_S: Final = 5.0
_ASKED_A_SECOND: Final = 10.0
#: After so many looks for a record the claim itself is looked at: its holder may have given it up, and live on.
_LOOKS: Final = 4
#: What the plan found in the store is believed for so long, in seconds; then a record is looked for before a take is
#: claimed: a claim that is lost costs twelve times as much as a look.
_JUST_PLANNED_S: Final = 10.0
#: Whether a claim is still ours is asked of a silent store no oftener, in seconds.
_CHECK_AGAIN_S: Final = 10.0
#: So many sources come from a store at the same moment.
MOST_FETCHES: Final = 16
_AT_ITS_END: Final = FRUITLESS | {State.EXPIRED}


@dataclass(slots=True)
class Claimed:
    """A take that this run has claimed, as whoever asks for it sees it."""

    team: Team
    mine: Mine
    lapses: int  # of the run's lease, when it was last seen to be ours
    checked_at: float = -math.inf  # on the event loop's clock

    @property
    def intent(self) -> Intent:
        return self.mine.intent

    @property
    def is_sure(self) -> bool:
        """Does nobody else take it for his, for as long as a request takes?"""
        return self.team.is_alive and self.team.lapses == self.lapses

    async def confirm(self) -> None:
        """Look whether it is still this run's. Raises ClaimLost, and Unsent where nobody can say."""
        try:
            self.mine = await self.team.confirm(self.mine)
            self.lapses = self.team.lapses
        except StoreTrouble as error:
            raise Unsent(f"not sent: nobody knows whether another machine has taken it over ({error})") from error

    async def check(self) -> None:
        """Raise ClaimLost where another run has taken it over: that one asks about it, and books what it costs.

        Two that ask about one job would keep each other from an answer. Where nobody can say whose it is, it is gone on
        with: better booked twice than not at all.
        """
        now = anyio.current_time()
        if self.is_sure or now - self.checked_at < _CHECK_AGAIN_S:
            return
        self.checked_at = now
        with suppress(Unsent):
            await self.confirm()

    async def name(self, job: Job) -> None:
        """Say which job it has become. Raises ClaimLost. Where the store can't be told, its key has to do."""
        with suppress(StoreTrouble):
            self.mine = await self.team.name_job(self.mine, job)


class Sharer:
    """Has the takes of manifests with a store. `buy` has one as if there were none; it asks and fetches by itself."""

    def __init__(
        self,
        tools: Tools,
        buy: Callable[[Order, Slot], Awaitable[Job]],
        is_had_again: Callable[[Order, Job], bool],
    ) -> None:
        self._tools = tools
        self._buy = buy
        self._is_had_again = is_had_again
        self._fetching = anyio.Semaphore(MOST_FETCHES)
        self._waiting = 0
        self._began_at = anyio.current_time()
        self._crowded: set[str] = set()  # manifests whose takes somebody else is buying at the same time
        self._silent: set[str] = set()  # the addresses of stores that the run does without

    async def get(self, order: Order, slot: Slot) -> Job:
        """Have one take. Raises what `buy` raises, and TakeLost where what the store has of it can't be used."""
        team = self._tools.teams.get(order.manifest) if order.kind == "real" else None
        if order.stored is not None:  # whatever becomes of the store: it is not bought a second time
            if team is None:
                raise TakeLost(f"the team's store has it, bought by {order.stored.bought_by}, and can't be asked now")
            return await self._fetch(team, order, order.stored, slot)
        if team is None or team.choice.read_only or team.choice.address in self._silent:
            return await self._buy(order, slot)
        try:
            return await self._shared(team, order, slot)
        except BadDocument as error:
            raise TakeLost(f"the team's store: {error}") from error

    async def share(self, manifest: str, jobs: Iterable[Job]) -> None:
        """Put there what an earlier run could not, or bought before there was a store."""
        team = self._tools.teams.get(manifest)
        if team is None or team.choice.read_only:
            return
        for job in jobs:
            sha256, audio_format = str(job.source), job.intent.source_format
            if self._tools.sources.whole(sha256, audio_format):
                await self._put(team, job)
            else:  # the next plan finds it gone, and fetches it while the gateway has it
                self._tools.sources.discard(sha256, audio_format)

    def own_order(self, manifest: str) -> str | None:
        """What this run's order of purchases is made from, where others buy the same; None for as long as nobody does.

        Who buys in one order with others loses nearly every claim to whoever is a moment ahead.
        """
        return self._tools.teams[manifest].run if manifest in self._crowded else None

    # --- claims -----------------------------------------------------------------------------------------------------

    async def _shared(self, team: Team, order: Order, slot: Slot) -> Job:
        while True:
            await slot.take()
            try:
                standing, record = await self._claim(team, order)
                if record is not None:
                    return await self._fetch(team, order, record, slot)
                if isinstance(standing, Mine):
                    return await self._claimed(team, order, slot, standing)
                slot.free()
                if standing is not None:
                    self._crowded.add(order.manifest)
                    await self._until_it_may_be_free(team, order, standing)
            except _BeginAnew:
                pass
            except _Silenced:
                await slot.take()
                return await self._buy(order, slot)
            except ClaimLost:  # it took this machine for dead, and has this very job: its record is waited for
                order = replace(order, job=await self._job_of(order))

    async def _claim(self, team: Team, order: Order) -> tuple[Mine | Held | None, TakeRecord | None]:
        """Whose the take is, or what became of it. Raises _Silenced, Unsent."""
        if order.job is None and not self._tools.control.submitting:
            stop = self._tools.control.stop
            raise Unsent("not sent" if stop is None else f"not sent: {stop.message}")
        own = order.job
        if anyio.current_time() - self._began_at > _JUST_PLANNED_S:
            record = await self._bought(team, order)
            if record is not None:
                return None, record
        intent = new_intent(order, self._tools.hints.webhook_url) if own is None else own.intent
        standing = await self._patiently(team, order, lambda: team.claim(intent, own, self._tools.clock.now()))
        # After the claim: whoever had it before may have brought it home since the plan was made.
        return standing, await self._bought(team, order)

    async def _bought(self, team: Team, order: Order) -> TakeRecord | None:
        """The take's record, where it is not about another purchase than that of our own books."""
        record = await self._patiently(team, order, lambda: team.record(order.key))
        return record if record is not None and is_what_is_stored(order.job, record) else None

    async def _claimed(self, team: Team, order: Order, slot: Slot, mine: Mine) -> Job:
        """It is ours to buy, or to go on with."""
        claimed = Claimed(team, mine, team.lapses)
        order = await self._as_claimed(order, claimed)
        try:
            job = await self._buy(order, slot)
        except ClaimLost:
            raise
        except Expired:
            await self._give_up(claimed, fruitless=order.job is not None and self._is_had_again(order, order.job))
            raise
        except Exception:
            stands = await self._job_of(order)
            await self._give_up(claimed, fruitless=stands is None or stands.state in FRUITLESS)
            raise
        await self._put(team, job)
        return job

    async def _as_claimed(self, order: Order, claimed: Claimed) -> Order:
        """The order as its claim has it: to be asked for in its words, or gone on with where somebody has begun.

        Raises TakeLost where that can't be done here: the claim is then left for whoever can.
        """
        claim, own = claimed.mine.claim, order.job
        if not claimed.mine.taken_over:
            is_news = own is not None and own.job_id is None and claim.job_id is not None
            job = await self._taken_over(order, claim) if is_news else own
            return replace(order, job=job, claimed=claimed)
        if own is not None:
            return order  # asked for while the store could not be: what is paid for is gone on with
        key, where = claim.intent.idempotency_key, claim_path(order.key)
        known = await self._tools.ledger.write(lambda ledger: ledger.job_with(key))
        if known is not None and known.state in _AT_ITS_END:
            await self._give_up(claimed, fruitless=True)
            raise _BeginAnew
        if not _asks_for_the_same(order, claim):
            await self._give_up(claimed, fruitless=False)
            raise TakeLost(f"{claim.machine} has claimed it in the store, for something else: see to {where}")
        if await self._is_anothers(order, key, claim.job_id, claim.intent.origin):
            await self._give_up(claimed, fruitless=False)
            raise TakeLost(f"{claim.machine} has claimed it in the store as another take's job: see to {where}")
        job = await self._taken_over(order, claim)
        objection = self._objection(order, claim)
        if objection is not None:  # it is on our books from now on, so that plans say so and a word can decide
            await self._give_up(claimed, fruitless=False)
            raise TakeLost(f"{claim.machine} had begun to buy it, and {objection}")
        self._tools.observe(Notice(f"{order.name}: goes on with what {claim.machine} had begun"))
        return replace(order, job=job, claimed=claimed)

    async def _is_anothers(self, order: Order, idempotency_key: str, job_id: str | None, origin: str) -> bool:
        """Have these books that key, or that job, for something else? Each is one purchase's, whatever a store says."""

        def look(ledger: Ledger) -> bool:
            by_key = ledger.job_with(idempotency_key)
            by_id = None if job_id is None else ledger.holder(job_id, origin, but=-1 if by_key is None else by_key.row)
            known = (job.key.fingerprint for job in (by_key, by_id) if job is not None)
            return any(fingerprint != order.key.fingerprint for fingerprint in known)

        return await self._tools.ledger.write(look)

    async def _taken_over(self, order: Order, claim: Claim) -> Job:
        """On our books, at our price, whatever the claim says of that."""
        estimate = order.estimate_microusd or claim.intent.estimate_microusd
        intent = replace(claim.intent, manifest=order.manifest, track=order.track, estimate_microusd=estimate)
        if order.asked is not None:  # of what its body asks for, which has been compared
            intent = replace(intent, model=order.asked.model, seconds_asked=order.asked.duration_s)
        accepted_at = claim.accepted_at or claim.intended_at
        return await self._tools.record(
            lambda ledger: ledger.take_over(order.run, intent, claim.intended_at, claim.job_id, accepted_at)
        )

    def _objection(self, order: Order, claim: Claim) -> str | None:
        """Why what somebody else had begun can't be gone on with here, by its gateway or its age."""
        if not is_same_gateway(claim.intent.origin, order.origin):
            return (
                f"asked {claim.intent.origin}: `--gateway {claim.intent.origin}`, with the key for it, goes on with it"
            )
        if claim.job_id is not None:
            return None
        again = f"nobody knows whether it was made: generating again costs {dollars(order.estimate_microusd)}"
        if self._tools.clock.now() - claim.intended_at > RESEND_WITHIN_S:
            return f"{again} (--regenerate)"
        if not self._tools.settings[order.manifest].resend_unknown:
            return f"resend_unknown is false, and {again} (--regenerate)"
        return None

    async def _until_it_may_be_free(self, team: Team, order: Order, held: Held) -> None:
        """Somebody else is at it: wait for its record, or for the end of its run."""
        self._tools.observe(
            Waiting(f"{order.name}: {held.machine} is buying it", None, "its audio comes from the store")
        )
        for looks in itertools.count(1):
            self._waiting += 1
            try:
                await anyio.sleep(max(_ASK_AGAIN_S, self._waiting / _ASKED_A_SECOND))
            finally:
                self._waiting -= 1
            if await self._patiently(team, order, lambda: team.record(order.key), held) is not None:
                return
            if not await self._patiently(team, order, lambda: team.lives_on(held.run), held):
                return
            if looks % _LOOKS == 0 and not await self._patiently(
                team, order, lambda: team.is_held(order.key, held), held
            ):
                return

    async def _give_up(self, claimed: Claimed, *, fruitless: bool) -> None:
        """Let others go on with it, or begin anew. Where that can't be said, the end of the run's lease says it."""
        with suppress(StoreTrouble, ClaimLost, BadDocument):
            await claimed.team.give_up(claimed.mine, "fruitless" if fruitless else "released")

    async def _job_of(self, order: Order) -> Job | None:
        return await self._tools.ledger.write(lambda ledger: ledger.latest_job(order.key))

    # --- what the store has -----------------------------------------------------------------------------------------

    async def _fetch(self, team: Team, order: Order, record: TakeRecord, slot: Slot) -> Job:
        """Bring a take home that somebody has paid for. Raises TakeLost where its source is not what it was.

        It gives its slot back when it has its turn: where a library comes from the store, no more takes queue for that
        than there are slots.
        """
        if await self._is_anothers(order, record.idempotency_key, None, record.origin):
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
            source = await self._asked(team, order.name, lambda: self._fetched(team, record))
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

    async def _put(self, team: Team, job: Job) -> None:
        """Put a take into the store. Where that can't be, it is said once, and the next run tries again."""
        if job.bought_by is not None or job.source is None or team.choice.address in self._silent:
            return
        source = await self._tools.ledger.write(lambda ledger: ledger.sources([str(job.source)])[str(job.source)])
        record = _record_of(job, source, team.machine)
        path = self._tools.sources.path(record.sha256, record.format)
        try:
            other = await self._asked(team, job.intent.track, lambda: team.share(record, path))
        except (StoreTrouble, BadDocument, OSError) as error:
            self._tools.observe(
                Notice(f"{job.intent.track} is not in the team's store yet ({error}); a later run does it")
            )
            return
        if other is not None and other.idempotency_key != record.idempotency_key:
            self._tools.observe(Notice(_bought_twice(job, other)))
        row, store, now = job.row, team.choice.address, self._tools.clock.now()
        await self._tools.ledger.write(lambda ledger: ledger.note_shared(row, store, now))

    # --- trouble ----------------------------------------------------------------------------------------------------

    async def _patiently(
        self, team: Team, order: Order, ask: Callable[[], Awaitable[T]], held: Held | None = None
    ) -> T:
        """Ask the store until it answers, or for two minutes.

        After that the run does without it, raising _Silenced; unless it is required, or it is known that somebody else
        is buying just this: then nothing is sent, and Unsent is raised.
        """
        try:
            return await self._asked(team, order.name, ask)
        except StoreTrouble as error:
            self._despair(team, error, held)

    async def _asked(self, team: Team, name: str, ask: Callable[[], Awaitable[T]]) -> T:
        """What the store answers in the end. Raises StoreTrouble."""
        began, tries = anyio.current_time(), 0
        while True:
            try:
                return await ask()
            except StoreTrouble as error:
                tries += 1
                pause = pause_s(tries)
                if anyio.current_time() + pause - began > PATIENCE_S or team.choice.address in self._silent:
                    raise
                self._tools.observe(Waiting(f"{name}: the team's store", pause, str(error)))
                await anyio.sleep(pause)

    def _despair(self, team: Team, error: StoreTrouble, held: Held | None) -> NoReturn:
        if team.choice.required:
            stop = Stop(EXIT_FOLDER, f"{error}; the store is required, so nothing more is bought")
            self._tools.control.stop_submitting(stop)
            raise Unsent(f"not sent: {stop.message}") from error
        if held is not None:
            raise Unsent(f"not sent: {held.machine} is buying it, and {error}") from error
        self._silence(team, f"{error}; the run goes on without the store: what is bought is put there by a later one")
        raise _Silenced from error

    def _silence(self, team: Team, notice: str) -> None:
        if team.choice.address not in self._silent:
            self._silent.add(team.choice.address)
            self._tools.observe(Notice(notice))


class _BeginAnew(Exception):
    """What somebody had begun has come to nothing, as our own books know."""


class _Silenced(Exception):
    """The store can't be asked, and the run does without it."""


def _asks_for_the_same(order: Order, claim: Claim) -> bool:
    """Whoever can write to the store can't have others buy what their manifest does not ask for."""
    return claim.intent.kind == "real" and _words(claim.intent.body) == _words(new_intent(order, None).body)


def _words(body: bytes) -> dict[str, Any]:
    """All that a body asks for; where the gateway is to tell of its end is nobody's music."""
    try:
        words = dict(json.loads(body, object_pairs_hook=_each_once))
    except (ValueError, TypeError, RecursionError):
        return {}
    words.pop("webhook_url", None)
    return words


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members. Raises ValueError where one is there twice: who reads it elsewhere may take the other."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError(pairs[0][0])
    return members


def _intent_of(order: Order, record: TakeRecord) -> Intent:
    """What somebody else has asked for, as these books have it: by its own key, at no price."""
    if order.job is not None and order.job.intent.idempotency_key == record.idempotency_key:
        return order.job.intent
    asked = new_intent(order, None) if order.job is None else order.job.intent
    return replace(asked, idempotency_key=record.idempotency_key, origin=record.origin)


def _record_of(job: Job, source: Source, machine: str) -> TakeRecord:
    return TakeRecord(
        key=job.key,
        asked=_asked_of(job.intent),
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


def _asked_of(intent: Intent) -> Asked:
    """All that is paid for, from the words that were sent."""
    words = _words(intent.body)
    return Asked(
        model=intent.model,
        prompt=str(words.get("prompt", "")),
        lyrics=str(words.get("lyrics", "")),
        refine_lyrics=bool(words.get("lyrics_optimizer", False)),
        duration=float(intent.seconds_asked),
        source_format=intent.source_format,
    )


def _bought_twice(job: Job, other: TakeRecord) -> str:
    return (
        f"{job.intent.track}: {other.bought_by} has bought it too, as job {other.job_id}; "
        "both were paid for, and the store keeps theirs"
    )

"""What a team's store means to one run: who has a take, who is at it, and what is put there.

Two machines never buy the same take. Before a POST leaves, a claim is created where none was: whoever comes second
finds it, and waits for the record. A run is alive as long as it renews its lease; of one that is not, whoever comes
takes the claim over, by replacing just what it has read, and goes on with *its* key and job.

How old a lease is, the store's own clock says: at every renewal of its own lease a run learns what time it is there.
No machine's clock is compared with another's.
"""

from __future__ import annotations

import math
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import anyio

from pipeline.store.documents import (
    MARKER_PATH,
    MOST_BYTES,
    BadDocument,
    Claim,
    Lease,
    check_marker,
    claim_path,
    claim_text,
    lease_path,
    lease_text,
    marker_text,
    read_claim,
    read_lease,
    read_record,
    record_path,
    record_text,
    source_path,
)
from pipeline.store.objects import AlreadyThere, Changed, StoreTrouble, TooLong, Unconditional

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.jobs import Intent, Job, PurchaseKey
    from pipeline.store.documents import ClaimState, TakeRecord
    from pipeline.store.objects import Found, Objects
    from pipeline.store_choice import StoreChoice

#: A lease is renewed so often in its time, that one or two renewals may fail.
_RENEWALS: Final = 5
#: Nothing leaves on the word of a lease that ends so soon, in seconds, or in shares of it where that is less.
_MARGIN_S: Final = 30.0
_MARGIN_SHARE: Final = 0.25
#: What was said so short a time ago, in seconds, need not be said again.
_JUST_NOW_S: Final = 1.0
#: By so much, in seconds, an age may be wrong that is the difference of two moments which S3 tells in whole seconds.
_GRAIN_S: Final = 2.0
#: A renewal that is so late, in seconds, does not come.
_LATE_S: Final = 10.0
#: Whether another run is alive is asked no oftener, in seconds.
_LOOK_AGAIN_S: Final = 5.0
#: So often a claim may be another one at each look, before it is the store that is not trusted.
_MOST_LOOKS: Final = 20


@dataclass(frozen=True, slots=True)
class _Life:
    """A run's lease as it was seen: how long ago it was renewed, and for how long that holds, in seconds."""

    age_s: float
    lease_s: float


_ALIVE: Final = _Life(0.0, math.inf)
_DEAD: Final = _Life(math.inf, 0.0)


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else is at it: `machine`, in a `run` that is alive. `is_own`: on a copy of this very ledger's claim."""

    machine: str
    run: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Mine:
    """A claim that is this run's: nobody else buys what it is about. `tag`: what it is replaced by.

    `taken_over`: somebody who is no more had begun, with another key than the one that was offered.
    """

    claim: Claim
    tag: Any
    taken_over: bool = False

    @property
    def intent(self) -> Intent:
        return self.claim.intent


Standing = Held | Mine


class ClaimLost(Exception):
    """Another run has taken the claim over: it took this one for dead."""


class Team:
    """A store as one run uses it. Each verb raises StoreTrouble where the store can't be asked.

    `holder`: what the ledger is called; `machine`: what people call the machine; `wall`: seconds since 1970.
    """

    def __init__(
        self, choice: StoreChoice, objects: Objects, *, holder: str, machine: str, wall: Callable[[], float]
    ) -> None:
        self.choice = choice
        self.machine = machine
        self.run = secrets.token_hex(16)
        self._objects = objects
        self._holder = holder
        self._wall = wall
        self._lease_tag: Any = None
        self._renewed_at: tuple[float, float] | None = None  # event loop's clock and wall clock, before it was renewed
        self._renewing = anyio.Lock()
        self._renewals = 0
        self.lapses = 0  # how often the lease was renewed so late that others may have taken this run for dead
        self._store_ahead_s = 0.0  # of the event loop's clock
        self._seen: dict[str, tuple[float, _Life]] = {}  # by run: when it was looked at, and what was seen
        self._looking_at: set[str] = set()  # runs

    # --- the run's lease ------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Show that the store is one of ours and writes on a condition; the run is alive from then on.

        Raises StoreTrouble, Unconditional among it, and BadDocument for a store of another form.
        """
        await self._check_form()
        path, first = lease_path(self.run), self._lease(0)
        tag = await self._created(path, first)
        try:
            await self._objects.create(path, first)
        except AlreadyThere:
            pass
        else:
            raise Unconditional(f"{self.choice.address}: it takes no notice of conditions")
        self._lease_tag = tag
        await self.renew()
        try:
            await self._objects.replace(path, first, tag)
        except Changed:
            return
        raise Unconditional(f"{self.choice.address}: it takes no notice of conditions")

    async def _created(self, path: str, content: bytes) -> Any:
        """Create what nobody else does. It may be there all the same: an answer that was lost."""
        try:
            return await self._objects.create(path, content)
        except AlreadyThere:
            found = await self._objects.get(path, MOST_BYTES)
        if found is None:
            raise StoreTrouble(f"{self.choice.address}: what is there, it says, can't be read there")
        return found.tag

    async def _check_form(self) -> None:
        found = await self._objects.get(MARKER_PATH, MOST_BYTES)
        if found is not None:
            check_marker(found.content)
            return
        with suppress(AlreadyThere):  # another one's first run
            await self._objects.create(MARKER_PATH, marker_text())

    async def renew(self) -> None:
        """Say that the run is alive. Many may ask for it at the same moment: it is said once."""
        async with self._renewing:
            if self._renewed_at is None or anyio.current_time() - self._renewed_at[0] >= _JUST_NOW_S:
                await self._renew()

    async def _renew(self) -> None:
        began, wall = anyio.current_time(), self._wall()
        self._renewals += 1
        path, lease = lease_path(self.run), self._lease(self._renewals)
        lapsed = self.has_lease and not self.is_alive
        try:
            self._lease_tag = await self._objects.replace(path, lease, self._lease_tag)
        except Changed:  # an answer that was lost, or somebody has tidied up
            await self._objects.remove(path)
            self._lease_tag = await self._created(path, lease)
        self._renewed_at = began, wall
        self.lapses += lapsed
        ended = anyio.current_time()
        found = await self._objects.get(path, MOST_BYTES)
        if found is not None:  # rather too young than too old is any lease by that
            self._store_ahead_s = found.modified_at - ended

    async def keep_alive(self) -> None:
        """Renew the lease, again and again. What fails is tried again: claims are checked before they are relied on."""
        while True:
            await anyio.sleep(self.choice.lease_s / _RENEWALS)
            with suppress(StoreTrouble, AlreadyThere):
                await self.renew()

    async def close(self) -> None:
        """The run is over: what it has not brought home may be taken over at once."""
        await self._objects.remove(lease_path(self.run))

    def _lease(self, renewals: int) -> bytes:
        return lease_text(Lease(self.run, self.machine, self.choice.lease_s, renewals))

    @property
    def has_lease(self) -> bool:
        """Has the run begun to live?"""
        return self._renewed_at is not None

    @property
    def is_alive(self) -> bool:
        """May this run still rely on its claims, for as long as a request takes?"""
        if self._renewed_at is None:
            return False
        at, wall = self._renewed_at
        age_s = max(anyio.current_time() - at, self._wall() - wall)  # one of the clocks stands while a machine sleeps
        return age_s < self.choice.lease_s - min(_MARGIN_S, _MARGIN_SHARE * self.choice.lease_s)

    async def lives_on(self, run: str, *, is_own: bool = False) -> bool:
        """Is that run alive, by the store's own clock? Asked once in a while, however many claims it has.

        `is_own`: of this very ledger, whose folder is ours alone. It was killed, unless the folder was copied while it
        ran: so no more is waited for than a renewal that does not come.
        """
        now = anyio.current_time()
        looked_at, seen = self._seen.get(run, (-math.inf, _ALIVE))
        if now - looked_at >= _LOOK_AGAIN_S and run not in self._looking_at:
            self._looking_at.add(run)  # hundreds may lose their claims to it at the same moment
            try:
                seen = await self._look_at(run)
            finally:
                self._looking_at.discard(run)
            self._seen[run] = now, seen
        lease_s = min(seen.lease_s, seen.lease_s / _RENEWALS + _LATE_S) if is_own else seen.lease_s
        return seen.age_s <= lease_s + _GRAIN_S

    async def _look_at(self, run: str) -> _Life:
        found = await self._get(lease_path(run))
        if found is None:
            return _DEAD
        age_s = self._store_ahead_s + anyio.current_time() - found.modified_at
        return _Life(age_s, read_lease(found.content, run).lease_s)

    # --- takes ----------------------------------------------------------------------------------------------------

    async def record(self, key: PurchaseKey) -> TakeRecord | None:
        """Who bought a take, and where it lies; None where nobody has. Raises BadDocument."""
        path = record_path(key)
        found = await self._get(path)
        return None if found is None else read_record(found.content, key)

    async def fetch(self, record: TakeRecord, write: Callable[[bytes], object]) -> bool:
        """Hand the take's source to `write`, piece by piece. False where it is not there.

        Raises TooLong for one that is longer than its record says.
        """
        return await self._objects.fetch(source_path(record.sha256, record.format), write, record.size)

    async def share(self, record: TakeRecord, file: Path) -> TakeRecord | None:
        """Put a take there: its source first, its record last. None, or the record of somebody who was there before."""
        await self._objects.push(source_path(record.sha256, record.format), file)
        try:
            await self._objects.create(record_path(record.key), record_text(record))
        except AlreadyThere:
            standing = await self.record(record.key)
            return None if standing == record else standing
        return None

    # --- claims ---------------------------------------------------------------------------------------------------

    async def claim(self, intent: Intent, own: Job | None, now: float) -> Standing:
        """Claim a take for this run, to be asked for with the words and the key of `intent`; or say who has it.

        `own`: the job that this run's ledger has for it already. Where a run that is no more has claimed it, its claim
        is taken over as it stands: its intent, its job. Raises BadDocument.
        """
        fresh = self._claim_of(intent, own, now)
        for _ in range(_MOST_LOOKS):
            standing = await self._claim_or_look(intent, fresh)
            if standing is not None:
                return standing
        raise StoreTrouble(f"{self.choice.address}: what it says of {claim_path(intent.key)} changes at each look")

    async def _claim_or_look(self, intent: Intent, fresh: Claim) -> Standing | None:
        """Whose the take is; None where that was changed just now."""
        try:
            return Mine(fresh, await self._objects.create(claim_path(intent.key), claim_text(fresh)))
        except AlreadyThere:
            pass
        found = await self._get(claim_path(intent.key))
        if found is None:
            return None  # somebody tidied up just now
        standing = read_claim(found.content, intent.key)
        taken = await self._as_taken_over(standing, fresh)
        if taken is None:
            return Held(standing.machine, standing.run, self._is_own(standing, fresh))
        is_another = taken.intent.idempotency_key != intent.idempotency_key
        try:
            tag = await self._objects.replace(claim_path(intent.key), claim_text(taken), found.tag)
        except Changed:
            return None  # somebody was quicker
        return Mine(taken, tag, is_another)

    async def _as_taken_over(self, standing: Claim, fresh: Claim) -> Claim | None:
        """What a claim becomes that may be taken over: None where it may not be."""
        if standing.state == "fruitless":
            return fresh
        same_job = standing.intent.idempotency_key == fresh.intent.idempotency_key
        is_own = self._is_own(standing, fresh)
        if standing.state == "open" and await self.lives_on(standing.run, is_own=is_own):
            return None
        if same_job:
            known = fresh if fresh.job_id is not None else standing
            return replace(fresh, job_id=known.job_id, accepted_at=known.accepted_at, intended_at=standing.intended_at)
        return replace(standing, holder=self._holder, machine=self.machine, run=self.run, state="open")

    def _is_own(self, standing: Claim, fresh: Claim) -> bool:
        """Is it of an earlier process, as our own books say?"""
        same_job = standing.intent.idempotency_key == fresh.intent.idempotency_key
        return same_job and standing.holder == self._holder

    async def is_held(self, key: PurchaseKey, held: Held) -> bool:
        """Is a take still claimed by that run? To look costs a tenth of what another try to claim it does."""
        found = await self._get(claim_path(key))
        standing = None if found is None else read_claim(found.content, key)
        return standing is not None and (standing.run, standing.state) == (held.run, "open")

    async def name_job(self, mine: Mine, job: Job) -> Mine:
        """Write down which job a claim has become. Raises ClaimLost."""
        return await self._replaced(mine, job_id=job.job_id, accepted_at=job.accepted_at)

    async def give_up(self, mine: Mine, state: ClaimState) -> None:
        """Let others go on with it, or begin anew. Raises ClaimLost."""
        await self._replaced(mine, state=state)

    async def confirm(self, mine: Mine) -> Mine:
        """Is it still this run's, though its lease may have ended meanwhile? Raises ClaimLost."""
        await self.renew()
        found = await self._get(claim_path(mine.claim.key))
        if found is None or read_claim(found.content, mine.claim.key).run != self.run:
            raise ClaimLost(claim_path(mine.claim.key))
        return replace(mine, tag=found.tag)

    async def _replaced(self, mine: Mine, **changes: Any) -> Mine:
        claim, path = replace(mine.claim, **changes), claim_path(mine.claim.key)
        try:
            return Mine(claim, await self._objects.replace(path, claim_text(claim), mine.tag), mine.taken_over)
        except Changed:
            pass
        found = await self._get(path)  # it may be ours all the same: an answer that was lost
        if found is not None and read_claim(found.content, claim.key) == claim:
            return Mine(claim, found.tag, mine.taken_over)
        raise ClaimLost(path)

    def _claim_of(self, intent: Intent, own: Job | None, now: float) -> Claim:
        fresh = Claim(intent.key, self._holder, self.machine, self.run, intent, now)
        if own is None:
            return fresh
        return replace(fresh, intended_at=own.intended_at, job_id=own.job_id, accepted_at=own.accepted_at)

    async def _get(self, path: str) -> Found | None:
        try:
            return await self._objects.get(path, MOST_BYTES)
        except TooLong as error:
            raise BadDocument(f"{path}: it is too long to be one; put right what stands there, or remove it") from error

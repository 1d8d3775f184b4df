"""A job: the states it can be in, what is asked for, what became of it, and what it binds of a budget.

Values only. The ledger keeps them, planning reads them, the runner moves them on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from pipeline.money import Basis

Kind = Literal["local", "real"]


class IllegalTransition(Exception):
    """A defect of this program: a job was moved in a way that its states do not allow."""


class State(StrEnum):
    """Where a job stands."""

    INTENDED = "intended"  # written down; its POST may have left
    UNKNOWN = "unknown"  # its POST left, and nothing shows whether a job was made
    REFUSED = "refused"  # the gateway surely made no job
    ACCEPTED = "accepted"  # it has a job id
    COMPLETED = "completed"  # paid for; its audio is not here yet
    COLLECTED = "collected"  # paid for, and its source is here
    FAILED = "failed"  # the gateway gave up on it; not charged
    CANCELLED = "cancelled"  # cancelled at the gateway; not charged
    EXPIRED = "expired"  # the gateway no longer has it


_NEXT: Final[dict[State, frozenset[State]]] = {
    State.INTENDED: frozenset({State.UNKNOWN, State.REFUSED, State.ACCEPTED}),
    State.UNKNOWN: frozenset({State.INTENDED}),
    State.REFUSED: frozenset({State.INTENDED}),  # sent again: no job was made, so its key is still unused
    State.ACCEPTED: frozenset({State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED}),
    State.COMPLETED: frozenset({State.COLLECTED, State.EXPIRED}),
    # A source that was lost or spoilt is downloaded again while the gateway still has it.
    State.COLLECTED: frozenset({State.COLLECTED, State.EXPIRED}),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
}

#: The gateway may still be working on it, or has something that belongs to us.
OUTSTANDING: Final = frozenset({State.INTENDED, State.UNKNOWN, State.ACCEPTED, State.COMPLETED})
#: It can't become anything else, and nothing came of it.
FRUITLESS: Final = frozenset({State.REFUSED, State.FAILED, State.CANCELLED})


def check_transition(before: State, after: State) -> None:
    """Raise IllegalTransition unless a job may go from `before` to `after`."""
    if after not in _NEXT[before]:
        raise IllegalTransition(f"a job that is {before} can't become {after}")


class PurchaseKey(NamedTuple):
    """One thing that is paid for once: the paid fingerprint, and the two numbers beside it."""

    fingerprint: str
    take: int
    regeneration: int


@dataclass(frozen=True, slots=True)
class Intent:
    """What is written down before a POST may leave: enough to ask for the same job again, byte for byte."""

    key: PurchaseKey
    manifest: str
    track: str
    kind: Kind
    origin: str  # the API's origin that it is sent to
    model: str
    seconds_asked: float
    estimate_microusd: int
    body: bytes
    cost_tag: str
    idempotency_key: str
    request_id: str

    @property
    def source_format(self) -> str:
        """The audio format that was asked for, from the body that is sent."""
        return str(json.loads(self.body).get("format", "wav"))

    @property
    def prompt(self) -> str:
        """What was asked to be heard, from the body that is sent."""
        return str(json.loads(self.body).get("prompt", ""))

    @property
    def webhook_url(self) -> str | None:
        """Where the gateway is asked to tell that it has ended, from the body that is sent."""
        url = json.loads(self.body).get("webhook_url")
        return None if url is None else str(url)


@dataclass(frozen=True, slots=True)
class Job:
    """A job on the books: an intent, and all that became of it. Times are seconds since 1970."""

    row: int
    run: int
    intent: Intent
    state: State
    intended_at: float
    sent_at: float  # the last sending
    sends: int
    unproven_sends: int  # sendings beside the one that counts that may have made a job as well
    job_id: str | None = None
    accepted_at: float | None = None
    unfinished_at: float | None = None  # the last poll before `ended_at` that found it unfinished
    ended_at: float | None = None  # completed, failed, cancelled, expired or refused
    collected_at: float | None = None
    cost_microusd: int | None = None
    cost_basis: Basis | None = None
    seconds_got: float | None = None
    source: str | None = None  # SHA-256
    error: str | None = None
    bought_by: str | None = None  # who paid for it, where it came from a team's store: here it costs nothing
    bought_microusd: int | None = None  # what it cost there

    @property
    def key(self) -> PurchaseKey:
        return self.intent.key

    @property
    def commitment(self) -> Commitment:
        return commitment(self)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What one job, or many, bind of a budget, in micro-dollars. The three never overlap."""

    reserved: int = 0  # asked for, not yet billed
    unknown: int = 0  # may have been charged beside that: `possible_duplicate_usd`
    billed: int = 0

    @property
    def total(self) -> int:
        return self.reserved + self.unknown + self.billed

    def __add__(self, other: Commitment) -> Commitment:
        return Commitment(self.reserved + other.reserved, self.unknown + other.unknown, self.billed + other.billed)


def commitment(job: Job) -> Commitment:
    """What `job` binds: docs/money.md, "Reserve, then settle"."""
    estimate = job.intent.estimate_microusd
    unknown = estimate * job.unproven_sends
    if job.cost_microusd is not None:
        return Commitment(unknown=unknown, billed=job.cost_microusd)
    if job.state is State.EXPIRED:  # it may have been charged before it went
        return Commitment(unknown=unknown + estimate)
    if job.state in (State.INTENDED, State.ACCEPTED, State.COMPLETED, State.COLLECTED):
        return Commitment(reserved=estimate, unknown=unknown)
    return Commitment(unknown=unknown)

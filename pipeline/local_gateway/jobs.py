"""A job as the gateway keeps it, and the order it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from pipeline.local_gateway.composition import AudioFormat, CompositionRequest
    from pipeline.local_gateway.fates import JobError
    from pipeline.local_gateway.models import MusicModel

CacheWish = Literal["auto", "force", "skip"]
End = Literal["completed", "failed", "cancelled", "vanished"]

#: The share of a job's time that it stands in the queue.
QUEUED_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Order:
    """What a submit asks for, once it is known to make sense."""

    model: MusicModel
    prompt: str
    lyrics: str  # empty: instrumental
    duration_s: float  # as the model will have it
    format: AudioFormat
    webhook_url: str | None
    cache: CacheWish
    tag: str
    request_id: str
    idempotency_key: str | None
    sender: str  # stands for the API key, without being it
    body_digest: str

    @property
    def words(self) -> tuple[str, str, str, float, AudioFormat]:
        """What two orders share that ask for the same music."""
        return (self.model.slug, self.prompt, self.lyrics, self.duration_s, self.format)


@dataclass(slots=True)
class Job:
    """A job. Times are seconds since 1970; those that have not come yet are None."""

    id: str
    piece: CompositionRequest  # what is composed for it: its length is the delivered one
    asked_s: float
    created_at: float
    starts_at: float
    due_at: float  # infinite for one that never ends
    price_microusd: int  # what it will cost if it completes
    cache: Literal["hit", "miss"]
    sender: str
    tag: str = ""
    request_id: str = ""
    idempotency_key: str | None = None
    body_digest: str = ""
    webhook_url: str | None = None
    error: JobError | None = None  # what it fails with, from the first if it is fated to
    vanishes_at: float | None = None
    end: End | None = None
    ended_at: float | None = None
    charged_microusd: int = 0
    # What follows is not kept over a restart.
    composed: bool = False
    last_polled_at: float | None = None
    polls: int = 0
    early_polls: int = 0
    downloads: int = 0

    def status_at(self, now: float) -> str:
        """The status in the contract's words."""
        if self.end is not None:
            return self.end
        return "queued" if now < self.starts_at else "running"

    def is_known_at(self, now: float) -> bool:
        """Whether the gateway admits to it."""
        return self.vanishes_at is None or now < self.vanishes_at

    @property
    def file_name(self) -> str:
        return f"{self.id}.{self.piece.format}"

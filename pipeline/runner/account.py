"""Reserve, then settle: what a run may still commit itself to (docs/money.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.jobs import Commitment

if TYPE_CHECKING:
    from pipeline.jobs import Job


class Account:
    """What one run has committed, against its limit; `above` caps the sum of several.

    Between a reservation and the intent that carries it nothing is on the books yet: that is what `reserve` holds.
    """

    def __init__(self, limit_microusd: int | None, above: Account | None = None) -> None:
        """`limit_microusd` None: no limit of its own."""
        self.limit_microusd = limit_microusd
        self._total = Commitment()
        self._held = 0
        self._posted: dict[int, Commitment] = {}
        self._above = above

    @property
    def committed(self) -> Commitment:
        """Reserved, unknown and billed, with what is held for intents that are being written."""
        return self._total + Commitment(reserved=self._held)

    def reserve(self, amount: int) -> bool:
        """Hold `amount` for an intent; False, and nothing held, where it would pass a limit."""
        if not (self.has_room(amount) and (self._above is None or self._above.has_room(amount))):
            return False
        self.hold(amount)
        return True

    def release(self, amount: int) -> None:
        """Give back what `reserve` held: its intent is on the books now, or was never written."""
        self.hold(-amount)

    def post(self, job: Job) -> None:
        """Take note of where `job` stands now."""
        before = self._posted.get(job.row, Commitment())
        after = self._posted[job.row] = job.commitment
        self.move(before, after)

    def has_room(self, amount: int) -> bool:
        """Would `amount` stay within this account's own limit?"""
        return self.limit_microusd is None or self.committed.total + amount <= self.limit_microusd

    def hold(self, amount: int) -> None:
        """Count `amount` as reserved, here and above, whatever the limits."""
        self._held += amount
        if self._above is not None:
            self._above.hold(amount)

    def move(self, before: Commitment, after: Commitment) -> None:
        """Replace what one job bound, here and above."""
        self._total = Commitment(
            self._total.reserved - before.reserved + after.reserved,
            self._total.unknown - before.unknown + after.unknown,
            self._total.billed - before.billed + after.billed,
        )
        if self._above is not None:
            self._above.move(before, after)

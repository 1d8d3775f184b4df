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

    def __init__(self, limit_microusd: int, called: str, above: Account | None = None) -> None:
        """`called`: what the limit is, for messages."""
        self.limit_microusd = limit_microusd
        self.called = called
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
        if self.too_small_for(amount) is not None:
            return False
        self.hold(amount)
        return True

    def too_small_for(self, amount: int) -> Account | None:
        """The account whose limit `amount` would pass: this one, or the one above; None where there is room."""
        if self.committed.total + amount > self.limit_microusd:
            return self
        return None if self._above is None else self._above.too_small_for(amount)

    def release(self, amount: int) -> None:
        """Give back what `reserve` held: its intent is on the books now, or was never written."""
        self.hold(-amount)

    def post(self, job: Job) -> None:
        """Take note of where `job` stands now."""
        before = self._posted.get(job.row, Commitment())
        after = self._posted[job.row] = job.commitment
        self.move(before, after)

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

"""Which take of a track is its pick, and what the others are like: known bit by bit while the track is finished."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.audio.gates import action_of
from pipeline.audio.tasks import Warning as AssetWarning
from pipeline.fingerprints import judging_fingerprint
from pipeline.output import Unfit
from pipeline.planning.plans import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.output import AssetRow
    from pipeline.planning.plans import TrackPlan
    from pipeline.runner.results import TakeResult
    from pipeline.runner.twins import Twins

_AGAIN: Final = ", generated again,"


class Picking:
    """A track's takes: the pick is the one that somebody chose, or that stands, or the first without a failed gate."""

    def __init__(
        self,
        plan: TrackPlan,
        takes: Iterable[TakeResult] = (),
        twins: Sequence[Twins] = (),
        steps: tuple[str, ...] = (),
    ) -> None:
        """`steps`: the names of the user's own finishing steps."""
        self._plan = plan
        self._judging = judging_fingerprint(plan.track, steps)
        self._takes = {take.plan.number: take for take in takes}
        self._twins = tuple(twins)

    @property
    def takes(self) -> tuple[TakeResult, ...]:
        """Those of the plan, with what their gates have said so far."""
        return tuple(self._takes.values())

    @property
    def usable(self) -> list[TakeResult]:
        """The takes whose source is here and has failed no gate."""
        return usable(self.takes)

    @property
    def candidates(self) -> list[TakeResult]:
        """What may be the pick, the likeliest first.

        Nothing takes the place of one that somebody chose, nor of a pick whose source is not here; and nothing that is
        older takes that of one that is generated again.
        """
        if self._plan.candidates is not None:
            return [take for take in self.usable if take.plan.number in self._plan.candidates]
        standing = self._takes.get(self._plan.pick or 0)
        if standing is None or standing.failed_gate:
            return self.usable
        return [standing, *(take for take in self.usable if take is not standing)] if standing in self.usable else []

    @property
    def highest(self) -> int:
        """The highest take that was ever bought: without a ledger, nobody else knows that it is not to be bought."""
        rows = [row for row in self._plan.rows if row.paid_fingerprint == self._plan.paid_fingerprint]
        bought = [take.plan.number for take in self.usable] + self.unfit
        return max(bought + [row.provenance.takes for row in rows], default=1)

    @property
    def unfit(self) -> list[int]:
        """The takes that have failed a gate."""
        return [take.plan.number for take in self.takes if take.failed_gate]

    @property
    def is_hopeless(self) -> bool:
        """Is one unfit that might have been the pick?"""
        candidates = self._plan.candidates
        return any(candidates is None or number in candidates for number in self.unfit)

    def fail(self, number: int, why: str) -> None:
        """A gate has found a take to be unfit."""
        self._takes[number] = replace(self._takes[number], error=why, failed_gate=True)

    def fail_twins(self, pick: int) -> None:
        """Fail the later take of each two twins, where their gate is to do that; never the pick."""
        if action_of("twin", self._plan.track.finishing.gates) == "fail":
            for twins in self._twins:
                self.fail(twins.later(pick), f"twin: {twins}")

    @property
    def why_nothing_is_fit(self) -> str:
        """The reason of each take that failed a gate; of one that somebody chose, its own."""
        failed = [take for take in self.takes if take.failed_gate]
        chosen = next((take for take in failed if take.plan.number == self._plan.choice), None)
        if chosen is not None:
            return f"take {chosen.plan.number}, which was picked, is not fit: {chosen.error}"
        candidates = [take for take in failed if take.plan.number in (self._plan.candidates or ())]
        if len(candidates) == 1 and candidates[0].plan.key.regeneration:
            what = f"take {candidates[0].plan.number}{_AGAIN} is not fit: {candidates[0].error}"
            return f"{what}; what stood before stays"
        if len(failed) == 1:
            return str(failed[0].error)
        return "; ".join(f"take {take.plan.number}: {take.error}" for take in failed)

    @property
    def warnings(self) -> tuple[AssetWarning, ...]:
        """What somebody should know about the takes as a whole."""
        return (*(AssetWarning("twin", str(twins)) for twins in self._twins), *self._unfit())

    def _unfit(self) -> Iterator[AssetWarning]:
        for take in self.takes:
            if take.failed_gate and not str(take.error).startswith("twin: "):  # which is told of both
                again = _AGAIN if take.plan.key.regeneration else ""
                what = f"take {take.plan.number}{again} is not fit to be its pick: {take.error}"
                yield AssetWarning("take_failed", what)

    def told(self, row: AssetRow) -> AssetRow:
        """`row` with what is known of the takes now; an intro leaves the warnings to its loop."""
        row = replace(row, provenance=replace(row.provenance, takes=self.highest), unfit=self._judged(row))
        if row.path not in {asset.path for asset in self._plan.assets}:
            return row
        documents = [{"code": warning.code, "message": warning.message} for warning in self.warnings]
        again = tuple(f"take {number}{_AGAIN}" for number in self.unfit)  # of which an older one is told no longer
        before = [one for one in row.warnings if not str(one.get("message")).startswith(again)]
        return replace(row, warnings=(*before, *(one for one in documents if one not in before)))

    def told_in_vain(self, row: AssetRow) -> AssetRow:
        """`row`, which stands since none of the takes is fit, with what is known of them, if it is of one of theirs."""
        return self.told(row) if row.paid_fingerprint == self._plan.paid_fingerprint else row

    def _judged(self, row: AssetRow) -> tuple[Unfit, ...]:
        """The takes that failed a gate, now or before by the same gates."""
        keys = {take.plan.key.take: take.plan.key.regeneration for take in self.takes}
        before = [one for one in row.unfit if one.judging == self._judging and keys.get(one.take) != one.regeneration]
        failed = (take for take in self.takes if take.failed_gate)
        now = [Unfit(one.plan.number, one.plan.key.regeneration, self._judging, str(one.error)) for one in failed]
        return tuple(sorted((*before, *now), key=lambda one: (one.take, one.regeneration)))


def usable(takes: Iterable[TakeResult]) -> list[TakeResult]:
    """The takes whose source is here and has failed no gate."""
    return [take for take in takes if take.error is None and take.plan.step is not Step.PROVEN]

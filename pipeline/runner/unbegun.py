"""The results of what nothing was done about: nothing had to be, the run was not begun, or its end came first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.jobs import Commitment, State
from pipeline.planning.plans import TO_COME, Action, Step
from pipeline.runner.results import ManifestResult, TakeResult, TrackResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.planning.plans import ManifestPlan, TrackPlan


def refused(plan: ManifestPlan, why: str, committed: Commitment | None = None) -> ManifestResult:
    """A manifest whose run was not begun; `committed`: what its open run has bound before."""
    return ManifestResult(
        plan,
        tuple(overtaken(track, [TakeResult(take, take.job) for take in track.takes], why) for track in plan.tracks),
        committed=committed or Commitment(),
    )


def overtaken(plan: TrackPlan, takes: Sequence[TakeResult], why: str) -> TrackResult:
    """A track that nothing was done about: because nothing had to be, or because the run's end overtook it."""
    match plan.action:
        case Action.KEEP:
            return TrackResult(plan, "kept", tuple(takes), plan.rows)
        case Action.SKIP:
            return TrackResult(plan, "skipped", tuple(takes), plan.rows)
        case Action.BLOCKED:
            return TrackResult(plan, "failed", tuple(takes), plan.rows, plan.why)
    told = tuple(_overtaken_take(take, why) for take in takes)
    return TrackResult(plan, "planned", told, plan.rows, next((take.error for take in told if take.error), why))


def _overtaken_take(take: TakeResult, why: str) -> TakeResult:
    """A take whose source should have come: its run stays open for it."""
    is_here = take.job is not None and take.job.state is State.COLLECTED
    if take.plan.step not in (*TO_COME, Step.FETCH) or take.error is not None or is_here:
        return take
    return replace(take, error=why, unsent=True)

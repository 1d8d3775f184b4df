"""What a plan may commit to, and what its run is asked for. Pure; docs/money.md, "Reserve, then settle".

What manifests allow is for all shards together, and each gets an equal share; what the command line says is for the run
that it is said to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.gateway_choice import EMBEDDED_ORIGIN
from pipeline.money import dollars
from pipeline.planning.plans import Action, Step, estimates, take_price
from pipeline.planning.takes import is_bought_again

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.jobs import PurchaseKey
    from pipeline.planning.plans import ManifestPlan, TakePlan, TrackPlan
    from pipeline.workspace import Plan


def budget_of(plan: Plan, part: ManifestPlan) -> int | None:
    """A manifest's own budget, or a shard's share of it; `--budget` replaces it where it is the only manifest."""
    if len(plan.manifests) == 1 and plan.request.budget_microusd is not None:
        return plan.request.budget_microusd
    whole, shard = part.manifest.budget_microusd, plan.request.shard
    return whole if whole is None or shard is None else shard.share(whole)


def cap_of(plan: Plan) -> int | None:
    """What several manifests may commit to together."""
    return None if len(plan.manifests) == 1 else plan.request.budget_microusd


def budget_over_all(plan: Plan) -> int | None:
    """What all manifests may commit to: the cap, else the sum where each has a budget of its own."""
    if (cap := cap_of(plan)) is not None:
        return cap
    budgets = [budget_of(plan, part) for part in plan.manifests]
    known = [budget for budget in budgets if budget is not None]
    return sum(known) if known and len(known) == len(budgets) else None


def requests_per_minute_of(plan: Plan, given: int | None) -> int | None:
    """How many requests a minute may be sent: as many as are `given`, else the manifests' least, or a shard's share.

    None: no limit, as at a local gateway of the run's own.
    """
    if given is not None:
        return given
    if plan.request.gateway.origin == EMBEDDED_ORIGIN:
        return None
    least, shard = min(part.manifest.gateway.requests_per_minute for part in plan.manifests), plan.request.shard
    return least if shard is None else max(1, shard.share(least))


def asks(part: ManifestPlan, purchases: Mapping[PurchaseKey, int], run: int) -> dict[PurchaseKey, int]:
    """What `run` is asked for, in micro-dollars: `purchases`, and what may turn out to have to be paid for again."""
    again = {
        take.key: _again_microusd(track, take, part, run)
        for track in part.tracks
        if track.action is Action.GENERATE
        for take in track.takes
    }
    return {**purchases, **{key: amount for key, amount in again.items() if amount}}


def _again_microusd(track: TrackPlan, take: TakePlan, part: ManifestPlan, run: int) -> int:
    """What a take that an earlier process asked for may cost now: asked for once more, or expired and bought again.

    The run's own lost answers were asked for when they were bought: asking again for those widens no limit.
    """
    job = take.job
    if job is None or job.intent.kind == "local":
        return 0
    if take.step is Step.RESEND and job.run != run:
        return job.intent.estimate_microusd * (job.unproven_sends + 1)
    if take.step is Step.COLLECT and is_bought_again(job, part.manifest.gateway):
        return take_price(track.track)
    return 0


def too_expensive(plan: Plan, committed: Mapping[str, int]) -> str | None:
    """Why a plan is not begun: what it would take, and the budget that it would pass. None where it may go on.

    `committed`: what each manifest's open run has bound already, in micro-dollars.
    """
    total = 0
    for part, own in estimates(plan.manifests):
        estimate, budget = sum(own.values()), budget_of(plan, part)
        before = committed.get(part.manifest.name, 0)
        if budget is not None and estimate and before + estimate > budget:
            return _too_much(part.manifest.name, estimate, before, _told(plan, part, budget))
        total += estimate
    cap, before = cap_of(plan), sum(committed.values())
    if cap is not None and total and before + total > cap:
        return _too_much("all manifests together", total, before, dollars(cap))
    return None


def _told(plan: Plan, part: ManifestPlan, budget: int) -> str:
    whole, shard = part.manifest.budget_microusd, plan.request.shard
    if shard is None or shard.is_all or whole is None or budget != shard.share(whole):
        return dollars(budget)
    return f"{dollars(budget)} (the manifest's {dollars(whole)}, shared by {shard.of:,} shards)"


def _too_much(whose: str, estimate: int, before: int, budget: str) -> str:
    on_top = f" on top of {dollars(before)} already committed" if before else ""
    return (
        f"{whose}: the plan costs {dollars(estimate)}{on_top}, over the budget of {budget}; "
        "nothing is bought: raise the budget (--budget) or ask for less"
    )

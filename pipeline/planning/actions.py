"""What is to be done about a track, from what is to be done about its takes and its files, and why. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.planning.changes import in_words
from pipeline.planning.plans import TO_COME, Action, Step, TrackPlan
from pipeline.planning.takes import NEW, missing
from pipeline.times import day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.output import AssetRow
    from pipeline.planning.plans import AssetPlan, TakePlan
    from pipeline.store.documents import TakeRecord


def with_action(plan: TrackPlan, proof: AssetRow | None, *, again: bool) -> TrackPlan:
    """`plan` with its action and why; `proof` shows that the track was bought. `again`: finished though it stands."""
    blocked = next((take for take in plan.takes if take.step is Step.BLOCKED), None)
    if blocked is not None:
        return replace(plan, action=Action.BLOCKED, why=blocked.why)
    coming = next((take for take in plan.takes if take.step in TO_COME), None)
    if coming is not None:
        return replace(plan, action=Action.GENERATE, why=_why_bought(plan, coming, proof))
    return _with_free_action(plan, proof, again=again)


def _with_free_action(plan: TrackPlan, proof: AssetRow | None, *, again: bool) -> TrackPlan:
    """The same where no gateway is asked for anything."""
    fetched = next((take.stored for take in plan.takes if take.stored is not None), None)
    if fetched is not None:
        return replace(plan, action=Action.FINISH, why=why_fetched(fetched))
    if not all(asset.keep for asset in plan.assets):
        if Step.HAVE not in {take.step for take in plan.takes}:
            return replace(plan, action=Action.BLOCKED, why=missing(plan.track))
        return replace(plan, action=Action.FINISH, why=_why_picked(plan) or why_finished(plan.assets))
    beyond = _beyond(proof, plan.takes)
    if beyond is not None:
        return replace(plan, action=Action.FINISH, why=f"take {beyond.number} is new")
    return replace(plan, action=Action.FINISH) if again else plan


def why_fetched(stored: TakeRecord) -> str:
    """That a take comes from a team's store, and who has paid for it."""
    return f"from the team's store: bought by {stored.bought_by} on {day(stored.bought_at)}"


def _beyond(proof: AssetRow | None, takes: Sequence[TakePlan]) -> TakePlan | None:
    """A take that came home in a run that was stopped before it was finished: no row has heard of it."""
    known = 0 if proof is None else proof.provenance.takes
    return next((take for take in takes if take.step is Step.HAVE and take.number > known), None)


def _why_bought(plan: TrackPlan, take: TakePlan, proof: AssetRow | None) -> str:
    """Why the first of the takes that are not here is asked for."""
    if take.why != NEW:
        return take.why
    if take.key.regeneration:
        return "--regenerate" if plan.track.refresh_s is None else "generated again, as its open run began to"
    if take.on_a_word and take.number > plan.track.takes:
        return "one more take"
    if proof is not None and take.number > proof.provenance.takes:
        return f"takes {proof.provenance.takes} -> {plan.track.takes}"
    return in_words(plan.changes, otherwise="what is asked for changed" if plan.rows else NEW)


def _why_picked(plan: TrackPlan) -> str:
    """That somebody chose another take than the one that stands; nothing where nobody did."""
    chosen = next((take for take in plan.takes if take.number == plan.choice), None)
    if chosen is None:
        return ""
    stands = {row.provenance.version for row in plan.rows if row.paid_fingerprint == plan.paid_fingerprint}
    return f"take {chosen.version} was picked" if stands and chosen.version not in stands else ""


def why_finished(assets: Sequence[AssetPlan]) -> str:
    """Why its assets are made again: each reason once."""
    return ", ".join(dict.fromkeys(reason for asset in assets for reason in _reasons(asset)))


def _reasons(asset: AssetPlan) -> tuple[str, ...]:
    if asset.why and asset.why == in_words(asset.changes, otherwise=""):
        return tuple(map(str, asset.changes))
    return (asset.why,) if asset.why else ()

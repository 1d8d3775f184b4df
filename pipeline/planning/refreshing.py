"""Nightly: the pick of a track that has become older than its `refresh` is generated again. Pure.

What somebody chose is left alone: nobody but a person replaces it. A try counts from the moment when it was asked for,
whatever came of it, so that a gate that fails every time costs no more than one generation a night, however often a
run is started; what was not charged is no try.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pipeline.jobs import FRUITLESS, PurchaseKey
from pipeline.planning.actions import why_fetched
from pipeline.planning.plans import Action, Step
from pipeline.planning.takes import Proof, plan_take
from pipeline.planning.wanted import next_regeneration
from pipeline.times import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.manifest.tracks import Manifest
    from pipeline.output import AssetRow
    from pipeline.planning.plans import Facts, TrackPlan

#: Between two tries whose first brought nothing: a little less than a night, whose runs begin when they can.
BETWEEN_TRIES_S: Final = 20 * 3600.0
_HOUR_S: Final = 3600.0
_DAY_S: Final = 24 * _HOUR_S
_TOLD_IN_DAYS_S: Final = 2 * _DAY_S


def refreshed(plan: TrackPlan, row: AssetRow | None, manifest: Manifest, facts: Facts) -> TrackPlan:
    """`plan` with its pick generated again where it is too old, and else with the moment when it will be.

    `row`: of what stands. What is to be finished, or is on its way already, comes first: another start looks again.
    """
    if plan.track.refresh_s is None or row is None or not _stands_idle(plan, row):
        return plan
    generated = moment(row.provenance.date)
    if generated is None:
        return plan
    due = max([generated + plan.track.refresh_s, *_next_tries(plan, row, facts)])
    if facts.now < due:
        return replace(plan, refresh_at=due)
    regeneration = next_regeneration(plan.paid_fingerprint, row, facts)
    key = PurchaseKey(plan.paid_fingerprint, row.provenance.take, regeneration)
    why = f"older than {_told(plan.track.refresh_s)}, generated {_age(facts.now - generated)} ago"
    return _generated_again(plan, key, why, manifest, facts)


def together(plans: Iterable[TrackPlan], manifest: Manifest, facts: Facts) -> Iterator[TrackPlan]:
    """`plans`, with what shares a purchase that is refreshed refreshed with it: it is one purchase, and stays one."""
    every = tuple(plans)
    due = {key.fingerprint: (key, plan.track.name) for plan in every if (key := _refreshed_key(plan)) is not None}
    for plan in every:
        key, name = due.get(plan.paid_fingerprint, (None, ""))
        if key is not None and plan.action is Action.KEEP and plan.choice is None and plan.pick == key.take:
            yield _generated_again(plan, key, f"one purchase with {name}", manifest, facts)
        else:
            yield plan


def _refreshed_key(plan: TrackPlan) -> PurchaseKey | None:
    """Of what a plan generates again because of its age."""
    is_due = plan.track.refresh_s is not None and plan.action is Action.GENERATE and len(plan.candidates or ()) == 1
    takes = (take for take in plan.takes if is_due and take.on_a_word and take.number in (plan.candidates or ()))
    return next((take.key for take in takes if take.key.regeneration), None)


def _generated_again(plan: TrackPlan, key: PurchaseKey, why: str, manifest: Manifest, facts: Facts) -> TrackPlan:
    """`plan` with the take of `key` bought, if that is what is to be done about it, and nothing else in its place.

    Where somebody else of a team has bought just that one, it comes from their store.
    """
    again = replace(plan_take(plan.track, key, manifest, facts, Proof(), kept=False), on_a_word=True)
    takes = tuple(again if take.number == key.take else take for take in plan.takes)
    if again.step not in (Step.BUY, Step.FETCH):
        return plan
    return replace(
        plan,
        action=Action.GENERATE if again.stored is None else Action.FINISH,
        takes=takes,
        assets=tuple(replace(asset, keep=False) for asset in plan.assets),
        pick=None,
        candidates=frozenset({key.take}),
        refresh_at=None,
        why=why if again.stored is None else why_fetched(again.stored),
    )


def _stands_idle(plan: TrackPlan, row: AssetRow) -> bool:
    """Is `row` of this track's own pick, which nobody chose, and is there nothing else to be done about it?"""
    own = (row.manifest, row.name) == (plan.track.manifest, plan.track.name)
    meant = any(take.version == row.provenance.version for take in plan.takes)
    return own and meant and plan.action is Action.KEEP and plan.choice is None


def _next_tries(plan: TrackPlan, row: AssetRow, facts: Facts) -> Iterator[float]:
    """When another try may be made after each that has not replaced what stands."""
    pause = min(plan.track.refresh_s or 0.0, BETWEEN_TRIES_S)
    take, regeneration = row.provenance.take, row.provenance.regeneration
    for job in facts.jobs.get(row.paid_fingerprint, ()):
        if job.key.take == take and job.key.regeneration > regeneration and job.state not in FRUITLESS:
            yield job.intended_at + pause
    lock = facts.locks.get(row.manifest)
    for one in () if lock is None else lock.track(row.name).takes_of(row.paid_fingerprint):
        came = moment(one.date) if one.take == take and one.regeneration > regeneration else None
        if came is not None:
            yield came + pause


def _told(refresh_s: float) -> str:
    """As a manifest says it."""
    return f"{refresh_s / _DAY_S:g}d" if refresh_s % _DAY_S == 0 else f"{refresh_s / _HOUR_S:g}h"


def _age(seconds: float) -> str:
    if seconds >= _TOLD_IN_DAYS_S:
        return f"{int(seconds // _DAY_S):,} days"
    return f"{int(seconds // _HOUR_S)} hours"

"""One more take of a track, on somebody's word: bought by a run of that track, as everything is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.choosing import CantBeChosen, NoSuchTake
from pipeline.money import dollars, rounded_up
from pipeline.planning.plans import Action, Step
from pipeline.runner.budgets import budget_of, too_expensive
from pipeline.sources import take_path

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.planning.plans import TakePlan, TrackPlan
    from pipeline.runner.results import RunResult
    from pipeline.workspace import Plan


@dataclass(frozen=True, slots=True)
class Price:
    """What one more take would cost now, in micro-dollars, and what of the budget that would leave."""

    take: int
    estimate_microusd: int
    cash_microusd: int  # with what topping up credit costs
    budget_left_microusd: int | None  # before it is bought; None: there is no budget
    sentence: str


def price_of(plan: Plan, name: str) -> Price:
    """What a run of `plan`, a re-roll of one track, would cost.

    Raises what `rerolled_take` does, and CantBeChosen where the budget has no room for it.
    """
    take, (part,) = rerolled_take(plan, name), plan.manifests
    too_much = too_expensive(plan, plan.committed)
    if too_much is not None:
        raise CantBeChosen(too_much)
    estimate, budget = plan.estimate_microusd, budget_of(plan, part)
    cash = rounded_up(estimate * (1 + part.manifest.gateway.topup_fee))
    left = None if budget is None else max(0, budget - plan.committed.get(part.manifest.name, 0))
    return Price(take.number, estimate, cash, left, f"{name}: {_words(plan, take, estimate, cash, left)}")


def _words(plan: Plan, take: TakePlan, estimate: int, cash: int, left: int | None) -> str:
    if take.stored is not None:
        return f"take {take.number} is in the team's store, bought by {take.stored.bought_by}: free"
    if take.step is not Step.BUY:
        return f"take {take.number} was asked for before ({take.why}): going on with it reserves nothing more"
    if plan.request.kind == "local":
        return f"take {take.number} is a placeholder from the local gateway: free"
    fee = f" ({dollars(cash)} in cash, with the top-up fee)" if cash > estimate else ""
    of_budget = "" if left is None else f"; {dollars(left)} of the budget is left"
    return f"take {take.number} costs {dollars(estimate)}{fee}{of_budget}"


def what_came(result: RunResult, name: str, take: int, state: Path) -> str:
    """What has become of a re-roll that went well: which take is here, and where it can be heard."""
    (track,) = (one for one in result.tracks if one.plan.track.name == name)
    if any(row.provenance.take == take for row in track.rows):
        return f"{name}: take {take} is the pick"
    unfit = next((one.error for one in track.takes if one.plan.number == take and one.failed_gate), None)
    if unfit is not None:
        return f"{name}: take {take} is here, and is not fit to be the pick: {unfit}"
    heard = state / take_path(track.plan.track, take, track.plan.track.outputs[0])
    return f"{name}: take {take} is here, {heard}; `pipeline pick '{name}' {take}` makes it the pick"


def why_nothing_came(result: RunResult, name: str) -> str:
    """Why a re-roll has brought nothing, or not yet."""
    if result.stop is not None:
        return result.stop.message
    (track,) = (one for one in result.tracks if one.plan.track.name == name)
    errors = [track.error, *(take.error for take in track.takes)]
    return next((f"{name}: {error}" for error in errors if error), f"{name}: nothing came; a run goes on with it")


def rerolled_take(plan: Plan, name: str) -> TakePlan:
    """The one take that a run of `plan` buys beyond those that are asked for, or goes on with.

    Raises NoSuchTake where a re-roll is not what is wanted, and CantBeChosen where the track is held back.
    """
    (track,) = (one for part in plan.manifests for one in part.tracks if one.track.name == name)
    if track.track.prompt is None:
        raise NoSuchTake(f"{name} is a recording (file), which has no takes")
    if track.action is Action.BLOCKED:
        raise CantBeChosen(f"{name}: {track.why}")
    take = next((one for one in track.takes if one.on_a_word), None)
    if take is None:
        raise NoSuchTake(f"{name} has a real asset, which a local run leaves alone: re-roll it with the real gateway")
    _check_that_it_is_one_more(track, take)
    return take


def _check_that_it_is_one_more(track: TrackPlan, take: TakePlan) -> None:
    missing = [str(one.number) for one in track.takes if one.step is Step.BUY and one is not take]
    if missing:
        name, which = track.track.name, "take" if len(missing) == 1 else "takes"
        raise NoSuchTake(
            f"{name}: {which} {', '.join(missing)} of what the manifest asks for still have to be generated: "
            f"`pipeline run {track.track.place.file} --only '{name}'` does that; a re-roll is one more than those"
        )

"""One more take of a track, on somebody's word: bought by a run of that track, as everything is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.choosing import CantBeChosen, NoSuchTake
from pipeline.planning.plans import Action, Step

if TYPE_CHECKING:
    from pipeline.planning.plans import TakePlan, TrackPlan
    from pipeline.workspace import Plan


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

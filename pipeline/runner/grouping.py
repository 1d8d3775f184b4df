"""A loudness group is levelled: what its members bring is measured, and comes to one gain for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from pipeline.audio.tasks import Warning as AssetWarning
from pipeline.audio.tasks import joint_warnings
from pipeline.manifest.names import names_of
from pipeline.output import JoinedGroup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.audio.tasks import GatingBlocks
    from pipeline.output import AssetRow
    from pipeline.planning.groups import GroupPlan
    from pipeline.planning.plans import TrackPlan
    from pipeline.runner.finisher import Finisher
    from pipeline.runner.finishing import TrackFinisher
    from pipeline.runner.results import TakeResult


@dataclass(frozen=True, slots=True)
class GroupLevel:
    """How a group is levelled now."""

    joined: JoinedGroup
    pinned: bool = False  # at the gain of a member that stands and is not finished again
    warnings: tuple[AssetWarning, ...] = ()

    def holds(self, row: AssetRow | None) -> bool:
        """Does an asset stand at this level already?"""
        if row is None or row.group is None or not self.pinned:
            return row is not None and row.group == self.joined
        own, now = row.group, self.joined
        return (own.name, own.target_lufs, own.gain_db) == (now.name, now.target_lufs, now.gain_db)


@dataclass(frozen=True, slots=True)
class Audition:
    """A member before its group is levelled: its takes, with what their gates say, and what its pick brings.

    Without `blocks` it brings nothing: no take of it is here and fit. `error`: what went wrong on the way.
    """

    takes: tuple[TakeResult, ...] = ()
    pick: int | None = None
    blocks: GatingBlocks | None = None
    error: Exception | None = None
    level: GroupLevel | None = None  # once it is known; None: it is not part of its group


async def audition_all(
    group: GroupPlan, takes: Mapping[str, Sequence[TakeResult]], finisher: TrackFinisher
) -> dict[str, Audition]:
    """Every active member of `group`, by its name, heard side by side."""
    heard: dict[str, Audition] = {}

    async def hear(track: TrackPlan) -> None:
        own = takes[track.track.name]
        try:
            heard[track.track.name] = await finisher.audition(track, own)
        except Exception as error:  # noqa: BLE001 - told where the member is finished, and no reason to lose the others
            heard[track.track.name] = Audition(tuple(own), error=error)

    async with anyio.create_task_group() as tasks:
        for track in group.active:
            tasks.start_soon(hear, track)
    return heard


async def level_of(group: GroupPlan, heard: Mapping[str, Audition], finisher: Finisher) -> GroupLevel | None:
    """The level of `group`, whose active members were `heard`. None: none of them brings anything.

    Raises WorkerDied.
    """
    blocks = {name: audition.blocks for name, audition in heard.items() if audition.blocks is not None}
    if not blocks:
        return None
    shares = {
        track.track.name: group.share(track, heard[track.track.name].pick)
        for track in group.active
        if track.track.name in blocks
    }
    members, pin = group.members(shares), group.pin(blocks)
    gain = await finisher.common_gain_db(list(blocks.values()), group.target_lufs) if pin is None else pin.gain_db
    joined = JoinedGroup(group.name, group.target_lufs, gain, members)
    by_peak = joint_warnings(blocks.values()) if pin is None else ()
    return GroupLevel(joined, pin is not None, (*_warnings(group, joined, pin, blocks), *by_peak))


def _warnings(
    group: GroupPlan, joined: JoinedGroup, pin: JoinedGroup | None, made_anew: Mapping[str, object]
) -> list[AssetWarning]:
    missing = [name for name, share in joined.members.items() if share is None]
    texts = [f"without {names_of(missing)}"] if missing else []
    if pin is not None and pin.members != joined.members:
        stand = [name for name, share in joined.members.items() if share and name not in made_anew]
        texts.append(f"at the gain of {names_of(stand)}, not finished again with it")
    return [AssetWarning("group_incomplete", f"group {group.name}: {'; '.join(texts)}")] if texts else []

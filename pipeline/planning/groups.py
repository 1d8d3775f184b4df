"""Loudness groups: which tracks get one gain, what that gain is made of, and when all of them are finished again. Pure.

A change to one member finishes all of them again, as far as that is free. What stands and can't be finished again now
(it is outside of `--only`, it is held back, or its source is gone) is never left behind: whatever is finished beside it
takes the gain that it stands at, so that both still fit.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.fingerprints import member_fingerprint
from pipeline.manifest.names import names_of
from pipeline.planning.plans import Action, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pipeline.output import AssetRow, JoinedGroup
    from pipeline.planning.plans import TrackPlan

_ACTIVE = (Action.GENERATE, Action.FINISH)

Members = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """A loudness group of one manifest: its real members or its placeholders, which share no loudness."""

    name: str
    target_lufs: float
    placeholder: bool
    tracks: tuple[TrackPlan, ...]  # every track that names the group
    steps: tuple[str, ...] = ()  # the names of the user's own finishing steps

    @property
    def own(self) -> tuple[TrackPlan, ...]:
        """Its members: the tracks of its kind."""
        return tuple(track for track in self.tracks if _is_placeholder(track) == self.placeholder)

    @property
    def active(self) -> tuple[TrackPlan, ...]:
        """The members that a run does something about."""
        return tuple(track for track in self.own if track.action in _ACTIVE)

    def share(self, track: TrackPlan, take: int | None) -> str:
        """The digest of what `track` brings with `take` as its pick; None: it is a recording."""
        key = next((one.key for one in track.takes if one.number == take), None)
        regeneration = 0 if key is None else key.regeneration
        return member_fingerprint(track.track, track.paid_fingerprint, take or 1, regeneration, self.steps)

    def standing(self, track: TrackPlan) -> JoinedGroup | None:
        """How `track` was levelled with this group, where it stands so."""
        return next((row.group for row in track.rows if self.is_of(row)), None) if track in self.own else None

    def is_of(self, row: AssetRow) -> bool:
        """Was the asset levelled with this group?"""
        group = row.group
        here = group is not None and (group.name, group.target_lufs) == (self.name, self.target_lufs)
        return here and row.placeholder == self.placeholder

    def members(self, shares: Mapping[str, str]) -> Members:
        """What the group is made of: `shares` of those that are made anew, the others as they stand."""
        return {track.track.name: shares.get(track.track.name) or self._stood_share(track) for track in self.tracks}

    def _stood_share(self, track: TrackPlan) -> str | None:
        standing = self.standing(track)
        return None if standing is None else standing.members.get(track.track.name)

    def pin(self, made_anew: Collection[str]) -> JoinedGroup | None:
        """What a member that is not made anew stands at: the rest takes its gain. None: nothing stands in the way."""
        others = (self.standing(track) for track in self.own if track.track.name not in made_anew)
        return next((standing for standing in others if standing is not None), None)


def groups_of(tracks: Sequence[TrackPlan], steps: tuple[str, ...] = ()) -> tuple[GroupPlan, ...]:
    """The groups of a manifest's tracks. What is not levelled at all (preset `none`) needs no group."""
    named: defaultdict[tuple[str, float], list[TrackPlan]] = defaultdict(list)
    for track in tracks:
        loudness = track.track.finishing.loudness
        if loudness.group is not None and loudness.target_lufs is not None:
            named[loudness.group, loudness.target_lufs].append(track)
    both = (
        GroupPlan(name, target, placeholder, tuple(found), steps)
        for (name, target), found in named.items()
        for placeholder in (False, True)
    )
    return tuple(group for group in both if group.own)


def join_groups(
    tracks: Sequence[TrackPlan], steps: tuple[str, ...], rejoin: Callable[[TrackPlan], TrackPlan | None]
) -> tuple[TrackPlan, ...]:
    """`tracks`, and those that stand finished again where their group has changed.

    `rejoin`: a track's plan if it is to be finished again from its source, for no money; None where that can't be.
    """
    joined = {track.track.name: track for track in tracks}
    for group in groups_of(tracks, steps):
        joined.update(_rejoined(group, rejoin))
    return tuple(joined.values())


def _rejoined(group: GroupPlan, rejoin: Callable[[TrackPlan], TrackPlan | None]) -> Iterator[tuple[str, TrackPlan]]:
    movable = dict(_movable(group.own, rejoin))
    coming = [name for name, track in movable.items() if track.pick is None and track.track.file is None]
    shares = {name: group.share(track, track.pick) for name, track in movable.items() if name not in coming}
    members = group.members(shares)
    pin = group.pin(movable)
    standing = [track for track in group.own if track.action is Action.KEEP and track.track.name in movable]
    if pin is None and not coming and _is_settled(standing, group, members):
        return
    for track in group.own:
        again = movable.get(track.track.name)
        if again is None or again is track:
            continue
        if pin is not None and _is_at(pin.gain_db, track, group):
            continue
        why = _why(group, track, members, coming) if track.action is Action.KEEP else track.why
        yield track.track.name, replace(again, why=why)


def _movable(
    tracks: Iterable[TrackPlan], rejoin: Callable[[TrackPlan], TrackPlan | None]
) -> Iterator[tuple[str, TrackPlan]]:
    """The tracks that are, or could be, finished again from their sources, each with the plan of that."""
    for track in tracks:
        pick = next((take for take in track.takes if take.number == track.pick), None)
        at_hand = track.action is not Action.KEEP and (pick is None or pick.step in (Step.HAVE, Step.COLLECT))
        again = track if track.action in _ACTIVE and at_hand else None
        if again is None and track.action in (Action.KEEP, Action.GENERATE):
            again = rejoin(track)
        if again is not None:
            yield track.track.name, again


def _is_settled(standing: Sequence[TrackPlan], group: GroupPlan, members: Members) -> bool:
    """Do all of `standing` have the one gain of just these members?"""
    records = [row.group if group.is_of(row) else None for track in standing for row in track.rows]
    gains = {record.gain_db for record in records if record is not None}
    now = _without_the_other_kind(members, group)
    same = (record is not None and _without_the_other_kind(record.members, group) == now for record in records)
    return all(same) and len(gains) <= 1


def _without_the_other_kind(members: Members, group: GroupPlan) -> Members:
    """What counts of `members`: that a track has a placeholder by now changes nothing for the real ones."""
    own = {track.track.name for track in group.own}
    return {name: share for name, share in members.items() if share is not None or name in own}


def _is_at(gain_db: float, track: TrackPlan, group: GroupPlan) -> bool:
    return all(row.group is not None and group.is_of(row) and row.group.gain_db == gain_db for row in track.rows)


def _why(group: GroupPlan, track: TrackPlan, members: Members, coming: Sequence[str]) -> str:
    """What has changed since `track` was levelled with its group."""
    before = group.standing(track)
    if before is None:
        return f"group {group.name}: not joined yet"
    if coming:
        return f"group {group.name}: {names_of(coming)} to come"
    was = before.members
    news = (
        ("changed", [name for name, share in members.items() if share and was.get(name) and share != was[name]]),
        ("joins", [name for name, share in members.items() if share and not was.get(name)]),
        ("left out", [name for name, share in was.items() if share and not members.get(name)]),
    )
    told = [f"{names_of(names)} {what}" for what, names in news if names]
    return f"group {group.name}: {', '.join(told) or 'levelled apart from the rest'}"


def _is_placeholder(track: TrackPlan) -> bool:
    """Are its assets placeholders? What is not to be touched is what its rows say."""
    if track.action is Action.SKIP:
        return any(row.placeholder for row in track.rows)
    return track.placeholder

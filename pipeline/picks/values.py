"""What a lock file says, as plain values. planning decides by it, the runner adds to it, people commit it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pipeline.jobs import PurchaseKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

By = Literal["run", "pick", "rollback"]
BY: Final[tuple[By, ...]] = ("run", "pick", "rollback")


class Version(NamedTuple):
    """One generation of a take: what `pipeline pick` can choose."""

    take: int
    regeneration: int

    def __str__(self) -> str:
        return f"{self.take}.{self.regeneration}" if self.regeneration else f"{self.take}"


@dataclass(frozen=True, slots=True)
class Pick:
    """A take that became a track's pick, or was chosen to be."""

    fingerprint: str  # the paid one
    take: int
    regeneration: int
    at: str  # when it was chosen; of a run's own pick, when its source came. ISO 8601, UTC
    by: By  # a run: the first take without a failed gate. Otherwise somebody chose it
    placeholder: bool = False

    @property
    def version(self) -> Version:
        return Version(self.take, self.regeneration)

    @property
    def key(self) -> PurchaseKey:
        return PurchaseKey(self.fingerprint, self.take, self.regeneration)

    @property
    def chosen(self) -> bool:
        """Did somebody choose it?"""
        return self.by != "run"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a purchase asked for: all that its paid fingerprint covers."""

    model: str
    prompt: str
    lyrics: str
    refine_lyrics: bool
    duration: float
    source_format: str


@dataclass(frozen=True, slots=True)
class LockedTake:
    """A take that was paid for and came home. What nobody knows is None."""

    take: int
    regeneration: int
    source: str  # SHA-256 of the audio as the gateway delivered it
    date: str  # when it came, ISO 8601, UTC
    job_id: str | None = None
    seconds: float | None = None
    cost_microusd: int | None = None
    cost_basis: str | None = None
    unfit: str | None = None  # the gate that it failed when it was last finished

    @property
    def version(self) -> Version:
        return Version(self.take, self.regeneration)


@dataclass(frozen=True, slots=True)
class LockedPurchase:
    """Everything that was bought under one paid fingerprint."""

    asked: Asked
    takes: tuple[LockedTake, ...] = ()


@dataclass(frozen=True, slots=True)
class LockedAsset:
    """A delivered file: its hash, and the settings that it was finished with."""

    sha256: str
    finishing: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody who listened to a take thought of it: a star, a note, or both."""

    fingerprint: str  # the paid one
    take: int
    regeneration: int
    source: (
        str  # SHA-256: it is about a sound, and stays with it where a merge of branches gives its take another number
    )
    starred: bool = False
    note: str = ""
    placeholder: bool = False

    @property
    def version(self) -> Version:
        return Version(self.take, self.regeneration)

    @property
    def says_nothing(self) -> bool:
        return not (self.starred or self.note)


@dataclass(frozen=True, slots=True)
class LockedTrack:
    """What the lock says of one track."""

    assets: Mapping[str, LockedAsset] = field(default_factory=dict)  # by path
    picks: tuple[Pick, ...] = ()  # oldest first
    purchases: Mapping[str, LockedPurchase] = field(default_factory=dict)  # by paid fingerprint
    marks: tuple[Mark, ...] = ()  # in the order of what they are about

    @property
    def is_empty(self) -> bool:
        return not (self.assets or self.picks or self.purchases or self.marks)

    def pick_of(self, fingerprint: str) -> Pick | None:
        """The last pick among the takes of one paid fingerprint."""
        return next((pick for pick in reversed(self.picks) if pick.fingerprint == fingerprint), None)

    def takes_of(self, fingerprint: str) -> tuple[LockedTake, ...]:
        purchase = self.purchases.get(fingerprint)
        return () if purchase is None else purchase.takes

    def is_about(self, fingerprint: str) -> bool:
        """Does it say anything of that purchase?"""
        is_marked = any(mark.fingerprint == fingerprint for mark in self.marks)
        return fingerprint in self.purchases or self.pick_of(fingerprint) is not None or is_marked


class Renaming(NamedTuple):
    """A track that has another name now, and the paid fingerprint of the assets that it took along."""

    old: str
    new: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Lock:
    """A manifest's lock file."""

    manifest: str  # its name
    tracks: Mapping[str, LockedTrack] = field(default_factory=dict)

    def track(self, name: str) -> LockedTrack:
        return self.tracks.get(name) or LockedTrack()

    def with_choices(self, choices: Mapping[str, Pick]) -> Lock:
        """The lock as it will be once these are chosen, by track."""
        chosen = {
            name: replace(self.track(name), picks=(*self.track(name).picks, pick)) for name, pick in choices.items()
        }
        return replace(self, tracks={**self.tracks, **chosen})

    def renamed(self, renamings: Iterable[Renaming]) -> Lock:
        """The lock with the entries of renamed tracks under their new names, in a circle too.

        What has its new name already stays: saying it twice is saying it once.
        """
        moves = {
            one.new: one.old
            for one in renamings
            if self.track(one.old).is_about(one.fingerprint) and not self.track(one.new).is_about(one.fingerprint)
        }
        if not moves:
            return self
        tracks = {name: entry for name, entry in self.tracks.items() if name not in moves.values()}
        for new, old in moves.items():
            stood, came = tracks.get(new, LockedTrack()), self.track(old)
            tracks[new] = LockedTrack(
                came.assets,
                (*stood.picks, *came.picks),
                {**stood.purchases, **came.purchases},
                (*stood.marks, *came.marks),
            )
        return Lock(self.manifest, tracks)


def takes_named(locks: Iterable[Lock]) -> dict[str, frozenset[Version]]:
    """Paid fingerprint -> the takes that were bought under it, whatever the track was called then."""
    found: dict[str, set[Version]] = {}
    for lock in locks:
        for track in lock.tracks.values():
            for fingerprint, purchase in track.purchases.items():
                found.setdefault(fingerprint, set()).update(take.version for take in purchase.takes)
    return {fingerprint: frozenset(takes) for fingerprint, takes in found.items()}


def earlier(picks: Iterable[Pick]) -> Iterator[Pick]:
    """The picks before the one that stands, the latest first, as going back step by step comes to them.

    What was gone back from is left out: going back twice leads further, not there again.
    """
    states: list[Pick] = []
    for pick in picks:
        if pick.by == "rollback":
            back = next((at for at in range(len(states) - 2, -1, -1) if states[at].key == pick.key), None)
            del states[len(states) if back is None else back :]
        if not states or states[-1].key != pick.key:
            states.append(pick)
        else:
            states[-1] = pick
    yield from reversed(states[:-1])

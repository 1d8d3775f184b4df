"""What a plan is, and what it is decided from: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pipeline.money import seconds_cost
from pipeline.picks.values import Version
from pipeline.planning.meant import Meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.audio.settings import Output
    from pipeline.jobs import Job, Kind, PurchaseKey
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.output import AssetRow
    from pipeline.picks.values import Lock
    from pipeline.planning.changes import Change
    from pipeline.planning.groups import GroupPlan
    from pipeline.planning.renames import Move
    from pipeline.planning.shards import Shard
    from pipeline.store.documents import TakeRecord


class Action(StrEnum):
    """What a run would do to a track."""

    GENERATE = "generate"
    FINISH = "finish"
    KEEP = "keep"
    BLOCKED = "blocked"  # not without --regenerate
    SKIP = "skip"  # outside of --only, or in another shard


SIGNS: Final[dict[Action, str]] = {
    Action.GENERATE: "+",
    Action.FINISH: "~",
    Action.KEEP: "=",
    Action.BLOCKED: "!",
    Action.SKIP: " ",
}
ORPHAN_SIGN: Final = "-"


class Step(StrEnum):
    """What a run would do about a take's source."""

    BUY = "buy"
    RESEND = "resend"  # unknown: ask again under its own key
    COLLECT = "collect"  # it has a job id: poll, download
    HAVE = "have"  # its source is here
    FETCH = "fetch"  # a team's store has it: fetched from there, free
    PROVEN = "proven"  # bought before, and not needed: the output folder has what became of it
    BLOCKED = "blocked"


#: What is at the gateway already, and what a gateway has to be asked for at all.
GOING_ON: Final = (Step.RESEND, Step.COLLECT)
TO_COME: Final = (Step.BUY, *GOING_ON)
#: What a store may have, if anybody has it.
MAY_BE_STORED: Final = (*TO_COME, Step.BLOCKED)


@dataclass(frozen=True, slots=True)
class TakePlan:
    """One take, and what is to be done about its source."""

    number: int
    key: PurchaseKey
    step: Step
    job: Job | None = None
    estimate_microusd: int = 0  # what buying it binds; 0 at the local gateway
    why: str = ""
    on_a_word: bool = False  # bought again because somebody said so: that is granted once in a run
    stored: TakeRecord | None = None  # what a team's store says of it, where it is fetched from there

    @property
    def version(self) -> Version:
        """Which generation of the take is meant."""
        return Version(self.number, self.key.regeneration)


@dataclass(frozen=True, slots=True)
class AssetPlan:
    """One file of a track, and whether it stands as it is."""

    path: str
    output: Output
    finishing_fingerprint: str
    keep: bool
    why: str = ""
    changes: tuple[Change, ...] = ()  # since it was made, as far as its row says how that was
    settings: dict[str, Any] = field(default_factory=dict)  # what `finishing_fingerprint` is made of


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """What a run would do to one track."""

    track: Track
    action: Action
    paid_fingerprint: str
    takes: tuple[TakePlan, ...] = ()
    assets: tuple[AssetPlan, ...] = ()
    rows: tuple[AssetRow, ...] = ()  # as the index has them now
    pick: int | None = None  # the take that is the pick already; None: the first that has a source
    placeholder: bool = False  # its takes come from the local gateway
    why: str = ""
    rejoins: bool = False  # its assets are as they should be, but for its loudness group
    choice: int | None = None  # the take that somebody chose: nobody but a person replaces it
    candidates: frozenset[int] | None = None  # the takes that may be the pick; None: any
    refresh_at: float | None = None  # when it is so old that it is generated again, where that is to come
    home: tuple[Job, ...] = ()  # the jobs of its takes that ever came home, of all regenerations
    moves: tuple[Move, ...] = ()  # of assets that it made under an older name

    @property
    def changes(self) -> tuple[Change, ...]:
        """What has changed since its assets were made, each once."""
        return tuple(dict.fromkeys(change for asset in self.assets for change in asset.changes))

    @property
    def old_name(self) -> str | None:
        """What the track was called when its assets were made, where that was something else."""
        return self.moves[0].old.name if self.moves else None

    @property
    def list_price_microusd(self) -> int:
        """What all of the track's takes cost at the real gateway."""
        return self.track.takes * take_price(self.track) if self.track.prompt is not None else 0


@dataclass(frozen=True, slots=True)
class ManifestPlan:
    """What a run would do for one manifest."""

    manifest: Manifest
    tracks: tuple[TrackPlan, ...]
    orphans: tuple[AssetRow, ...] = ()
    strays: tuple[Job, ...] = ()  # jobs that are still to be collected though no track asks for them any more
    continues_run: bool = False
    groups: tuple[GroupPlan, ...] = ()
    unshared: tuple[Job, ...] = ()  # what was paid for, is here, and is not in the team's store yet
    shard: Shard | None = None  # which of its tracks it is about, where they were shared out

    @property
    def moves(self) -> tuple[Move, ...]:
        """What takes another name before anything else is done."""
        return tuple(move for track in self.tracks for move in track.moves)

    def purchases(self) -> dict[PurchaseKey, TakePlan]:
        """What is to be bought, each once, however many tracks want it."""
        takes = (take for track in self.tracks if track.action is Action.GENERATE for take in track.takes)
        return {take.key: take for take in takes if take.step is Step.BUY}

    @property
    def estimate_microusd(self) -> int:
        return sum(take.estimate_microusd for take in self.purchases().values())

    @property
    def nothing_to_do(self) -> bool:
        idle = all(track.action in (Action.KEEP, Action.SKIP) for track in self.tracks)
        return idle and not (self.moves or self.strays or self.unshared or self.continues_run)


def estimates(plans: Iterable[ManifestPlan]) -> Iterator[tuple[ManifestPlan, dict[PurchaseKey, int]]]:
    """What each manifest would buy, in micro-dollars; a purchase that several share is the first one's."""
    seen: set[PurchaseKey] = set()
    for plan in plans:
        own = {key: take.estimate_microusd for key, take in plan.purchases().items() if key not in seen}
        seen.update(own)
        yield plan, own


def estimate_of(plans: Iterable[ManifestPlan]) -> int:
    """What `plans` would commit to together, in micro-dollars, each purchase once."""
    return sum(sum(own.values()) for _, own in estimates(plans))


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan is decided from: the ledger and the output folder as they stand at one moment."""

    kind: Kind
    now: float
    origin: str = ""  # of the gateway that new jobs would be asked of
    jobs: Mapping[str, Sequence[Job]] = field(default_factory=dict)  # by paid fingerprint, oldest first
    outstanding: Sequence[Job] = ()  # with a job id, not collected, of any paid fingerprint
    held: frozenset[str] = frozenset()  # the hashes of the sources that are here
    lost: frozenset[tuple[str, str]] = frozenset()  # (hash, format) of those that were here once and are not
    pruned: Mapping[str, float] = field(default_factory=dict)  # hash -> when it was removed on purpose
    rows: Mapping[tuple[str, str], AssetRow] = field(default_factory=dict)  # (manifest, path) -> row
    intact: frozenset[tuple[str, str]] = frozenset()  # rows whose file is what it was
    grants: Mapping[str, Mapping[tuple[str, int], int]] = field(default_factory=dict)  # of open runs, by manifest
    open_runs: frozenset[str] = frozenset()
    committed: Mapping[str, int] = field(default_factory=dict)  # by manifest: what its open run binds, micro-dollars
    obstacles: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (manifest, path) -> why it can't be made
    steps: tuple[str, ...] = ()  # the names of the user's own finishing steps
    recordings: Mapping[Path, str] = field(default_factory=dict)  # file -> SHA-256
    locks: Mapping[str, Lock] = field(default_factory=dict)  # by manifest
    named: Mapping[str, frozenset[Version]] = field(default_factory=dict)  # by paid fingerprint: what the locks name
    moves: Mapping[str, Sequence[Move]] = field(default_factory=dict)  # by manifest: of renamed tracks' assets
    bought: Mapping[str, AssetRow] = field(default_factory=dict)  # paid fingerprint -> a row that proves it, anybody's
    stored: Mapping[PurchaseKey, TakeRecord] = field(default_factory=dict)  # what a team's store has
    spoilt: Mapping[PurchaseKey, str] = field(default_factory=dict)  # why what it has of others can't be relied on
    shared: Mapping[str, frozenset[int]] = field(default_factory=dict)  # by manifest with a store: rows of jobs in it


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks for beside the manifest."""

    meant: Meant = field(default_factory=Meant)  # the tracks that may be touched
    regenerate: frozenset[str] = frozenset()  # paid fingerprints: two tracks with one are one purchase
    free: bool = False  # nothing is to be bought, asked for or fetched
    refreshes: bool = False  # what is older than its manifest wants it is generated again
    reroll: frozenset[str] = frozenset()  # names of tracks: one more take of each


def take_price(track: Track) -> int:
    """What one take of `track` is estimated at, in micro-dollars."""
    return seconds_cost(track.duration_s, track.price_usd_per_s)

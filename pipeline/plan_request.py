"""What a plan is asked for, and what of its manifests that is about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.fingerprints import paid_fingerprint
from pipeline.manifest.names import matcher, matches
from pipeline.planning.meant import Meant
from pipeline.planning.plans import Wishes
from pipeline.store_choice import PLAIN_ACCESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipeline.gateway_choice import GatewayChoice
    from pipeline.jobs import Kind
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.picks.values import Pick
    from pipeline.planning.shards import Shard
    from pipeline.store_choice import StoreAccess, StoreChoice


class NothingMatches(Exception):
    """A pattern of --only or --regenerate that no track's name fits. Its text is one sentence."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a plan is asked for."""

    manifests: tuple[Manifest, ...]
    gateway: GatewayChoice
    output: Path = Path("output")
    state: Path = Path(".pipeline")
    only: tuple[str, ...] = ()
    shard: Shard | None = None
    regenerate: tuple[str, ...] = ()
    budget_microusd: int | None = None  # replaces the manifest's; with several manifests it caps their sum
    new_run: bool = False
    steps: tuple[str, ...] = ()  # the names of the user's own finishing steps
    free: bool = False  # do nothing that a gateway is needed for
    reroll: frozenset[str] = frozenset()  # names of tracks: one more take of each
    choices: Mapping[tuple[str, str], Pick] = field(default_factory=dict)  # (manifest, track): as if it were chosen
    store: StoreChoice | None = None  # in place of the manifests'; what else is said of one holds for theirs too
    store_read_only: bool = False
    store_access: StoreAccess = PLAIN_ACCESS

    @property
    def kind(self) -> Kind:
        return self.gateway.kind

    @property
    def stores(self) -> dict[str, StoreChoice]:
        """Manifest -> the store that its takes are shared in: real ones only, others cost nothing."""
        if self.kind != "real":
            return {}
        named = {manifest.name: self.store or manifest.store for manifest in self.manifests}
        return {
            name: replace(store, read_only=self.store_read_only, access=self.store_access)
            for name, store in named.items()
            if store is not None
        }

    @property
    def names(self) -> frozenset[str]:
        """The given manifests' names."""
        return frozenset(manifest.name for manifest in self.manifests)

    @property
    def meant(self) -> Meant:
        """Is a track among those that `--only` names, and in the shard?"""
        return Meant(matcher(self.only), self.shard)

    @property
    def wishes(self) -> Wishes:
        """What it asks for beyond its manifests' words."""
        return Wishes(
            meant=self.meant,
            regenerate=frozenset(self._paid_again()),
            free=self.free,
            reroll=self.reroll,
            refreshes=not self.free and not self.reroll,  # a re-roll is about the one take that it says
        )

    def tracks(self) -> Iterator[Track]:
        """All that it is about."""
        meant = self.meant
        for manifest in self.manifests:
            yield from filter(meant, manifest.tracks)

    def paths(self) -> Iterator[tuple[str, str]]:
        """(manifest, path) of each asset that it is about."""
        for track in self.tracks():
            yield from ((track.manifest, path) for path in track.asset_paths)

    def fingerprints(self) -> Iterator[str]:
        """The manifests' paid fingerprints; for the local gateway also the real ones, which it never replaces."""
        kinds: tuple[Kind, ...] = ("local", "real") if self.kind == "local" else ("real",)
        for manifest in self.manifests:
            for track in manifest.tracks:
                if track.prompt is not None:
                    yield from (paid_fingerprint(track, kind) for kind in kinds)

    def choices_of(self, manifest: str) -> dict[str, Pick]:
        """Track -> what is to be as if it had been chosen."""
        return {track: pick for (owner, track), pick in self.choices.items() if owner == manifest}

    def check(self) -> None:
        """Raise NothingMatches for a pattern that fits no track's name."""
        check_patterns(self.manifests, "--only", self.only)
        check_patterns(self.manifests, "--regenerate", self.regenerate)

    def _paid_again(self) -> Iterator[str]:
        """The paid fingerprints of what `--regenerate` means: of another shard's tracks that is the other's to pay."""
        if not self.regenerate:
            return
        meant = Meant(matcher(self.regenerate), self.shard)
        for manifest in self.manifests:
            generated = (track for track in manifest.tracks if track.prompt is not None)
            yield from (paid_fingerprint(track, self.kind) for track in generated if meant(track))


def check_patterns(manifests: Iterable[Manifest], option: str, patterns: Iterable[str]) -> None:
    """Raise NothingMatches for a pattern that fits no track's name."""
    names = [track.name for manifest in manifests for track in manifest.tracks]
    for pattern in patterns:
        if not any(matches(pattern, name) for name in names):
            some = ", ".join(names[:5])
            raise NothingMatches(f"{option} {pattern!r}: no track has such a name (the first are {some})")

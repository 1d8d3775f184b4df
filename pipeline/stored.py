"""Of what a plan would buy, what a team's store has already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pipeline.planning.plans import MAY_BE_STORED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipeline.jobs import PurchaseKey
    from pipeline.store.documents import TakeRecord
    from pipeline.store.objects import Objects
    from pipeline.store_choice import StoreChoice
    from pipeline.workspace import Plan


@dataclass(frozen=True, slots=True)
class KnownTakes:
    """What stores say of takes: their records, and of what can't be read there, why."""

    records: Mapping[PurchaseKey, TakeRecord] = field(default_factory=dict)
    spoilt: Mapping[PurchaseKey, str] = field(default_factory=dict)


class Stores(Protocol):
    """How stores are reached: a seam, so that virtual time never meets a thread."""

    def look_up(self, choice: StoreChoice, keys: Collection[PurchaseKey]) -> KnownTakes:
        """What a store has of `keys`. Raises NoStore."""

    def objects(self, choice: StoreChoice) -> Objects:
        """A store's objects, for a run. Raises NoStore."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of asking. `silent`: the manifests whose store could not be asked; `trouble`: why not."""

    known: KnownTakes = field(default_factory=KnownTakes)
    silent: frozenset[str] = frozenset()
    trouble: str | None = None


def stores_to_ask(plan: Plan) -> dict[str, list[PurchaseKey]]:
    """Manifest -> what its store may have: the takes that are to come, or wait for somebody's word."""
    wanted: dict[str, list[PurchaseKey]] = {}
    for part in plan.manifests:
        takes = (take for track in part.tracks for take in track.takes)
        keys = list(dict.fromkeys(take.key for take in takes if take.step in MAY_BE_STORED))
        if keys and part.manifest.name in plan.stores:
            wanted[part.manifest.name] = keys
    return wanted


def ask_stores(wanted: Mapping[str, list[PurchaseKey]], choices: Mapping[str, StoreChoice], stores: Stores) -> Stored:
    """What the stores have of what is `wanted`. Raises NoStore where one is required and can't be asked."""
    from pipeline.store.objects import StoreTrouble  # noqa: PLC0415 - only where there is a store

    records: dict[PurchaseKey, TakeRecord] = {}
    spoilt: dict[PurchaseKey, str] = {}
    silent: set[str] = set()
    trouble: str | None = None
    for name, keys in wanted.items():
        try:
            known = stores.look_up(choices[name], keys)
        except StoreTrouble as error:
            choices[name].check_dispensable(error)
            silent.add(name)
            trouble = str(error)
        else:
            records |= known.records
            spoilt |= known.spoilt
    return Stored(KnownTakes(records, spoilt), frozenset(silent), trouble)

"""Of what a plan would buy, what a team's store has already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.planning.plans import MAY_BE_STORED
from pipeline.store_choice import NoStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.jobs import PurchaseKey
    from pipeline.store.asking import Lookup
    from pipeline.store.documents import TakeRecord
    from pipeline.store_choice import StoreChoice
    from pipeline.workspace import Plan


@dataclass(frozen=True, slots=True)
class KnownTakes:
    """What stores say of takes: their records, and of what can't be read there, why."""

    records: Mapping[PurchaseKey, TakeRecord] = field(default_factory=dict)
    spoilt: Mapping[PurchaseKey, str] = field(default_factory=dict)


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


def ask_stores(
    wanted: Mapping[str, list[PurchaseKey]], stores: Mapping[str, StoreChoice], look_up: Lookup | None
) -> Stored:
    """What the stores have of what is `wanted`. Raises NoStore where one is required and can't be asked."""
    from pipeline.store import asking  # noqa: PLC0415 - only where there is a store
    from pipeline.store.objects import StoreTrouble  # noqa: PLC0415 - as above

    records: dict[PurchaseKey, TakeRecord] = {}
    spoilt: dict[PurchaseKey, str] = {}
    silent: set[str] = set()
    trouble: str | None = None
    for name, keys in wanted.items():
        try:
            known = (look_up or asking.look_up)(stores[name], keys)
        except StoreTrouble as error:
            if stores[name].required:
                raise NoStore(f"{error}; it is required, so nothing is bought") from error
            silent.add(name)
            trouble = str(error)
        else:
            records |= known.records
            spoilt |= known.spoilt
    return Stored(KnownTakes(records, spoilt), frozenset(silent), trouble)

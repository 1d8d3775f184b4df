"""From words on a command line to values: manifests, gateway, request."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.gateway_choice import choose_gateway
from pipeline.manifest import ManifestMistakes, check_together, load_manifest
from pipeline.money import budget_from_usd
from pipeline.plan_request import PlanRequest
from pipeline.store_choice import StoreAccess, StoreChoice, store_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.manifest.tracks import Manifest


def load_manifests(paths: Sequence[Path]) -> tuple[Manifest, ...]:
    """Every manifest, or the mistakes of all of them at once."""
    manifests: list[Manifest] = []
    mistakes: list[Any] = []
    for path in dict.fromkeys(paths):
        try:
            manifests.append(load_manifest(path))
        except ManifestMistakes as found:
            mistakes += found.mistakes
    if mistakes:
        raise ManifestMistakes(tuple(mistakes))
    check_together(manifests)
    return tuple(manifests)


def plan_request(
    manifests: tuple[Manifest, ...], options: dict[str, Any], *, needs_key: bool, new_run: bool = False
) -> PlanRequest:
    """What `plan` and `run` are asked for. Raises NoGateway, and StoreMistake."""
    budget, store = options["budget"], options.get("store")
    return PlanRequest(
        manifests=manifests,
        gateway=choose_gateway(options["gateway"], os.environ, needs_key=needs_key),
        output=options["output"],
        state=options["state"],
        only=options["only"],
        shard=options.get("shard"),
        regenerate=options["regenerate"],
        budget_microusd=None if budget is None else budget_from_usd(budget),
        new_run=new_run,
        store=None if store is None else StoreChoice(store_address(store, Path.cwd())),
        store_read_only=options.get("store_read_only", False),
        store_access=StoreAccess.by(os.environ),
    )

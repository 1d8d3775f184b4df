"""What a cost report is made of: the ledger's jobs, the index's rows, and a run's results where there was one."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.jobs import Job
    from pipeline.manifest.tracks import Manifest
    from pipeline.output import AssetRow
    from pipeline.runner.results import ManifestResult


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What a report needs to know of a manifest that it was given."""

    topup_fee: Decimal = Decimal("0.05")  # the gateway's usual one
    budget_microusd: int | None = None
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # track -> the user's own words


def manifest_facts(manifest: Manifest, budget_microusd: int | None = None) -> ManifestFacts:
    """The facts of `manifest`; `budget_microusd` is what a run had in the place of its own budget."""
    budget = manifest.budget_microusd if budget_microusd is None else budget_microusd
    tags = {track.name: track.tags for track in manifest.tracks if track.tags}
    return ManifestFacts(manifest.gateway.topup_fee, budget, tags)


@dataclass(frozen=True, slots=True)
class CostInput:
    """What a report is made of. Without a run's `results`, what only a run can count is None in it."""

    manifests: Mapping[str, ManifestFacts]  # name -> facts, of the manifests that were given
    jobs: Sequence[Job] = ()  # all that the ledger has
    runs: frozenset[int] = frozenset()  # this run's: one for each manifest
    rows: Sequence[AssetRow] = ()  # the index's, of every manifest
    results: Sequence[ManifestResult] = ()
    seconds: float | None = None  # of this process
    ledger_since: float | None = None  # when the ledger began, seconds since 1970
    generated_at: float = 0.0  # now, seconds since 1970
    cap_microusd: int | None = None  # `--budget` over several manifests

    @property
    def unknown_manifest(self) -> ManifestFacts:
        """Of a manifest that was not given: nothing is known but what the gateway usually takes."""
        return ManifestFacts()

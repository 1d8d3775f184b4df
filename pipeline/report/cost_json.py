"""`cost-report.json`."""

from __future__ import annotations

import json
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from pipeline.money import as_usd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.report.costs import CostReport, Group, ManifestCosts
    from pipeline.report.purchases import Purchase

COST_REPORT_VERSION: Final = 1


def cost_json(report: CostReport) -> Iterator[bytes]:
    """The report for machines, piece by piece: amounts are numbers in dollars, and what nobody knows is null.

    Each of its many parts is made when its turn comes, so that they are not all in memory together.
    """
    document = {
        "version": COST_REPORT_VERSION,
        "generated_at": report.generated_at,
        "since": report.since,
        "run": report.run.document(),
        "to_date": report.to_date.document(),
        "manifests": [_manifest(one) for one in report.manifests],
        "by_tag": _groups("tag", report.by_tag),
        "by_model": _groups("model", report.by_model),
        "takes": [partial(take_document, take) for take in report.takes],
        "twins": [
            {"manifest": twins.manifest, "track": twins.track, "message": twins.sentence} for twins in report.twins
        ],
    }
    encoder = json.JSONEncoder(indent=1, ensure_ascii=False, allow_nan=False, default=lambda part: part())
    pieces = encoder.iterencode(document)
    # A broken surrogate from outside becomes its own JSON escape, since it can only stand inside a string.
    return (piece.encode(errors="backslashreplace") for piece in chain(pieces, "\n"))


def take_document(take: Purchase) -> dict[str, Any]:
    """One purchase as JSON and CSV have it."""
    return {
        "manifest": take.manifest,
        "track": take.track,
        "take": take.key.take,
        "regeneration": take.key.regeneration,
        "model": take.model,
        "seconds_asked": take.seconds_asked,
        "seconds_got": None if take.seconds_got is None else round(take.seconds_got, 3),
        "cost_usd": _usd(take.cost_microusd),
        "cost_basis": None if take.cost_basis is None else take.cost_basis.value,
        "possible_duplicate_usd": as_usd(take.to_date.possible_duplicate),
        "status": take.status,
        "attempts": take.attempts,
        "job_id": take.job_id,
        "cost_tag": take.cost_tag,
        "tags": list(take.tags),
        "shared_with": list(take.shared_with),
        "placeholder": take.placeholder,
        "this_run": take.this_run,
        "error": take.error,
        "date": take.date,
        "bought_by": take.bought_by,
        "bought_usd": _usd(take.bought_microusd),
    }


def _manifest(one: ManifestCosts) -> dict[str, Any]:
    return {
        "name": one.name,
        "given": one.given,
        "topup_fee": float(one.topup_fee),
        "budget_usd": _usd(one.budget_microusd),
        "run": one.run.document(),
        "to_date": one.to_date.document(),
        "by_track": _groups("track", one.by_track),
        "by_tag": _groups("tag", one.by_tag),
        "by_model": _groups("model", one.by_model),
    }


def _groups(word: str, groups: Iterable[Group]) -> list[partial[dict[str, Any]]]:
    return [partial(_group, word, group) for group in groups]


def _group(word: str, group: Group) -> dict[str, Any]:
    return {word: group.word, "run": group.run.document(), "to_date": group.to_date.document()}


def _usd(microusd: int | None) -> float | None:
    return None if microusd is None else as_usd(microusd)

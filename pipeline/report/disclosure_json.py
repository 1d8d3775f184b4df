"""`disclosure.json`. Scripts read it: keys are added, never renamed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from pipeline.report.disclosure import tracks_of
from pipeline.report.steam_survey import AS_OF, PROMISE, SURVEY, survey_answer

if TYPE_CHECKING:
    from pipeline.report.disclosure import DisclosedAsset, Disclosure, ModelUse

DISCLOSURE_VERSION: Final = 1


def disclosure_json(found: Disclosure) -> bytes:
    """The disclosure for machines; what nobody knows is null."""
    answer = survey_answer(found)
    document = {
        "version": DISCLOSURE_VERSION,
        "generated_at": found.generated_at,
        "manifests": list(found.manifests),
        "totals": _totals(found),
        "models": [_model(use) for use in found.models],
        "assets": [_asset(asset) for asset in found.assets],
        "not_made": [{"manifest": manifest, "track": track} for manifest, track in found.not_made],
        "other_manifests": [{"manifest": manifest, "files": files} for manifest, files in found.others],
        "unreadable_rows": found.unreadable_rows,
        "has_ledger": found.has_ledger,
        "steam": {
            "survey": SURVEY,
            "as_of": AS_OF,
            "pre_generated": answer.pre_generated,
            "ready": answer.is_ready,
            "draft": list(answer.draft),
            "before": list(answer.before),
            "promise": PROMISE,
        },
    }
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    # A broken surrogate from outside becomes its own JSON escape, since it can only stand inside a string.
    return text.encode(errors="backslashreplace") + b"\n"


def _totals(found: Disclosure) -> dict[str, int]:
    return {
        "files": len(found.assets),
        **{kind: len(found.of_kind(kind)) for kind in ("generated", "placeholder", "recording")},
        "generated_tracks": len(tracks_of(found.of_kind("generated"))),
        "tracks_picked_by_person": found.picked("person"),
        "tracks_picked_by_program": found.picked("program"),
        "tracks_picked_by_unknown": found.picked(None),
        "unmarked": len(found.unmarked),
        "sources_with_c2pa": len(found.with_c2pa),
        "changed": len(found.in_state("changed")),
        "missing": len(found.in_state("missing")),
    }


def _model(use: ModelUse) -> dict[str, Any]:
    return asdict(use) | {"gateways": list(use.gateways)}


def _asset(asset: DisclosedAsset) -> dict[str, Any]:
    return {
        "manifest": asset.manifest,
        "track": asset.track,
        "path": asset.path,
        "kind": asset.kind,
        "state": asset.state,
        "orphan": asset.is_orphan,
        "model": asset.model,
        "provider": asset.provider,
        "gateway": asset.gateway,
        "date": asset.date,
        "job_id": asset.job_id,
        "take": asset.take,
        "takes": asset.takes,
        "sung": asset.is_sung,
        "words_refined": asset.words_refined,
        "picked_by": asset.picked_by,
        "picked_at": asset.picked_at,
        "finishing": None if asset.finishing is None else list(asset.finishing),
        "steps": list(asset.steps),
        "mark": asset.mark,
        "source_marks": None if asset.source_marks is None else asdict(asset.source_marks),
        "says_it_was_generated": asset.says_it_was_generated,
    }

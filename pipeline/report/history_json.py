"""`pipeline history --json`: a track's history for machines. Scripts read it: keys are added, never renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.money import as_usd
from pipeline.report.text import one_line_or_none

if TYPE_CHECKING:
    from pipeline.history import Generation, History
    from pipeline.picks.values import Pick, Version


def history_document(history: History) -> dict[str, Any]:
    """Every generation and every pick. Amounts are dollars, times ISO 8601 in UTC; what nobody knows is null.

    `current`: it is of what the manifest asks for now, and can be picked.
    """
    return {
        "ok": True,
        "exit": 0,
        "error": None,
        "manifest": history.manifest.name,
        "name": history.track.name,
        "placeholder": history.kind == "local",
        "pick": version_document(history.pick),
        "takes": [_generation(one) for one in history.generations],
        "beside": [str(path) for path in history.beside],
        "picks": [_pick(number, one) for number, one in enumerate(history.picks, 1)],
    }


def version_document(version: Version | None) -> dict[str, int] | None:
    """Which generation of which take."""
    return None if version is None else {"take": version.take, "regeneration": version.regeneration}


def _generation(one: Generation) -> dict[str, Any]:
    return {
        "take": one.version.take,
        "regeneration": one.version.regeneration,
        "current": one.is_current,
        "is_pick": one.is_pick,
        "placeholder": one.placeholder,
        "status": one.status,
        "date": one.date,
        "seconds": one.seconds,
        "cost_usd": None if one.cost_microusd is None else as_usd(one.cost_microusd),
        "cost_basis": one.cost_basis,
        "job_id": one.job_id,
        "source": one.source,
        "kept": one.kept,
        "unfit": one_line_or_none(one.unfit),
        "starred": one.starred,
        "note": one.note or None,
        "prompt": one.prompt,
        "paid_fingerprint": one.fingerprint,
    }


def _pick(number: int, pick: Pick) -> dict[str, Any]:
    return {
        "number": number,
        "take": pick.take,
        "regeneration": pick.regeneration,
        "at": pick.at or None,
        "by": pick.by,
        "placeholder": pick.placeholder,
        "paid_fingerprint": pick.fingerprint,
    }

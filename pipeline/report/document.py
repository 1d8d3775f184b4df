"""The `--json` document of `plan` and `run`. Scripts read it: keys are added, never renamed."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from pipeline.jobs import State
from pipeline.money import Basis, as_usd, rounded_up
from pipeline.planning.plans import GOING_ON, Action, Step, estimate_of, estimates, take_price
from pipeline.report.amounts import cost_of
from pipeline.report.text import one_line, one_line_or_none

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pipeline.jobs import Job, Kind, PurchaseKey
    from pipeline.output import AssetRow
    from pipeline.planning.plans import ManifestPlan, TakePlan, TrackPlan
    from pipeline.runner.results import ManifestResult, RunResult, TakeResult, TrackResult

_STATUSES: Final = ("generated", "finished", "kept", "failed", "skipped")
_PLANNED: Final[dict[Action, str]] = {
    Action.GENERATE: "planned",
    Action.FINISH: "planned",
    Action.KEEP: "kept",
    Action.BLOCKED: "failed",
    Action.SKIP: "skipped",
}
_WITHOUT_A_JOB: Final[dict[Step, str]] = {
    Step.BUY: "planned",
    Step.RESEND: State.UNKNOWN,
    Step.COLLECT: State.ACCEPTED,
    Step.HAVE: State.COLLECTED,
    Step.FETCH: "stored",
    Step.PROVEN: "kept",
    Step.BLOCKED: "blocked",
}
_MOVE: Final = "move"
_SOMETHING_TO_DO: Final = 10  # what `plan --detailed-exitcode` says where all is well


# --- run ------------------------------------------------------------------------------------------------------------


def ended_early(exit: int, error: str) -> dict[str, Any]:  # noqa: A002 - the document's own word
    """What there is to say of a command that ended before it had a plan."""
    totals = dict.fromkeys(_STATUSES, 0) | dict.fromkeys(("estimated_usd", "billed_usd", "possible_duplicate_usd"), 0.0)
    return {"ok": False, "exit": exit, "error": one_line(error), "tracks": [], "totals": totals | {"seconds": 0.0}}


def run_document(result: RunResult) -> dict[str, Any]:
    """What became of a run. Money is the run's, over all its processes; tracks and `seconds` are this process's."""
    return {
        "ok": result.exit == 0,
        "exit": result.exit,
        "error": None if result.stop is None else one_line(result.stop.message),
        "tracks": [_track_result(track) for track in result.tracks],
        "strays": [_stray(take) for manifest in result.manifests for take in manifest.strays],
        "orphans": _orphans(manifest.plan for manifest in result.manifests),
        "notices": [one_line(notice) for notice in result.notices],
        "shard": _shard(manifest.plan for manifest in result.manifests),
        "totals": {
            **{status: result.counts.get(status, 0) for status in _STATUSES},
            "estimated_usd": as_usd(sum(_estimates(result.manifests).values())),
            "billed_usd": as_usd(result.committed.billed),
            "reserved_usd": as_usd(result.committed.reserved),
            "possible_duplicate_usd": as_usd(result.committed.unknown),
            "seconds": round(result.seconds, 3),
        },
    }


def _track_result(track: TrackResult) -> dict[str, Any]:
    return {
        "manifest": track.plan.track.manifest,
        "name": track.plan.track.name,
        "moved_from": track.plan.old_name,
        "status": track.status,
        "error": one_line_or_none(track.error),
        "placeholder": track.plan.placeholder,
        "takes": [_take_result(take) for take in track.takes],
        "assets": [_asset(row) for row in track.rows],
        "warnings": _warnings(track.rows),
    }


def _take_result(take: TakeResult) -> dict[str, Any]:
    return {
        "take": take.plan.number,
        "job_id": None if take.job is None else take.job.job_id,
        "status": _take_status(take),
        **_cost(take.job),
        "error": one_line_or_none(take.error),
    }


def _take_status(take: TakeResult) -> str:
    if take.unsent and (take.job is None or take.job.job_id is None):
        return "unsent"
    if take.job is not None:
        return take.job.state.value
    return "failed" if take.error else _WITHOUT_A_JOB[take.plan.step]


def _stray(take: TakeResult) -> dict[str, Any]:
    """A job that was still to be collected though no track asks for it any more."""
    intent = None if take.job is None else take.job.intent
    whose = {"manifest": intent.manifest, "name": intent.track} if intent else {"manifest": None, "name": None}
    return {**whose, **_take_result(take)}


def _estimates(manifests: Iterable[ManifestResult]) -> dict[PurchaseKey, int]:
    """What the run was asked for, in micro-dollars, each purchase once: what it buys now, and what it has bought."""
    estimates: dict[PurchaseKey, int] = {}
    for manifest in manifests:
        for track in manifest.tracks:
            for take in track.takes:
                job = take.job or take.plan.job
                if take.plan.step is Step.BUY and track.plan.action is Action.GENERATE:
                    estimates[take.plan.key] = take.plan.estimate_microusd
                elif job is not None and (take.plan.step in GOING_ON or job.run == manifest.run):
                    estimates[take.plan.key] = job.intent.estimate_microusd
    return estimates


# --- plan -----------------------------------------------------------------------------------------------------------


def plan_document(manifest_plans: Sequence[ManifestPlan], kind: Kind, exit: int) -> dict[str, Any]:  # noqa: A002 - the document's word
    """What a run would do. `exit` is the status that `plan` ends with."""
    tracks = [track for plan in manifest_plans for track in plan.tracks]
    statuses = Counter(map(_planned, tracks))
    purchases = {key for plan in manifest_plans for key in plan.purchases()}
    return {
        "ok": exit in (0, _SOMETHING_TO_DO) and not statuses["failed"],
        "exit": exit,
        "error": None,
        "tracks": [_track_plan(track) for track in tracks],
        "strays": [_stray_plan(job) for plan in manifest_plans for job in plan.strays],
        "orphans": _orphans(manifest_plans),
        "notices": [],
        "totals": {
            **{status: statuses[status] for status in _STATUSES},
            "planned": statuses["planned"],
            "estimated_usd": as_usd(estimate_of(manifest_plans)),
            "estimated_cash_usd": as_usd(_cash(manifest_plans)),
            "list_price_usd": as_usd(_list_price(tracks, purchases)),
            "audio_seconds": _audio_s(tracks),
            "billed_usd": 0.0,
            "reserved_usd": 0.0,
            "possible_duplicate_usd": 0.0,
            "seconds": None,
        },
        "actions": dict(Counter(map(_action, tracks))),
        "kind": kind,
        "shard": _shard(manifest_plans),
    }


def _track_plan(track: TrackPlan) -> dict[str, Any]:
    blocked = track.action is Action.BLOCKED
    return {
        "manifest": track.track.manifest,
        "name": track.track.name,
        "moved_from": track.old_name,
        "status": _planned(track),
        "action": _action(track),
        "why": one_line_or_none(track.why),
        "changes": [change.document() for change in track.changes],
        "error": one_line_or_none(track.why) if blocked else None,
        "placeholder": track.placeholder,
        "takes": [_take_plan(take) for take in track.takes],
        "assets": [_asset(row) for row in track.rows],
        "warnings": _warnings(track.rows),
    }


def _action(track: TrackPlan) -> str:
    """The plan's word; `move` where a track's assets only take its new name."""
    return _MOVE if track.action is Action.KEEP and track.moves else track.action.value


def _planned(track: TrackPlan) -> str:
    return "planned" if _action(track) == _MOVE else _PLANNED[track.action]


def _take_plan(take: TakePlan) -> dict[str, Any]:
    buys = take.step is Step.BUY
    known = None if buys else take.job
    cost = {"cost_usd": as_usd(take.estimate_microusd), "cost_basis": Basis.ESTIMATED.value} if buys else _cost(known)
    return {
        "take": take.number,
        "job_id": None if known is None else known.job_id,
        "status": _WITHOUT_A_JOB[take.step] if known is None else known.state.value,
        "step": take.step.value,
        **cost,
        "error": one_line_or_none(take.why) if take.step is Step.BLOCKED else None,
    }


def _stray_plan(job: Job) -> dict[str, Any]:
    whose = {"manifest": job.intent.manifest, "name": job.intent.track, "take": job.key.take}
    return {**whose, "job_id": job.job_id, "status": job.state.value, **_cost(job), "error": None}


def _list_price(tracks: Iterable[TrackPlan], purchases: Collection[PurchaseKey]) -> int:
    """What the purchases cost at the real gateway, in micro-dollars."""
    prices = {take.key: take_price(track.track) for track in tracks for take in track.takes if take.key in purchases}
    return sum(prices.values())


def _audio_s(tracks: Iterable[TrackPlan]) -> float:
    """How much audio the purchases come to, in seconds, each once."""
    wanted = {
        take.key: track.track.duration_s
        for track in tracks
        if track.action is Action.GENERATE
        for take in track.takes
        if take.step is Step.BUY
    }
    return round(math.fsum(wanted.values()), 3)


def _cash(plans: Iterable[ManifestPlan]) -> int:
    """What the purchases cost in micro-dollars with the fee on topping up credit."""
    exact = sum(sum(own.values()) * (1 + plan.manifest.gateway.topup_fee) for plan, own in estimates(plans))
    return rounded_up(Decimal(exact))


# --- both -----------------------------------------------------------------------------------------------------------


def _orphans(plans: Iterable[ManifestPlan]) -> list[str]:
    return [row.path for plan in plans for row in plan.orphans]


def _shard(plans: Iterable[ManifestPlan]) -> str | None:
    """Which part of its tracks it was about, as the command line has it; null: all of them."""
    return next((str(plan.shard) for plan in plans if plan.shard is not None), None)


def _cost(job: Job | None) -> dict[str, Any]:
    cost, basis = cost_of([] if job is None else [job])
    return {
        "cost_usd": None if cost is None else as_usd(cost),
        "cost_basis": None if basis is None else basis.value,
    }


def _asset(row: AssetRow) -> dict[str, Any]:
    return {
        "path": row.path,
        "format": row.format,
        "duration": _figure(row.duration),
        "lufs": _figure(row.lufs),
        "true_peak_dbtp": _figure(row.true_peak_dbtp),
        "sha256": row.sha256,
    }


def _figure(figure: object) -> float | None:
    """What could not be measured is null; the index is a file that anybody may have edited."""
    return float(figure) if isinstance(figure, (int, float)) and math.isfinite(figure) else None


def _warnings(rows: Iterable[AssetRow]) -> list[dict[str, str]]:
    return [
        {
            "path": row.path,
            "code": one_line(str(warning.get("code", ""))),
            "message": one_line(str(warning.get("message", ""))),
        }
        for row in rows
        for warning in row.warnings
    ]

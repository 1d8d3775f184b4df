"""Small worlds for the report room: tracks, jobs, rows and results with only what a test is about spelled out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.audio.settings import Finishing, Output
from pipeline.jobs import Commitment, Intent, Job, PurchaseKey, State
from pipeline.manifest.tracks import GatewaySettings, Manifest, Place, Track
from pipeline.money import Basis
from pipeline.output import AssetRow, Provenance
from pipeline.planning.plans import Action, AssetPlan, ManifestPlan, Step, TakePlan, TrackPlan, take_price
from pipeline.planning.renames import Move
from pipeline.runner.results import ManifestResult, TakeResult, TrackResult

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = 1_790_000_000.0  # 2026-09-21T14:13:20Z
MODEL = "sony-ai/mmaudio-v2-text-to-audio"


def a_track(name="overworld/day", *, manifest="skyhaven", **changes):
    values = {
        "manifest": manifest,
        "name": name,
        "place": Place("tracks.yaml", 1, 1),
        "finishing": Finishing(),
        "outputs": (Output("ogg"),),
        "prompt": f"Music for {name}",
        "model": MODEL,
        "price_usd_per_s": Decimal("0.0010"),
    }
    return Track(**values | changes)


def a_key(track, take=1, regeneration=0):
    return PurchaseKey(f"fp:{track.prompt}", take, regeneration)


def a_job(track=None, *, row=1, run=1, key=None, kind="real", state=State.COLLECTED, **changes):
    track = track or a_track()
    price = take_price(track) if kind == "real" else 0
    intent = Intent(
        key=key or a_key(track),
        manifest=track.manifest,
        track=track.name,
        kind=kind,
        origin="https://api.aigateway.sh",
        model=track.model,
        seconds_asked=track.duration_s,
        estimate_microusd=price,
        body=b'{"format": "wav"}',
        cost_tag=f"{track.manifest}/{track.name}"[:64],
        idempotency_key="0" * 32,
        request_id="1" * 32,
    )
    sent = state not in (State.INTENDED, State.UNKNOWN, State.REFUSED)
    done = state is State.COLLECTED
    billed = {"cost_microusd": price, "cost_basis": Basis.USAGE} if done or state is State.COMPLETED else {}
    values = {
        "row": row,
        "run": run,
        "intent": intent,
        "state": state,
        "intended_at": NOON,
        "sent_at": NOON,
        "sends": 1,
        "unproven_sends": 0,
        "job_id": f"job_{row}" if sent else None,
        "accepted_at": NOON + 1 if sent else None,
        "collected_at": NOON + 60 if done else None,
        "seconds_got": track.duration_s if done else None,
    }
    return Job(**values | billed | changes)


def a_row(track=None, *, path=None, placeholder=False, kind="generated", **changes):
    track = track or a_track()
    path = path or track.asset_paths[0]
    origin = Provenance(
        kind, model=track.model or None, prompt=track.prompt, job_id="job_9", date="2026-09-01T00:00:00Z"
    )
    values = {
        "manifest": track.manifest,
        "name": track.name,
        "path": path,
        "format": path.rpartition(".")[2],
        "size": 1000,
        "sha256": "ab" * 32,
        "duration": 29.5,
        "sample_rate": 44100,
        "channels": 2,
        "lufs": -16.0,
        "max_short_term_lufs": -14.0,
        "loudness_range": 4.0,
        "true_peak_dbtp": -1.2,
        "loop": None,
        "warnings": (),
        "placeholder": placeholder,
        "paid_fingerprint": a_key(track).fingerprint,
        "finishing_fingerprint": "finish",
        "provenance": origin,
    }
    return AssetRow(**values | changes)


def a_take(track, step=Step.BUY, *, number=1, kind="real", **changes):
    estimate = take_price(track) if step is Step.BUY and kind == "real" else 0
    values = {"number": number, "key": a_key(track, number), "step": step, "estimate_microusd": estimate}
    return TakePlan(**values | changes)


def a_track_plan(track=None, action=Action.GENERATE, *, takes=None, kind="real", **changes):
    track = track or a_track()
    step = {Action.GENERATE: Step.BUY, Action.BLOCKED: Step.BLOCKED, Action.KEEP: Step.PROVEN}.get(action, Step.HAVE)
    if takes is None:
        takes = tuple(a_take(track, step, number=number, kind=kind) for number in range(1, track.takes + 1))
    output = track.outputs[0]
    assets = (AssetPlan(output.path(track.name), output, "finish", keep=action is Action.KEEP),)
    values = {"takes": takes, "assets": assets, "placeholder": kind == "local"}
    return TrackPlan(track, action, a_key(track).fingerprint, **values | changes)


def moved_from(plan, old_name):
    """`plan` of a track whose assets were made under `old_name`."""
    olds = [a_row(plan.track, name=old_name, path=f"{old_name}.ogg")]
    moves = tuple(Move(old, replace(old, name=plan.track.name, path=plan.track.asset_paths[0])) for old in olds)
    return replace(plan, moves=moves)


def a_manifest_plan(*tracks, name="skyhaven", budget=None, topup_fee="0.05", **changes):
    settings = GatewaySettings(MODEL, ((MODEL, Decimal("0.0010")),), Decimal(topup_fee))
    manifest = Manifest(Path("tracks.yaml"), name, settings, budget, tuple(plan.track for plan in tracks))
    return ManifestPlan(manifest, tuple(tracks), **changes)


def a_track_result(plan, status, *, jobs: Sequence[Job | None] = (), error=None, unsent=False, rows=()):
    padded = [*jobs, *[None] * (len(plan.takes) - len(jobs))]
    takes = tuple(
        TakeResult(take, job, error if job is None or job.state is not State.COLLECTED else None, unsent)
        for take, job in zip(plan.takes, padded, strict=True)
    )
    return TrackResult(plan, status, takes, tuple(rows), error)


def a_manifest_result(*tracks, name="skyhaven", budget=None, topup_fee="0.05", **changes):
    plan = a_manifest_plan(*(track.plan for track in tracks), name=name, budget=budget, topup_fee=topup_fee)
    jobs = {take.job.row: take.job for track in tracks for take in track.takes if take.job is not None}
    committed = sum((job.commitment for job in jobs.values()), Commitment())
    return ManifestResult(plan, tuple(tracks), **{"committed": committed, "run": 1} | changes)

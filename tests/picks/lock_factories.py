"""Locks for tests."""

from __future__ import annotations

from typing import Any

from pipeline.fingerprints import asked_fingerprint
from pipeline.picks.values import Asked, Lock, LockedAsset, LockedPurchase, LockedTake, LockedTrack, Mark, Pick

SOURCE = "5" * 64
ASSET = "a" * 64
WHEN = "2026-03-01T12:00:00Z"


def asked(**changes: Any) -> Asked:
    values = {
        "model": "maker/model", "prompt": "calm menu", "lyrics": "", "refine_lyrics": False, "duration": 30.0,
        "source_format": "wav",
    }  # fmt: skip
    return Asked(**(values | changes))


PAID = asked_fingerprint(asked())


def take(number: int = 1, regeneration: int = 0, **changes: Any) -> LockedTake:
    values = {"source": SOURCE, "date": WHEN, "job_id": "job-1", "seconds": 30.0, "cost_microusd": 30_000}
    return LockedTake(number, regeneration, **(values | {"cost_basis": "usage"} | changes))


def pick(number: int = 1, regeneration: int = 0, by: str = "run", **changes: Any) -> Pick:
    values = {"fingerprint": PAID, "at": WHEN, "take": number, "regeneration": regeneration, "by": by}
    return Pick(**(values | changes))


def mark(**changes: Any) -> Mark:
    values = {"fingerprint": PAID, "take": 1, "regeneration": 0, "source": SOURCE, "starred": True, "note": "the oboe"}
    return Mark(**(values | changes))


def track(*takes: LockedTake, picks: tuple[Pick, ...] | None = None) -> LockedTrack:
    return LockedTrack(
        assets={"menu.ogg": LockedAsset(ASSET, "finishing")},
        picks=(pick(),) if picks is None else picks,
        purchases={PAID: LockedPurchase(asked(), takes or (take(),))},
    )


def lock(**tracks: LockedTrack) -> Lock:
    return Lock("game", tracks or {"menu": track()})

"""A manifest of named tracks becomes finished music files and a cost report, through a paid music API.

>>> manifest = pipeline.load_manifest(Path("manifests/ad-jingles.yaml"))
>>> plan = pipeline.make_plan(manifest, gateway="local")
>>> result = await pipeline.run(plan)
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which costs more to import than a command with nothing to do may
if TYPE_CHECKING:
    from typing import Any

    from pipeline.entry import make_plan, run
    from pipeline.manifest import ManifestMistakes, load_manifest
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.runner.events import Event
    from pipeline.runner.results import RunResult
    from pipeline.webhooks.receiver import Webhooks
    from pipeline.workspace import Plan

__all__ = [
    "Event",
    "Manifest",
    "ManifestMistakes",
    "Plan",
    "RunResult",
    "Track",
    "Webhooks",
    "load_manifest",
    "make_plan",
    "run",
]

_HOMES = {
    "Event": "pipeline.runner.events",
    "Manifest": "pipeline.manifest.tracks",
    "ManifestMistakes": "pipeline.manifest",
    "Plan": "pipeline.workspace",
    "RunResult": "pipeline.runner.results",
    "Track": "pipeline.manifest.tracks",
    "Webhooks": "pipeline.webhooks.receiver",
    "load_manifest": "pipeline.manifest",
    "make_plan": "pipeline.entry",
    "run": "pipeline.entry",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: a command that needs none of it starts at once."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - as said

    return getattr(import_module(_HOMES[name]), name)

"""The manifest room: YAML text -> Manifest -> tracks. Pure, but for the reading of the one file.

What needs pydantic and PyYAML is imported when it is called: most of the house only reads tracks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.manifest.collisions import check_together
from pipeline.manifest.mistakes import ManifestMistakes, Mistake
from pipeline.manifest.names import matches
from pipeline.manifest.starter import starter_manifest
from pipeline.manifest.tracks import Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.manifest.recordings import Words
    from pipeline.manifest.tracks import Track

__all__ = [
    "Manifest",
    "ManifestMistakes",
    "Mistake",
    "check_together",
    "json_schema",
    "load_manifest",
    "matches",
    "parse_manifest",
    "recording_track",
    "schema_text",
    "starter_manifest",
]


def load_manifest(path: Path) -> Manifest:
    """The manifest at `path`, checked and expanded. Raises ManifestMistakes, also where the file can't be read."""
    from pipeline.manifest import loading  # noqa: PLC0415 - brings pydantic and PyYAML

    return loading.load_manifest(path)


def parse_manifest(text: str, path: Path) -> Manifest:
    """The manifest that `text` holds; `path` names it, and recordings are relative to it. Raises ManifestMistakes."""
    from pipeline.manifest import loading  # noqa: PLC0415 - brings pydantic and PyYAML

    return loading.parse_manifest(text, path)


def recording_track(keys: dict[str, Words]) -> Track:
    """The track of a recording that has these keys and no others. Raises ManifestMistakes (recordings.py)."""
    from pipeline.manifest import recordings  # noqa: PLC0415 - brings pydantic

    return recordings.recording_track(keys)


def json_schema() -> dict[str, Any]:
    """The manifest's JSON Schema, from the models that validate."""
    from pipeline.manifest import schema  # noqa: PLC0415 - brings pydantic

    return schema.json_schema()


def schema_text() -> str:
    """The schema as it stands in manifest.schema.json."""
    from pipeline.manifest import schema  # noqa: PLC0415 - brings pydantic

    return schema.schema_text()

"""The manifest's JSON Schema, from the models that validate: what an editor completes and underlines with."""

from __future__ import annotations

import json
from typing import Any, Final

from pipeline.manifest.model import ManifestSection

# The newest that the YAML language server knows well.
_DIALECT: Final = "http://json-schema.org/draft-07/schema#"


def json_schema() -> dict[str, Any]:
    """The schema as a JSON document."""
    schema = _for_people(ManifestSection.model_json_schema())
    return {"$schema": _DIALECT, **schema}


def schema_text() -> str:
    """The schema as it stands in manifest.schema.json: the same text each time."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _for_people(value: Any, *, keys_are_names: bool = False) -> Any:
    """`value` without what only a program would write: titles made from keys, and null where a key may be left out.

    `keys_are_names`: the keys of `value` are a manifest's, and a key `title` would be one of those.
    """
    if isinstance(value, list):
        return [_for_people(item) for item in value if item != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    return {
        key: _for_people(item, keys_are_names=key in ("properties", "$defs") and not keys_are_names)
        for key, item in value.items()
        if keys_are_names or not (key == "title" or (key == "default" and item is None))
    }

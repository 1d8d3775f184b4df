"""Pydantic's errors, said in this house's sentences, and what of a manifest is left without what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.manifest.mistakes import Fault, KeyPath, nearest
from pipeline.manifest.model import (
    DefaultsSection,
    GatewaySection,
    ManifestSection,
    MatrixSection,
    TrackSection,
)
from pipeline.manifest.sound_model import (
    GatesSection,
    LoopSection,
    LoudnessSection,
    OutputSection,
    Section,
    TrimSection,
)
from pipeline.manifest.values import Mapping, described

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_SECTIONS: Final[dict[str, type[Section]]] = {
    "gateway": GatewaySection,
    "defaults": DefaultsSection,
    "trim": TrimSection,
    "loop": LoopSection,
    "loudness": LoudnessSection,
    "outputs": OutputSection,
    "gates": GatesSection,
    "matrix": MatrixSection,
}

_MISSING: Final = {
    "version": "version: 1",
    "name": "the manifest's name, such as name: skyhaven",
    "tracks": "tracks, each a name with a prompt",
}

_Removed = dict[str | int, "_Removed"]
_DEPTHS: Final[dict[str | int, int]] = {"tracks": 3, "gateway": 2, "defaults": 2}


def faults_of(error: ValidationError) -> list[Fault]:
    """What `error` says is wrong, each at its path."""
    return [_fault(detail) for detail in error.errors(include_url=False) if not _only_follows(detail)]


def _only_follows(detail: ErrorDetails) -> bool:
    """Is it said of a list only because each of its items is at fault?"""
    return detail["type"] == "too_short" and bool(detail["input"])


def _fault(detail: ErrorDetails) -> Fault:
    path = detail["loc"]
    match detail["type"]:
        case "manifest":
            return Fault(path, detail["msg"])
        case "missing":
            return Fault(path, f"missing, expected {_MISSING.get(str(path[-1]), 'it')}")
        case "extra_forbidden":
            return Fault(path, f"unknown key; {nearest(str(path[-1]), known_keys(path[:-1]))}", at_key=True)
        case "too_short":
            return Fault(path, "is empty, expected at least one")
        case "too_long":
            return Fault(path, f"found {len(detail['input'])} items, expected at most {detail['ctx']['max_length']}")
        case kind:
            shape = "a list" if kind in ("tuple_type", "list_type") else f"a mapping{_example(path)}"
            return Fault(path, f"found {described(detail['input'])}, expected {shape}")


def _example(path: KeyPath) -> str:
    section = section_at(path)
    if section is TrackSection:
        return " with a prompt or a file"
    if section is MatrixSection:
        return " of lists, such as boss: [dragon, lich]"
    return f" with {', '.join(section.model_fields)}" if section else ""


def section_at(path: KeyPath) -> type[Section] | None:
    """The kind of section that stands at `path`; None where the user's own keys do."""
    match [part for part in path if isinstance(part, str)]:
        case []:
            return ManifestSection
        case ["tracks", _]:
            return TrackSection
        case [*_, last]:
            return _SECTIONS.get(last)  # none has the name `tracks`
    return None


def known_keys(path: KeyPath) -> tuple[str, ...]:
    """The keys that the mapping at `path` may have."""
    section = section_at(path)
    return tuple(section.model_fields) if section else ()


def remainder(root: Mapping, faults: Iterable[Fault]) -> dict[str, Any]:
    """`root` without what is at fault, so that the rest can be understood: single keys of a track or a section."""
    removed: _Removed = {}
    for fault in faults:
        inner = removed
        for part in fault.path[: _DEPTHS.get(fault.path[0], 1)]:
            inner = inner.setdefault(part, {})
    return _without(root, removed)


def _without(mapping: dict[str, Any], removed: _Removed) -> dict[str, Any]:
    kept = {key: value for key, value in mapping.items() if removed.get(key) != {}}
    return {key: _without(value, removed[key]) if key in removed else value for key, value in kept.items()}

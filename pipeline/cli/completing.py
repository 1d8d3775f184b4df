"""What a shell completes: tracks' names and manifests' paths. Quickly, and silently nothing where anything is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click


def complete_manifests(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """YAML files, and the folders that may hold some."""
    folder = incomplete.rpartition("/")[0]
    try:
        found = sorted(Path(folder or ("/" if incomplete.startswith("/") else ".")).iterdir())
        names = [f"{path}/" if path.is_dir() else str(path) for path in found if _may_be_meant(path)]
    except OSError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _may_be_meant(path: Path) -> bool:
    return not path.name.startswith(".") and (path.suffix in (".yaml", ".yml") or path.is_dir())


def complete_tracks(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The tracks of the manifests that were given, else of those here and in manifests/."""
    try:
        names = sorted(dict.fromkeys(_names(context.params)))
    except Exception:  # noqa: BLE001 - whoever presses tab wants no traceback
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _names(given: dict[str, Any]) -> Iterator[str]:
    from pipeline.cli.tracks_by_name import candidates  # noqa: PLC0415 - only where a tab asks for names
    from pipeline.manifest import ManifestMistakes, load_manifest  # noqa: PLC0415

    paths = [path for path in (*(given.get("manifests") or ()), given.get("manifest")) if path]
    for path in paths or candidates():
        try:
            manifest = load_manifest(Path(path))
        except (ManifestMistakes, OSError):
            continue
        yield from (track.name for track in manifest.tracks)

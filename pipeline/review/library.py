"""What is shown: the given manifests and the index, each read again where its file has changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from pipeline.manifest import check_together, load_manifest
from pipeline.noop.stamp import status_of
from pipeline.output import INDEX_NAME, rows_by_path
from pipeline.review.refusals import NotThere
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.output import AssetRow


class At(NamedTuple):
    """A track of a manifest, by their names."""

    manifest: str
    track: str


class Library:
    """The manifests at some paths, and the folders that runs of them work in."""

    def __init__(self, paths: Sequence[Path], output: Path, state: Path) -> None:
        self.output = output
        self.state = state
        self._paths = tuple(dict.fromkeys(paths))
        self._manifests: tuple[str, tuple[Manifest, ...]] | None = None
        self._rows: tuple[str, Mapping[tuple[str, str], AssetRow]] | None = None

    def workspace(self) -> Workspace:
        """The folders as they are now. Raises FolderError."""
        return Workspace(self.output, self.state)

    def manifests(self) -> tuple[Manifest, ...]:
        """Raises ManifestMistakes."""
        status = "\n".join(map(_status, self._paths))
        if self._manifests is None or self._manifests[0] != status:
            manifests = tuple(map(load_manifest, self._paths))
            check_together(manifests)
            self._manifests = status, manifests
        return self._manifests[1]

    def find(self, at: At) -> tuple[Manifest, Track]:
        """Raises NotThere and ManifestMistakes."""
        for manifest in self.manifests():
            if manifest.name == at.manifest:
                found = next((track for track in manifest.tracks if track.name == at.track), None)
                if found is not None:
                    return manifest, found
                raise NotThere(f"{at.manifest} has no track {at.track!r}")
        raise NotThere(f"no manifest that is shown is called {at.manifest!r}")

    def row_at(self, path: str) -> AssetRow | None:
        """The row that a given manifest has for `path`, if one has. Raises ManifestMistakes and FolderError."""
        rows = self._index()
        found = (rows.get((manifest.name, path)) for manifest in self.manifests())
        return next((row for row in found if row is not None), None)

    def _index(self) -> Mapping[tuple[str, str], AssetRow]:
        status = _status(self.output / INDEX_NAME)
        if self._rows is None or self._rows[0] != status:
            self._rows = status, rows_by_path(self.workspace().output.read_index())
        return self._rows[1]


def _status(path: Path) -> str:
    """What tells whether a file is what it was; the same for every one that is not there."""
    try:
        return status_of(os.stat(path))  # noqa: PTH116 - as a stamp has it
    except OSError:
        return ""

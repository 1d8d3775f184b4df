"""The page, as the review is handed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.workspace import Workspace


class Page(Protocol):
    """Makes the page from the folders as they stand. Raises LedgerError, LockMistake, FolderError."""

    def html(self, workspace: Workspace, manifests: tuple[Manifest, ...]) -> str:
        """The whole page."""
        ...

    def row_html(self, workspace: Workspace, manifest: Manifest, track: Track) -> str | None:
        """A track's row, to take the place of the one that is shown; None where the page has to be loaded anew."""
        ...

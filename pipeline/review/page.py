"""The page as the review serves it: the report's, of the folders as they stand, with what lets a person choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pipeline.report.page.rendering import page_html, row_html
from pipeline.reporting import page_input

if TYPE_CHECKING:
    from pipeline.clock import Clock
    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.report.page.inputs import PageInput
    from pipeline.workspace import Workspace


class Page(Protocol):
    """Makes the page from the folders as they stand. Raises LedgerError, LockMistake, FolderError."""

    def html(self, workspace: Workspace, manifests: tuple[Manifest, ...]) -> str:
        """The whole page."""
        ...

    def row_html(self, workspace: Workspace, manifests: tuple[Manifest, ...], track: Track) -> str | None:
        """A track's row, to take the place of the one that is shown; None where the page has to be loaded anew."""
        ...


class ReportPage:
    """The report's page."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def html(self, workspace: Workspace, manifests: tuple[Manifest, ...]) -> str:
        """The whole page."""
        return page_html(self._input(workspace, manifests)).decode()

    def row_html(self, workspace: Workspace, manifests: tuple[Manifest, ...], track: Track) -> str | None:
        """A track's row of it."""
        return row_html(self._input(workspace, manifests), track.manifest, track.name)

    def _input(self, workspace: Workspace, manifests: tuple[Manifest, ...]) -> PageInput:
        return page_input(workspace, manifests, self._clock.now(), review=True)

"""The page that is served, as a seam; and the report's page in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pipeline.report.page.rendering import page_html, row_html
from pipeline.reporting import page_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.clock import Clock
    from pipeline.manifest.tracks import Manifest
    from pipeline.report.page.inputs import PageInput
    from pipeline.review.library import At
    from pipeline.workspace import Workspace


class Page(Protocol):
    """Makes the page from the folders as they stand. Raises LedgerError, LockMistake, FolderError."""

    def html(self, workspace: Workspace, manifests: Sequence[Manifest]) -> bytes:
        """The whole page."""
        ...

    def row_html(self, workspace: Workspace, manifests: Sequence[Manifest], at: At) -> str | None:
        """A track's row, to take the place of the one that is shown; None where the page has to be loaded anew."""
        ...


class ReportPage:
    """`report.html` as it would be written now, with what lets a person choose."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def html(self, workspace: Workspace, manifests: Sequence[Manifest]) -> bytes:
        return page_html(self._given(workspace, manifests))

    def row_html(self, workspace: Workspace, manifests: Sequence[Manifest], at: At) -> str | None:
        return row_html(self._given(workspace, manifests), at.manifest, at.track)

    def _given(self, workspace: Workspace, manifests: Sequence[Manifest]) -> PageInput:
        return page_input(workspace, manifests, self._clock.now(), review=True)

"""A page of nothing but names and players, without a script: what is shown where there is no better one."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.manifest.tracks import Manifest, Track
    from pipeline.workspace import Workspace

_HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Review</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; media-src 'self'">
"""


class PlainPage:
    """A list of the tracks, each with its assets to be heard."""

    def html(self, workspace: Workspace, manifests: tuple[Manifest, ...]) -> str:
        """The whole page."""
        return _HEAD + "".join(self._manifest(workspace, manifest) for manifest in manifests)

    def row_html(self, workspace: Workspace, manifest: Manifest, track: Track) -> str:
        """A track's item of the list."""
        players = "".join(_players(workspace, track))
        return f"<li data-manifest='{escape(manifest.name)}'>{escape(track.name)}{players}</li>\n"

    def _manifest(self, workspace: Workspace, manifest: Manifest) -> str:
        rows = "".join(self.row_html(workspace, manifest, track) for track in manifest.tracks)
        return f"<h1>{escape(manifest.name)}</h1>\n<ul>\n{rows}</ul>\n"


def _players(workspace: Workspace, track: Track) -> Iterator[str]:
    for path in track.asset_paths:
        if workspace.output.folder.holds(path):
            yield f' <audio controls preload="none" src="{escape(quote(path))}"></audio>'

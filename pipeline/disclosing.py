"""The disclosure is written: what index, locks and ledger hold, through the report room, into the output folder."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read, readable_errors
from pipeline.output import read_row
from pipeline.report.disclosure import DisclosureInput, disclosure
from pipeline.report.disclosure_json import disclosure_json
from pipeline.report.disclosure_markdown import disclosure_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.jobs import Job
    from pipeline.manifest.tracks import Manifest
    from pipeline.output import AssetRow
    from pipeline.report.disclosure import State
    from pipeline.workspace import Workspace

_FILES: Final = {"disclosure.md": disclosure_markdown, "disclosure.json": disclosure_json}


def write_disclosure(workspace: Workspace, manifests: Sequence[Manifest], now: float) -> list[Path]:
    """Write what is known of where the manifests' files come from: the paths that were written.

    Raises LedgerError, LockMistake and FolderError.
    """
    index = workspace.output.read_index()
    rows = [row for row in map(read_row, index) if row is not None]
    names = {manifest.name for manifest in manifests}
    own = [row for row in rows if row.manifest in names]
    jobs = _jobs(workspace, own)
    found = disclosure(
        DisclosureInput(
            tracks={
                manifest.name: [(track.name, track.asset_paths) for track in manifest.tracks] for manifest in manifests
            },
            rows=rows,
            locks=workspace.locks.read(manifests),
            jobs=jobs or (),
            states={row.path: _state(workspace, row) for row in own},
            unreadable_rows=len(index) - len(rows),
            has_ledger=jobs is not None,
            generated_at=now,
        )
    )
    for name, text_of in _FILES.items():
        workspace.output.folder.write(name, text_of(found))
    return [workspace.output.folder.path(name) for name in _FILES]


def _jobs(workspace: Workspace, rows: Iterable[AssetRow]) -> list[Job] | None:
    """What the ledger knows of the purchases that the rows are made of; None where there is no ledger."""
    connection = connect_to_read(workspace.ledger_path)
    if connection is None:
        return None
    with closing(connection), readable_errors(workspace.ledger_path):
        return Ledger(connection).jobs_for(row.paid_fingerprint for row in rows)


def _state(workspace: Workspace, row: AssetRow) -> State:
    if workspace.output.intact(row):
        return "delivered"
    return "changed" if workspace.output.folder.holds(row.path) else "missing"

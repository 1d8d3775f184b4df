"""What was never drawn is drawn: of assets that a run kept from elsewhere, for the report to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.audio.tasks import AudioError
from pipeline.ledger.writing import InlineWriter
from pipeline.runner.drawing import drawing_of_row
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.audio.waveform import Waveform
    from pipeline.ledger.records import Drawing
    from pipeline.output import AssetRow
    from pipeline.workers import WorkerFinisher
    from pipeline.workspace import Workspace


async def draw(rows: Sequence[AssetRow], workspace: Workspace, workers: WorkerFinisher) -> dict[str, Waveform]:
    """The waveforms of these rows' files by SHA-256, kept in the ledger where there is one.

    A file that can't be drawn is left out; whatever is wrong with it is `check`'s to say. Raises LedgerError.
    """
    drawn: dict[str, Waveform] = {}

    async def one(row: AssetRow) -> None:
        try:
            found = await workers.remeasure(str(workspace.output.folder.path(row.path)), None)
        except (AudioError, WorkerDied, OSError):
            return
        if found.waveform is not None:
            drawn[row.sha256] = found.waveform

    await workers.each(rows, one)
    if drawn and workspace.ledger_path.exists():
        await _keep([drawing_of_row(row, drawn[row.sha256]) for row in rows if row.sha256 in drawn], workspace)
    return drawn


async def _keep(drawings: Sequence[Drawing], workspace: Workspace) -> None:
    writer = InlineWriter(workspace.ledger_path, durable=True)
    try:
        await writer.write(lambda ledger: ledger.keep_drawings(drawings))
    finally:
        writer.close()

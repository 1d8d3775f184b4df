"""What was never drawn is drawn: of assets that a run kept from elsewhere, for the report to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.audio.waveform import unpacked
from pipeline.ledger.writing import InlineWriter
from pipeline.runner.drawing import drawn_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.audio.waveform import Waveform
    from pipeline.ledger.records import Drawing
    from pipeline.output import AssetRow
    from pipeline.workers import WorkerFinisher
    from pipeline.workspace import Workspace


async def draw(rows: Sequence[AssetRow], workspace: Workspace, workers: WorkerFinisher) -> dict[str, Waveform]:
    """The waveforms of these rows' files by SHA-256, kept in the ledger where there is one.

    A file that can't be drawn is left out. Raises LedgerError.
    """
    drawn: list[Drawing] = []

    async def one(row: AssetRow) -> None:
        drawing = await drawn_again(row, workspace.output.folder, workers)
        if drawing is not None:
            drawn.append(drawing)

    await workers.each(rows, one)
    if drawn and workspace.ledger_path.exists():
        await _keep(drawn, workspace)
    waveforms = {drawing.sha256: unpacked(drawing.waveform) for drawing in drawn}
    return {sha256: waveform for sha256, waveform in waveforms.items() if waveform is not None}


async def _keep(drawings: Sequence[Drawing], workspace: Workspace) -> None:
    writer = InlineWriter(workspace.ledger_path, durable=True)
    try:
        await writer.write(lambda ledger: ledger.keep_drawings(drawings))
    finally:
        writer.close()

"""What is shown of finished files: kept when they are made, and drawn again where it was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from pipeline.audio.tasks import AudioError
from pipeline.audio.waveform import packed
from pipeline.ledger.records import Drawing
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.audio.tasks import FinishedFile
    from pipeline.files import Folder
    from pipeline.output import AssetRow
    from pipeline.runner.finisher import Finisher
    from pipeline.runner.tools import Tools

#: How long a run draws what was there before it, at most: a night's report is not held up for what can wait.
_LONGEST_S: Final = 30.0


def drawing_of(manifest: str, path: str, file: FinishedFile) -> Drawing | None:
    """What is shown of a file that was finished, for the ledger to keep."""
    if file.waveform is None:
        return None
    return Drawing(manifest, path, file.sha256, packed(file.waveform), file.lufs, file.true_peak_dbtp, file.duration_s)


def first_files(rows: Iterable[AssetRow]) -> list[AssetRow]:
    """Of each track the first of these rows: a track's files sound alike, and one of them is drawn."""
    return list({(row.manifest, row.name): row for row in reversed(list(rows))}.values())


async def drawn_again(row: AssetRow, output: Folder, finisher: Finisher) -> Drawing | None:
    """What is shown of an asset that stands, from its file; None where that can't be drawn.

    Whatever is wrong with such a file is others' to say.
    """
    try:
        found = await finisher.remeasure(str(output.path(row.path).absolute()), None)
    except (AudioError, WorkerDied, OSError):
        return None
    if found.waveform is None:
        return None
    figures = (row.lufs, row.true_peak_dbtp, row.duration)
    return Drawing(row.manifest, row.path, row.sha256, packed(found.waveform), *figures)


async def draw_missing(rows: Iterable[AssetRow], tools: Tools) -> None:
    """Draw what stands and was never drawn (a clone, an older ledger): of each track its first file, while time lasts.

    A file that can't be drawn is left out.
    """
    first = first_files(rows)
    hashes = [row.sha256 for row in first]
    known = await tools.ledger.write(lambda ledger: ledger.drawings(hashes))
    missing = [row for row in first if row.sha256 not in known]
    if not missing:
        return
    drawn: list[Drawing] = []

    async def draw(row: AssetRow) -> None:
        drawing = await drawn_again(row, tools.output.folder, tools.finisher)
        if drawing is not None:
            drawn.append(drawing)

    with anyio.move_on_after(_LONGEST_S):
        async with anyio.create_task_group() as tasks:
            for row in missing:
                tasks.start_soon(draw, row)
    await tools.ledger.write(lambda ledger: ledger.keep_drawings(drawn))

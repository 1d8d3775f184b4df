"""How loud and how long a file is, and its waveform, so that takes are heard at one loudness and seen side by side."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.audio.tasks import AudioError
from pipeline.audio.waveform import unpacked
from pipeline.files import sha256_of
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read, readable_errors
from pipeline.noop.stamp import status_of
from pipeline.report.page.waveform_paths import paths_of
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.audio.waveform import Waveform
    from pipeline.ledger.records import Drawing
    from pipeline.runner.finisher import Finisher


@dataclass(frozen=True, slots=True)
class Figures:
    """What a file measures. None: it could not be measured. `drawing`: its waveform as the page draws it, SVG paths."""

    lufs: float | None = None
    true_peak_dbtp: float | None = None
    duration_s: float | None = None
    drawing: dict[str, Any] | None = None


class Measurer(Protocol):
    """Measures a file. What can't be measured has no figures."""

    async def figures(self, path: Path) -> Figures: ...


class FileMeasurer:
    """Takes what the ledger knows of a file by its content; what it does not know is measured, once for each state."""

    def __init__(self, ledger: Path, finisher: Finisher) -> None:
        self._ledger = ledger
        self._finisher = finisher
        self._known: dict[Path, tuple[str, Figures]] = {}

    async def figures(self, path: Path) -> Figures:
        """Raises LedgerError."""
        try:
            status = status_of(os.stat(path))  # noqa: PTH116 - as a stamp has it
            known = self._known.get(path)
            if known is None or known[0] != status:
                known = self._known[path] = status, await self._found(path)
        except (AudioError, WorkerDied, OSError):
            return Figures()
        return known[1]

    async def _found(self, path: Path) -> Figures:
        drawing = self._drawn(sha256_of(path))
        waveform = None if drawing is None else unpacked(drawing.waveform)
        if drawing is not None and waveform is not None:
            return _figures(drawing.lufs, drawing.true_peak_dbtp, drawing.duration_s, waveform)
        found = await self._finisher.remeasure(str(path), None)
        return _figures(found.figures.lufs, found.figures.true_peak_dbtp, found.figures.duration_s, found.waveform)

    def _drawn(self, sha256: str) -> Drawing | None:
        connection = connect_to_read(self._ledger)
        if connection is None:
            return None
        with closing(connection), readable_errors(self._ledger):
            return Ledger(connection).drawings([sha256]).get(sha256)


def _figures(
    lufs: float | None, true_peak_dbtp: float | None, duration_s: float | None, waveform: Waveform | None
) -> Figures:
    length = None if duration_s is None else round(duration_s, 3)
    drawing = None if waveform is None else asdict(paths_of(waveform))
    return Figures(_rounded(lufs), _rounded(true_peak_dbtp), length, drawing)


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)

"""How loud and how long a file is, so that takes are heard at one loudness: measured once for each state of a file."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pipeline.audio.tasks import AudioError
from pipeline.audio.waveform import unpacked
from pipeline.files import sha256_of
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.store import connect_to_read, readable_errors
from pipeline.noop.stamp import status_of
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.audio.waveform import Waveform
    from pipeline.runner.finisher import Finisher


@dataclass(frozen=True, slots=True)
class Figures:
    """What a file measures. None: it could not be measured."""

    lufs: float | None = None
    true_peak_dbtp: float | None = None
    duration_s: float | None = None
    waveform: Waveform | None = None


class Measurer(Protocol):
    """Measures a file. What can't be measured has no figures."""

    async def figures(self, path: Path) -> Figures: ...


class FinisherMeasurer:
    """What the ledger has of a file, else what a finisher measures: in worker processes, or inline."""

    def __init__(self, finisher: Finisher, ledger: Path) -> None:
        self._finisher = finisher
        self._ledger = ledger
        self._known: dict[Path, tuple[str, Figures]] = {}

    async def figures(self, path: Path) -> Figures:
        try:
            status = status_of(os.stat(path))  # noqa: PTH116 - as a stamp has it
            known = self._known.get(path)
            if known is None or known[0] != status:
                known = self._known[path] = status, self._from_ledger(path) or await self._measured(path)
        except (AudioError, WorkerDied, OSError):
            return Figures()
        return known[1]

    def _from_ledger(self, path: Path) -> Figures | None:
        sha256 = sha256_of(path)
        connection = connect_to_read(self._ledger)
        if connection is None:
            return None
        with closing(connection), readable_errors(self._ledger):
            drawing = Ledger(connection).drawings([sha256]).get(sha256)
        waveform = None if drawing is None else unpacked(drawing.waveform)
        if drawing is None or waveform is None:
            return None
        return _figures(*drawing.figures, waveform)

    async def _measured(self, path: Path) -> Figures:
        found = await self._finisher.remeasure(str(path), None)
        figures = found.figures
        return _figures(figures.lufs, figures.true_peak_dbtp, figures.duration_s, found.waveform)


def _figures(lufs: float | None, true_peak_dbtp: float | None, duration_s: float, waveform: Waveform | None) -> Figures:
    return Figures(_rounded(lufs), _rounded(true_peak_dbtp), round(duration_s, 3), waveform)


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)

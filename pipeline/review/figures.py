"""How loud and how long a file is, so that takes are heard at one loudness: measured once for each state of a file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.audio.tasks import AudioError
from pipeline.noop.stamp import status_of
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.runner.finisher import Finisher


@dataclass(frozen=True, slots=True)
class Figures:
    """What a file measures. None: it could not be measured. `drawing`: its waveform, where there is one."""

    lufs: float | None = None
    true_peak_dbtp: float | None = None
    duration_s: float | None = None
    drawing: Any = None


class Measurer(Protocol):
    """Measures a file. What can't be measured has no figures."""

    async def figures(self, path: Path) -> Figures: ...


class FinisherMeasurer:
    """Measures by a finisher: in worker processes, or inline."""

    def __init__(self, finisher: Finisher) -> None:
        self._finisher = finisher
        self._known: dict[Path, tuple[str, Figures]] = {}

    async def figures(self, path: Path) -> Figures:
        try:
            status = status_of(os.stat(path))  # noqa: PTH116 - as a stamp has it
            known = self._known.get(path)
            if known is None or known[0] != status:
                known = self._known[path] = status, await self._measured(path)
        except (AudioError, WorkerDied, OSError):
            return Figures()
        return known[1]

    async def _measured(self, path: Path) -> Figures:
        found = (await self._finisher.remeasure(str(path), None)).figures
        return Figures(_rounded(found.lufs), _rounded(found.true_peak_dbtp), round(found.duration_s, 3))


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)

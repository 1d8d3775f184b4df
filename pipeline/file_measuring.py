"""Any audio files, measured as they are. One that can't be is a sentence, and nothing to the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.audio.tasks import AudioError
from pipeline.files import plain_size, reason
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pipeline.audio.tasks import Examination
    from pipeline.workers import WorkerFinisher

#: What fails one file and not the others.
FAILS_ALONE: Final = (AudioError, WorkerDied, MemoryError, OSError, UnicodeError)


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """What one file measures, or why it doesn't. Neither: it was not come to."""

    path: Path
    examined: Examination | None = None
    error: str | None = None


async def measure_all(
    paths: Iterable[Path], workers: WorkerFinisher, observe: Callable[[MeasuredFile], None], *, gates: bool
) -> None:
    """Measure every file, with what its gates find where `gates`, and tell each to `observe`, in no order."""

    async def measure(path: Path) -> None:
        try:
            plain_size(path)
            observe(MeasuredFile(path, await workers.examine(str(path), gates=gates)))
        except FAILS_ALONE as error:
            observe(MeasuredFile(path, error=why(error)))

    await workers.warm_up()
    await workers.each(paths, measure)


def why(error: Exception) -> str:
    """What one of FAILS_ALONE says about the file that it is of."""
    if isinstance(error, OSError):
        return f"it can't be read: {reason(error)}"
    if isinstance(error, UnicodeError):  # libsndfile is given paths as UTF-8
        return "its path is not UTF-8: rename it"
    return "there is not enough memory for it" if isinstance(error, MemoryError) else str(error)

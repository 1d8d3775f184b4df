"""What a farm's worker does, in any of its threads: finish in a folder of its own, and give back bytes.

Whatever goes wrong but the audio itself is no fault of the take: it is a WorkerDied that names the worker, so that the
run neither buys another nor takes a full disk over there for its own.
"""

from __future__ import annotations

import importlib
import tempfile
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.farm.crossing import collected, unpacked
from pipeline.runner.finisher import WorkerDied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.audio.tasks import FinishTask, GatingBlocks, Step
    from pipeline.farm.crossing import Made, Order, StepPlace

AGAIN: Final = "the next run finishes it again, free"


def finish_order(order: Order) -> Made:
    """Make the files of `order`. Raises AudioError, and WorkerDied."""
    from pipeline.audio.finishing import finish  # noqa: PLC0415 - the run's side brings no numpy

    with _at_work(order) as task:
        return collected(finish(task))


def gating_blocks_of(order: Order) -> GatingBlocks:
    """What the source of `order` brings to its group. Raises AudioError, and WorkerDied."""
    from pipeline.audio.finishing import gating_blocks  # noqa: PLC0415 - as above

    with _at_work(order) as task:
        return gating_blocks(task)


@contextmanager
def _at_work(order: Order) -> Iterator[FinishTask]:
    """The order's task in a folder that is gone afterwards."""
    _check_version(order)
    steps = [_step(place) for place in order.steps]
    try:
        with tempfile.TemporaryDirectory(prefix="music-asset-", dir=_scratch()) as folder:
            yield unpacked(order, Path(folder), steps)
    except MemoryError as error:
        raise WorkerDied(f"{_whoever_works()} has too little memory for it; {AGAIN}") from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise WorkerDied(f"{_whoever_works()} can't work on its own disk ({reason}); {AGAIN}") from error


def _check_version(order: Order) -> None:
    from pipeline.version import VERSION  # noqa: PLC0415 - as it is now

    if order.version != VERSION:
        versions = f"music-asset-pipeline {VERSION}, and the run has {order.version}"
        raise WorkerDied(f"{_whoever_works()} came with {versions}; {AGAIN}")


def _step(place: StepPlace) -> Step:
    try:
        return step_at(place)
    except Exception as error:  # a user's module may raise anything
        raise WorkerDied(f"{_whoever_works()} can't import {step_trouble(place, error)}; {AGAIN}") from error


def step_at(place: StepPlace) -> Step:
    """The step at `place`. Raises whatever importing its module does, and AttributeError."""
    module, name = place
    step: Step = reduce(getattr, name.split("."), importlib.import_module(module))  # type: ignore[assignment]
    return step


def step_trouble(place: StepPlace, error: Exception) -> str:
    """Which step can't be imported, and why, as part of a sentence."""
    return f"the step {'.'.join(place)} ({type(error).__name__}: {' '.join(str(error).split())})"


def missing_step(places: Sequence[StepPlace]) -> str | None:
    """Which of the steps can't be imported by whoever is asked, and why; None where all can."""
    for place in places:
        try:
            step_at(place)
        except Exception as error:  # noqa: BLE001 - a user's module may raise anything
            return step_trouble(place, error)
    return None


def _whoever_works() -> str:
    from distributed import get_worker  # noqa: PLC0415 - it is there where work is

    try:
        return f"the farm's worker {get_worker().address}"
    except ValueError:
        return "a farm's worker"


def _scratch() -> str | None:
    """The worker's own folder, which the next one clears after a kill; None, the system's, where there is none."""
    from distributed import get_worker  # noqa: PLC0415 - as above

    try:
        return str(get_worker().local_directory)
    except ValueError:
        return None

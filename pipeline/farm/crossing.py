"""What crosses to a farm's worker and comes back: bytes and plain values. No numpy here, as in `audio.tasks`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.audio.tasks import FinishedFile, FinishTask, Step, Target

#: A step by its place: its module, and its name there. It is never sent itself.
StepPlace = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """A task for a worker that shares no disk.

    `task`: its paths are names in a folder of the worker's own, and its steps stand in `steps`. `version`: this
    package's here, since a worker that came late was asked for its own by nobody.
    """

    task: FinishTask
    source: bytes = field(repr=False)  # a worker's log has room for better
    steps: tuple[StepPlace, ...] = ()
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class Made:
    """What a worker has made of an order: the files as it measured them, and each one's bytes with its intro's."""

    files: tuple[FinishedFile, ...]
    contents: tuple[tuple[bytes, bytes | None], ...] = field(repr=False)


def place_of(step: Step) -> StepPlace:
    """Where a worker finds `step`."""
    return step.__module__, step.__qualname__


def packed(task: FinishTask) -> Order:
    """`task` as it crosses, with its source. Raises OSError."""
    path = Path(task.source)
    there = replace(
        task,
        source=f"source{path.suffix}",
        targets=tuple(_named(target, number) for number, target in enumerate(task.targets)),
        steps=(),
    )
    return Order(there, path.read_bytes(), tuple(map(place_of, task.steps)))


def _named(target: Target, number: int) -> Target:
    return replace(target, path=f"{number}", intro_path=None if target.intro_path is None else f"{number}-intro")


def unpacked(order: Order, folder: Path, steps: Sequence[Step]) -> FinishTask:
    """The order's task, with its source and its targets in `folder`. Raises OSError."""
    source = folder / order.task.source
    source.write_bytes(order.source)
    targets = tuple(
        replace(
            target,
            path=str(folder / target.path),
            intro_path=None if target.intro_path is None else str(folder / target.intro_path),
        )
        for target in order.task.targets
    )
    return replace(order.task, source=str(source), targets=targets, steps=tuple(steps))


def collected(files: tuple[FinishedFile, ...]) -> Made:
    """What lies under the files' paths, to be sent back. Raises OSError."""
    return Made(files, tuple((Path(file.path).read_bytes(), _intro_bytes(file)) for file in files))


def _intro_bytes(file: FinishedFile) -> bytes | None:
    return None if file.intro is None else Path(file.intro.path).read_bytes()


def laid(task: FinishTask, made: Made) -> tuple[FinishedFile, ...]:
    """What was made of `task`, each on disk under its target's path, as local finishing leaves it. Raises OSError."""
    return tuple(
        _laid(target, file, *contents)
        for target, file, contents in zip(task.targets, made.files, made.contents, strict=True)
    )


def _laid(target: Target, file: FinishedFile, content: bytes, intro_content: bytes | None) -> FinishedFile:
    _write(target.path, content)
    if file.intro is None or target.intro_path is None or intro_content is None:
        return replace(file, path=target.path)
    _write(target.intro_path, intro_content)
    return replace(file, path=target.path, intro=replace(file.intro, path=target.intro_path))


def _write(path: str, content: bytes) -> None:
    """Durable, as the run counts on before it gives a file its final name."""
    with Path(path).open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

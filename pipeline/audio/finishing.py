"""A source becomes its assets: decoded and shaped once, then levelled and encoded for each target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.audio.decoding import decode
from pipeline.audio.delivery import Prepared, deliver
from pipeline.audio.gates import find_silence, judge
from pipeline.audio.labels import Label, serial_of
from pipeline.audio.measurement import measure
from pipeline.audio.shaping import shape
from pipeline.audio.tasks import FinishedFile, FinishTask
from pipeline.audio.tasks import Warning as AssetWarning

if TYPE_CHECKING:
    from pipeline.audio.settings import Finishing


def finish(task: FinishTask) -> tuple[FinishedFile, ...]:
    """Make every file of `task`, each on disk under its target's path when this returns.

    Raises AudioError where the source can't be finished, and OSError where a file can't be written.
    """
    prepared = prepare(task)
    label = Label(task.metadata, serial_of(task.serial_seed))
    return tuple(deliver(prepared, target, task.finishing.loudness, label) for target in task.targets)


def prepare(task: FinishTask) -> Prepared:
    """The source, decoded, shaped, measured and through its gates. Raises AudioError."""
    sound = shape(decode(task.source), task.finishing, task.steps)
    measured = measure(sound)
    findings = find_silence(measured)
    warnings = (*judge(findings, task.finishing.gates), *_not_yet(task.finishing))
    return Prepared(sound, measured, warnings)


def _not_yet(finishing: Finishing) -> list[AssetWarning]:
    """What the manifest asks for and this version does not do: said, rather than passed over."""
    warnings = []
    if finishing.loop is not None:
        warnings.append(AssetWarning("loop_not_shaped", "loop is not shaped yet: it ends as its source does"))
    if finishing.loudness.group is not None:
        text = f"levelled by itself: the group {finishing.loudness.group} has no common gain yet"
        warnings.append(AssetWarning("group_not_joined", text))
    return warnings

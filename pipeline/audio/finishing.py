"""A source becomes its assets: decoded and shaped once, then levelled and encoded for each target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.audio.decoding import decode
from pipeline.audio.delivery import Prepared, deliver
from pipeline.audio.faults import find_faults
from pipeline.audio.gates import find_silence, judge
from pipeline.audio.labels import Label, serial_of
from pipeline.audio.measurement import measure
from pipeline.audio.shaping import shape
from pipeline.audio.sound import Sound
from pipeline.audio.tasks import FinishedFile, FinishTask
from pipeline.audio.tasks import Warning as AssetWarning

if TYPE_CHECKING:
    from pipeline.audio.measurement import Measurement
    from pipeline.audio.settings import Finishing
    from pipeline.audio.shaping import Shaped


def finish(task: FinishTask) -> tuple[FinishedFile, ...]:
    """Make every file of `task`, each on disk under its target's path when this returns.

    Raises AudioError where the source can't be finished, and OSError where a file can't be written.
    """
    prepared = prepare(task)
    label = Label(task.metadata, serial_of(task.serial_seed))
    return tuple(deliver(prepared, target, task.finishing.loudness, label) for target in task.targets)


def prepare(task: FinishTask) -> Prepared:
    """The source, decoded, through its gates, shaped and measured. Raises AudioError."""
    finishing = task.finishing
    shaped, warnings = _shaped(task)
    splits = finishing.loop is not None and finishing.loop.intro == "split" and bool(shaped.loop_start)
    measured = _measured_split(shaped) if splits else measure(shaped.sound)
    warnings += judge(find_silence(measured), finishing.gates)
    loop = shaped.loop
    return Prepared(
        sound=shaped.sound,
        measured=measured,
        warnings=(*warnings, *(loop.warnings if loop else ()), *_not_yet(finishing)),
        loop_start=shaped.loop_start,
        splits=splits,
        unlike_over_s=None if loop is None or loop.repeats else loop.crossfade_s,
    )


def _shaped(task: FinishTask) -> tuple[Shaped, tuple[AssetWarning, ...]]:
    """The source, through its gates and shaped, and what the gates say. The source itself is let go."""
    source = decode(task.source)
    findings = find_faults(source, task.asked_s, loops=task.finishing.loop is not None)
    warnings = judge(findings, task.finishing.gates)
    return shape(source, task.finishing, task.steps, task.asked_s), warnings


def _measured_split(shaped: Shaped) -> Measurement:
    """What is heard for ever decides how loud it is; the peaks of both parts count, since both get one gain."""
    whole = measure(shaped.sound)
    loop = measure(Sound(shaped.sound.samples[shaped.loop_start :], shaped.sound.sample_rate))
    return replace(loop, true_peak_dbtp=whole.true_peak_dbtp)


def _not_yet(finishing: Finishing) -> list[AssetWarning]:
    """What the manifest asks for and this version does not do: said, rather than passed over."""
    if finishing.loudness.group is None:
        return []
    text = f"levelled by itself: the group {finishing.loudness.group} has no common gain yet"
    return [AssetWarning("group_not_joined", text)]

"""A source becomes its assets: decoded and shaped once, then levelled and encoded for each target."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.audio.decoding import decode
from pipeline.audio.delivery import Prepared, deliver
from pipeline.audio.faults import find_faults
from pipeline.audio.gates import find_silence, judge
from pipeline.audio.labels import Label, serial_of
from pipeline.audio.levelling import PEAK_ALONE_DBTP
from pipeline.audio.loudness import joint_loudness, momentary_powers
from pipeline.audio.measurement import measure
from pipeline.audio.shaping import shape
from pipeline.audio.sound import Sound
from pipeline.audio.source_marks import source_marks
from pipeline.audio.tasks import FinishedFile, FinishTask, GatingBlocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.audio.marks import SourceMarks
    from pipeline.audio.measurement import Measurement
    from pipeline.audio.shaping import Shaped
    from pipeline.audio.tasks import Target
    from pipeline.audio.tasks import Warning as AssetWarning


def finish(task: FinishTask) -> tuple[FinishedFile, ...]:
    """Make every file of `task`, each on disk under its target's path when this returns.

    Raises AudioError where the source can't be finished, and OSError where a file can't be written.
    """
    prepared, marks = prepare(task), source_marks(task.source)
    made = (deliver(prepared, target, task.finishing.loudness, _label(task, target)) for target in task.targets)
    return tuple(_with_marks(file, marks) for file in made)


def _with_marks(file: FinishedFile, marks: SourceMarks) -> FinishedFile:
    return replace(
        file, source_marks=marks, intro=None if file.intro is None else replace(file.intro, source_marks=marks)
    )


def _label(task: FinishTask, target: Target) -> Label:
    """The same for an output whichever others are made with it."""
    output = target.output
    return Label(task.metadata, serial_of(f"{task.serial_seed}/{output.format}/{output.quality}"))


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
        warnings=(*warnings, *shaped.warnings),
        loop_start=shaped.loop_start,
        splits=splits,
        unlike_over_s=None if loop is None or loop.repeats else loop.crossfade_s,
        gain_db=task.gain_db,
        trimmed_s=shaped.trimmed_s,
    )


def gating_blocks(task: FinishTask) -> GatingBlocks:
    """What the source of `task`, through its gates and shaped, brings to its group. Raises AudioError."""
    prepared = prepare(task)
    heard = _repeated(prepared.sound, prepared.loop_start) if prepared.splits else prepared.sound
    powers = momentary_powers(heard).astype(np.float32).tobytes()
    return GatingBlocks(powers, prepared.measured.true_peak_dbtp, prepared.measured.lufs is not None)


def common_gain_db(members: Sequence[GatingBlocks], target_lufs: float) -> float:
    """The one gain that brings a group's joint loudness to its target, in thousandths of a dB.

    Where all of it is too short for a loudness, its highest true peak goes where one sound's would; 0 for silence.
    """
    joint = joint_loudness(np.frombuffer(one.powers, np.float32) for one in members)
    if joint is not None:
        return round(target_lufs - joint, 3)
    peaks = [one.true_peak_dbtp for one in members if one.true_peak_dbtp is not None]
    return round(PEAK_ALONE_DBTP - max(peaks), 3) if peaks else 0.0


def _shaped(task: FinishTask) -> tuple[Shaped, tuple[AssetWarning, ...]]:
    """The source, through its gates and shaped, and what the gates say. The source itself is let go."""
    source = decode(task.source)
    findings = find_faults(source, task.asked_s, loops=task.finishing.loop is not None)
    warnings = judge(findings, task.finishing.gates)
    return shape(source, task.finishing, task.steps, task.asked_s), warnings


def _measured_split(shaped: Shaped) -> Measurement:
    """What is heard for ever decides how loud it is; the peaks of both parts count, since both get one gain."""
    whole = measure(shaped.sound)
    loop = measure(_repeated(shaped.sound, shaped.loop_start))
    return replace(loop, true_peak_dbtp=whole.true_peak_dbtp)


def _repeated(sound: Sound, loop_start: int | None) -> Sound:
    """What is heard for ever of a sound whose end leads back to `loop_start`."""
    return Sound(sound.samples[loop_start:], sound.sample_rate)

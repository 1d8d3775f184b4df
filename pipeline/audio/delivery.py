"""A levelled sound becomes a file that is what it should be: encoded, decoded again, measured, mended where it misses.

Lossy formats move loudness and peaks. What is said about a file is measured on that file, and one that passes its
ceiling or misses its loudness is encoded again towards a better aim, peaks before loudness.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.audio.dither import clipped_frames
from pipeline.audio.encoding import HEADROOM_DB, clips, encode, rate_for
from pipeline.audio.level_warnings import level_warnings
from pipeline.audio.levelling import first_aim, next_aim
from pipeline.audio.mastering import Master, master
from pipeline.audio.measurement import Measurement, measure_file
from pipeline.audio.resampling import resampled
from pipeline.audio.tasks import FinishedFile, Target
from pipeline.audio.tasks import Warning as AssetWarning

if TYPE_CHECKING:
    from pipeline.audio.labels import Label
    from pipeline.audio.settings import Loudness
    from pipeline.audio.sound import Sound

_MOST_CORRECTIONS: Final = 2


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sound that is ready to be levelled and encoded, and what it measured."""

    sound: Sound
    measured: Measurement
    warnings: tuple[AssetWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class _Written:
    """A file on disk, and what decoding it again has shown."""

    size: int
    sha256: str
    measured: Measurement
    clipped: int


def deliver(prepared: Prepared, target: Target, loudness: Loudness, label: Label) -> FinishedFile:
    """Make `target`'s file of `prepared`. Raises AudioError, and OSError where it can't be written."""
    audio_format = target.output.format
    sound = resampled(prepared.sound, rate_for(audio_format, prepared.sound.sample_rate))
    measured, headroom_db = prepared.measured, HEADROOM_DB[audio_format]
    aim = first_aim(measured, loudness, headroom_db)
    made = master(sound, measured, aim)
    written = _write(made.sound, target, label)
    for _ in range(_MOST_CORRECTIONS):
        better = next_aim(
            aim,
            made.level,
            delivered=written.measured,
            measured=measured,
            loudness=loudness,
            headroom_db=headroom_db,
        )
        if better == aim:
            break
        aim, made = better, master(sound, measured, better)
        written = _write(made.sound, target, label)
    warnings = (
        *prepared.warnings,
        *_format_warnings(prepared.sound, written, target),
        *level_warnings(written.measured, aim, made.level, made.limited_db, loudness),
    )
    return _finished(written, made, target, warnings)


def _write(sound: Sound, target: Target, label: Label) -> _Written:
    content = encode(sound, target.output, label)
    with Path(target.path).open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return _Written(
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        measured=measure_file(target.path),
        clipped=clipped_frames(sound.samples) if clips(target.output.format) else 0,
    )


def _format_warnings(sound: Sound, written: _Written, target: Target) -> list[AssetWarning]:
    warnings = []
    had, has = sound.sample_rate, written.measured.sample_rate
    if has < had:  # upwards nothing is lost, and nothing is said
        warnings.append(AssetWarning("resampled", f"{target.output.format} has no {had:,} Hz: it is at {has:,}"))
    if written.clipped:
        text = f"{written.clipped:,} frames are over full scale and clipped: give it a loudness below its own"
        warnings.append(AssetWarning("clipped", text))
    return warnings


def _finished(written: _Written, made: Master, target: Target, warnings: tuple[AssetWarning, ...]) -> FinishedFile:
    measured = written.measured
    return FinishedFile(
        path=target.path,
        format=target.output.format,
        size=written.size,
        sha256=written.sha256,
        duration_s=measured.duration_s,
        sample_rate=measured.sample_rate,
        channels=measured.channels,
        lufs=measured.lufs,
        max_short_term_lufs=measured.max_short_term_lufs,
        loudness_range_lu=measured.loudness_range_lu,
        true_peak_dbtp=measured.true_peak_dbtp,
        limited_db=round(made.limited_db, 2),
        warnings=warnings,
    )

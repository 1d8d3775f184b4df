"""A levelled sound becomes a file that is what it should be: encoded, decoded again, measured, mended where it misses.

Lossy formats move loudness and peaks. What is said about a file is measured on that file, and one that passes its
ceiling or misses its loudness is encoded again towards a better aim, peaks before loudness. The best try is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.audio.encoding import HEADROOM_DB, rate_for
from pipeline.audio.level_warnings import level_warnings
from pipeline.audio.levelling import first_aim, in_group, next_aim, shortcomings
from pipeline.audio.mastering import master
from pipeline.audio.resampling import resampled, resampled_loop
from pipeline.audio.tasks import FinishedFile, Target
from pipeline.audio.tasks import Warning as AssetWarning
from pipeline.audio.true_peak import true_peak_dbtp
from pipeline.audio.writing import encode_files, read_back

if TYPE_CHECKING:
    from pipeline.audio.labels import Label
    from pipeline.audio.levelling import Aim, Level
    from pipeline.audio.measurement import Measurement
    from pipeline.audio.settings import Loudness
    from pipeline.audio.sound import Sound
    from pipeline.audio.writing import EncodedFiles, WrittenFile, WrittenFiles

_MOST_CORRECTIONS: Final = 2


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sound that is ready to be levelled and encoded, and what it measured."""

    sound: Sound
    measured: Measurement
    warnings: tuple[AssetWarning, ...] = ()
    loop_start: int | None = None  # the frame to which its end leads back, if it loops
    splits: bool = False  # what comes before the loop is a file of its own
    unlike_over_s: float | None = None  # nothing in it repeats: its ends are crossfaded over so many seconds
    gain_db: float | None = None  # its loudness group's
    trimmed_s: tuple[float, float] = (0.0, 0.0)  # what was cut off its source's ends, in seconds


@dataclass(frozen=True, slots=True)
class _Made:
    """What an aim has come to: its level, the most that was taken off its peaks, in dB, and the files."""

    aim: Aim | None
    level: Level
    limited_db: float
    files: WrittenFiles


def deliver(prepared: Prepared, target: Target, loudness: Loudness, label: Label) -> FinishedFile:
    """Make `target`'s files of `prepared`. Raises AudioError, and OSError where one can't be written."""
    headroom_db = HEADROOM_DB[target.output.format]
    loudness = in_group(loudness, prepared.measured, prepared.gain_db)
    sound, loop_start = _at_rate(prepared, rate_for(target.output.format, prepared.sound.sample_rate))
    measured = _measured_at_rate(prepared, sound)

    def made(aim: Aim | None) -> _Made:
        level, limited_db, encoded = mastered(aim)
        return _Made(aim, level, round(limited_db, 2), read_back(encoded))

    def mastered(aim: Aim | None) -> tuple[Level, float, EncodedFiles]:
        """What `aim` comes to, encoded: the sound is let go here, before anything is decoded again."""
        made = master(sound, measured, aim, loop_start)
        files = encode_files(made.sound, target, label, loop_start, splits=prepared.splits)
        return made.level, made.limited_db, files

    def better(made: _Made) -> Aim | None:
        """What to aim for after `made`; its own aim where no other is worth a try."""
        return next_aim(
            made.aim,
            made.level,
            delivered=made.files.judged,
            measured=measured,
            loudness=loudness,
            headroom_db=headroom_db,
        )

    tries = [made(first_aim(measured, loudness, headroom_db, prepared.gain_db))]
    while len(tries) <= _MOST_CORRECTIONS and (aim := better(tries[-1])) != tries[-1].aim:
        tries.append(made(aim))
    best = min(tries, key=lambda one: shortcomings(one.files.judged, loudness))
    if best is not tries[-1]:
        best = made(best.aim)  # each try has the place of the one before
    warnings = (
        *prepared.warnings,
        *_format_warnings(prepared, best.files.main, target),
        *_seam_warnings(prepared, best.files.main),
        *level_warnings(best.files.judged, best.aim, best.level, best.limited_db, loudness),
    )
    return _finished(best, target, warnings, prepared.trimmed_s)


def _at_rate(prepared: Prepared, sample_rate: int) -> tuple[Sound, int | None]:
    if prepared.loop_start is None:
        return resampled(prepared.sound, sample_rate), None
    return resampled_loop(prepared.sound, sample_rate, prepared.loop_start)


def _measured_at_rate(prepared: Prepared, sound: Sound) -> Measurement:
    """What was measured, with the peaks of `sound` where that has another rate: resampling lets them grow."""
    if sound.sample_rate == prepared.sound.sample_rate:
        return prepared.measured
    return replace(prepared.measured, true_peak_dbtp=true_peak_dbtp(sound))


def _format_warnings(prepared: Prepared, written: WrittenFile, target: Target) -> list[AssetWarning]:
    warnings = []
    had, has = prepared.sound.sample_rate, written.measured.sample_rate
    if has < had:  # upwards nothing is lost, and nothing is said
        warnings.append(AssetWarning("resampled", f"{target.output.format} has no {had:,} Hz: it is at {has:,}"))
    if written.clipped:
        text = f"{written.clipped:,} frames are over full scale and clipped: give it a loudness below its own"
        warnings.append(AssetWarning("clipped", text))
    if prepared.splits and target.intro_path is None:
        warnings.append(AssetWarning("intro_dropped", "its intro has no file to go to, and is dropped"))
    return warnings


def _seam_warnings(prepared: Prepared, written: WrittenFile) -> list[AssetWarning]:
    warnings = []
    if prepared.unlike_over_s is not None:
        text = f"nothing in it repeats: its ends are crossfaded over {prepared.unlike_over_s:.2f} s ({written.seam})"
        warnings.append(AssetWarning("nothing_repeats", text))
    if written.seam is not None and written.seam.is_heard:
        text = f"its seam stands out, in percentiles of the loop's own: {written.seam}"
        warnings.append(AssetWarning("seam_heard", text))
    return warnings


def _finished(
    made: _Made, target: Target, warnings: tuple[AssetWarning, ...], trimmed_s: tuple[float, float]
) -> FinishedFile:
    intro = None if made.files.intro is None else _described(made.files.intro, made, target)
    main = _described(made.files.main, made, target, warnings, intro)
    waveform = main.waveform
    return main if waveform is None else replace(main, waveform=replace(waveform, trimmed_s=trimmed_s))


def _described(
    written: WrittenFile,
    made: _Made,
    target: Target,
    warnings: tuple[AssetWarning, ...] = (),
    intro: FinishedFile | None = None,
) -> FinishedFile:
    measured = written.measured
    return FinishedFile(
        path=written.path,
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
        loop=written.loop,
        warnings=warnings,
        limited_db=made.limited_db,
        gain_db=made.level.gain_db,
        intro=intro,
        waveform=written.waveform,
    )

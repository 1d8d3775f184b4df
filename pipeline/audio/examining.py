"""What can be said about one file as it is: its format, how loud it is, whether and how well it loops."""

from __future__ import annotations

from contextlib import contextmanager
from math import log10
from typing import TYPE_CHECKING, Final

from pipeline.audio import ffmpeg
from pipeline.audio.channels import STEREO
from pipeline.audio.decoding import decode, opened
from pipeline.audio.faults import find_faults
from pipeline.audio.gates import find_silence
from pipeline.audio.measurement import measure
from pipeline.audio.seam import seam_of
from pipeline.audio.tasks import Examination, SeamScore
from pipeline.audio.tasks import Warning as FileWarning
from pipeline.audio.written_loops import WrittenLoop, read_loop

if TYPE_CHECKING:
    from collections.abc import Iterator

    import soundfile

    from pipeline.audio.measurement import Measurement
    from pipeline.audio.sound import Sound

_SHORTEST_LOUDNESS_S: Final = 0.4
_SHORTEST_SHORT_TERM_S: Final = 3.0
_FORMATS: Final = {"WAVEX": "wav", "RF64": "wav"}


def examine(path: str, *, gates: bool = False) -> Examination:
    """Every figure of the file at `path`, and what its gates find where `gates`. Raises AudioError and OSError.

    More than two channels are measured as they would be finished: folded down to stereo.
    """
    with _readable(path) as readable:
        with opened(readable) as file:
            audio_format, encoding, channels = _format(file), str(file.subtype).lower(), int(file.channels)
        sound = decode(readable)
    measured = measure(sound)
    loop, warnings = _loop(read_loop(path), sound.frames)
    if channels > STEREO:
        warnings.append(FileWarning("folded", f"its {channels} channels are measured as folded down to stereo"))
    if gates:
        found = [*find_faults(sound, None, loops=loop is not None), *find_silence(measured)]
        warnings += [FileWarning(finding.gate, finding.message) for finding in found]
    return Examination(
        format="m4a" if readable != path else audio_format,
        encoding="aac" if readable != path else encoding,
        duration_s=measured.duration_s,
        frames=measured.frames,
        sample_rate=measured.sample_rate,
        channels=channels,
        lufs=measured.lufs,
        max_short_term_lufs=measured.max_short_term_lufs,
        loudness_range_lu=measured.loudness_range_lu,
        true_peak_dbtp=measured.true_peak_dbtp,
        sample_peak_dbfs=sample_peak_dbfs(sound),
        loop=loop,
        seam=None if loop is None else _score(sound, *loop),
        warnings=tuple(warnings),
        unmeasured=unmeasured(measured),
    )


@contextmanager
def _readable(path: str) -> Iterator[str]:
    """The file itself, or what ffmpeg makes of an m4a, which libsndfile can't read."""
    if ffmpeg.is_mp4(path):
        with ffmpeg.as_wav(path) as wav:
            yield wav
    else:
        yield path


def _format(file: soundfile.SoundFile) -> str:
    """By the names that a manifest's outputs have."""
    return "opus" if file.subtype == "OPUS" else _FORMATS.get(file.format, file.format.lower())


def _loop(written: WrittenLoop, frames: int) -> tuple[tuple[int, int] | None, list[FileWarning]]:
    """The loop that is written in a file, if the file has what it loops over; engines would play something else."""
    if written.played is not None:
        text = f"its loop is played {written.played}, and is not looked at: only one that goes forwards for ever is"
        return None, [FileWarning("loop_ignored", text)]
    if written.points is None:
        return None, []
    start, end = written.points
    if not 0 <= start < end <= frames:
        text = f"its loop, from {start:,} to {end:,}, is not within its {frames:,} samples"
        return None, [FileWarning("loop_outside", text)]
    if end - start == 1:
        text = f"its loop, at {start:,}, is a single sample, and is not looked at: nothing is heard of one"
        return None, [FileWarning("loop_ignored", text)]
    return (start, end), []


def _score(sound: Sound, start: int, end: int) -> SeamScore:
    seam = seam_of(sound, start, end)
    return SeamScore(seam.flux, seam.sample_step, seam.level_step, is_heard=seam.is_heard)


def sample_peak_dbfs(sound: Sound) -> float | None:
    """The highest sample of any channel in dBFS. None for digital silence."""
    peak = max(float(sound.samples.max()), -float(sound.samples.min()))
    return 20 * log10(peak) if peak > 0 else None


def unmeasured(measured: Measurement) -> tuple[tuple[str, str], ...]:
    """(figure, why) for each that could not be measured, by the index's names."""
    figures = (
        ("lufs", measured.lufs, _SHORTEST_LOUDNESS_S),
        ("max_short_term_lufs", measured.max_short_term_lufs, _SHORTEST_SHORT_TERM_S),
        ("loudness_range", measured.loudness_range_lu, _SHORTEST_SHORT_TERM_S),
    )
    reasons = [
        (name, f"shorter than {least_s:g} s" if measured.duration_s < least_s else "nothing in it is above -70 LUFS")
        for name, figure, least_s in figures
        if figure is None
    ]
    if measured.true_peak_dbtp is None:
        reasons += [(name, "digital silence") for name in ("true_peak_dbtp", "sample_peak_dbfs")]
    return tuple(reasons)

"""What a sound measures: its length, loudness, true peak and seam, by one meter for sources, assets, checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.audio import ffmpeg
from pipeline.audio.decoding import check_plain, decode
from pipeline.audio.loudness import read_loudness
from pipeline.audio.seam import Seam, seam_of
from pipeline.audio.true_peak import true_peak_dbtp
from pipeline.audio.waveform import LoudnessCurve

if TYPE_CHECKING:
    from pipeline.audio.sound import Sound


@dataclass(frozen=True, slots=True)
class Measurement:
    """A sound's figures. None: could not be measured, since it is too short or silent."""

    duration_s: float
    frames: int
    sample_rate: int
    channels: int
    lufs: float | None
    max_momentary_lufs: float | None
    max_short_term_lufs: float | None
    loudness_range_lu: float | None
    true_peak_dbtp: float | None
    curve: LoudnessCurve = field(default_factory=LoudnessCurve)


def measure(sound: Sound) -> Measurement:
    """Every figure of `sound`."""
    loudness = read_loudness(sound)
    return Measurement(
        duration_s=sound.duration_s,
        frames=sound.frames,
        sample_rate=sound.sample_rate,
        channels=sound.channels,
        lufs=loudness.lufs,
        max_momentary_lufs=loudness.max_momentary_lufs,
        max_short_term_lufs=loudness.max_short_term_lufs,
        loudness_range_lu=loudness.range_lu,
        true_peak_dbtp=true_peak_dbtp(sound),
        curve=loudness.curve,
    )


def measure_file(path: str) -> Measurement:
    """Every figure of the file at `path`, which may be any that finishing delivers. Raises AudioError and OSError."""
    return measure(decode_asset(path))


def measure_seam(path: str, start: int, end: int) -> Seam:
    """The seam of the loop in the file at `path`, `end` exclusive. Raises AudioError and OSError."""
    return seam_of(decode_asset(path), start, end)


def decode_asset(path: str) -> Sound:
    """The file at `path` as sound, which may be any that finishing delivers. Raises AudioError and OSError."""
    check_plain(path)
    if not ffmpeg.is_mp4(path):
        return decode(path)
    with ffmpeg.as_wav(path) as wav:
        return decode(wav)

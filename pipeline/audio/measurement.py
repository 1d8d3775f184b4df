"""What a sound measures: its length, loudness and true peak, by the same meter for sources, assets and checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.audio import ffmpeg
from pipeline.audio.decoding import decode
from pipeline.audio.loudness import read_loudness
from pipeline.audio.true_peak import true_peak_dbtp

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
    )


def measure_file(path: str) -> Measurement:
    """Every figure of the file at `path`, which may be any that finishing delivers. Raises AudioError and OSError."""
    if not ffmpeg.is_mp4(path):
        return measure(decode(path))
    with ffmpeg.as_wav(path) as wav:
        return measure(decode(wav))

"""Is an asset what its manifest asks for? Pure: a row of the index and a measurement in, sentences out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.audio.measurement import Measurement
    from pipeline.audio.settings import Loudness
    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow

#: How far a delivered file may lie from its target, in LU: lossy formats move loudness (their encoders scale it).
TOLERANCE_LU: Final = {"wav": 0.1, "flac": 0.1}
_LOSSY_TOLERANCE_LU: Final = 0.2
#: How far a true peak may lie over its ceiling, in dB: two meters differ by so much.
PEAK_TOLERANCE_DB: Final = 0.1
_LENGTH_TOLERANCE_S: Final = 0.001
_EXPLAINED: Final = {
    "loudness_short",
    "levelled_by_peak",
    "silent",
}  # warnings that say why an asset is not at its target


def faults(track: Track, row: AssetRow, measured: Measurement) -> Iterator[str]:
    """What is wrong with one asset that is there and whole."""
    loudness = track.finishing.loudness
    if abs(measured.duration_s - row.duration) > _LENGTH_TOLERANCE_S:
        yield f"{measured.duration_s:.3f} s long, {row.duration:.3f} s in the index"
    if loudness.target_lufs is None:
        return
    yield from _loudness_faults(loudness, row, measured)
    if measured.true_peak_dbtp is not None and measured.true_peak_dbtp > loudness.true_peak_dbtp + PEAK_TOLERANCE_DB:
        yield f"true peak {measured.true_peak_dbtp:.2f} dBTP, over its ceiling of {loudness.true_peak_dbtp:g}"


def _loudness_faults(loudness: Loudness, row: AssetRow, measured: Measurement) -> Iterator[str]:
    explained = any(warning.get("code") in _EXPLAINED for warning in row.warnings)
    tolerance = loudness.tolerance_lu or TOLERANCE_LU.get(row.format, _LOSSY_TOLERANCE_LU)
    # Only a group as a whole has the manifest's target: a member of it is to be as loud as its gain has made it.
    target = loudness.target_lufs if row.group is None else row.lufs
    if target is None or measured.lufs is None:
        return
    if measured.lufs > target + tolerance or (measured.lufs < target - tolerance and not explained):
        yield f"{measured.lufs:.2f} LUFS, its target is {target:g}"
    ceiling = loudness.max_short_term_lufs
    if (
        ceiling is not None
        and measured.max_short_term_lufs is not None
        and measured.max_short_term_lufs > ceiling + tolerance
    ):
        yield f"short-term loudness up to {measured.max_short_term_lufs:.2f} LUFS, over its ceiling of {ceiling:g}"

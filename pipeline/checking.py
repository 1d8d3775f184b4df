"""Is an asset what its manifest asks for, and what the index says of it? Pure: rows and measurements in, faults out.

What was known at delivery is no fault: a warning in the index excuses what it is about, as far as the file is no worse
than the index says (docs/sound.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.audio.encoding import rate_for
from pipeline.audio.faults import length_finding
from pipeline.audio.gates import action_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.audio.measurement import Measurement
    from pipeline.audio.remeasuring import Remeasured
    from pipeline.audio.settings import Finishing, Loudness, Output
    from pipeline.manifest.tracks import Track
    from pipeline.output import AssetRow

#: How far a delivered file may lie from its target, in LU: lossy formats move loudness (their encoders scale it).
TOLERANCE_LU: Final = {"wav": 0.1, "flac": 0.1}
_LOSSY_TOLERANCE_LU: Final = 0.2
#: How far a true peak may lie over its ceiling, in dB: two meters differ by so much.
PEAK_TOLERANCE_DB: Final = 0.1
_SAME_FIGURE_DB: Final = 0.05  # two decoders of one lossy file; the index rounds to hundredths
_BITS: Final = {"wav": 16, "flac": 16}  # of a sample, where the manifest names no others
_SHORT: Final = frozenset({"loudness_short", "levelled_by_peak", "silent"})  # say why it is below its target
_OVER: Final = "over_ceiling"
_LEAST_LOOP: Final = 0.4  # of what was asked
_LOOP_SHORT_BY_S: Final = 0.1  # what aligning a loop to the sample may take off it
_LOOPS_ARE_READ: Final = frozenset({"wav", "flac", "ogg", "mp3"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with an asset: `code` for machines, and a sentence of what is and what was expected."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that should be there: what its manifest and its row of the index say of it.

    `is_intro`: it is what comes before a loop, split off it, and `row` is its own. `warnings`: the codes of what was
    known of it when it was delivered; of an intro, what was known of its loop.
    """

    track: Track
    output: Output
    row: AssetRow
    warnings: frozenset[str]
    is_intro: bool = False
    is_changed: bool = False  # it is not what was delivered
    has_steps: bool = False  # the user's own steps have been over it, and may have made it longer or shorter

    @property
    def finishing(self) -> Finishing:
        return self.track.finishing

    @property
    def loop(self) -> tuple[int, int] | None:
        """(start, end) by the index, in frames; None where it has none, or none that could be one."""
        if self.row.loop is None:
            return None
        start, end = self.row.loop.get("start"), self.row.loop.get("end")
        return (start, end) if type(start) is int and type(end) is int else None


def faults(asset: Asset, found: Remeasured) -> Iterator[Fault]:
    """What is wrong with one asset that is there and decodes."""
    yield from _form_faults(asset, found)
    yield from _loop_faults(asset, found)
    yield from _length_faults(asset, found.figures)
    if asset.finishing.loudness.target_lufs is not None:
        yield from _level_faults(asset, asset.finishing.loudness, found.figures)
    if not asset.is_changed:
        yield from _index_faults(asset.row, found.figures)


def _form_faults(asset: Asset, found: Remeasured) -> Iterator[Fault]:
    """Format, sample rate and channels, against the manifest and against the index."""
    row, finishing, figures = asset.row, asset.finishing, found.figures
    for expected in dict.fromkeys((asset.output.format, row.format)):
        if found.format != expected:
            yield Fault("format", f"it is {found.format or 'in a format of its own'}, expected {expected}")
    asked = None if finishing.sample_rate is None else rate_for(asset.output.format, finishing.sample_rate)
    for rate in dict.fromkeys((row.sample_rate, asked or row.sample_rate)):
        if figures.sample_rate != rate:
            yield Fault("sample_rate", f"{figures.sample_rate:,} Hz, expected {rate:,}")
    for channels in dict.fromkeys((row.channels, finishing.channels or row.channels)):
        if figures.channels != channels:
            yield Fault("channels", f"{figures.channels} channels, expected {channels}")
    bits = asset.output.bits or _BITS.get(asset.output.format)
    if found.format == asset.output.format and found.bits != bits:
        yield Fault("bits", f"{found.bits or 'no whole number of'} bits a sample, expected {bits}")


def _length_faults(asset: Asset, figures: Measurement) -> Iterator[Fault]:
    """Its length to the frame, by the index; and by what was asked, which trims, loops and steps may change."""
    row, track = asset.row, asset.track
    if round(row.duration * figures.sample_rate) != figures.frames:
        yield Fault("duration", f"{figures.duration_s:.6f} s long, {row.duration:.6f} s in the index")
    if track.prompt is None or asset.is_intro or asset.has_steps:
        return
    if track.finishing.loop is not None:
        start, end = asset.loop or (0, figures.frames)
        length_s, least_s = (end - start) / figures.sample_rate, track.finishing.loop.min_s
        least_s = _LEAST_LOOP * track.duration_s if least_s is None else least_s
        if length_s < least_s - _LOOP_SHORT_BY_S and "loop_short" not in asset.warnings:
            yield Fault("length", f"loops over {length_s:.1f} s, expected at least {least_s:.1f}")
    elif track.finishing.trim is None and action_of("length", track.finishing.gates) == "fail":
        finding = length_finding(figures.duration_s, track.duration_s)
        if finding is not None and not finding.is_mild:
            yield Fault("length", finding.message)


def _loop_faults(asset: Asset, found: Remeasured) -> Iterator[Fault]:
    """Loop points by the index, by the file and by the manifest; and the seam as it is heard on the file."""
    frames = found.figures.frames
    if asset.row.loop is not None and (asset.loop is None or not 0 <= asset.loop[0] < asset.loop[1] <= frames):
        yield Fault("loop", f"it loops over {_points(asset.row.loop)} by the index, and has {frames:,} frames")
    elif found.format in _LOOPS_ARE_READ and found.loop != asset.loop:
        yield Fault("loop", f"loop points in it: {_named(found.loop)}; in the index: {_named(asset.loop)}")
    if asset.loop is None and asset.finishing.loop is not None and not asset.is_intro:
        yield Fault("loop", "it does not loop by the index, expected a loop by its manifest")
    known = "seam_heard" in asset.warnings and not asset.is_changed  # the index has the warning, and not the score
    if found.seam is not None and found.seam.is_heard and not known:
        yield Fault("seam", f"its seam stands out, in percentiles of the loop's own: {found.seam}; expected none to")


def _level_faults(asset: Asset, loudness: Loudness, figures: Measurement) -> Iterator[Fault]:
    """How loud it is, and how high its peaks are. An intro has its loop's gain, and no target of its own."""
    peak, recorded = figures.true_peak_dbtp, asset.row.true_peak_dbtp
    if _is_over(asset, peak, loudness.true_peak_dbtp + PEAK_TOLERANCE_DB, recorded):
        yield Fault("true_peak", f"true peak {peak:.2f} dBTP, over its ceiling of {loudness.true_peak_dbtp:g}")
    if asset.is_intro:
        return
    tolerance = loudness.tolerance_lu or TOLERANCE_LU.get(asset.row.format, _LOSSY_TOLERANCE_LU)
    yield from _loudness_faults(asset, loudness, figures.lufs, tolerance)
    loudest, most = figures.max_short_term_lufs, loudness.max_short_term_lufs
    if most is not None and _is_over(asset, loudest, most + tolerance, asset.row.max_short_term_lufs):
        yield Fault("max_short_term", f"short-term loudness up to {loudest:.2f} LUFS, over its ceiling of {most:g}")


def _loudness_faults(asset: Asset, loudness: Loudness, lufs: float | None, tolerance: float) -> Iterator[Fault]:
    delivered = asset.row.lufs
    # Only a group as a whole has the manifest's target: a member of it is to be as loud as its gain has made it.
    target = loudness.target_lufs if asset.row.group is None else delivered
    if lufs is None:
        if delivered is not None or not asset.warnings & _SHORT:
            text = "there is nothing in it whose loudness could be measured"
            yield Fault("loudness", f"{text}, its target is {loudness.target_lufs:g}")
        return
    if target is None or abs(lufs - target) <= tolerance:
        return
    if lufs > target or not asset.warnings & _SHORT:
        yield Fault("loudness", f"{lufs:.2f} LUFS, its target is {target:g}")
    elif delivered is not None and lufs < delivered - _SAME_FIGURE_DB:
        yield Fault("loudness", f"{lufs:.2f} LUFS, its target is {target:g}, and {delivered:.2f} was delivered")


def _is_over(asset: Asset, found: float | None, most: float, delivered: float | None) -> bool:
    """Is a figure over its ceiling, and by more than was known when it was delivered?"""
    known = delivered if _OVER in asset.warnings and delivered is not None else most
    return found is not None and found > max(most, known + _SAME_FIGURE_DB)


def _index_faults(row: AssetRow, figures: Measurement) -> Iterator[Fault]:
    """The index's own figures, of a file that is what was delivered: whoever reads the index relies on them."""
    for name, recorded, measured in (
        ("lufs", row.lufs, figures.lufs),
        ("max_short_term_lufs", row.max_short_term_lufs, figures.max_short_term_lufs),
        ("loudness_range", row.loudness_range, figures.loudness_range_lu),
        ("true_peak_dbtp", row.true_peak_dbtp, figures.true_peak_dbtp),
    ):
        is_other = (recorded is None) != (measured is None)
        if is_other or (recorded is not None and measured is not None and abs(recorded - measured) > _SAME_FIGURE_DB):
            yield Fault("index", f"{name} is {_figure(measured)}, and {_figure(recorded)} in the index")


def _figure(value: float | None) -> str:
    return "nothing that can be measured" if value is None else f"{value:.2f}"


def _named(points: tuple[int, int] | None) -> str:
    return "none" if points is None else f"{points[0]:,} to {points[1]:,}"


def _points(loop: dict[str, int]) -> str:
    return f"{loop.get('start')!r} to {loop.get('end')!r}"[:80]
